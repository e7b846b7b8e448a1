"""Layers that change how many positions an image has: upsampling, pixel shuffle, and pooling to a given size."""

from dataclasses import dataclass
from math import gcd, prod
from typing import ClassVar

from netc.arguments import Extents, Integer, OneOf, argument
from netc.layers.base import Cost, Layer, Lowering, Refusal, one_input
from netc.layers.symmetry import Motion, Transformed
from netc.layers.window import Window, refuse_axes, spread
from netc.types import Type


@dataclass(frozen=True)
class Upsample(Layer):
    """Makes an image larger by a whole factor: `nearest` repeats every number, `bilinear` draws straight lines between
    them. On a sequence that is linear interpolation, on a volume trilinear.

    Numbers stand in the middle of their cells, so that what comes out at position `p` is read at `(p + 1/2) / factor -
    1/2` of the input, and from the border on stays as it is there: as PyTorch's `Upsample` with `align_corners = False`
    and Keras' `UpSampling2D`. Flops are a multiply-add for each of the 2, 4 or 8 numbers that are mixed.
    """

    example = "upsample(2)"
    keeps_orbit = True

    factor: tuple[int, ...] = argument("how many times as many positions come out, for each axis or all", Extents())
    mode: str = argument("how numbers are found", OneOf(("nearest", "bilinear")), "nearest")

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)):
            return refusal
        if refusal := refuse_axes(self.kind, inputs[0], {"factor": self.factor}):
            return refusal
        return (Type((*self.positions(inputs[0]), inputs[0].channels), orbit=inputs[0].orbit),)

    def factors(self, input: Type) -> tuple[int, ...]:
        return spread(self.factor, len(input.shape) - 1)

    def positions(self, input: Type) -> tuple[int, ...]:
        return tuple(n * f for n, f in zip(input.shape, self.factors(input), strict=False))

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        mixed = 0 if self.mode == "nearest" else 2 ** sum(factor > 1 for factor in self.factors(inputs[0]))
        return Cost(flops=2 * mixed * outputs[0].size)

    def symmetry(self, given: Transformed) -> Motion | None:
        # What is moved by one cell moves by `factor` cells, and so by no multiple of a stride.
        return turned_alike(given, self.factors(given.inputs[0]))

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        factors, orbit = self.factors(inputs[0]), inputs[0].array_shape[len(inputs[0].shape) - 1 :]
        if set(factors) == {1}:
            return Lowering("{all}")
        if self.mode == "bilinear":
            shape = ", ".join(map(str, (*self.positions(inputs[0]), *orbit)))
            return Lowering(f'jax.image.resize({{0}}, (len({{0}}), {shape}), "linear")')
        call = "{0}"
        for axis, factor in enumerate(factors, 1):
            call = f"jnp.repeat({call}, {factor}, axis={axis})" if factor > 1 else call
        return Lowering(call)


