"""What one step of a training does, compiled: the batch, its gradient, and the weights after it."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax

from netc.ir.network import Recipe
from netc.training.accumulate import accumulated
from netc.training.augment import Augment
from netc.training.average import Averaging
from netc.training.constraints import Held
from netc.training.evaluation import Functions
from netc.training.feeding import Feed
from netc.training.look import Batches
from netc.training.precision import run_in


def batch_of(recipe: Recipe, examples: int) -> int:
    """How many places a step has for examples: no more than there are, but a multiple of `accumulate`."""
    return recipe.accumulate * min(recipe.batch, math.ceil(examples / recipe.accumulate))


def make_in_use(graph: Any, definition: Any, keeps: Held, average: Averaging) -> Callable[[list[Any]], tuple[Any, Any]]:
    """The parameters and other state of a flat state that are measured and saved."""

    def in_use(state: list[Any]) -> tuple[Any, Any]:
        params, rest, (_, mean), _ = jax.tree.unflatten(definition, state)
        return average.used(mean, params, rest, lambda params, rest: keeps.projected(params, graph, rest))

    return in_use


def make_batches(recipe: Recipe, examples: int, augment: Augment, feed: Feed) -> Batches:
    """What gives the examples of a step.

    A last, smaller batch has the same size as all others and is filled up with examples of weight 0: it neither
    compiles again nor counts twice.
    """
    batch = batch_of(recipe, examples)
    per_epoch = math.ceil(examples / batch)

    def batches(number: Any, train: Any, order: Any, seed: Any) -> tuple[dict[str, Any], Any]:
        start = (number % per_epoch) * batch
        chosen = jax.lax.dynamic_slice_in_dim(order, start, batch)
        weight = (start + jnp.arange(batch) < examples).astype(jnp.float32)
        return augment(feed.pick(train, chosen), seed, number // per_epoch, chosen), weight

    return batches


def make_gradient(
    graph: Any, used: Functions, recipe: Recipe, batches: Batches, unroll: bool
) -> Callable[..., tuple[tuple[Any, Any], Any]]:
    """The gradient of a step: parameters, other state, what the feed gives, the order of the epoch, the number of the
    step and the seed in; the loss with the next other state, and the gradient out."""

    def share_of_loss(params: Any, rest: Any, data: Any, weight: Any, total: Any) -> Any:
        outputs, changed = run_in(recipe.precision, used, graph, params, rest, data)
        return jnp.sum(used.loss(outputs, data) * weight) / total, changed

    gradients_of = accumulated(jax.value_and_grad(share_of_loss, has_aux=True), recipe.accumulate, unroll)

    def gradient(params: Any, rest: Any, train: Any, order: Any, number: Any, seed: Any) -> Any:
        data, weight = batches(number, train, order, seed)
        return gradients_of(params, rest, data, weight, jnp.sum(weight))

    return gradient


def make_step(
    graph: Any,
    definition: Any,
    gradient: Callable[..., Any],
    keeps: Held,
    optimizer: Any,
    average: Averaging,
    seed: int,
) -> Callable[..., Any]:
    """The step: a state, what the feed gives and the order of the epoch in, the next state and the loss out."""

    @partial(jax.jit, donate_argnums=0)
    def step(state: list[Any], train: Any, order: Any) -> Any:
        params, rest, (opt_state, mean), number = jax.tree.unflatten(definition, state)
        (loss, changed), gradients = gradient(params, rest, train, order, number, seed)
        updates, opt_state = optimizer.update(gradients, opt_state, params, value=loss)
        params = keeps.projected(optax.apply_updates(params, updates), graph, changed)
        mean = average.after(mean, params, changed, number + 1)
        leaves, structure = jax.tree.flatten((params, changed, (opt_state, mean), number + 1))
        assert structure == definition
        return leaves, loss

    return step
