"""Long rows of equal layers as one loop, for emitted Flax: its body is compiled once, however long the row is."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

CHANGING = nnx.Any(nnx.BatchStat, nnx.RngState)
"""What a use of a layer may change."""


def stack(layers: Sequence):
    """Equal layers as one, each of whose arrays has an axis more, the first, with a place for each layer."""
    graphs, states = zip(*(nnx.split(layer) for layer in layers), strict=True)
    return nnx.merge(graphs[0], jax.tree.map(lambda *arrays: jnp.stack(arrays), *states))


def in_turn(layers: Any, *values: Any, given: tuple = ()):
    """What comes out of a `stack` of layers in a row: what one gives goes into the next.

    Each is called with what is `given`, arrays, too.
    """
    graph, state, fixed = nnx.split(layers, CHANGING, ...)

    def turn(values: tuple, own: tuple) -> tuple:
        layer = nnx.merge(graph, *own, copy=True)
        return as_tuple(layer(*values, *given)), changes(layer, own[0])

    first = jax.tree.map(lambda array: array[0], (state, fixed))
    values, changed = lax.scan(turn, as_given_on(turn, values, first), (state, fixed))
    put(changed, layers)
    return alone(values)


def again(layer: Any, times: int, *values: Any, given: tuple = ()):
    """What comes out of one layer, or of a function that keeps nothing, used several times in a row.

    It is called with what is `given`, arrays, too.
    """
    kept = isinstance(layer, nnx.Module)
    module: Any = layer if kept else ()
    graph, state, fixed = nnx.split(module, CHANGING, ...)
    moved: set[int] = set()

    def turn(carried: tuple, _) -> tuple:
        values, state = carried
        used = nnx.merge(graph, state, fixed, copy=True) if kept else layer
        made = as_tuple(used(*values, *given))
        changed = changes(used if kept else (), state)
        moved.update(changed)
        return (made, with_changes(state, changed)), None

    def outputs(values: tuple, state) -> tuple:
        return turn((values, state), None)[0]

    (values, state), _ = lax.scan(turn, (as_given_on(outputs, values, state), state), None, times)
    put({place: leaf for place, leaf in enumerate(jax.tree.leaves(state)) if place in moved}, layer)
    return alone(values)


def alone(values: tuple[Any, ...]) -> Any:
    """The only value of one, or all of several."""
    return values[0] if len(values) == 1 else values


def as_tuple(values: Any) -> tuple[Any, ...]:
    return values if isinstance(values, tuple) else (values,)


def as_given_on(turn: Any, values: Any, first: Any) -> Any:
    """Values in the numbers that a turn gives them on in: float32 for whole ones."""
    made, _ = jax.eval_shape(turn, values, first)
    return tuple(value.astype(like.dtype) for value, like in zip(values, made, strict=True))


def changes(layer, state) -> dict[int, Array]:
    """What a use changed in a layer that had a state, by its place among what can change."""
    pairs = zip(jax.tree.leaves(nnx.state(layer, CHANGING)), jax.tree.leaves(state), strict=True)
    return {place: after for place, (after, before) in enumerate(pairs) if after is not before}


def with_changes(state, changed: dict[int, Array]):
    leaves, tree = jax.tree.flatten(state)
    return jax.tree.unflatten(tree, [changed.get(place, leaf) for place, leaf in enumerate(leaves)])


def put(changed: dict[int, Array], layer) -> None:
    """Puts what changed into a layer. One in which nothing did may not be this trace's to write to."""
    if changed:
        nnx.update(layer, with_changes(nnx.state(layer, CHANGING), changed))
