"""Transposed convolution, for emitted Flax: Flax's own has neither groups nor the kernel of the convolution that it
transposes."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax


def exchange_maps(kernel: Array, groups: int) -> Array:
    """A kernel [window..., a / groups, b] with its maps exchanged within each group, [window..., b / groups, a]."""
    *window, few, many = kernel.shape
    apart = kernel.reshape(*window, few, groups, many // groups)
    return jnp.moveaxis(apart, -1, -3).swapaxes(-1, -2).reshape(*window, many // groups, few * groups)


def exchange_start(init, groups: int = 1):
    """Initialises a kernel [window..., out / groups, in] as if it were [window..., in / groups, out], so that fan-in is
    what comes in."""

    def start(key: Array, shape: Sequence[int], dtype=jnp.float32, out_sharding=None) -> Array:
        *window, few, many = shape
        return exchange_maps(init(key, (*window, many // groups, few * groups), dtype), groups)

    return start


def conv_transpose(
    x: Array,
    kernel: Array,
    strides: Sequence[int],
    padding: Sequence[tuple[int, int]] = (),
    kernel_dilation: Sequence[int] = (),
    groups: int = 1,
) -> Array:
    """The transpose of a convolution that has a kernel [window..., out / groups, in], on x [batch, positions..., in].

    Each number of x adds its multiple of the window to the cells that begin at its position times the stride;
    `padding` is how many cells are then cut off before and behind, or added where it is negative.
    """
    rank = kernel.ndim - 2
    positions = range(1, rank + 1)
    numbers = lax.ConvDimensionNumbers(
        (0, rank + 1, *positions), (rank + 1, rank, *range(rank)), (0, rank + 1, *positions)
    )
    dilation = tuple(kernel_dilation) or (1,) * rank
    reach = [d * (k - 1) for d, k in zip(dilation, kernel.shape, strict=False)]
    around = [(r - a, r - b) for r, (a, b) in zip(reach, padding or ((0, 0),) * rank, strict=True)]
    return lax.conv_general_dilated(
        x,
        jnp.flip(exchange_maps(kernel, groups), range(rank)),
        (1,) * rank,
        around,
        lhs_dilation=strides,
        rhs_dilation=dilation,
        dimension_numbers=numbers,
        feature_group_count=groups,
    )


class ConvTranspose(nnx.Module):
    """`conv_transpose` with weights of its own: kernel [window..., out / groups, in], bias [out]."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        kernel_size: tuple[int, ...],
        *,
        kernel_init,
        rngs: nnx.Rngs,
        strides: tuple[int, ...],
        padding: Sequence[tuple[int, int]] = (),
        kernel_dilation: tuple[int, ...] = (),
        groups: int = 1,
        use_bias: bool = True,
        bias_init=jax.nn.initializers.zeros,
    ):
        self.strides, self.padding, self.kernel_dilation = strides, tuple(padding), kernel_dilation
        self.groups = groups
        shape = (*kernel_size, out_features // groups, in_features)
        self.kernel = nnx.Param(kernel_init(rngs.params(), shape))
        self.bias = nnx.Param(bias_init(rngs.params(), (out_features,))) if use_bias else None

    def __call__(self, x: Array) -> Array:
        y = conv_transpose(x, self.kernel[...], self.strides, self.padding, self.kernel_dilation, self.groups)
        return y if self.bias is None else y + self.bias[...]
