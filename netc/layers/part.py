"""Layers that take a part of a value, put something around it, or order its channels anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from netc.arguments import REJECTED, Either, Integer, ListOf, OneOf, argument
from netc.layers.base import Layer, Lowering, Refusal, one_input
from netc.layers.symmetry import Motion, Transformed
from netc.layers.window import NAMES, Window
from netc.types import Type

Pairs = tuple[tuple[int, int], ...]
MOST_PARTS = 1000


@dataclass(frozen=True)
class Sides:
    """Accepts cells at the borders: one number for all, one for each axis, or a pair `[before, behind]` for each axis;
    read as pairs, a single one for all axes."""

    words: tuple[str, ...] = ()

    def read(self, value: object) -> object:
        items = value if isinstance(value, tuple) else (value,)
        pairs = tuple(self.pair(item) for item in items)
        return REJECTED if not pairs or REJECTED in pairs else pairs

    def pair(self, item: object) -> object:
        sides = item if isinstance(item, tuple) else (item, item)
        read = tuple(Integer(0).read(side) for side in sides)
        return REJECTED if len(read) != 2 or REJECTED in read else read

    def describe(self) -> str:
        return (
            "a whole number of at least 0, or a list with one for each axis, or with a pair `[before, behind]` for each"
        )


def one_value(kind: str, inputs: tuple[Type, ...]) -> Refusal | None:
    """The refusal of anything but one value with an axis; numbers of every kind will do."""
    if len(inputs) == 1 and inputs[0].shape:
        return None
    if len(inputs) == 1:
        return Refusal(f"`{kind}` needs an axis to work on, and is given {inputs[0]}", "a single number has no parts")
    return one_input(kind, inputs)


def axis_of(kind: str, axis: int, input: Type) -> int | Refusal:
    """An axis, counted from the front."""
    rank = len(input.shape)
    if -rank <= axis < rank:
        return axis % rank
    return Refusal(
        f"`{kind}` is given axis {axis}, and {input} has {rank}",
        "axes are counted from 0, without the batch, or from -1 back",
    )


def moved(
    given: Transformed, around: Sequence[tuple[int, int]], out: Sequence[int], step: Sequence[int], zeros: bool = False
) -> Motion | None:
    """What only takes cells away or puts some around: a window of one cell, with padding that may be negative.

    Of shifts nothing follows but with `zeros` around: what is cut off, or mirrored, may come in when an image moves.
    """
    if given.symmetry.turn is None and not zeros:
        return None
    ones = (1,) * len(out)
    return given.windowed(Window(ones, tuple(step), ones, tuple(around), tuple(out)), even=True)


@dataclass(frozen=True)
class Split(Layer):
    """Several values of one: equal parts of an axis, or parts of given sizes, in their order. The values are named at
    once, `left, right = x -> split(2)`; `concat` joins them again."""

    example = "conv(8, 1x1) -> split(2) -> concat"
    keeps_orbit = True

    parts: int | tuple[int, ...] = argument(
        "into how many equal parts, or a list of their sizes", Either((Integer(1), ListOf(Integer(1))))
    )
    axis: int = argument("which axis, counted from 0 without the batch, or from -1 back", Integer(None), -1)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_value(self.kind, inputs):
            return refusal
        axis = axis_of(self.kind, self.axis, inputs[0])
        if isinstance(axis, Refusal):
            return axis
        if (count := self.parts if isinstance(self.parts, int) else len(self.parts)) > MOST_PARTS:
            return Refusal(f"`split` is given {count:,} parts", f"at most {MOST_PARTS:,} can be named")
        before, extent, behind = inputs[0].shape[:axis], inputs[0].shape[axis], inputs[0].shape[axis + 1 :]
        if isinstance(self.parts, int) and extent % self.parts:
            return Refusal(
                f"`split` cannot make {self.parts} equal parts of axis {axis} of {inputs[0]}, which has {extent}",
                "parts of other sizes are a list: `split([4, 12])`",
            )
        if isinstance(self.parts, tuple) and sum(self.parts) != extent:
            return Refusal(
                f"`split` is given sizes that add up to {sum(self.parts)}, for axis {axis} of {inputs[0]}, which has "
                f"{extent}",
                "every number goes into one part; `slice` takes some and leaves the others",
            )
        return tuple(replace(inputs[0], shape=(*before, part, *behind)) for part in self.sizes(extent))

    def sizes(self, extent: int) -> tuple[int, ...]:
        return (extent // self.parts,) * self.parts if isinstance(self.parts, int) else self.parts

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise() if self.axis in (-1, len(given.inputs[0].shape) - 1) else None

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        axis = self.axis % len(inputs[0].shape)
        sizes = self.sizes(inputs[0].shape[axis])
        if len(sizes) == 1:
            return Lowering("{all}")
        where = len(sizes) if len(set(sizes)) == 1 else list(accumulate(sizes[:-1]))
        at = -1 if axis == len(inputs[0].shape) - 1 else axis + 1
        return Lowering(f"jnp.split({{0}}, {where}, axis={at})")


@dataclass(frozen=True)
class Slice(Layer):
    """The numbers from `start` to before `stop` along one axis, or each `step`th of them; below 0 they count from the
    end, as in Python. `slice(-1, axis = 0)` is the last step of a sequence, `slice(0, 3)` the first three channels.

    What lies outside the axis is an error, and the axis stays, even with one number on it.
    """

    example = "slice(1, 7, axis = 0)"
    keeps_orbit = True

    start: int = argument("the first that is taken", Integer(None), 0)
    stop: int | None = argument("the first that is no longer taken; all to the end, if left out", Integer(None), None)
    axis: int = argument("which axis, counted from 0 without the batch, or from -1 back", Integer(None), -1)
    step: int = argument("every how manyth is taken", Integer(1), 1)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_value(self.kind, inputs):
            return refusal
        axis = axis_of(self.kind, self.axis, inputs[0])
        if isinstance(axis, Refusal):
            return axis
        extent = inputs[0].shape[axis]
        start, stop = self.bounds(extent)
        if not 0 <= start < stop <= extent:
            stop_text = "the end" if self.stop is None else self.stop
            return Refusal(
                f"`slice` from {self.start} to {stop_text} takes nothing, or more than there is, of axis {axis} of "
                f"{inputs[0]}, which has {extent}",
                f"bounds lie between 0 and {extent}, or -{extent} and -1, the first before the second",
            )
        shape = (*inputs[0].shape[:axis], -(-(stop - start) // self.step), *inputs[0].shape[axis + 1 :])
        return (replace(inputs[0], shape=shape),)

    def bounds(self, extent: int) -> tuple[int, int]:
        stop = extent if self.stop is None else self.stop
        return (self.start + extent if self.start < 0 else self.start), (stop + extent if stop < 0 else stop)

    def symmetry(self, given: Transformed) -> Motion | None:
        input = given.inputs[0]
        axis, rank = self.axis % len(input.shape), len(input.shape) - 1
        if axis == rank:
            return given.pointwise()
        start, stop = self.bounds(input.shape[axis])
        out, step, around = list(input.shape[:-1]), [1] * rank, [(0, 0)] * rank
        out[axis], step[axis] = -(-(stop - start) // self.step), self.step
        around[axis] = (-start, stop - input.shape[axis])
        return moved(given, around, out, step)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        axis = self.axis % len(inputs[0].shape)
        start, stop = self.bounds(inputs[0].shape[axis])
        text = f"{start or ''}:{stop if stop < inputs[0].shape[axis] else ''}{f':{self.step}' if self.step > 1 else ''}"
        if axis == len(inputs[0].shape) - 1:
            return Lowering(f"{{0}}[..., {text}]")
        return Lowering(f"{{0}}[{', '.join([*[':'] * (axis + 1), text])}]")


@dataclass(frozen=True)
class Borders(Layer):
    """What `pad` and `crop` share."""

    keeps_orbit = True

    cells: Pairs = argument("how many cells, on all sides, on each axis, or before and behind on each", Sides())

    def pairs(self, input: Type) -> Pairs:
        return self.cells * (len(input.shape) - 1) if len(self.cells) == 1 else self.cells

    def refuse(self, inputs: tuple[Type, ...]) -> Refusal | None:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)):
            return refusal
        rank = len(inputs[0].shape) - 1
        if len(self.cells) not in (1, rank):
            return Refusal(
                f"`{self.kind}` is given cells for {len(self.cells)} axes, and {inputs[0]} has {rank} before its "
                "channels",
                f"one number is for all sides, `{self.kind}(1)`; an image has four, `{self.kind}([[0, 1], [2, 2]])`",
            )
        return None

    def resized(self, input: Type, sign: int) -> Type:
        shape = (
            n + sign * (before + behind) for n, (before, behind) in zip(input.shape, self.pairs(input), strict=False)
        )
        return replace(input, shape=(*shape, input.channels))


@dataclass(frozen=True)
class Pad(Borders):
    """Puts cells around an image or sequence: zeros, its own border repeated (`edge`), or itself mirrored without
    repeating the border (`reflect`). `pad([[1, 0]])` puts one before a sequence and none behind.

    `conv` pads with zeros by itself; modes are PyTorch's `constant`, `replicate` and `reflect`.
    """

    example = "pad(1, mode = reflect)"

    mode: str = argument("what is put there", OneOf(("zero", "reflect", "edge")), "zero")

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := self.refuse(inputs):
            return refusal
        for axis, (n, sides) in enumerate(zip(inputs[0].shape, self.pairs(inputs[0]), strict=False)):
            if self.mode == "reflect" and max(sides) >= n:
                return Refusal(
                    f"`pad` cannot mirror {max(sides)} cells of {inputs[0]}, which has {n} in "
                    f"{NAMES[len(inputs[0].shape) - 1][axis]}",
                    "`reflect` puts fewer cells on a side than there are; `mode = edge` any number",
                )
        return (self.resized(inputs[0], 1),)

    def symmetry(self, given: Transformed) -> Motion | None:
        pairs, input = self.pairs(given.inputs[0]), given.inputs[0]
        return moved(given, pairs, self.resized(input, 1).shape[:-1], (1,) * len(pairs), zeros=self.mode == "zero")

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        apart = ((0, 0),) * (len(inputs[0].array_shape) - len(inputs[0].shape) + 1)
        mode = "" if self.mode == "zero" else f', mode="{self.mode}"'
        return Lowering(f"jnp.pad({{0}}, {((0, 0), *self.pairs(inputs[0]), *apart)!r}{mode})")


@dataclass(frozen=True)
class Crop(Borders):
    """Cuts cells off the borders of an image or sequence: `crop(2)` on all sides, `crop([0, 2])` two columns on the
    left and right of an image, `crop([[1, 0]])` the first step of a sequence (Keras' `Cropping`)."""

    example = "crop(1)"

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := self.refuse(inputs):
            return refusal
        for axis, (n, sides) in enumerate(zip(inputs[0].shape, self.pairs(inputs[0]), strict=False)):
            if sum(sides) >= n:
                return Refusal(
                    f"`crop` cuts {sum(sides)} cells off {inputs[0]}, which has {n} in "
                    f"{NAMES[len(inputs[0].shape) - 1][axis]}",
                    "something must be left",
                )
        return (self.resized(inputs[0], -1),)

    def symmetry(self, given: Transformed) -> Motion | None:
        pairs, input = self.pairs(given.inputs[0]), given.inputs[0]
        around = [(-before, -behind) for before, behind in pairs]
        return moved(given, around, self.resized(input, -1).shape[:-1], (1,) * len(pairs))

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        bounds = [f"{before or ''}:{-behind or ''}" for before, behind in self.pairs(inputs[0])]
        return Lowering(f"{{0}}[{', '.join([':', *bounds])}]")


@dataclass(frozen=True)
class ChannelShuffle(Layer):
    """Mixes the channels of several groups, so that a grouped convolution behind it sees some of each: the channels of
    `groups` groups, side by side, are dealt out in turn, one of the first, one of the second and so on (Zhang et al.
    2018, ShuffleNet, section 3.1)."""

    example = "conv(8, 1x1, groups = 1) -> channel_shuffle(2)"
    keeps_orbit = True

    groups: int = argument("into how many groups the channels are divided", Integer(1))

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (1, 2, 3, 4)):
            return refusal
        return undivided(self.kind, inputs[0], self.groups, "groups") or inputs

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        *before, channels = inputs[0].array_shape
        apart = ", ".join(map(str, (-1, *before, self.groups, channels // self.groups)))
        whole = ", ".join(map(str, (-1, *before, channels)))
        return Lowering(f"{{0}}.reshape({apart}).swapaxes(-1, -2).reshape({whole})")


def undivided(kind: str, input: Type, parts: int, name: str) -> Refusal | None:
    """The refusal of channels that a number does not divide."""
    if input.channels % parts == 0:
        return None
    return Refusal(
        f"`{kind}` cannot divide the {input.channels} channels of {input} by {parts}",
        f"`{name}` must divide the channels",
    )
