"""What may be done to a tensor on its way into a net: a closed table of steps, each with its rule for shapes.

Axes are counted from 0; those below 0 from the last. `docs/importing.md` lists the steps from here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from netc.layers.base import Refusal
from netc.types import show_shape

Shape = tuple[int, ...]
Numbers = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """`rule` gives the shape that comes out of those that go in, for the numbers in the step's parentheses and the
    shape of the weight; `apply` does it to arrays. `several` says whether it takes more than one tensor."""

    written: str
    meaning: str
    rule: Callable[[tuple[Shape, ...], Numbers, Shape], Shape | Refusal]
    apply: Callable[[list[np.ndarray], Numbers, Shape], np.ndarray]
    several: bool = False


def transposed(shapes: tuple[Shape, ...], numbers: Numbers, weight: Shape) -> Shape | Refusal:
    shape = shapes[0]
    if sorted(numbers) != list(range(len(shape))):
        return Refusal(
            f"`transpose{shown(numbers)}` does not name each axis of {show_shape(shape)} once",
            f"for example `transpose{shown(tuple(range(len(shape)))[::-1])}`",
        )
    return tuple(shape[axis] for axis in numbers)


def reshaped(shapes: tuple[Shape, ...], numbers: Numbers, weight: Shape) -> Shape | Refusal:
    wanted, size = numbers or weight, prod(shapes[0])
    rest = prod(extent for extent in wanted if extent != -1)
    open_axes = wanted.count(-1)
    fits = size == rest if not open_axes else rest > 0 and size % rest == 0
    if min(wanted, default=0) < -1 or open_axes > 1 or not fits:
        return Refusal(
            f"`reshape{shown(numbers)}` does not fit {show_shape(shapes[0])}, which has {size:,} numbers"
            + ("" if numbers else f", and the weight {show_shape(weight)} {prod(weight):,}")
        )
    return tuple(size // rest if extent == -1 else extent for extent in wanted)


def parted(shapes: tuple[Shape, ...], numbers: Numbers, weight: Shape) -> Shape | Refusal:
    shape = shapes[0]
    match numbers:
        case (axis, i, n) if has_axis(shape, axis) and 0 <= i < n and shape[axis] % n == 0:
            return with_extent(shape, axis, shape[axis] // n)
    return Refusal(
        f"`part{shown(numbers)}` cannot be taken of {show_shape(shape)}",
        "`part(axis, i, n)` is the i-th, from 0, of n equal parts",
    )


def sliced(shapes: tuple[Shape, ...], numbers: Numbers, weight: Shape) -> Shape | Refusal:
    shape = shapes[0]
    match numbers:
        case (axis, start, stop) if has_axis(shape, axis) and 0 <= start < stop <= shape[axis]:
            return with_extent(shape, axis, stop - start)
    return Refusal(
        f"`slice{shown(numbers)}` does not lie in {show_shape(shape)}",
        "`slice(axis, start, stop)` leaves out `stop` itself",
    )


def reordered(shapes: tuple[Shape, ...], numbers: Numbers, weight: Shape) -> Shape | Refusal:
    shape, order = shapes[0], numbers[1:]
    whole = order and has_axis(shape, numbers[0]) and sorted(order) == list(range(len(order)))
    if whole and shape[numbers[0]] % len(order) == 0:
        return shape
    return Refusal(
        f"`reorder{shown(numbers)}` cannot be done to {show_shape(shape)}",
        "`reorder(axis, 1, 0, 2)` cuts an axis into 3 equal parts and puts them in that order",
    )


def flipped(shapes: tuple[Shape, ...], numbers: Numbers, weight: Shape) -> Shape | Refusal:
    if len(numbers) != 1 or not has_axis(shapes[0], numbers[0]):
        return Refusal(f"`flip{shown(numbers)}` names no axis of {show_shape(shapes[0])}")
    return shapes[0]


def added(shapes: tuple[Shape, ...], numbers: Numbers, weight: Shape) -> Shape | Refusal:
    if numbers or len(set(shapes)) > 1:
        return Refusal(f"`add{shown(numbers)}` cannot add {listed(shapes)}", "their shapes must agree")
    return shapes[0]


def joined(shapes: tuple[Shape, ...], numbers: Numbers, weight: Shape) -> Shape | Refusal:
    if len(numbers) == 1 and all(has_axis(shape, numbers[0]) for shape in shapes):
        axis = numbers[0]
        if len({with_extent(shape, axis, 0) for shape in shapes}) == 1:
            return with_extent(shapes[0], axis, sum(shape[axis] for shape in shapes))
    return Refusal(f"`concat{shown(numbers)}` cannot join {listed(shapes)}", "all axes but the named one must agree")


def has_axis(shape: Shape, axis: int) -> bool:
    return -len(shape) <= axis < len(shape)


def with_extent(shape: Shape, axis: int, extent: int) -> Shape:
    axis %= len(shape)
    return (*shape[:axis], extent, *shape[axis + 1 :])


def shown(numbers: Numbers) -> str:
    return f"({', '.join(map(str, numbers))})" if numbers else ""


def listed(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(map(show_shape, shapes))


def reorder(array: np.ndarray, axis: int, order: Numbers) -> np.ndarray:
    parts = np.split(array, len(order), axis)
    return np.concatenate([parts[i] for i in order], axis)


STEPS: dict[str, Step] = {
    "transpose": Step(
        "transpose(1, 0)",
        "the axes in this order",
        transposed,
        lambda arrays, numbers, weight: arrays[0].transpose(numbers),
    ),
    "reshape": Step(
        "reshape(-1, 512, 7, 7)",
        "the same numbers in the same order with other axes, of which -1 takes what is left; `reshape` alone gives the "
        "weight's own shape",
        reshaped,
        lambda arrays, numbers, weight: arrays[0].reshape(numbers or weight),
    ),
    "part": Step(
        "part(axis, i, n)",
        "the i-th, from 0, of n equal parts of an axis: one of several tensors that were fused",
        parted,
        lambda arrays, numbers, weight: np.split(arrays[0], numbers[2], numbers[0])[numbers[1]],
    ),
    "slice": Step(
        "slice(axis, start, stop)",
        "a stretch of an axis, without `stop` itself",
        sliced,
        lambda arrays, numbers, weight: arrays[0].take(range(numbers[1], numbers[2]), numbers[0]),
    ),
    "reorder": Step(
        "reorder(axis, 1, 0, 2)",
        "the axis cut into as many equal parts as there are numbers, in that order: gates",
        reordered,
        lambda arrays, numbers, weight: reorder(arrays[0], numbers[0], numbers[1:]),
    ),
    "flip": Step(
        "flip(axis)",
        "an axis turned around",
        flipped,
        lambda arrays, numbers, weight: np.flip(arrays[0], numbers[0]),
    ),
    "add": Step(
        "(a, b) -> add",
        "the sum of tensors of one shape: two biases",
        added,
        lambda arrays, numbers, weight: np.sum(arrays, axis=0, dtype=arrays[0].dtype),
        several=True,
    ),
    "concat": Step(
        "(a, b) -> concat(axis)",
        "tensors side by side: queries, keys and values that stand apart",
        joined,
        lambda arrays, numbers, weight: np.concatenate(arrays, numbers[0]),
        several=True,
    ),
}
