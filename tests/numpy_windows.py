"""Windows over positions in plain numpy, tap by tap."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

Array = np.ndarray


def taps(x: Array, size: Sequence[int], stride: Sequence[int], dilation: Sequence[int], pads: Any, fill: float) -> Any:
    """For each tap of a window its index and the input cells under it, [batch, positions out..., channels]."""
    padded = np.pad(x, ((0, 0), *pads, (0, 0)), constant_values=fill)
    reach = [d * (n - 1) + 1 for n, d in zip(size, dilation, strict=True)]
    out = [(n - r) // s + 1 for n, r, s in zip(padded.shape[1:-1], reach, stride, strict=True)]
    for tap in product(*(range(n) for n in size)):
        starts = [t * d for t, d in zip(tap, dilation, strict=True)]
        cut = [slice(a, a + s * (n - 1) + 1, s) for a, s, n in zip(starts, stride, out, strict=True)]
        yield tap, padded[(slice(None), *cut)]


def spread(extents: Sequence[int], rank: int) -> tuple[int, ...]:
    return tuple(extents) * rank if len(extents) == 1 else tuple(extents)


def pads_of(layer: Any, x: Array, size: Any, stride: Any, dilation: Any) -> list[tuple[int, int]]:
    """The cells that are added before and behind each axis."""
    found = []
    for axis, extent in enumerate(x.shape[1:-1]):
        reach = dilation[axis] * (size[axis] - 1) + 1
        if layer.pad == "same":
            total = max((math.ceil(extent / stride[axis]) - 1) * stride[axis] + reach - extent, 0)
            before, after = total // 2, total - total // 2
        else:
            before = after = 0 if layer.pad == "valid" else spread(layer.pad, x.ndim - 2)[axis]
        if getattr(layer, "round", "down") == "up":
            windows = math.ceil((extent + before + after - reach) / stride[axis]) + 1
            windows -= (windows - 1) * stride[axis] >= extent + before
            after = max(after, (windows - 1) * stride[axis] + reach - extent - before)
        found.append((before, after))
    return found
