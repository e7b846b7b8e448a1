"""Layers and functions that emitted Flax uses beyond Flax's own; more are in the files beside this one.

`netc build --portable` copies the definitions that a net needs into its source, so each stands by itself on
`jax`, `jnp`, `lax`, `nnx` and other definitions of these files (`KERNELS` in `netc.compiler`).
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
    strides: int | Sequence[int] = 1,
    padding: str | Sequence[tuple[int, int]] = "SAME",
    kernel_dilation: int | Sequence[int] = 1,
    groups: int = 1,
    conv_general_dilated=lax.conv_general_dilated,
) -> Array:
    """Convolves x [batch, positions..., in] with kernel [window..., in / groups, out], as `nnx.Conv` does, in the
    numbers of the kernel."""
    rank = kernel.ndim - 2
    positions = range(1, rank + 1)
    numbers = lax.ConvDimensionNumbers(
        (0, rank + 1, *positions), (rank + 1, rank, *range(rank)), (0, rank + 1, *positions)
    )
    return conv_general_dilated(
        x.astype(kernel.dtype),
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


class Convolution(nnx.Module):
    """What convolutions of every kind keep: a kernel, which has been started, perhaps a bias, and how the window moves.

    `window` are options of the kind's function: strides, padding ...
    """

    def __init__(
        self,
        kernel: Array,
        bias_shape: tuple[int, ...],
        *,
        rngs: nnx.Rngs,
        use_bias: bool = True,
        bias_init=jax.nn.initializers.zeros,
        **window,
    ):
        self.window = tuple(window.items())
        self.kernel = nnx.Param(kernel)
        self.bias = nnx.Param(bias_init(rngs.params(), bias_shape)) if use_bias else None


class TableConv(Convolution):
    """Convolution by a connection table (LeCun et al. 1998, table I): absent connections have no weight.

    `table` has a row for each input map and a column for each output map; the kernel is
    [window..., connections], output map by output map.
    """

    def __init__(self, table: Sequence[str], kernel_size: tuple[int, ...], *, kernel_init, rngs: nnx.Rngs, **options):
        # Each output map starts as it would in a plain convolution of the maps that feed it.
        columns = [sum(row[o] == "X" for row in table) for o in range(len(table[0]))]
        parts = [kernel_init(rngs.params(), (*kernel_size, maps, 1))[..., 0] for maps in columns]
        super().__init__(jnp.concatenate(parts, axis=-1), (len(table[0]),), rngs=rngs, **options)
        self.table = tuple(table)

    def __call__(self, x: Array) -> Array:
        kernel = table_kernel(self.kernel[...], self.table)
        y = convolve(x, kernel, **dict(self.window))
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
    """Squared distances of x [batch, ..., n] to codes [classes, n] (LeCun et al. 1998, equation 7)."""
    return jnp.sum(jnp.square(x[..., None, :] - jnp.asarray(codes)), axis=-1)


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


class Prepend(nnx.Module):
    """Trained steps [n, channels] before the first of a sequence."""

    def __init__(self, n: int, channels: int, *, init: nnx.Initializer, rngs: nnx.Rngs):
        self.table = nnx.Param(init(rngs.params(), (n, channels)))

    def __call__(self, x: Array) -> Array:
        return prepend(x, self.table[...])


def prepend(x: Array, table: Array) -> Array:
    """The steps [n, channels] before the first of each sequence x [batch, time, channels]."""
    return jnp.concatenate([jnp.broadcast_to(table, (len(x), *table.shape)), x], axis=1)
