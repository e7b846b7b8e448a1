"""Layers that behave differently in training: dropout and batch normalisation."""

from dataclasses import dataclass

from netc.arguments import Real, argument
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
