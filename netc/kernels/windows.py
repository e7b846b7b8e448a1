"""The largest of windows that stand side by side, for emitted Flax on a CPU."""

from functools import reduce
from itertools import product

import jax
import jax.numpy as jnp
from jax import Array


def window_max(x: Array, size: tuple[int, ...]) -> Array:
    """The largest of each window of x [batch, positions..., channels]. Windows do not overlap, and a partial last one
    is left out. Of several numbers that are largest the gradient goes to the first, as in `lax.reduce_window`."""
    largest = jax.custom_vjp(lambda cells: reduce(jnp.maximum, cells))
    largest.defvjp(kept, to_first)
    return largest(window_cells(x, size))


def window_cells(x: Array, size: tuple[int, ...]) -> list[Array]:
    """The first cell of each window, then the second ones ..., row by row."""
    counts = [n // cells for n, cells in zip(x.shape[1:], size, strict=False)]
    x = x[:, *(slice(n * cells) for n, cells in zip(counts, size, strict=True))]
    apart = [n for pair in zip(counts, size, strict=True) for n in pair]
    x = x.reshape(len(x), *apart, *x.shape[1 + len(size) :])
    return [x[:, *(i for at in place for i in (slice(None), at))] for place in product(*map(range, size))]


def kept(cells: list[Array]) -> tuple[Array, tuple[list[Array], Array]]:
    largest = reduce(jnp.maximum, cells)
    return largest, (cells, largest)


def to_first(made: tuple[list[Array], Array], slope: Array) -> tuple[list[Array]]:
    """The gradients of the cells."""
    cells, largest = made
    found, slopes = jnp.zeros(slope.shape, bool), []
    for cell in cells:
        first = (cell == largest) & ~found
        slopes.append(jnp.where(first, slope, 0))
        found |= first
    return (slopes,)
