"""The optimizer of a training, with the weights that it treats otherwise than others."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import optax
from flax import nnx

from netc.compiler import flax_source
from netc.ir.constraints import matches
from netc.ir.network import Program, Recipe
from netc.recipes.adjustments import ADJUSTMENTS, KERNELS, NoDecay, Rate, exempts
from netc.training.evaluation import Functions

ROWS = {row.kind: row for row in ADJUSTMENTS}


def make_optimizer(program: Program, recipe: Recipe, used: Functions, params: Any, steps: int) -> Any:
    """The recipe's optimizer for parameters, as `nnx.split` gives them, and a run of so many steps."""
    some_decay = exempts(recipe)
    names = (
        {path: name for name, path in flax_source(program).variables.items()}
        if recipe.adjustments or some_decay
        else {}
    )
    decays = by_weight(params, names, lambda name, shape: decaying(recipe, name, shape))
    optimizer = used.optimizer(steps, decays) if some_decay else used.optimizer(steps)
    factors = by_weight(params, names, lambda name, shape: factor(recipe, name))
    if any(one != 1 for one in jax.tree.leaves(factors)):
        optimizer = optax.chain(optimizer, multiplied(factors))
    return optax.with_extra_args_support(optimizer)


def by_weight(params: Any, names: Mapping[str, str], value: Callable[[str, tuple[int, ...]], Any]) -> Any:
    """A value for each weight by its name and shape, in a tree like the parameters'; nothing without names."""
    if not names:
        return ()
    flat = nnx.to_flat_state(params)
    found = [value(names[".".join(map(str, path))], variable[...].shape) for path, variable in flat]
    return nnx.from_flat_state([(path, v.replace(one)) for (path, v), one in zip(flat, found, strict=True)])


def decaying(recipe: Recipe, name: str, shape: tuple[int, ...]) -> bool:
    """Whether a weight decays: `kernels` are weights of two axes or more: no biases, and no scales of norms."""
    exempt = any(one.adjustment.name == NoDecay.kind and matches(one.selector, name) for one in recipe.adjustments)
    return not exempt and (recipe.decay != KERNELS or len(shape) > 1)


def factor(recipe: Recipe, name: str) -> float:
    """What a weight's updates are multiplied by."""
    rows = [
        ROWS[one.adjustment.name](**dict(one.adjustment.named))
        for one in recipe.adjustments
        if matches(one.selector, name)
    ]
    return next((row.factor for row in reversed(rows) if isinstance(row, Rate)), 1.0)


def multiplied(factors: Any) -> optax.GradientTransformation:
    return optax.stateless(lambda updates, params: jax.tree.map(lambda update, one: update * one, updates, factors))
