"""Layers that look at windows of positions or of channels, for emitted Flax: those that Flax has not."""

import jax.numpy as jnp
from jax import Array, lax


def adaptive_windows(x: Array, axis: int, count: int) -> tuple[Array, Array]:
    """So many windows that cover an axis evenly: the cells of each, on a new axis behind, and which of them count.

    Window i has the cells from floor(i n / count) to ceil((i + 1) n / count), which is left out.
    """
    n = x.shape[axis]
    starts = [i * n // count for i in range(count)]
    ends = [-(-(i + 1) * n // count) for i in range(count)]
    widest = max(end - start for start, end in zip(starts, ends, strict=True))
    # A window with fewer cells sees its last one again.
    cells = [[min(start + i, end - 1) for i in range(widest)] for start, end in zip(starts, ends, strict=True)]
    own = [[start + i < end for i in range(widest)] for start, end in zip(starts, ends, strict=True)]
    behind = (1,) * (x.ndim - axis - 1)
    return jnp.take(x, jnp.array(cells), axis), jnp.array(own).reshape(count, widest, *behind)


def adaptive_max_pool(x: Array, size: tuple[int, ...]) -> Array:
    """The largest number of each window of x [batch, positions..., channels], as many windows as `size` says."""
    for axis, count in enumerate(size, 1):
        x = adaptive_windows(x, axis, count)[0].max(axis=axis + 1)
    return x


def adaptive_avg_pool(x: Array, size: tuple[int, ...]) -> Array:
    """The mean of each window of x [batch, positions..., channels], as many windows as `size` says."""
    for axis, count in enumerate(size, 1):
        cells, own = adaptive_windows(x, axis, count)
        x = (cells * own).sum(axis=axis + 1) / own.sum(axis=1)
    return x


def local_response(x: Array, size: int, alpha: float, beta: float, k: float) -> Array:
    """Divides each number of x [..., channels] by (k + alpha times the sum of squares of `size` channels)^beta
    (Krizhevsky et al. 2012, section 3.3)."""
    ones, none = (1,) * (x.ndim - 1), ((0, 0),) * (x.ndim - 1)
    window, around = (*ones, size), (*none, (size // 2, size // 2))
    return x / (k + alpha * lax.reduce_window(x * x, 0.0, lax.add, window, (1,) * x.ndim, around)) ** beta
