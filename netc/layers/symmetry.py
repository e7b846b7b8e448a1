"""How values move when a net's input is moved: the words for it, and the rules that kinds of layers share.

A value moves with the input, stays as it is, or does something unknown (None). Over an orbit, what turns has its copies
exchanged as well. Each kind says in `Layer.symmetry` how
what it gives moves; `netc.ir.symmetry` walks a net with that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import lcm
from typing import TYPE_CHECKING

from netc.types import Type

if TYPE_CHECKING:
    from netc.layers.window import Window

Turn = tuple[tuple[int, int], ...]
"""For each axis of positions, counted from the middle: the axis that it is read from, and the sign. A value v(p)
becomes v(q) with `q[i] = sign[i] * p[axis[i]]`."""


@dataclass(frozen=True)
class Symmetry:
    """Something that can be done to an image; `turn` gives it for a number of axes, None for a shift or a swap."""

    name: str
    meaning: str
    least: int
    """How many axes of positions a value needs for it."""
    turn: Callable[[int], Turn] | None = None

    @property
    def turns_axes(self) -> bool:
        """Whether height becomes width, so that only squares keep their shape."""
        return self.turn is not None and any(axis != i for i, (axis, _) in enumerate(self.turn(2)))


def straight(rank: int) -> list[tuple[int, int]]:
    return [(axis, 1) for axis in range(rank)]


def mirrored(*axes: int) -> Callable[[int], Turn]:
    """The turn that reads some axes backwards; they are counted from the end."""
    return lambda rank: tuple((a, -1 if a - rank in axes else 1) for a in range(rank))


def quarter(rank: int) -> Turn:
    """A quarter turn of the last two axes."""
    return (*straight(rank)[:-2], (rank - 1, 1), (rank - 2, -1))


SHIFT = Symmetry("shift", "moved by pixels along height, width or time", 1)
SWAP = Symmetry("swap", "two inputs exchanged", 0)
SYMMETRIES = {
    s.name: s
    for s in (
        SHIFT,
        Symmetry("rot90", "turned by 90 degrees", 2, quarter),
        Symmetry("rot180", "turned by 180 degrees", 2, mirrored(-1, -2)),
        Symmetry("flip", "left and right exchanged", 1, mirrored(-1)),
        Symmetry("flipud", "top and bottom exchanged", 2, mirrored(-2)),
        SWAP,
    )
}


def composed(first: Turn, second: Turn) -> Turn:
    """One turn after another, as one."""
    return tuple((second[axis][0], sign * second[axis][1]) for axis, sign in first)


@dataclass(frozen=True)
class Sight:
    """What a position p sees of the net's input along one axis: `step * p + first` to `step * p + last`."""

    step: int
    first: int
    last: int


@dataclass(frozen=True)
class Motion:
    """A value moves as the input does (`moves`), or stays as it is.

    The rest is about shifts, with a number for each axis of the input. What moves has `sights`: it does so where they
    end before the border. What was pooled over all positions holds for shifts by multiples of `steps`, of an input
    that is empty for `margins` along its borders before and after.
    """

    moves: bool
    sights: tuple[Sight, ...] = ()
    steps: tuple[int, ...] = ()
    margins: tuple[int, ...] = ()


def together(motions: tuple[Motion, ...], sights: tuple[Sight, ...] = (), moves: bool = False) -> Motion:
    """A motion under the conditions of several."""
    steps = tuple(lcm(*own) for own in zip(*(m.steps for m in motions), strict=True))
    margins = tuple(max(own) for own in zip(*(m.margins for m in motions), strict=True))
    return Motion(moves, sights, steps, margins)


@dataclass(frozen=True)
class Transformed:
    """What reaches a layer when the net's input is moved, at least one value with it; `unchanged` are the weights of
    others in its slots that the same turn of their first axes leaves as they are."""

    symmetry: Symmetry
    inputs: tuple[Type, ...]
    motions: tuple[Motion, ...]
    unchanged: frozenset[str] = frozenset()

    def pointwise(self) -> Motion | None:
        """What works on every position by itself; vectors and numbers that stay count at every position."""
        still = [t for m, t in zip(self.motions, self.inputs, strict=True) if not m.moves]
        if any(len(t.shape) > 1 or (t.orbit is not None and self.symmetry.turn is not None) for t in still):
            return None
        axes = list(zip(*(m.sights for m in self.motions if m.moves), strict=True))
        if any(len({sight.step for sight in axis}) > 1 for axis in axes):
            return None
        sights = tuple(Sight(a[0].step, min(s.first for s in a), max(s.last for s in a)) for a in axes)
        return together(self.motions, sights, moves=True)

    def windowed(self, slid: "Window", even: bool = False, sets: tuple[int, ...] = ()) -> Motion | None:
        """What slides a window over one value; `even` says that a turned window weighs its cells as before, `sets` how
        many sets of weights take turns along each axis."""
        motion = self.motions[0]
        if self.symmetry.turn is None:
            sights = tuple(seen(*axis) for axis in zip(motion.sights, slid.axes(), strict=True))
            steps = tuple(s.step * n for s, n in zip(sights, sets or (1,) * len(sights), strict=True))
            return together((motion, Motion(True, (), steps, motion.margins)), sights, moves=True)
        if any(number > 1 for number in sets):
            return None
        positions = self.inputs[0].shape[:-1]
        turn = self.symmetry.turn(len(positions))
        touched = [axis for axis, (source, sign) in enumerate(turn) if (source, sign) != (axis, 1)]
        if not even and any(slid.size[axis] > 1 for axis in touched):
            return None
        return motion if lies_evenly(slid, positions, turn) else None

    def pooled(self) -> Motion:
        """What takes one value over all its positions together, whatever their order; the copies of an orbit stay
        apart."""
        motion = self.motions[0]
        if self.symmetry.turn is not None and self.inputs[0].orbit is not None:
            return motion
        reach = tuple(sight.last - sight.first for sight in motion.sights)
        own = Motion(False, (), tuple(sight.step for sight in motion.sights), reach)
        return together((motion, own))


def seen(sight: Sight, axis: tuple[int, int, int]) -> Sight:
    """What a window sees through the positions that it slides over; `axis` has its reach, stride and padding."""
    reach, stride, before = axis
    return Sight(
        sight.step * stride,
        sight.first - sight.step * before,
        sight.last + sight.step * (reach - 1 - before),
    )


def lies_evenly(slid: "Window", positions: tuple[int, ...], turn: Turn) -> bool:
    """Whether the windows over an image and those over the turned one are the same."""
    axes = list(zip(positions, slid.size, slid.stride, slid.dilation, slid.pad, slid.out, strict=True))
    for axis, (source, sign) in enumerate(turn):
        if axes[axis] != axes[source]:
            return False
        extent, size, stride, dilation, (before, _), out = axes[axis]
        reach = dilation * (size - 1) + 1
        if sign < 0 and (out - 1) * stride + reach != extent + 2 * before:
            return False
    return True
