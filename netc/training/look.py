"""A look into a training's step: statistics of its values, gradients and updates, by a program beside the step's own.

It changes nothing and takes part in nothing: the step is the same with and without it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from netc.compiler import tapped_source
from netc.emit.emitted import Place
from netc.ir.constraints import with_constraints
from netc.ir.network import Program, Recipe
from netc.kernels.taps import listening
from netc.model import run_source
from netc.training.arrangement import Arrangement
from netc.training.constraints import Held
from netc.training.evaluation import Functions
from netc.training.precision import run_in

Batches = Callable[[Any, Any, Any, Any], tuple[dict[str, Any], Any]]
"""Of the number of a step, the training set, the order of the epoch and the seed: the step's fields, and what each
example weighs."""
Nets = Callable[[Any, Any], tuple[Any, Any, Any, Any]]
"""Of a state and what `Training.order` gives: the parameters of all nets in it, their other state and orders, and the
number of the step."""
Updates = Callable[[Any, Any, Any], Any]
"""Of a state, gradients and losses of all nets what the step adds to their parameters."""


@dataclass(frozen=True)
class Norms:
    """Of a weight and one step: the root mean squares of its gradient, of itself, and of its update."""

    gradient: float
    weight: float
    update: float

    @property
    def ratio(self) -> float:
        """How large the update is beside the weight."""
        return self.update / self.weight if self.weight else math.inf if self.update else 0.0


@dataclass(frozen=True)
class Look:
    """What was seen of the step after `step` steps, of an ensemble in one `member`. `values` has the statistics of what
    each layer gives, in the order of the calls (`netc.kernels.taps.tap`), `weights` the norms of all that is trained,
    by canonical names."""

    step: int
    loss: float
    values: dict[str, dict[str, float]]
    weights: dict[str, Norms]
    member: int | None = None


class Looking:
    """Looks into steps, those of an ensemble's members too; compiled when it is first asked."""

    def __init__(
        self,
        program: Program,
        recipe: Recipe,
        used: Functions,
        keeps: Held,
        definition: Any,
        batches: Batches,
        group: Arrangement,
        nets: Nets,
        updates: Updates,
    ) -> None:
        self.program, self.recipe, self.used, self.keeps = program, recipe, used, keeps
        self.definition, self.batches = definition, batches
        self.group, self.nets, self.updates = group, nets, updates
        self.names: list[tuple[str, ...]] = []
        self.compiled: Any = None
        self.places: Mapping[str, Place] = {}

    def __call__(self, state: list[Any], train: Any, order: Any) -> Any:
        """Statistics as arrays that may still be under way."""
        if self.compiled is None:
            self.compiled = self.make()
        return self.compiled(state, train, order)

    def make(self) -> Any:
        """The jitted look. Its module has the same arrays in the same places as the one that is trained."""
        whole = with_constraints(self.program, self.recipe.constraints)
        emitted = tapped_source(whole, jax.default_backend())
        self.places = emitted.variables
        made = run_source(emitted.source, f"<netc {self.program.root.name}, tapped>")[emitted.class_name]
        module = nnx.eval_shape(lambda: made(nnx.Rngs(0)))
        module.train()
        graph, _, _ = nnx.split(module, self.keeps.trained, ...)
        depths = {at.path: len(at.index) for at in self.places.values()}

        def share_of_loss(params: Any, rest: Any, data: Any, weight: Any) -> Any:
            with listening() as heard:
                outputs, _ = run_in(self.recipe.precision, self.used, graph, params, rest, data)
            self.names = heard.names
            return jnp.sum(self.used.loss(outputs, data) * weight) / jnp.sum(weight), heard.stats

        gradient_of = jax.value_and_grad(share_of_loss, has_aux=True)
        seeds = self.group.of([jnp.int32(seed) for seed in self.recipe.seeds])

        @jax.jit
        def look(state: list[Any], train: Any, order: Any) -> Any:
            tree = jax.tree.unflatten(self.definition, state)
            params, rests, orders, number = self.nets(tree, order)

            def gradient(params: Any, rest: Any, order: Any, seed: Any) -> Any:
                data, weight = first_part(self.batches(number, train, order, seed), self.recipe.accumulate)
                (loss, values), gradients = gradient_of(params, rest, data, weight)
                return loss, values, gradients

            losses, values, gradients = self.group.each(gradient, params, rests, orders, seeds)
            updates = self.updates(tree, gradients, losses)
            norms = [self.group.each(lambda own: (sizes(own, depths),), own)[0] for own in (gradients, params, updates)]
            return losses, values, norms

        return look

    def read(self, step: int, found: Any) -> list[Look]:
        """What a look gave, fetched, by names; of an ensemble each member's."""
        losses, values, norms = jax.device_get(found)
        member = self.group.member
        return [
            self.named(step, number, member(losses, i), member(values, i), [member(own, i) for own in norms])
            for i, number in enumerate(range(self.recipe.ensemble) if self.recipe.ensemble > 1 else [None])
        ]

    def named(self, step: int, member: int | None, loss: Any, values: Any, trees: list[Any]) -> Look:
        named = {
            name: {key: float(array[i]) for key, array in stats.items()}
            for names, stats in zip(self.names, values, strict=True)
            for i, name in enumerate(names)
        }
        norms = {
            name: Norms(*(float(np.asarray(tree[at.path])[at.index]) for tree in trees))
            for name, at in self.places.items()
            if at.path in trees[0]
        }
        return Look(step, float(loss), named, norms, member)


def first_part(batch: tuple[dict[str, Any], Any], parts: int) -> tuple[dict[str, Any], Any]:
    """The first of the parts in which a step takes its gradient: as much as fits into memory at once."""
    return jax.tree.map(lambda array: array[: len(array) // parts], batch)


def sizes(tree: Any, depths: Mapping[str, int]) -> dict[str, Any]:
    """The root mean square of each weight by its path, with the axes of its stack."""
    found = {}
    for path, variable in nnx.to_flat_state(tree):
        name, array = ".".join(map(str, path)), variable[...]
        axes = tuple(range(depths[name], array.ndim))
        found[name] = root_mean_square(array.astype(jnp.float32), axes)
    return found


def root_mean_square(array: Any, axes: tuple[int, ...]) -> Any:
    """It is finite if the array is: no square overflows."""
    largest = jnp.max(jnp.abs(array), axis=axes, keepdims=True)
    scaled = array / jnp.where(largest > 0, largest, 1)
    return jnp.squeeze(largest, axes) * jnp.sqrt(jnp.mean(jnp.square(scaled), axis=axes))
