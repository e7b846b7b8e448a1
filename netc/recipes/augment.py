"""Augmentation: what chance does to the images of a training set, anew in every epoch; the net is tested and used on
images as they are."""

from dataclasses import dataclass
from typing import Any, ClassVar

from netc.arguments import Either, Entry, Integer, OneOf, Real, argument
from netc.layers.base import Refusal
from netc.types import Type

SMALLEST, EDGE, REFLECT = "smallest", "edge", "reflect"
FILLS = (SMALLEST, EDGE, REFLECT)
"""What can stand beyond the border of an image, beside a number."""
BEYOND = (
    "what stands beyond the border: a number, the channel's `smallest`, the `edge`, or its mirror image (`reflect`)"
)
AFill = Either((OneOf(FILLS), Real(-1e30, 1e30)))
Chance = Real(0, 1)


@dataclass(frozen=True)
class Augmentation(Entry):
    """A row of the table: done to each f32 field of at least one axis that feeds an input, after `prepare`."""

    example: ClassVar[str]
    moves: ClassVar[bool] = False
    """Moves pixels, so that labels at each position would no longer fit them."""
    fitted: ClassVar[bool] = False
    """Needs numbers from the training set."""

    def refuse(self, input: Type) -> Refusal | None:
        """Why it cannot be done to fields of that type."""
        if len(input.shape) == 3:
            return None
        return Refusal(f"`{self.kind}` changes images `[height, width, channels]`, and is given {input}")

    def settings(self) -> dict[str, Any]:
        """The arguments of its function in `netc.kernels.augment`, behind the image or places and the key."""
        return {argument.name: getattr(self, argument.name) for argument in self.arguments()}


@dataclass(frozen=True)
class Resampling(Augmentation):
    """An augmentation that says for each pixel of the result where it comes from, which may be between pixels.
    Neighbours in a chain that fill borders alike share one resampling."""

    moves = True
    between: ClassVar[bool] = True
    """Says so for places between pixels, too: others can come behind it in one resampling."""

    def beyond(self) -> float | str:
        """What stands beyond the border."""
        return super().settings()["fill"]

    def settings(self) -> dict[str, Any]:
        return {name: value for name, value in super().settings().items() if name != "fill"}


@dataclass(frozen=True)
class Shift(Resampling):
    """Moves an image by up to `height` pixels up or down and up to `width` pixels to a side. Both distances are drawn
    evenly and are no whole numbers; `crop` moves by whole pixels (LeCun et al. 1998, section III.A, distort digits so,
    with `zoom` and `shear`)."""

    example = "shift(2)"

    height: float = argument("by how many pixels up or down at most", Real(0))
    width: float | None = argument("by how many pixels to a side; as `height` if left out", Real(0), None)
    fill: float | str = argument(BEYOND, AFill, SMALLEST)

    def refuse(self, input: Type) -> Refusal | None:
        return super().refuse(input) or too_far(self.kind, tuple(self.settings().values()), input)

    def settings(self) -> dict[str, Any]:
        return {"height": self.height, "width": self.height if self.width is None else self.width}


@dataclass(frozen=True)
class Rotate(Resampling):
    """Turns an image about its middle by up to `degrees`, in either direction, the angle drawn evenly."""

    example = "rotate(10)"

    degrees: float = argument("by how many degrees at most", Real(0, 180))
    fill: float | str = argument(BEYOND, AFill, SMALLEST)


@dataclass(frozen=True)
class Zoom(Resampling):
    """Makes what an image shows larger or smaller about its middle, by a factor that is drawn evenly between `low` and
    `high`; the image keeps its size. (`scale` is a preparation, and maps the range of the numbers.)"""

    elsewhere = ("scale", "resize", "randomzoom", "randomscale")
    example = "zoom(0.9, 1.1)"

    low: float = argument("the least factor", Real(0.1, 10))
    high: float = argument("the largest factor", Real(0.1, 10))
    fill: float | str = argument(BEYOND, AFill, SMALLEST)

    def refuse(self, input: Type) -> Refusal | None:
        if self.low > self.high:
            text = f"`zoom` draws a factor from `low` to `high`, and {self.low:g} is more than {self.high:g}"
            return Refusal(text, f"the least factor comes first: `zoom({self.high:g}, {self.low:g})`")
        return super().refuse(input)


