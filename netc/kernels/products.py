"""Convolution of images as one matrix product, for emitted Flax on a CPU, where it is faster with few channels."""

from collections.abc import Callable, Sequence
from functools import cache

import jax.numpy as jnp
from jax import Array, lax


@cache
def products(block: tuple[int, int]) -> Callable[..., Array]:
    """A `lax.conv_general_dilated` for `nnx.Conv`: each row of the product is one block of `block` positions.

    With few channels in and out, a product that has a row for each position is thin, and its time is that of moving
    numbers. Neighbouring positions see much the same: a block sees (rows - 1) * stride + window rows, and the kernel is
    written once for each of its positions, with zeros around it, so that more numbers are multiplied and fewer moved.
    """

    def convolution(
        x: Array,
        kernel: Array,
        strides: Sequence[int],
        padding: str | Sequence[tuple[int, int]],
        lhs_dilation=None,
        rhs_dilation: Sequence[int] | None = None,
        dimension_numbers=None,
        feature_group_count: int = 1,
        **precision,
    ) -> Array:
        assert feature_group_count == 1 and set(rhs_dilation or (1,)) <= {1}
        if isinstance(padding, str):
            padding = lax.padtype_to_pads(x.shape[1:3], kernel.shape[:2], strides, padding)
        out = [
            (extent + sum(pads) - size) // step + 1
            for extent, pads, size, step in zip(x.shape[1:3], padding, kernel.shape, strides, strict=False)
        ]
        counts = [-(-positions // cells) for positions, cells in zip(out, block, strict=True)]
        seen = [(cells - 1) * step + size for cells, step, size in zip(block, strides, kernel.shape, strict=False)]
        x = in_blocks(x, seen, [c * s for c, s in zip(block, strides, strict=True)], counts, padding)
        y = lax.dot(x, written_out(kernel, block, strides), **precision)
        y = y.reshape(-1, *counts, *block, kernel.shape[3]).transpose(0, 1, 3, 2, 4, 5)
        return y.reshape(len(y), counts[0] * block[0], counts[1] * block[1], -1)[:, : out[0], : out[1]]

    return convolution


def in_blocks(
    x: Array, seen: Sequence[int], step: Sequence[int], counts: Sequence[int], padding: Sequence[tuple[int, int]]
) -> Array:
    """What each block sees of x [batch, rows, columns, maps]: [batch * blocks, seen rows * seen columns * maps]."""
    ends = [(count - 1) * s + cells for count, s, cells in zip(counts, step, seen, strict=True)]
    edges = [(before, end - before - n, 0) for (before, _), end, n in zip(padding, ends, x.shape[1:3], strict=True)]
    x = lax.pad(x, jnp.zeros((), x.dtype), ((0, 0, 0), *edges, (0, 0, 0)))
    rows = [x[:, i : i + (counts[0] - 1) * step[0] + 1 : step[0]] for i in range(seen[0])]
    x = jnp.stack(rows, 2)
    columns = [x[:, :, :, i : i + (counts[1] - 1) * step[1] + 1 : step[1]] for i in range(seen[1])]
    return jnp.stack(columns, 4).swapaxes(2, 3).reshape(-1, seen[0] * seen[1] * x.shape[-1])


def written_out(kernel: Array, block: tuple[int, int], strides: Sequence[int]) -> Array:
    """The kernel [rows, columns, in, out] for each position of a block: [seen rows * seen columns * in, positions *
    out]."""
    down, right = ((cells - 1) * step for cells, step in zip(block, strides, strict=True))
    placed = [
        jnp.pad(kernel, ((i, down - i), (j, right - j), (0, 0), (0, 0)))
        for i in range(0, down + 1, strides[0])
        for j in range(0, right + 1, strides[1])
    ]
    whole = jnp.stack(placed, 3)
    return whole.reshape(-1, len(placed) * kernel.shape[3])
