"""Layers and functions that emitted Flax uses beyond Flax's own.

`netc build --portable` copies the definitions that a net needs into its source, so each stands by itself on
`jax`, `jnp`, `lax`, `nnx` and other definitions of this file and those beside it (`SUPPORT` in `netc.compiler`).
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


def local(x: Array, kernel: Array, strides: tuple[int, ...], padding: Sequence[tuple[int, int]] = ()) -> Array:
    """Convolves x [batch, positions..., in] with a kernel for each position, [positions out..., window..., in, out].

    The cells under each window come together first, [batch, positions out..., taps, in]; each position is then one
    product of a matrix of its own.
    """
    rank = len(strides)
    out, size = kernel.shape[:rank], kernel.shape[rank : 2 * rank]
    x = padded(x, padding)
    cells = []
    for tap in places_in(size):
        along = zip(tap, strides, out, strict=True)
        cells.append(x[:, *(slice(t, t + s * (n - 1) + 1, s) for t, s, n in along)])
    taps = kernel.reshape(*out, len(cells), *kernel.shape[-2:])
    return jnp.einsum("b...ti,...tio->b...o", jnp.stack(cells, axis=-2), taps)


class LocalConv(nnx.Module):
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
        strides: tuple[int, ...],
        padding: Sequence[tuple[int, int]] = (),
        use_bias: bool = True,
        bias_init=jax.nn.initializers.zeros,
    ):
        self.strides, self.padding = strides, tuple(padding)
        self.kernel = nnx.Param(kernel_init(rngs.params(), (*positions, *kernel_size, in_features, out_features)))
        self.bias = nnx.Param(bias_init(rngs.params(), (*positions, out_features))) if use_bias else None

    def __call__(self, x: Array) -> Array:
        y = local(x, self.kernel[...], self.strides, self.padding)
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


class TiledConv(nnx.Module):
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
        strides: tuple[int, ...],
        padding: Sequence[tuple[int, int]] = (),
        kernel_dilation=1,
        groups: int = 1,
        use_bias: bool = True,
        bias_init=jax.nn.initializers.zeros,
    ):
        self.strides, self.padding, self.kernel_dilation = strides, tuple(padding), kernel_dilation
        self.groups = groups
        shape = (*sets, *kernel_size, in_features // groups, out_features)
        self.kernel = nnx.Param(kernel_init(rngs.params(), shape))
        self.bias = nnx.Param(bias_init(rngs.params(), (*sets, out_features))) if use_bias else None

    def __call__(self, x: Array) -> Array:
        y = tiled(x, self.kernel[...], self.strides, self.padding, self.kernel_dilation, self.groups)
        return y if self.bias is None else add_tiled(y, self.bias[...])


def by_gates(init, gates: int):
    """Initialises a kernel [..., gates * n] gate by gate."""

    def start(key: Array, shape: Sequence[int], dtype=jnp.float32, out_sharding=None) -> Array:
        part = (*shape[:-1], shape[-1] // gates)
        return jnp.concatenate([init(one, part, dtype) for one in jax.random.split(key, gates)], axis=-1)

    return start


def open_forget_gate(init, bias: float):
    """Initialises a bias [4 * n] of `lstm` with the forget gate's quarter at `bias` (Gers et al. 2000)."""

    def start(key: Array, shape: Sequence[int], dtype=jnp.float32, out_sharding=None) -> Array:
        n = shape[-1] // 4
        return init(key, shape, dtype).at[n : 2 * n].set(bias)

    return start


def through_time(step, state, x: Array, last: bool, reverse: bool) -> Array:
    """All states [batch, time, n] that a step goes through on x [batch, time, channels], or the last one [batch, n]."""
    _, states = lax.scan(step, state, jnp.swapaxes(x, 0, 1), reverse=reverse)
    return states[0 if reverse else -1] if last else jnp.swapaxes(states, 0, 1)


def rnn(
    x: Array, kernel: Array, recurrent: Array, bias: Array, activation=jnp.tanh, last=False, reverse=False
) -> Array:
    """A simple recurrent layer on x [batch, time, channels] (Elman 1990)."""

    def step(h: Array, fed: Array) -> tuple[Array, Array]:
        h = activation(fed + h @ recurrent)
        return h, h

    start = jnp.zeros((len(x), len(recurrent)), x.dtype)
    return through_time(step, start, x @ kernel + bias, last, reverse)


