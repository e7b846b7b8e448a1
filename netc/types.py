"""The types of values: a shape without the batch axis, and an element type."""

from dataclasses import dataclass
from math import prod


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
class Type:
    """A value's type: `[28, 28, 1]`, `i32[1024]`, `class(10)`; images are `[height, width, channels]`."""

    shape: tuple[int, ...]
    element: Element = F32

    @property
    def size(self) -> int:
        """How many numbers one value holds."""
        return prod(self.shape)

    @property
    def step(self) -> "Type":
        """What stands at one position of the first axis: one step in time."""
        return Type(self.shape[1:], self.element)

    @property
    def channels(self) -> int:
        return self.shape[-1]

    def __str__(self) -> str:
        if self.element == F32:
            return show_shape(self.shape)
        return f"{self.element}{show_shape(self.shape) if self.shape else ''}"


def show_shape(shape: tuple[int, ...]) -> str:
    return "[" + ", ".join(str(extent) for extent in shape) + "]"
