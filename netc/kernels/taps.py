"""What emitted Flax tells of the values between its layers, for whoever listens while it is traced.

The statistics are made where the values are, in the same compiled program: nothing large leaves it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax

from netc.kernels.rows import CHANGING, alone, as_given_on, as_tuple, changes, put, with_changes


@dataclass
class Heard:
    """Statistics of values in the order of their making. An entry of `stats` has arrays with a place for each of the
    entry of `names` beside it: one, or those that the turns of a loop made. `prefix` is where the trace is."""

    names: list[tuple[str, ...]] = field(default_factory=list)
    stats: list[dict[str, Array]] = field(default_factory=list)
    prefix: str = ""
    uses: dict[str, int] = field(default_factory=dict)

    def add(self, names: tuple[str, ...], stats: dict[str, Array]) -> None:
        """A layer that is used again is `name (use 2)`."""
        self.names.append(tuple(map(self.unique, names)))
        self.stats.append(stats)

    def unique(self, name: str) -> str:
        self.uses[name] = self.uses.get(name, 0) + 1
        return name if self.uses[name] == 1 else f"{name} (use {self.uses[name]})"


LISTENERS: list[Heard] = []
"""Those that listen to the trace under way, the innermost last."""


@contextmanager
def listening() -> Iterator[Heard]:
    """Hears of the values that are made inside, which must be one trace."""
    LISTENERS.append(Heard())
    try:
        yield LISTENERS[-1]
    finally:
        LISTENERS.pop()


@contextmanager
def within(name: str, place: int | None = None) -> Iterator[None]:
    """What is made inside belongs to a layer of that name, or to the one at a place in a row."""
    heard = LISTENERS[-1]
    before, own = heard.prefix, name if place is None else f"{name}.{place}"
    heard.prefix = f"{before}{own}."
    try:
        yield
    finally:
        heard.prefix = before


def tap(name: str, value: Array, flat: tuple[float, float] | None = None, dies: bool = False) -> None:
    """Tells of a value [batch, ..., units]: its root mean square and largest magnitude.

    With `flat`, also the share of its numbers that are below the first or above the second; with `dies`, the share of
    its units that are 0 for all of the batch, at all positions.
    """
    if not jnp.issubdtype(value.dtype, jnp.floating) or not value.size:
        return
    x = lax.stop_gradient(value).astype(jnp.float32)
    stats = {"rms": jnp.sqrt(jnp.mean(jnp.square(x))), "largest": jnp.max(jnp.abs(x))}
    if flat is not None:
        stats["saturated"] = jnp.mean((x < flat[0]) | (x > flat[1]))
    if dies:
        stats["dead"] = jnp.mean(jnp.all(x == 0, axis=tuple(range(x.ndim - 1))))
    heard = LISTENERS[-1]
    heard.add((heard.prefix + name,), {key: found[None] for key, found in stats.items()})


def tapped_in_turn(start: int, layers: Any, *values: Any, given: tuple = ()):
    """`rows.in_turn` that also tells of the values in each layer, the first of which has the number `start`."""
    graph, state, fixed = nnx.split(layers, CHANGING, ...)
    inner = Heard()

    def turn(values: tuple, own: tuple) -> tuple:
        nonlocal inner
        layer = nnx.merge(graph, *own, copy=True)
        with listening() as inner:
            made = as_tuple(layer(*values, *given))
        return made, (changes(layer, own[0]), inner.stats)

    first = jax.tree.map(lambda array: array[0], (state, fixed))
    values, (changed, stats) = lax.scan(turn, as_given_on(turn, values, first), (state, fixed))
    put(changed, layers)
    add_turns(inner, stats, start, "{turn}.{name}")
    return alone(values)


def tapped_again(layer: Any, times: int, *values: Any, given: tuple = ()):
    """`rows.again` that also tells of the values in each turn."""
    kept = isinstance(layer, nnx.Module)
    module: Any = layer if kept else ()
    graph, state, fixed = nnx.split(module, CHANGING, ...)
    inner, moved = Heard(), set[int]()

    def turn(carried: tuple, _) -> tuple:
        nonlocal inner
        values, state = carried
        used = nnx.merge(graph, state, fixed, copy=True) if kept else layer
        with listening() as inner:
            made = as_tuple(used(*values, *given))
        changed = changes(used if kept else (), state)
        moved.update(changed)
        return (made, with_changes(state, changed)), inner.stats

    def outputs(values: tuple, state) -> tuple:
        return turn((values, state), None)[0]

    start = as_given_on(outputs, values, state), state
    (values, state), stats = lax.scan(turn, start, None, times)
    put({place: leaf for place, leaf in enumerate(jax.tree.leaves(state)) if place in moved}, layer)
    add_turns(inner, stats, 1, "{name} (turn {turn})")
    return alone(values)


def add_turns(inner: Heard, stats: list[dict[str, Array]], start: int, form: str) -> None:
    """Tells of the turns of a loop, whose statistics have a first axis for the turns."""
    heard = LISTENERS[-1]
    for names, found in zip(inner.names, stats, strict=True):
        turns = range(start, start + len(next(iter(found.values()))))
        own = tuple(heard.prefix + form.format(turn=turn, name=name) for turn in turns for name in names)
        heard.add(own, {key: array.reshape(-1) for key, array in found.items()})
