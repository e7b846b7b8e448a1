"""The training loop: one jitted step with donated buffers, data on the device, metrics fetched once an epoch."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from netc.emit.recipe import emit_recipe
from netc.ir.network import Program, Recipe
from netc.model import Model, run_source
from netc.problems import RunError
from netc.recipes.problems import NotFinite

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training set came to: means over its examples, and metrics of the test set."""

    number: int
    steps: int
    loss: float
    test: dict[str, float]


@dataclass(frozen=True)
class Functions:
    """A recipe's emitted functions, and how a batch goes through the net."""

    loss: Callable[..., Any]
    metrics: Callable[..., Any]
    optimizer: Callable[[int], Any]
    feeds: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, model: Any, data: Arrays) -> dict[str, Any]:
        """The net's outputs by name for a batch of fields."""
        made = model(*(data[field] for field in self.feeds))
        return dict(zip(self.outputs, made if isinstance(made, tuple) else (made,), strict=True))


def functions(program: Program, recipe: Recipe) -> Functions:
    names = run_source(emit_recipe(recipe), f"<netc recipe {recipe.name}>")
    outputs = tuple(name for name, _ in program.root.outputs)
    return Functions(names["loss"], names["metrics"], names["optimizer"], tuple(f for _, f in recipe.feeds), outputs)


def steps_in_all(recipe: Recipe, examples: int) -> int:
    """How many steps a recipe takes on a training set; a last, smaller batch is a step too."""
    if recipe.steps is not None:
        return recipe.steps
    assert recipe.epochs is not None
    return recipe.epochs * math.ceil(examples / recipe.batch)


def fit(model: Model, program: Program, recipe: Recipe, train: Arrays, test: Arrays) -> Iterator[Epoch]:
    """Trains a model in place, and gives what each epoch came to.

    A last, smaller batch is filled up with examples of weight 0: it neither recompiles nor counts twice. A loss
    that is not finite raises `RunError`, with the weights as they were at the end of the epoch before.
    """
    examples = len(next(iter(train.values())))
    total = steps_in_all(recipe, examples)
    used = functions(program, recipe)
    optimizer = optax.with_extra_args_support(used.optimizer(total))
    model.train()
    graph, params, rest = nnx.split(model, nnx.Param, ...)
    opt_state = optimizer.init(params)
    train, test = ({name: jnp.asarray(a) for name, a in arrays.items()} for arrays in (train, test))
    step = make_step(graph, used, optimizer, recipe.batch)
    key, done, number = jax.random.key(recipe.seed), 0, 0
    per_epoch = math.ceil(examples / recipe.batch)
    while done < total:
        kept = jax.tree.map(jnp.copy, (params, rest))
        order = shuffled(jax.random.fold_in(key, number), examples, per_epoch * recipe.batch)
        losses = []
        for i in range(min(per_epoch, total - done)):
            params, rest, opt_state, loss = step(params, rest, opt_state, train, order, i)
            losses.append(loss)
        fetched = np.asarray(jnp.stack(losses))
        if not np.isfinite(fetched).all():
            nnx.update(model, *kept)
            bad = int(np.flatnonzero(~np.isfinite(fetched))[0])
            text = f"the weights of step {done}, the last whose loss was finite at an epoch's end, are kept"
            raise RunError([NotFinite(step=done + bad + 1, loss=str(fetched[bad]), kept=text)])
        done, number = done + len(losses), number + 1
        nnx.update(model, params, rest)
        yield Epoch(number, done, float(fetched.mean()), evaluate(model, used, test))


@partial(jax.jit, static_argnums=(1, 2))
def shuffled(key: Any, examples: int, places: int) -> Any:
    """The order of an epoch, filled up to whole batches with `examples`, an index that stands for no example."""
    order = jax.random.permutation(key, examples)
    return jnp.concatenate([order, jnp.full(places - examples, examples, order.dtype)])


def make_step(graph: Any, used: Functions, optimizer: Any, batch: int) -> Callable[..., Any]:
    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(params: Any, rest: Any, opt_state: Any, train: Any, order: Any, i: Any) -> Any:
        chosen = jax.lax.dynamic_slice_in_dim(order, i * batch, batch)
        examples = len(next(iter(train.values())))
        weight = (chosen < examples).astype(jnp.float32)
        data = {name: jnp.take(a, jnp.minimum(chosen, examples - 1), axis=0) for name, a in train.items()}

        def mean_loss(params: Any) -> Any:
            model = nnx.merge(graph, params, rest, copy=True)
            losses = used.loss(used.run(model, data), data)
            return jnp.sum(losses * weight) / jnp.sum(weight), nnx.state(model, nnx.Not(nnx.Param))

        (loss, changed), gradients = jax.value_and_grad(mean_loss, has_aux=True)(params)
        updates, opt_state = optimizer.update(gradients, opt_state, params, value=loss)
        return optax.apply_updates(params, updates), changed, opt_state, loss

    return step


EVALUATION_BATCH = 1000


def evaluate(model: Model, used: Functions, data: Arrays) -> dict[str, float]:
    """The loss and metrics of a model in evaluation mode, as means over all examples."""
    graph, state = nnx.split(nnx.view(model, deterministic=True, use_running_average=True, raise_if_not_found=False))
    examples = len(next(iter(data.values())))
    sums: dict[str, float] = {}
    for start in range(0, examples, EVALUATION_BATCH):
        part = {name: a[start : start + EVALUATION_BATCH] for name, a in data.items()}
        for name, value in measure(graph, used, state, part).items():
            sums[name] = sums.get(name, 0.0) + float(value)
    return {name: value / examples for name, value in sums.items()}


@partial(jax.jit, static_argnums=(0, 1))
def measure(graph: Any, used: Functions, state: Any, data: Any) -> dict[str, Any]:
    outputs = used.run(nnx.merge(graph, state), data)
    found = {"loss": used.loss(outputs, data), **used.metrics(outputs, data)}
    return {name: jnp.sum(value) for name, value in found.items()}
