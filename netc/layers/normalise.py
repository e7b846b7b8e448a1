"""Layers that normalise, and dropout."""

from dataclasses import dataclass

from netc.arguments import Integer, Real, Truth, argument
from netc.layers.base import Cost, Layer, Lowering, Refusal, WeightSpec, one_input
from netc.layers.initialisers import ONES, ZEROS
from netc.layers.symmetry import Motion, Transformed
from netc.types import Type


@dataclass(frozen=True)
class Dropout(Layer):
    """In training, sets each number to 0 with probability `rate` and divides the others by `1 - rate`, so that the
    net cannot rely on any one of them (Hinton et al. 2012; Srivastava et al. 2014). In use it gives what it is
    given; nobody has to tell it which of the two it is."""

    example = "dropout(0.5)"
    keeps_orbit = True

    rate: float = argument("the probability of being dropped", Real(0, 1, below=True), 0.5)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return one_input(self.kind, inputs) or inputs

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering("{self}({0})", f"nnx.Dropout({self.rate!r}, rngs=rngs)")


@dataclass(frozen=True)
class Batchnorm(Layer):
    """Brings each channel to mean 0 and variance 1 over batch and positions, then scales and shifts it by trained
    numbers (Ioffe & Szegedy 2015, algorithm 1). A bias before it has no effect: `conv(8, 3x3, bias = false)`.

    While it trains it also keeps running means and variances, and uses those afterwards; they are state, and not
    counted as parameters. Over an orbit a channel has one scale and one mean for all its copies.
    """

    elsewhere = ("batchnorm1d", "batchnorm2d", "batchnormalization", "bn")
    example = "batchnorm"
    keeps_orbit = True

    momentum: float = argument("how much of the running statistics each step keeps", Real(0, 1), 0.9)
    epsilon: float = argument("added to the variance", Real(0, above=True), 1e-5)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return one_input(self.kind, inputs, (1, 2, 3, 4)) or inputs

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        shape = (inputs[0].channels,)
        return (
            WeightSpec("scale", shape, ONES, ("channel",)),
            WeightSpec("bias", shape, ZEROS, ("channel",)),
            WeightSpec("mean", shape, ZEROS, ("channel",), trainable=False),
            WeightSpec("var", shape, ONES, ("channel",), trainable=False),
        )

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        # In use the statistics fold into one multiply-add a number.
        return Cost(connections=2 * outputs[0].size, flops=2 * outputs[0].size)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        options = "" if self.momentum == 0.99 else f", momentum={self.momentum!r}"
        options += "" if self.epsilon == 1e-5 else f", epsilon={self.epsilon!r}"
        return Lowering(
            "{self}({0})",
            f"nnx.BatchNorm({inputs[0].channels}{options}, rngs=rngs)",
            variables={"scale": "scale", "bias": "bias", "mean": "mean", "var": "var"},
        )


@dataclass(frozen=True)
class Layernorm(Layer):
    """Brings the numbers of the last axis to mean 0 and variance 1, at each position of each example by itself, then
    scales and shifts each channel by trained numbers (Ba, Kiros & Hinton 2016, equation 4).

    It does the same in training and in use, and to each copy of an orbit. Weights are `scale` and `bias`, `[channels]`.
    """

    elsewhere = ("layernormalization", "ln")
    example = "layernorm"
    keeps_orbit = True

    bias: bool = argument("whether to shift, too", Truth(), True)
    epsilon: float = argument("added to the variance", Real(0, above=True), 1e-5)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (1, 2, 3, 4)):
            return refusal
        if inputs[0].channels == 1:
            return Refusal(
                f"`layernorm` makes 0 of a single number, and {inputs[0]} has one channel",
                "`groupnorm(1)` and `batchnorm` take positions together, too",
            )
        return inputs

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        shape = (inputs[0].channels,)
        scale, bias = WeightSpec("scale", shape, ONES, ("channel",)), WeightSpec("bias", shape, ZEROS, ("channel",))
        return (scale, bias) if self.bias else (scale,)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        # The mean, its difference, the mean square in two, the division, the scale and the shift.
        size = outputs[0].size
        return Cost(2 * size, 7 * size) if self.bias else Cost(size, 6 * size)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        options = f"epsilon={self.epsilon!r}, use_fast_variance=False" + ", use_bias=False" * (not self.bias)
        weights = "{scale}, {bias}" if self.bias else "{scale}"
        return Lowering(
            call="{self}({0})",
            module=f"nnx.LayerNorm({inputs[0].channels}, {options}, rngs=rngs)",
            function=f"layer_norm({{0}}, {weights}, epsilon={self.epsilon!r})",
            function_support=("layer_norm",),
            variables={"scale": "scale", "bias": "bias"} if self.bias else {"scale": "scale"},
        )


@dataclass(frozen=True)
class Rmsnorm(Layer):
    """Divides the numbers of the last axis by the root of their mean square, at each position of each example by
    itself, then scales each channel by the trained weight `scale`, `[channels]` (Zhang & Sennrich 2019, equation 4).

    It does the same in training and in use, and to each copy of an orbit.
    """

    example = "rmsnorm"
    keeps_orbit = True

    epsilon: float = argument("added to the mean square", Real(0, above=True), 1e-6)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return one_input(self.kind, inputs, (1, 2, 3, 4)) or inputs

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        return (WeightSpec("scale", (inputs[0].channels,), ONES, ("channel",)),)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(connections=outputs[0].size, flops=4 * outputs[0].size)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(
            call="{self}({0})",
            module=f"nnx.RMSNorm({inputs[0].channels}, epsilon={self.epsilon!r}, rngs=rngs)",
            function=f"rms_norm({{0}}, {{scale}}, epsilon={self.epsilon!r})",
            function_support=("rms_norm",),
            variables={"scale": "scale"},
        )


@dataclass(frozen=True)
class Groupnorm(Layer):
    """Brings each group of channels to mean 0 and variance 1 over all positions of one example, then scales and shifts
    each channel by trained numbers (Wu & He 2018, equations 1 to 6).

    It does the same in training and in use. Over an orbit a channel has one mean and one scale for all its copies.
    """

    example = "conv(8, 3x3) -> groupnorm(4)"
    keeps_orbit = True

    groups: int = argument("into how many groups the channels are divided", Integer(1))
    epsilon: float = argument("added to the variance", Real(0, above=True), 1e-5)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (1, 2, 3, 4)):
            return refusal
        if inputs[0].channels % self.groups:
            return Refusal(
                f"`groupnorm` cannot divide the {inputs[0].channels} channels of {inputs[0]} by {self.groups}",
                "`groups` must divide the channels",
            )
        if inputs[0].size == self.groups:
            return Refusal(
                f"`groupnorm` makes 0 of groups of one number, as are the {self.groups} of {inputs[0]}",
                "give it fewer groups",
            )
        return inputs

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        shape = (inputs[0].channels,)
        return WeightSpec("scale", shape, ONES, ("channel",)), WeightSpec("bias", shape, ZEROS, ("channel",))

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(connections=2 * outputs[0].size, flops=7 * outputs[0].size)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise() if given.symmetry.turn is not None else None

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        options = f"{self.groups}, epsilon={self.epsilon!r}"
        return Lowering(
            call="{self}({0})",
            module=f"nnx.GroupNorm({inputs[0].channels}, {options}, use_fast_variance=False, rngs=rngs)",
            function=f"group_norm({{0}}, {{scale}}, {{bias}}, {options})",
            function_support=("group_norm",),
            variables={"scale": "scale", "bias": "bias"},
        )