@dataclass(frozen=True)
class PixelShuffle(Layer):
    """Makes an image `r` times as high and wide out of `r * r` times as many channels: `[height, width, channels * r *
    r]` to `[height * r, width * r, channels]` (Shi et al. 2016, section 3.2, sub-pixel convolution).

    The channel `c * r * r + i * r + j` gives map `c` its cell in row `i` and column `j` of each `r` by `r` square: the
    order of PyTorch's `PixelShuffle`. Equation 4 of the paper and TensorFlow's `depth_to_space` have `c` run fastest.
    """

    example = "conv(12, 3x3) -> pixel_shuffle(2)"

    r: int = argument("how many times as high and wide the image becomes", Integer(1))

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (3,)):
            return refusal
        height, width, channels = inputs[0].shape
        if channels % (self.r * self.r):
            return Refusal(
                f"`pixel_shuffle` cannot divide the {channels} channels of {inputs[0]} by {self.r} * {self.r}",
                f"`conv({self.r * self.r} * n, 3x3)` before it gives n maps",
            )
        return (Type((height * self.r, width * self.r, channels // (self.r * self.r))),)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        height, width, channels = inputs[0].shape
        apart = f"{height}, {width}, {channels // (self.r * self.r)}, {self.r}, {self.r}"
        joined = ", ".join(map(str, (height * self.r, width * self.r, channels // (self.r * self.r))))
        return Lowering(f"{{0}}.reshape(-1, {apart}).transpose(0, 1, 4, 2, 5, 3).reshape(-1, {joined})")


@dataclass(frozen=True)
class AdaptivePool(Layer):
    """What the pools to a given size share: as many windows as are asked for, which cover each axis of `n` cells.

    Window `i` of `m` has the cells from `floor(i n / m)` to before `ceil((i + 1) n / m)`.
    """

    keeps_orbit = True
    even: ClassVar[str]
    uneven: ClassVar[str]

    size: tuple[int, ...] = argument("how many windows there are on each axis, or on all", Extents())

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)):
            return refusal
        if refusal := refuse_axes(self.kind, inputs[0], {"size": self.size}):
            return refusal
        return (Type((*self.windows(inputs[0]), inputs[0].channels), orbit=inputs[0].orbit),)

    def windows(self, input: Type) -> tuple[int, ...]:
        return spread(self.size, len(input.shape) - 1)

    def cells(self, input: Type) -> int:
        """How many cells all windows have, map by map."""
        axes = zip(input.shape, self.windows(input), strict=False)
        # Of the m - 1 bounds between windows, those that cut a cell give it to both.
        return prod(n + m - gcd(n, m) for n, m in axes) * (input.size // prod(input.shape[:-1]))

    def slid(self, input: Type) -> Window | None:
        """The window, if all are equal and stand side by side."""
        out = self.windows(input)
        if any(n % m for n, m in zip(input.shape, out, strict=False)):
            return None
        size = tuple(n // m for n, m in zip(input.shape, out, strict=False))
        return Window(size, size, (1,) * len(out), ((0, 0),) * len(out), out)

    def symmetry(self, given: Transformed) -> Motion | None:
        slid = self.slid(given.inputs[0])
        if slid is not None:
            return given.windowed(slid, even=True)
        return turned_alike(given, self.windows(given.inputs[0]))

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        slid = self.slid(inputs[0])
        if slid is None:
            return Lowering(f"{self.uneven}({{0}}, {self.windows(inputs[0])!r})", support=(self.uneven,))
        size = slid.size if inputs[0].orbit is None else (*slid.size, 1)
        return Lowering(f"{self.even}({{0}}, {size!r}, strides={size!r})")


@dataclass(frozen=True)
class AdaptiveAvgpool(AdaptivePool):
    """The mean of each of as many windows as are asked for, so that images of any size come out alike: PyTorch's
    `AdaptiveAvgPool`, which torchvision's AlexNet and VGG have before their dense layers.

    Window `i` of `m` on an axis of `n` cells has those from `floor(i n / m)` to before `ceil((i + 1) n / m)`, so that
    windows differ in size and overlap where `m` does not divide `n`; a size above `n` repeats cells. Flops are those
    of `avgpool` on such windows.
    """

    example = "adaptive_avgpool(6x6)"
    even, uneven = "nnx.avg_pool", "adaptive_avg_pool"

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=self.cells(inputs[0]))


@dataclass(frozen=True)
class AdaptiveMaxpool(AdaptivePool):
    """The largest number of each of as many windows as are asked for: PyTorch's `AdaptiveMaxPool`. The windows are
    those of `adaptive_avgpool`, flops those of `maxpool` on them."""

    example = "adaptive_maxpool(6x6)"
    even, uneven = "nnx.max_pool", "adaptive_max_pool"

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=self.cells(inputs[0]) - outputs[0].size)


def turned_alike(given: Transformed, settings: tuple[int, ...]) -> Motion | None:
    """What does the same from either end of an axis, and on each axis what `settings` say."""
    turn = given.symmetry.turn
    if turn is None or any(settings[axis] != settings[i] for i, (axis, _) in enumerate(turn(len(settings)))):
        return None
    return given.motions[0]