@dataclass(frozen=True)
class Shear(Resampling):
    """Slants an image, as italics are, by up to `degrees` to either side, the angle drawn evenly. The middle row stays
    where it is."""

    example = "shear(10)"

    degrees: float = argument("by how many degrees at most", Real(0, 80))
    fill: float | str = argument(BEYOND, AFill, SMALLEST)


@dataclass(frozen=True)
class Elastic(Resampling):
    """Moves each pixel by a distance of its own, as a hand that trembles does: distances up or down, and to a side, are
    drawn evenly between -1 and 1, smoothed by a Gaussian with a standard deviation of `sigma` pixels, beyond the image
    0, and multiplied by `alpha` (Simard, Steinkraus & Platt 2003, section 2).

    The larger `sigma`, the less is left after smoothing: a pixel moves by about 0.16 `alpha` / `sigma` in each
    direction (the standard deviation), 1.4 pixels for `elastic(34, 4)`. A small `sigma` tears what is shown to pieces.
    """

    between = False
    example = "elastic(34, 4)"

    alpha: float = argument("what the smoothed distances are multiplied by", Real(0, 1e6))
    sigma: float = argument("over how many pixels the distances are smoothed", Real(0.1))
    fill: float | str = argument(BEYOND, AFill, SMALLEST)

    def refuse(self, input: Type) -> Refusal | None:
        if refusal := super().refuse(input):
            return refusal
        largest = max(input.shape[:2])
        text = f"`elastic` smooths over {self.sigma:g} pixels, and the image has {input.shape[0]}x{input.shape[1]}"
        return Refusal(text, f"`sigma` is at most {largest} here") if self.sigma > largest else None


@dataclass(frozen=True)
class Flip(Augmentation):
    """Exchanges left and right in some of the images."""

    moves = True
    elsewhere = ("mirror", "randomhorizontalflip", "horizontalflip", "fliplr", "hflip")
    example = "flip"

    probability: float = argument("in what part of them", Chance, 0.5)


@dataclass(frozen=True)
class Flipud(Augmentation):
    """Exchanges top and bottom in some of the images."""

    moves = True
    elsewhere = ("randomverticalflip", "verticalflip", "vflip")
    example = "flipud"

    probability: float = argument("in what part of them", Chance, 0.5)


@dataclass(frozen=True)
class Crop(Augmentation):
    """Adds `border` pixels around an image and cuts its size out of that again, at a place that is drawn: it moves by
    whole pixels, and nothing is blurred (He et al. 2016, section 4.2, with zeros around images whose mean is 0:
    `crop(4, fill = 0)`)."""

    moves = True
    elsewhere = ("randomcrop", "padcrop")
    example = "crop(4, fill = 0)"

    border: int = argument("how many pixels are added on each side", Integer(0))
    fill: float | str = argument(BEYOND, AFill, SMALLEST)

    def refuse(self, input: Type) -> Refusal | None:
        return super().refuse(input) or too_far(self.kind, (self.border, self.border), input)


@dataclass(frozen=True)
class Cutout(Augmentation):
    """Covers a square of an image with one number. Its middle is any pixel, so that parts of the square may lie outside
    (DeVries & Taylor 2017, section 3.2; their 0 is the mean after `standardize`)."""

    elsewhere = ("randomerasing", "erase")
    example = "cutout(8)"

    size: int = argument("how many pixels the square is high and wide", Integer(1))
    fill: float | str = argument(
        "what covers it: a number, or the channel's `smallest`",
        Either((OneOf((SMALLEST,)), Real(-1e30, 1e30))),
        0.0,
    )

    def refuse(self, input: Type) -> Refusal | None:
        if refusal := super().refuse(input):
            return refusal
        height, width, _ = input.shape
        if self.size <= min(height, width):
            return None
        text = f"`cutout` covers {self.size}x{self.size} pixels, and the image has {height}x{width}"
        return Refusal(text, f"`size` is at most {min(height, width)} here")


