"""Convolution with a kernel for each position, and with several in turn, for emitted Flax."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from netc.kernels.modules import Convolution, convolve


def separately(init, axes: int):
    """Initialises weights that stand side by side on the first axes, each with numbers and a fan-in of its own."""

    def start(key: Array, shape: Sequence[int], dtype=jnp.float32, out_sharding=None) -> Array:
        keys = jax.random.split(key, jax.ShapeDtypeStruct(shape[:axes], dtype).size)
        return jax.vmap(lambda one: init(one, shape[axes:], dtype))(keys).reshape(shape)

    return start


def padded(x: Array, padding: Sequence[tuple[int, int]]) -> Array:
    """Zeros around the positions of x [batch, positions..., channels]."""
    return jnp.pad(x, ((0, 0), *padding, (0, 0))) if padding else x


def places_in(extents: Sequence[int]) -> list[tuple[int, ...]]:
    """All places of a grid, the last axis fastest."""
    places: list[tuple[int, ...]] = [()]
    for extent in extents:
        places = [(*place, i) for place in places for i in range(extent)]
    return places


def windows(x: Array, size: tuple[int, ...], strides: tuple[int, ...] = ()) -> Array:
    """The cells under each window of x [batch, positions..., channels]: [batch, windows..., cells * channels]."""
    cells = taps(x, size, strides or (1,) * len(size))
    return cells.reshape(*cells.shape[:-2], -1)


def taps(x: Array, size: tuple[int, ...], strides: tuple[int, ...]) -> Array:
    """What each cell of a window over x [batch, positions..., channels] sees: [batch, windows..., cells, channels]."""
    rows = list(zip(x.shape[1:-1], size, strides, strict=True))
    ends = [s * ((n - k) // s) + 1 for n, k, s in rows]
    cells = [
        x[:, *(slice(i, i + end, s) for i, end, s in zip(place, ends, strides, strict=True))]
        for place in places_in(size)
    ]
    return jnp.stack(cells, axis=-2)


def local(x: Array, kernel: Array, strides: tuple[int, ...], padding: Sequence[tuple[int, int]] = ()) -> Array:
    """Convolves x [batch, positions..., in] with a kernel for each position, [positions out..., window..., in, out].

    The cells under each window come together first, [batch, positions out..., taps, in]; each position is then one
    product of a matrix of its own.
    """
    rank = len(strides)
    size = kernel.shape[rank : 2 * rank]
    cells = taps(padded(x, padding), size, strides)
    return jnp.einsum("b...ti,...tio->b...o", cells, kernel.reshape(*cells.shape[1:-1], *kernel.shape[-2:]))


class LocalConv(Convolution):
    """A layer of windows that share nothing: kernel [positions..., window..., in, out], bias [positions..., out]."""

    def __init__(
        self,
        positions: tuple[int, ...],
        in_features: int,
        out_features: int,
        kernel_size: tuple[int, ...],
        *,
        kernel_init,
        rngs: nnx.Rngs,
        **options,
    ):
        kernel = kernel_init(rngs.params(), (*positions, *kernel_size, in_features, out_features))
        super().__init__(kernel, (*positions, out_features), rngs=rngs, **options)

    def __call__(self, x: Array) -> Array:
        y = local(x, self.kernel[...], **dict(self.window))
        return y if self.bias is None else y + self.bias[...]


def tiled(
    x: Array,
    kernel: Array,
    strides: tuple[int, ...],
    padding: Sequence[tuple[int, int]] = (),
    kernel_dilation=1,
    groups=1,
) -> Array:
    """Convolves x [batch, positions..., in] with sets of weights in turn, [sets..., window..., in / groups, out].

    Position i of an axis with k sets uses set i mod k. Each set is a convolution with k times the stride that starts
    where the set does; what the sets give is then interleaved.
    """
    rank = len(strides)
    sets = kernel.shape[:rank]
    x = padded(x, padding)
    wider = tuple(s * k for s, k in zip(strides, sets, strict=True))
    parts = []
    for place in places_in(sets):
        seen = x[:, *(slice(i * s, None) for i, s in zip(place, strides, strict=True))]
        parts.append(convolve(seen, kernel[place], wider, "VALID", kernel_dilation, groups))
    turns = parts[0].shape[1:-1]
    out = [sum(part.shape[axis + 1] for part in parts) * k // len(parts) for axis, k in enumerate(sets)]
    short = [tuple(n - m for n, m in zip(turns, part.shape[1:-1], strict=True)) for part in parts]
    even = [padded(part, tuple((0, n) for n in behind)) for part, behind in zip(parts, short, strict=True)]
    grid = jnp.stack(even).reshape(*sets, *even[0].shape)
    order = [rank, *(axis for a in range(rank) for axis in (rank + 1 + a, a)), 2 * rank + 1]
    whole = [n * k for n, k in zip(turns, sets, strict=True)]
    y = grid.transpose(order).reshape(len(x), *whole, kernel.shape[-1])
    return y[:, *(slice(n) for n in out)]


def add_tiled(y: Array, bias: Array) -> Array:
    """Adds biases [sets..., out] in turn to the positions of y [batch, positions..., out]."""
    turns = [-(-n // k) for n, k in zip(y.shape[1:-1], bias.shape[:-1], strict=True)]
    return y + jnp.tile(bias, (*turns, 1))[*(slice(n) for n in y.shape[1:-1])]


class TiledConv(Convolution):
    """Convolution with sets of weights in turn (Ngiam et al. 2010): kernel [sets..., window..., in / groups, out],
    bias [sets..., out]."""

    def __init__(
        self,
        sets: tuple[int, ...],
        in_features: int,
        out_features: int,
        kernel_size: tuple[int, ...],
        *,
        kernel_init,
        rngs: nnx.Rngs,
        groups: int = 1,
        **options,
    ):
        kernel = kernel_init(rngs.params(), (*sets, *kernel_size, in_features // groups, out_features))
        super().__init__(kernel, (*sets, out_features), rngs=rngs, groups=groups, **options)

    def __call__(self, x: Array) -> Array:
        y = tiled(x, self.kernel[...], **dict(self.window))
        return y if self.bias is None else add_tiled(y, self.bias[...])
