"""Pooling: windows that keep the largest or the mean, and LeNet-5's trainable kind."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from netc.arguments import Extents, OneOf, argument
from netc.layers.base import Cost, Initialiser, Layer, Lowering, Refusal, Target, WeightSpec, one_input
from netc.layers.initialisers import ZEROS, AnInitialiser, Constant
from netc.layers.symmetry import Motion, Transformed
from netc.layers.window import PADDING, Window, show_size, window
from netc.types import Type


@dataclass(frozen=True)
class Pool(Layer):
    """What the pooling layers with a window share."""

    keeps_orbit = True

    size: tuple[int, ...] = argument("the window", Extents())
    stride: tuple[int, ...] | None = argument(
        "the step between windows; the window's size if left out", Extents(), None
    )
    pad: str | tuple[int, ...] = argument("cells around the input, which do not count", PADDING, "valid")
    round: str = argument("whether a last, partial window is left out or taken", OneOf(("down", "up")), "down")

    example_input = (Type((8, 8, 3)),)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)):
            return refusal
        slid = self.window(inputs[0])
        if isinstance(slid, Refusal):
            return slid
        if any(before >= size for size, (before, _) in zip(slid.size, slid.pad, strict=True)):
            return Refusal(
                f"`{self.kind}` has padding as large as its window {show_size(slid.size)}, which could be empty",
                "use padding below the window's size",
            )
        return (Type((*slid.out, inputs[0].channels), orbit=inputs[0].orbit),)

    def window(self, input: Type) -> Window | Refusal:
        return window(self.kind, input, self.size, self.stride or self.size, self.pad, up=self.round == "up")

    def cells(self, input: Type) -> int:
        slid = self.window(input)
        assert isinstance(slid, Window)
        return prod(slid.size)

    def symmetry(self, given: Transformed) -> Motion | None:
        slid = self.window(given.inputs[0])
        assert isinstance(slid, Window)
        return given.windowed(slid, even=True)

    def pooled(self, function: str, input: Type, extra: str = "") -> Lowering:
        slid = self.window(input)
        assert isinstance(slid, Window)
        size, stride, pad = slid.size, slid.stride, slid.pad
        if input.orbit is not None:
            size, stride, pad = (*size, 1), (*stride, 1), (*pad, (0, 0))
        padding = f", padding={pad!r}" if any(sides != (0, 0) for sides in pad) else ""
        return Lowering(f"{function}({{0}}, {size!r}, strides={stride!r}{padding}{extra if padding else ''})")


MOST_CELLS = 16
"""Of windows that are compared cell by cell."""


@dataclass(frozen=True)
class Maxpool(Pool):
    """Keeps the largest number of each window, map by map: whether a feature is there, not quite where.

    Windows stand side by side, and overlap where `stride` is below `size`.
    """

    elsewhere = ("maxpool2d", "maxpooling2d", "maxpooling")
    example = "maxpool(2x2)"

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=outputs[0].size * (self.cells(inputs[0]) - 1))

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return self.pooled("nnx.max_pool", inputs[0])

    def lower_for(self, target: Target, inputs: tuple[Type, ...], given: bool) -> Lowering | None:
        """The gradient of XLA's windows is slow on a CPU; of those that stand side by side it is a choice."""
        slid = self.window(inputs[0])
        assert isinstance(slid, Window)
        apart = slid.stride == slid.size and not any(map(any, slid.pad)) and prod(slid.size) <= MOST_CELLS
        if target.device != "cpu" or not apart:
            return self.lower(inputs)
        return Lowering(f"window_max({{0}}, {slid.size!r})", support=("window_max",))


@dataclass(frozen=True)
class Avgpool(Pool):
    """Keeps the mean of each window, map by map; padding does not count into the mean.

    Windows stand side by side, and overlap where `stride` is below `size`.
    """

    elsewhere = ("avgpool2d", "averagepooling2d", "averagepool", "averagepooling")
    example = "avgpool(2x2)"

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=outputs[0].size * self.cells(inputs[0]))

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return self.pooled("nnx.avg_pool", inputs[0], ", count_include_pad=False")