@dataclass(frozen=True)
class Noise(Augmentation):
    """Adds to every number one of its own from a normal distribution, in units of what `prepare` makes. It is for
    fields of any shape; the layer `gaussian_noise` does it inside a net."""

    elsewhere = ("gaussiannoise",)
    example = "noise(0.1)"

    deviation: float = argument("the standard deviation", Real(0, 1e30))

    def refuse(self, input: Type) -> Refusal | None:
        return None


@dataclass(frozen=True)
class Coloured(Augmentation):
    """An augmentation of the colours of RGB images."""

    def refuse(self, input: Type) -> Refusal | None:
        if refusal := super().refuse(input):
            return refusal
        text = f"`{self.kind}` changes colours, red, green and blue, and is given {input}"
        return Refusal(text, "images of one channel have no colours: remove it") if input.shape[2] != 3 else None


@dataclass(frozen=True)
class ColourJitter(Coloured):
    """Changes brightness, contrast, saturation and hue of an RGB image, in this order (after Howard 2013, section 2.2).

    A number between -`brightness` and `brightness` is added to all of the image. Then the differences from its mean
    grey are multiplied by a factor between 1 - `contrast` and 1 + `contrast`, those of each pixel from its own grey by
    one between 1 - `saturation` and 1 + `saturation`, and colours are turned by up to `hue` degrees about grey, in the
    plane of I and Q of YIQ. Grey is 0.299 red + 0.587 green + 0.114 blue. All are drawn evenly. Numbers are in units of
    what `prepare` makes, and are not cut off; what is done to colours means the same after `standardize` and `scale`
    as before, as long as all channels are standardized alike.
    """

    elsewhere = ("colorjitter", "colour", "color", "jitter", "brightness", "contrast", "saturation", "hue")
    example = "colour_jitter(hue = 10)"

    brightness: float = argument("what is added to all numbers, at most", Real(0, 1e30), 0.2)
    contrast: float = argument("by what part contrast changes, at most", Chance, 0.2)
    saturation: float = argument("by what part saturation changes, at most", Chance, 0.2)
    hue: float = argument("by how many degrees colours turn, at most", Real(0, 180), 0.0)


@dataclass(frozen=True)
class PcaNoise(Coloured):
    """Adds one colour to all pixels of an RGB image: the eigenvectors of the covariance of red, green and blue over
    all pixels of the training set, each multiplied by its eigenvalue and by a number that is drawn for the image from
    a normal distribution (Krizhevsky, Sutskever & Hinton 2012, section 4.1).

    Eigenvectors are those of the training set after `prepare`, before anything else is done to it. Eigenvalues are
    variances, and grow with the square of the unit: after `standardize` the largest is below 3.
    """

    fitted = True
    elsewhere = ("pca", "fancypca", "lighting", "pcacolour", "pcacolor")
    example = "pca_noise(0.1)"

    deviation: float = argument("the standard deviation of what is drawn", Real(0, 1e30), 0.1)


def too_far(kind: str, distances: tuple[float, ...], input: Type) -> Refusal | None:
    """Refuses to move all of an image out of itself."""
    for distance, extent, axis in zip(distances, input.shape[:2], ("high", "wide"), strict=True):
        if distance >= extent:
            text = f"`{kind}` moves by up to {distance:g} pixels, and the image is {extent} {axis}"
            return Refusal(text, "nothing of it would be left: move it by less")
    return None


AUGMENTATIONS: tuple[type[Augmentation], ...] = (
    *(Shift, Rotate, Zoom, Shear, Elastic),
    *(Flip, Flipud, Crop, Cutout),
    *(Noise, ColourJitter, PcaNoise),
)
