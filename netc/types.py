"""The types of values: a shape without the batch axis, an element type, and the orbit that a value is over."""

from dataclasses import astuple, dataclass, replace
from math import prod
from typing import ClassVar

from netc.arguments import Entry


@dataclass(frozen=True)
class Element:
    """What a tensor holds: `f32`, `i32`, `token` (an index below `size`) or `class` (likewise)."""

    name: str
    size: int | None = None

    def __str__(self) -> str:
        return self.name if self.size is None else f"{self.name}({self.size})"


PLAIN = ("f32", "i32")
SIZED = ("token", "class")
"""The names of element types, without and with a size."""

F32 = Element("f32")
I32 = Element("i32")


@dataclass(frozen=True)
class Orbit(Entry):
    """The copies of a feature detector, turned, mirrored or of several sizes, whose answers a value holds side by
    side. The kinds are those of `netc.layers.orbits`; values are over equal ones or do not mix."""

    square: ClassVar[bool] = False
    """Turns height into width, so that both must be equal."""
    exchanged_by: ClassVar[tuple[str, ...]] = ()
    """The symmetries, of `netc.layers.symmetry`, that only exchange its copies when an image is so moved."""
    mixes: ClassVar[bool] = True
    """A convolution over it sees the answers of all copies, as a group convolution does; else each its own."""

    @property
    def size(self) -> int:
        """How many copies there are."""
        raise NotImplementedError

    def windows(self, extents: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        """The window of each copy, for a detector of some extents; the last is the largest."""
        return (extents,) * self.size

    def __str__(self) -> str:
        settings = ", ".join(map(str, astuple(self)))
        return f"{self.kind}({settings})" if settings else self.kind


@dataclass(frozen=True)
class Type:
    """A value's type: `[28, 28, 1]`, `i32[1024]`, `class(10)`; images are `[height, width, channels]`.

    A value over an orbit, `[24, 24, 16] over rot4`, is of that shape for each of the orbit's copies.
    """

    shape: tuple[int, ...]
    element: Element = F32
    orbit: Orbit | None = None

    @property
    def size(self) -> int:
        """How many numbers one value holds."""
        return prod(self.array_shape)

    @property
    def array_shape(self) -> tuple[int, ...]:
        """The shape of one value at run time: the axis of the orbit stands before the channels."""
        return self.shape if self.orbit is None else (*self.shape[:-1], self.orbit.size, self.shape[-1])

    @property
    def step(self) -> "Type":
        """What stands at one position of the first axis: one step in time."""
        return replace(self, shape=self.shape[1:])

    @property
    def channels(self) -> int:
        return self.shape[-1]

    def __str__(self) -> str:
        over = "" if self.orbit is None else f" over {self.orbit}"
        if self.element == F32:
            return show_shape(self.shape) + over
        return f"{self.element}{show_shape(self.shape) if self.shape else ''}{over}"


def show_shape(shape: tuple[int, ...]) -> str:
    return "[" + ", ".join(str(extent) for extent in shape) + "]"
