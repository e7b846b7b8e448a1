"""Layers and functions that emitted Flax uses beyond Flax's own.

`netc build --portable` copies the definitions that a net needs into its source, so each stands by itself on
`jax`, `jnp`, `lax`, `nnx` and other definitions of this file.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax


def fan_in_uniform(bound: float):
    """Initialises uniformly within bound / fan-in of 0 (LeCun et al. 1998, appendix A).

    The fan-in of a kernel is the product of all its axes but the last.
    """

    def init(key: Array, shape: Sequence[int], dtype=jnp.float32, out_sharding=None) -> Array:
        fan_in = max(1, jax.ShapeDtypeStruct(shape[:-1], dtype).size)
        return jax.random.uniform(key, tuple(shape), dtype, -bound / fan_in, bound / fan_in)

    return init


def convolve(
    x: Array,
    kernel: Array,
    strides=1,
    padding: str | Sequence[tuple[int, int]] = "SAME",
    kernel_dilation=1,
    groups: int = 1,
) -> Array:
    """Convolves x [batch, positions..., in] with kernel [window..., in / groups, out], as `nnx.Conv` does."""
    rank = kernel.ndim - 2
    positions = range(1, rank + 1)
    numbers = lax.ConvDimensionNumbers(
        (0, rank + 1, *positions), (rank + 1, rank, *range(rank)), (0, rank + 1, *positions)
    )
    return lax.conv_general_dilated(
        x,
        kernel,
        (strides,) * rank if isinstance(strides, int) else strides,
        padding,
        rhs_dilation=(kernel_dilation,) * rank if isinstance(kernel_dilation, int) else kernel_dilation,
        dimension_numbers=numbers,
        feature_group_count=groups,
    )


def table_kernel(kernel: Array, table: Sequence[str]) -> Array:
    """Spreads the weights [window..., connections] of a connection table into a kernel [window..., in, out]."""
    pairs = [(i, o) for o in range(len(table[0])) for i, row in enumerate(table) if row[o] == "X"]
    rows, columns = jnp.array([i for i, _ in pairs]), jnp.array([o for _, o in pairs])
    dense = jnp.zeros((*kernel.shape[:-1], len(table), len(table[0])), kernel.dtype)
    return dense.at[..., rows, columns].set(kernel)


class TableConv(nnx.Module):
    """Convolution by a connection table (LeCun et al. 1998, table I): absent connections have no weight.

    `table` has a row for each input map and a column for each output map; the kernel is
    [window..., connections], output map by output map.
    """

    def __init__(
        self,
        table: Sequence[str],
        kernel_size: tuple[int, ...],
        *,
        kernel_init,
        rngs: nnx.Rngs,
        strides=1,
        padding="SAME",
        kernel_dilation=1,
        use_bias: bool = True,
        bias_init=jax.nn.initializers.zeros,
    ):
        self.table = tuple(table)
        self.strides, self.padding, self.kernel_dilation = strides, padding, kernel_dilation
        # Each output map starts as it would in a plain convolution of the maps that feed it.
        columns = [sum(row[o] == "X" for row in table) for o in range(len(table[0]))]
        parts = [kernel_init(rngs.params(), (*kernel_size, maps, 1))[..., 0] for maps in columns]
        self.kernel = nnx.Param(jnp.concatenate(parts, axis=-1))
        self.bias = nnx.Param(bias_init(rngs.params(), (len(table[0]),))) if use_bias else None

    def __call__(self, x: Array) -> Array:
        kernel = table_kernel(self.kernel[...], self.table)
        y = convolve(x, kernel, self.strides, self.padding, self.kernel_dilation)
        return y if self.bias is None else y + self.bias[...]


def orbit_convolve(x: Array, kernel: Array, orbit: str, strides=1, padding="SAME", kernel_dilation=1) -> Array:
    """Convolves x with the turned and mirrored copies of a kernel: [batch, height, width, copies, out].

    x is an image [batch, height, width, in] and the kernel [height, width, in, out]; or x is over the orbit,
    [batch, height, width, copies, in], and the kernel [height, width, copies, in, out].
    """
    y = convolve(x.reshape(*x.shape[:3], -1), orbit_kernel(kernel, orbit), strides, padding, kernel_dilation)
    return y.reshape(*y.shape[:3], len(ORBITS[orbit]), -1)


def orbit_kernel(kernel: Array, orbit: str) -> Array:
    """The kernel of the plain convolution that computes all copies: [height, width, (copies) in, copies out].

    For the group element g, the copy is the kernel turned by g; one over the orbit is shuffled, too: for the
    element h of the input it is the part of g^-1 h (Cohen & Welling 2016, equation 11).
    """
    copies = []
    for g in ORBITS[orbit]:
        mirrored, turns = g
        copy = jnp.rot90(jnp.flip(kernel, 1) if mirrored else kernel, turns)
        if kernel.ndim == 5:
            parts = [ORBITS[orbit].index(seen_from(g, h)) for h in ORBITS[orbit]]
            copy = jnp.stack([copy[:, :, part] for part in parts], axis=2)
        copies.append(copy)
    stacked = jnp.stack(copies, axis=-2)
    return stacked.reshape(*kernel.shape[:2], -1, len(copies) * kernel.shape[-1])


def seen_from(g: tuple[int, int], h: tuple[int, int]) -> tuple[int, int]:
    """The group element g^-1 h; (mirrored, turns) mirrors left to right, and then turns by 90 degrees each."""
    turns = h[1] - g[1]
    return (g[0] + h[0]) % 2, (-turns if g[0] else turns) % 4


ORBITS = {
    "rot4": [(0, 0), (0, 1), (0, 2), (0, 3)],
    "flip": [(0, 0), (1, 0)],
    "rot4_flip": [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)],
}


class OrbitConv(nnx.Module):
    """Convolution by one kernel and its turned or mirrored copies; the bias is one for each map."""

    def __init__(
        self,
        orbit: str,
        kernel_shape: tuple[int, ...],
        *,
        kernel_init,
        rngs: nnx.Rngs,
        strides=1,
        padding="SAME",
        kernel_dilation=1,
        use_bias: bool = True,
        bias_init=jax.nn.initializers.zeros,
    ):
        self.orbit = orbit
        self.strides, self.padding, self.kernel_dilation = strides, padding, kernel_dilation
        self.kernel = nnx.Param(kernel_init(rngs.params(), kernel_shape))
        self.bias = nnx.Param(bias_init(rngs.params(), kernel_shape[-1:])) if use_bias else None

    def __call__(self, x: Array) -> Array:
        y = orbit_convolve(x, self.kernel[...], self.orbit, self.strides, self.padding, self.kernel_dilation)
        return y if self.bias is None else y + self.bias[...]


def scale_convolve(x: Array, kernel: Array, sizes: int, padding, strides=1, kernel_dilation=1) -> Array:
    """Convolves x with a kernel [height, width, in, out] at several sizes: [batch, height, width, sizes, out].

    x is an image [batch, height, width, in], or of several sizes [batch, height, width, sizes, in], each of which
    meets its own. `padding` is that of the largest window; smaller ones have the same centres.
    """
    height, width = (kernel_dilation,) * 2 if isinstance(kernel_dilation, int) else kernel_dilation
    answers = []
    for size in range(sizes):
        seen = x if x.ndim == 4 else x[..., size, :]
        inset = sizes - 1 - size
        pads = [
            (before - inset * step, after - inset * step)
            for (before, after), step in zip(padding, (height, width), strict=True)
        ]
        answers.append(convolve(seen, scaled_kernel(kernel, 2 * size), strides, pads, kernel_dilation))
    return jnp.stack(answers, axis=-2)


def scaled_kernel(kernel: Array, more: int) -> Array:
    """A kernel [height, width, in, out] spread over a larger window, with the same answer to a constant image."""
    down, across = (spreading(extent, extent + more) for extent in kernel.shape[:2])
    return jnp.einsum("ph,qw,hwio->pqio", down, across, kernel)


def spreading(taps: int, cells: int) -> Array:
    """Which part of each of the taps goes into each of the cells, bilinearly: [cells, taps], columns of sum 1."""
    places = jnp.clip((jnp.arange(cells) + 0.5) * taps / cells - 0.5, 0, taps - 1)
    tents = jnp.maximum(0, 1 - jnp.abs(places[:, None] - jnp.arange(taps)))
    return tents / tents.sum(axis=0)


class ScaleConv(nnx.Module):
    """Convolution by one kernel at several sizes; the bias is one for each map."""

    def __init__(
        self,
        sizes: int,
        kernel_shape: tuple[int, ...],
        *,
        padding: Sequence[tuple[int, int]],
        kernel_init,
        rngs: nnx.Rngs,
        strides=1,
        kernel_dilation=1,
        use_bias: bool = True,
        bias_init=jax.nn.initializers.zeros,
    ):
        self.sizes = sizes
        self.strides, self.padding, self.kernel_dilation = strides, padding, kernel_dilation
        self.kernel = nnx.Param(kernel_init(rngs.params(), kernel_shape))
        self.bias = nnx.Param(bias_init(rngs.params(), kernel_shape[-1:])) if use_bias else None

    def __call__(self, x: Array) -> Array:
        y = scale_convolve(x, self.kernel[...], self.sizes, self.padding, self.strides, self.kernel_dilation)
        return y if self.bias is None else y + self.bias[...]


def window_sum(x: Array, size: tuple[int, ...]) -> Array:
    """Sums windows of x [batch, positions..., channels] that do not overlap; a partial last window is left out."""
    window = (1, *size, 1)
    return lax.reduce_window(x, 0.0, lax.add, window, window, "VALID")


class Subsample(nnx.Module):
    """LeNet-5's pooling: window sums times a coefficient for each map, plus a bias (LeCun et al. 1998)."""

    def __init__(self, features: int, size: tuple[int, ...], *, coefficient_init, bias_init, rngs: nnx.Rngs):
        self.size = size
        self.coefficient = nnx.Param(coefficient_init(rngs.params(), (features,)))
        self.bias = nnx.Param(bias_init(rngs.params(), (features,)))

    def __call__(self, x: Array) -> Array:
        return window_sum(x, self.size) * self.coefficient[...] + self.bias[...]


def rbf(x: Array, codes) -> Array:
    """Squared distances of x [batch, n] to codes [classes, n] (LeCun et al. 1998, equation 7)."""
    return jnp.sum(jnp.square(x[:, None, :] - jnp.asarray(codes)), axis=-1)


def digit_codes() -> Array:
    """The ten digits in 7 by 12 cells of +1 and -1, [10, 84]; each hexadecimal pair is a row of cells."""
    rows = DIGIT_ROWS
    bits = [[int(row[i : i + 2], 16) >> (6 - bit) & 1 for i in range(0, 24, 2) for bit in range(7)] for row in rows]
    return jnp.array(bits, jnp.float32) * 2 - 1


DIGIT_ROWS = (
    "001c226363636363221c0000",
    "000c1c3c0c0c0c0c0c3f0000",
    "003e636303060c18307f0000",
    "003e6303031e0303633e0000",
    "0003070b1b33637f03030000",
    "007f6060607e0303633e0000",
    "001e3060607e6363633e0000",
    "007f630306060c0c18180000",
    "003e6363633e6363633e0000",
    "003e636363633f03063c0000",
)
