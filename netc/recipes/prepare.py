"""Preparation: what is done to every image, in training and after, before the net sees it."""

from dataclasses import dataclass

from netc.arguments import Entry, Extents, Integer, Real, Truth, argument
from netc.layers.base import Refusal
from netc.types import Type


@dataclass(frozen=True)
class Preparation(Entry):
    """A row of the table: applied to each f32 field of at least one axis that feeds an input.

    Each field has numbers of its own, from the training set; the two images of `pairs` share those of the first.
    Other fields keep their units, so that a net that learns them predicts in these units.
    """

    def output(self, input: Type) -> Type | Refusal:
        """The type that it makes of a field's."""
        return input


@dataclass(frozen=True)
class Pad(Preparation):
    """Adds rows and columns of zeros around an image: `pad(2)` makes 32x32 of MNIST's 28x28. Write it before
    `standardize`, while 0 is the background."""

    width: int = argument("how many on each side", Integer(0))

    def output(self, input: Type) -> Type | Refusal:
        if len(input.shape) != 3:
            return Refusal(f"`pad` prepares images `[height, width, channels]`, and is given {input}")
        height, width, channels = input.shape
        return Type((height + 2 * self.width, width + 2 * self.width, channels))


@dataclass(frozen=True)
class Crop(Preparation):
    """Cuts the middle out of an image: `crop(24)` or `crop(24x20)`."""

    size: tuple[int, ...] = argument("the height and width that are kept", Extents())

    def output(self, input: Type) -> Type | Refusal:
        if len(input.shape) != 3 or len(self.size) not in (1, 2):
            return Refusal(f"`crop` prepares images `[height, width, channels]`, and is given {input}")
        height, width = self.size[0], self.size[-1]
        if height > input.shape[0] or width > input.shape[1]:
            return Refusal(f"`crop` cannot cut {height}x{width} out of {input}", "use `pad` to make an image larger")
        return Type((height, width, input.shape[2]))


@dataclass(frozen=True)
class Standardize(Preparation):
    """Subtracts the mean of the training set and divides by its standard deviation, so that numbers are about as often
    above 0 as below, and about as large as 1; most nets learn faster so.

    The two are found once and kept with the run, for use on other images. Numbers that are all the same become 0.
    """

    per_channel: bool = argument("whether each channel has a mean and deviation of its own", Truth(), False)


@dataclass(frozen=True)
class Scale(Preparation):
    """Maps the smallest and largest number of the training set to `low` and `high`; if they are the same, to `low`."""

    low: float = argument("what the smallest number becomes", Real(), 0.0)
    high: float = argument("what the largest number becomes", Real(), 1.0)


def is_prepared(type_: Type) -> bool:
    """Whether `prepare` is for fields of that type: numbers with at least one axis."""
    return type_.element.name == "f32" and bool(type_.shape)


PREPARATIONS: tuple[type[Preparation], ...] = (Pad, Crop, Standardize, Scale)
