"""Convolution within loops, for emitted Flax, with gradients in the order of axes that XLA is fast in."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from netc.kernels.transpose import exchange_maps


def convolution(
    x: Array,
    kernel: Array,
    strides: Sequence[int],
    padding: str | Sequence[tuple[int, int]],
    lhs_dilation=None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers=None,
    feature_group_count: int = 1,
    **options,
) -> Array:
    """`lax.conv_general_dilated` as `nnx.Conv` calls it: x [batch, positions..., in], kernel [window..., in / groups,
    out].

    XLA's fast convolutions on a CPU take axes in one order, batch first and channels last. Outside of loops XLA brings
    others into it; within a loop it does not, and the two gradients take 10 to 60 times as long. Here they are written
    in that order, and are right with padding as wide as the window, too.
    """
    dilation = tuple(rhs_dilation or (1,) * len(strides))
    if isinstance(padding, str):
        window = [(size - 1) * step + 1 for size, step in zip(kernel.shape, dilation, strict=False)]
        padding = lax.padtype_to_pads(x.shape[1:-1], window, strides, padding)
    settings: Any = (tuple(strides), tuple(padding), dilation, feature_group_count)
    convolved: Any = jax.custom_vjp(lambda x, kernel: in_order(x, kernel, *settings))
    convolved.defvjp(
        lambda x, kernel: (in_order(x, kernel, *settings), (x, kernel)),
        lambda kept, slope: gradients(settings, kept, slope),
    )
    return convolved(x, kernel)


def in_order(x: Array, kernel: Array, strides, padding, dilation, groups: int, spread=None) -> Array:
    """Convolves x, whose positions are first `spread` apart, with zeros between them.

    Padding below 0 is cut off first: XLA reads what lies beside the array where it is to leave cells out at one end and
    to add some at the other (openxla/xla#48713).
    """
    last = x.ndim - 1
    if any(min(sides) < 0 for sides in padding):
        around = [(*sides, apart - 1) for sides, apart in zip(padding, spread or (1,) * (last - 1), strict=True)]
        x = lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *around, (0, 0, 0)))
        padding, spread = [(0, 0)] * (last - 1), None
    outside, inside = (0, last, *range(1, last)), (last, last - 1, *range(last - 1))
    numbers = lax.ConvDimensionNumbers(outside, inside, outside)
    return lax.conv_general_dilated(x, kernel, strides, padding, spread, dilation, numbers, feature_group_count=groups)


def gradients(settings: Any, kept: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    """Those of x and the kernel; in XLA's own way where the device is no CPU."""

    def native(x: Array, kernel: Array, slope: Array) -> tuple:
        return jax.vjp(lambda *given: in_order(*given, *settings), x, kernel)[1](slope)

    def ordered(x: Array, kernel: Array, slope: Array) -> tuple:
        return ordered_gradients(x, kernel, slope, *settings)

    return lax.platform_dependent(*kept, slope, cpu=ordered, default=native)


def ordered_gradients(
    x: Array, kernel: Array, slope: Array, strides: tuple, padding: tuple, dilation: tuple, groups: int
) -> tuple[Array, Array]:
    """The gradient of x is the slopes, spread by the strides, convolved with the kernel turned by half. That of the
    kernel is x convolved with the slopes, maps and examples exchanged (Dumoulin & Visin 2016)."""
    rank = len(strides)
    around_slope, around_x = [], []
    sizes = zip(x.shape[1:-1], kernel.shape, slope.shape[1:-1], strides, padding, dilation, strict=False)
    for extent, taps, turns, stride, (before, _), step in sizes:
        reach, covered = (taps - 1) * step, (turns - 1) * stride + 1
        around_slope.append((reach - before, extent + before - covered))
        around_x.append((before, covered + reach - extent - before))
    half_turned = jnp.flip(exchange_maps(kernel, groups), range(rank))
    of_x = in_order(slope, half_turned, (1,) * rank, around_slope, dilation, groups, strides)
    by_map = jnp.moveaxis(x.reshape(*x.shape[:-1], groups, -1), (-1, 0), (0, -1))
    maps = by_map.reshape(by_map.shape[0], *x.shape[1:-1], groups * len(x))
    of_kernel = in_order(maps, jnp.moveaxis(slope, 0, -2), dilation, around_x, strides, groups)
    return of_x, jnp.moveaxis(of_kernel, 0, -2)
