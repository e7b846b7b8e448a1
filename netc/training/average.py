"""The average of the weights over the steps of a training, which is what is measured, saved and used.

The optimizer goes on from the weights themselves; the average is only looked at. Running statistics are averaged as
the weights are: those of averaged weights lie near the average of what they were at each step (as `use_buffers` of
PyTorch's `AveragedModel`). What is constrained is projected again, as a mean of weights that keep a constraint need not
keep it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import optax
from flax import nnx

from netc.ir.network import Applied, Recipe
from netc.layers.base import Refusal
from netc.recipes.averages import AVERAGES, EPOCH, Average, Ema, Swa

ROWS = {row.kind: row for row in AVERAGES}


def share_of_ema(row: Any, steps: int, per_epoch: int, step: Any) -> Any:
    """What part of the average the weights after step 1, 2 ... become."""
    assert isinstance(row, Ema)
    if not row.debias or row.decay == 0:
        return jnp.full((), 1 - row.decay, jnp.float32)
    # 1 - decay^t, without taking nearly equal numbers from each other.
    return jnp.float32(1 - row.decay) / -jnp.expm1(step * jnp.float32(math.log(row.decay)))


def share_of_swa(row: Any, steps: int, per_epoch: int, step: Any) -> Any:
    """1 up to the first weights that count; then 1/2, 1/3 ... for those that count, and 0 between them."""
    assert isinstance(row, Swa)
    every = per_epoch if row.every == EPOCH else int(row.every)
    start = row.start if isinstance(row.start, int) else math.ceil(row.start * steps)
    first = max(math.ceil(start / every), 1) * every
    later = jnp.maximum(step - first, 0)
    return jnp.where(step <= first, 1.0, jnp.where(later % every == 0, 1 / (1 + later // every), 0.0))


SHARES: dict[type[Average], Callable[[Any, int, int, Any], Any]] = {Ema: share_of_ema, Swa: share_of_swa}


@dataclass(frozen=True)
class Averaging:
    """What a recipe's `average` does in a training of some steps. Without one, `row` is None, the average is empty, and
    the weights are what is used."""

    row: Average | None
    steps: int
    per_epoch: int

    def start(self, params: Any, rest: Any) -> Any:
        """The average before the first step: a part of the state."""
        return () if self.row is None else (params, statistics(rest))

    def after(self, average: Any, params: Any, rest: Any, step: Any) -> Any:
        """The average after a step, counted from 1, with the weights that it left."""
        if self.row is None:
            return average
        share = SHARES[type(self.row)](self.row, self.steps, self.per_epoch, step)
        return optax.incremental_update((params, statistics(rest)), average, share)

    def used(self, average: Any, params: Any, rest: Any, project: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
        """The parameters and other state that are measured and saved; `project` puts weights back to where their
        constraints hold."""
        if self.row is None:
            return params, rest
        params, averaged = average
        _, others = nnx.split_state(rest, nnx.BatchStat, ...)
        rest = nnx.merge_state(averaged, others)
        return project(params, rest), rest


def averaging(recipe: Recipe, steps: int, per_epoch: int) -> Averaging:
    term: Applied | None = recipe.average
    return Averaging(None if term is None else ROWS[term.name](**dict(term.named)), steps, per_epoch)


def refuse_start(recipe: Recipe, steps: int) -> Refusal | None:
    """Why an average cannot be of a run of that many steps: it would begin behind its end."""
    row = averaging(recipe, steps, 1).row
    if not isinstance(row, Swa) or not isinstance(row.start, int) or row.start <= steps:
        return None
    message = f"the average begins at step {row.start:,}, and the whole run has {steps:,}"
    return Refusal(message, "begin earlier: `swa(start = 0.75)` takes the last quarter of any run")


def statistics(rest: Any) -> Any:
    """The running statistics among a net's state."""
    return nnx.split_state(rest, nnx.BatchStat, ...)[0]