def gru(x: Array, kernel: Array, recurrent: Array, bias: Array, last=False, reverse=False) -> Array:
    """Gated recurrent units on x [batch, time, channels] (Cho et al. 2014).

    Gates are in the order update, reset, candidate. The reset acts on the state before the candidate's matrix does.
    """
    n = len(recurrent)

    def step(h: Array, fed: Array) -> tuple[Array, Array]:
        gates = jax.nn.sigmoid(fed[:, : 2 * n] + h @ recurrent[:, : 2 * n])
        update, reset = jnp.split(gates, 2, axis=-1)
        candidate = jnp.tanh(fed[:, 2 * n :] + (reset * h) @ recurrent[:, 2 * n :])
        h = update * h + (1 - update) * candidate
        return h, h

    return through_time(step, jnp.zeros((len(x), n), x.dtype), x @ kernel + bias, last, reverse)


def lstm(x: Array, kernel: Array, recurrent: Array, bias: Array, last=False, reverse=False) -> Array:
    """Long short-term memory on x [batch, time, channels], gates in the order input, forget, candidate, output."""

    def step(state: tuple[Array, Array], fed: Array) -> tuple[tuple[Array, Array], Array]:
        h, cell = state
        enter, keep, candidate, show = jnp.split(fed + h @ recurrent, 4, axis=-1)
        cell = jax.nn.sigmoid(keep) * cell + jax.nn.sigmoid(enter) * jnp.tanh(candidate)
        h = jax.nn.sigmoid(show) * jnp.tanh(cell)
        return (h, cell), h

    start = jnp.zeros((len(x), len(recurrent)), x.dtype)
    return through_time(step, (start, start), x @ kernel + bias, last, reverse)


class Recurrent(nnx.Module):
    """The weights of a recurrent layer: kernel [channels, gates * n], recurrent [n, gates * n], bias [gates * n]."""

    gates = 1

    def __init__(
        self,
        in_features: int,
        features: int,
        *,
        kernel_init,
        recurrent_init,
        rngs: nnx.Rngs,
        bias_init=jax.nn.initializers.zeros,
        last: bool = False,
        reverse: bool = False,
    ):
        wide = self.gates * features
        self.last, self.reverse = last, reverse
        self.kernel = nnx.Param(kernel_init(rngs.params(), (in_features, wide)))
        self.recurrent = nnx.Param(recurrent_init(rngs.params(), (features, wide)))
        self.bias = nnx.Param(bias_init(rngs.params(), (wide,)))


class Rnn(Recurrent):
    """`rnn` with weights of its own."""

    activation = staticmethod(jnp.tanh)

    def __call__(self, x: Array) -> Array:
        weights = self.kernel[...], self.recurrent[...], self.bias[...]
        return rnn(x, *weights, activation=self.activation, last=self.last, reverse=self.reverse)


class ReluRnn(Rnn):
    """`rnn` with `relu` in place of `tanh`."""

    activation = staticmethod(nnx.relu)


class Gru(Recurrent):
    """`gru` with weights of its own."""

    gates = 3

    def __call__(self, x: Array) -> Array:
        return gru(x, self.kernel[...], self.recurrent[...], self.bias[...], self.last, self.reverse)


class Lstm(Recurrent):
    """`lstm` with weights of its own."""

    gates = 4

    def __call__(self, x: Array) -> Array:
        return lstm(x, self.kernel[...], self.recurrent[...], self.bias[...], self.last, self.reverse)


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


class Prepend(nnx.Module):
    """Trained steps [n, channels] before the first of a sequence."""

    def __init__(self, n: int, channels: int, *, init: nnx.Initializer, rngs: nnx.Rngs):
        self.table = nnx.Param(init(rngs.params(), (n, channels)))

    def __call__(self, x: Array) -> Array:
        return prepend(x, self.table[...])


def prepend(x: Array, table: Array) -> Array:
    """The steps [n, channels] before the first of each sequence x [batch, time, channels]."""
    return jnp.concatenate([jnp.broadcast_to(table, (len(x), *table.shape)), x], axis=1)
