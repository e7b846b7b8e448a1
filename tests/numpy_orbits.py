"""Convolution over orbits in plain numpy, by the formulas of its sources: a group is its matrices, and nothing else."""

from itertools import product
from typing import Any

import numpy as np
from numpy_windows import Array, pads_of, spread, taps

QUARTER, MIRROR, STILL = (np.array(rows) for rows in ([[0, -1], [1, 0]], [[1, 0], [0, -1]], [[1, 0], [0, 1]]))
TURNS = [STILL, QUARTER, QUARTER @ QUARTER, QUARTER @ QUARTER @ QUARTER]
"""Anticlockwise turns of (row, column), which are counted downwards and to the right."""
GROUPS = {"rot4": TURNS, "flip": [STILL, MIRROR], "rot4_flip": [*TURNS, *(turn @ MIRROR for turn in TURNS)]}


def turned(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    """The sum of Cohen & Welling 2016, equations 10 and 11, number by number: `f(h, y) psi(g^-1 h, g^-1 (y - x))`."""
    kernel, group = weights["kernel"], GROUPS[layer.orbit.kind]
    lifted = x.ndim == 5
    size = kernel.shape[:2]
    middle = (np.array(size) - 1) / 2
    stride, dilation = (spread(e, 2) for e in (layer.stride, layer.dilation))
    flat = x.reshape(*x.shape[:3], -1)
    pads = pads_of(layer, flat, size, stride, dilation)
    answers = []
    for g in group:
        back = np.linalg.inv(g).round().astype(int)
        total: Any = 0
        for tap, cells in taps(flat, size, stride, dilation, pads, 0.0):
            row, column = (back @ (np.array(tap) - middle) + middle).round().astype(int)
            if not lifted:
                total = total + cells @ kernel[row, column]
                continue
            cells = cells.reshape(*cells.shape[:3], len(group), -1)
            for i, h in enumerate(group):
                part = next(k for k, element in enumerate(group) if (element == back @ h).all())
                total = total + cells[..., i, :] @ kernel[row, column, part]
        answers.append(total)
    return np.stack(answers, axis=-2) + weights.get("bias", 0)


def scaled(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    """Each size by itself, its kernel in the middle of a window of the largest size that is zero elsewhere."""
    number, kernel = layer.orbit.sizes, weights["kernel"]
    largest = [extent + 2 * (number - 1) for extent in kernel.shape[:2]]
    stride, dilation = (spread(e, 2) for e in (layer.stride, layer.dilation))
    answers = []
    for i in range(number):
        seen = x[..., i, :] if x.ndim == 5 else x
        grown = np.zeros((*largest, *kernel.shape[2:]))
        for row, column in product(*(range(extent + 2 * i) for extent in kernel.shape[:2])):
            for q, r in product(*map(range, kernel.shape[:2])):
                part = share(kernel.shape[0], i, row, q) * share(kernel.shape[1], i, column, r)
                grown[row + number - 1 - i, column + number - 1 - i] += part * kernel[q, r]
        pads = pads_of(layer, seen, largest, stride, dilation)
        found = taps(seen, largest, stride, dilation, pads, 0.0)
        answers.append(sum(cells @ grown[tap] for tap, cells in found))
    return np.stack(answers, axis=-2) + weights.get("bias", 0)


def share(taps: int, i: int, cell: int, tap: int) -> float:
    """The part of a tap that goes into a cell of a window that is 2 i cells larger."""

    def tent(cell: int) -> float:
        place = min(max((cell + 0.5) * taps / (taps + 2 * i) - 0.5, 0), taps - 1)
        return max(0.0, 1 - abs(place - tap))

    return tent(cell) / sum(map(tent, range(taps + 2 * i)))
