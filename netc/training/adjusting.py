"""The optimizer of a training, with the weights that it treats otherwise than others."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import optax
from flax import nnx

from netc.compiler import flax_source
from netc.ir.constraints import matches, with_constraints
from netc.ir.network import Program, Recipe
from netc.recipes.adjustments import ADJUSTMENTS, KERNELS, NoDecay, Rate, exempts
from netc.recipes.optax_rows import OF_WHOLE_WEIGHTS
from netc.training.evaluation import Functions
from netc.training.stacks import Stacks

ROWS = {row.kind: row for row in ADJUSTMENTS}


def make_optimizer(program: Program, recipe: Recipe, used: Functions, params: Any, steps: int) -> Any:
    """The recipe's optimizer for parameters, as `nnx.split` gives them, and a run of so many steps.

    Weights in stacks are updated at once, unless the optimizer looks at whole weights, or treats some otherwise.
    """
    places = flax_source(with_constraints(program, recipe.constraints)).variables
    apart = bool(recipe.adjustments) or any(transform.name in OF_WHOLE_WEIGHTS for transform in recipe.optimizer)
    stacks = Stacks.of(places) if apart else Stacks()
    some_decay = exempts(recipe)
    names = {stacks.key(at): (name, stacks.depth(at)) for name, at in reversed(places.items())}
    seen = stacks.apart(params) if recipe.adjustments or some_decay else ()
    decays = by_weight(seen, names, lambda name, shape: decaying(recipe, name, shape))
    optimizer = used.optimizer(steps, decays) if some_decay else used.optimizer(steps)
    factors = by_weight(seen, names, lambda name, shape: factor(recipe, name))
    if any(one != 1 for one in jax.tree.leaves(factors)):
        optimizer = optax.chain(optimizer, multiplied(factors))
    return stacks.one_by_one(optax.with_extra_args_support(optimizer))


def by_weight(params: Any, names: Mapping[str, tuple[str, int]], value: Callable[[str, tuple[int, ...]], Any]) -> Any:
    """A value for each weight by its name and shape, in a tree like the parameters'. `names` are those at each path,
    with how many axes of the array there are a stack's."""
    found = []
    for path, variable in nnx.to_flat_state(params) if params else ():
        name, stacked = names[".".join(map(str, path))]
        found.append((path, variable.replace(value(name, variable[...].shape[stacked:]))))
    return nnx.from_flat_state(found) if found else ()


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