@dataclass(frozen=True)
class Subsample(Layer):
    """LeNet-5's pooling: the sum of each window, times a coefficient, plus a bias, both trained and one for each map
    (LeCun et al. 1998, section II.B, layer S2). Windows do not overlap."""

    example = "subsample(2x2)"

    size: tuple[int, ...] = argument("the window, and the step between windows", Extents())
    init: Initialiser | None = argument(
        "how the coefficients start; 1 / window size if left out", AnInitialiser(), None
    )
    bias_init: Initialiser = argument("how the bias starts", AnInitialiser(), ZEROS)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)):
            return refusal
        slid = self.window(inputs[0])
        return slid if isinstance(slid, Refusal) else (Type((*slid.out, inputs[0].channels)),)

    def window(self, input: Type) -> Window | Refusal:
        return window(self.kind, input, self.size, self.size, "valid")

    def extents(self, input: Type) -> tuple[int, ...]:
        slid = self.window(input)
        assert isinstance(slid, Window)
        return slid.size

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        channels = inputs[0].channels
        start = self.init or Constant(1 / prod(self.extents(inputs[0])))
        return (
            WeightSpec("coefficient", (channels,), start, ("out",)),
            WeightSpec("bias", (channels,), self.bias_init, ("out",)),
        )

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        cells = prod(self.extents(inputs[0]))
        return Cost(connections=outputs[0].size * (cells + 1), flops=outputs[0].size * (cells + 1))

    def symmetry(self, given: Transformed) -> Motion | None:
        slid = self.window(given.inputs[0])
        assert isinstance(slid, Window)
        return given.windowed(slid, even=True)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        extents = self.extents(inputs[0])
        coefficient, bias = (spec.init.flax() for spec in self.weights(inputs))
        inits = f", coefficient_init={coefficient}, bias_init={bias}"
        return Lowering(
            call="{self}({0})",
            module=f"Subsample({inputs[0].channels}, {extents!r}{inits}, rngs=rngs)",
            function=f"window_sum({{0}}, {extents!r}) * {{coefficient}} + {{bias}}",
            variables={"coefficient": "coefficient", "bias": "bias"},
            support=("Subsample",),
            function_support=("window_sum",),
        )


@dataclass(frozen=True)
class GlobalPool(Layer):
    """What the pooling layers without a window share."""

    keeps_orbit = True

    example_input = (Type((8, 8, 3)),)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return one_input(self.kind, inputs, (2, 3, 4)) or (Type(inputs[0].shape[-1:], orbit=inputs[0].orbit),)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pooled()

    def everywhere(self, inputs: tuple[Type, ...]) -> Layer | None:
        positions = inputs[0].shape[:-1]
        return self.windowed(positions, (1,) * len(positions))

    windowed: ClassVar[type[Pool]]
    """The kind that keeps of each window what this keeps of all positions."""

    def over(self, inputs: tuple[Type, ...], name: str) -> Lowering:
        axes = tuple(range(1, len(inputs[0].shape)))
        over = repr(axes) if len(axes) > 1 else "1"
        return Lowering(f"{{0}}.{name}(axis={over})")


@dataclass(frozen=True)
class GlobalAvgpool(GlobalPool):
    """The mean of each map over all positions: one number a channel, whatever the size of the image
    (Lin, Chen & Yan 2013, "Network in network")."""

    elsewhere = ("gap", "globalaveragepooling2d", "globalaveragepooling", "adaptiveavgpool2d")
    example = "global_avgpool"
    windowed = Avgpool

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=inputs[0].size)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return self.over(inputs, "mean")


@dataclass(frozen=True)
class GlobalMaxpool(GlobalPool):
    """The largest number of each map over all positions: one number a channel, whatever the size of the image."""

    example = "global_maxpool"
    windowed = Maxpool

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=inputs[0].size - outputs[0].size)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return self.over(inputs, "max")
