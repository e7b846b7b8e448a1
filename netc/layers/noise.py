"""Layers that do something by chance in training, and nothing in use."""

from dataclasses import dataclass

from netc.arguments import Real, argument
from netc.layers.base import Layer, Lowering, Refusal, one_input
from netc.layers.symmetry import Motion, Transformed
from netc.types import Type


@dataclass(frozen=True)
class Noise(Layer):
    """What they share: the shape stays, and nothing is kept."""

    keeps_orbit = True

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return one_input(self.kind, inputs) or inputs

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()


@dataclass(frozen=True)
class Droppath(Noise):
    """Stochastic depth: in training, sets a whole example to 0 with probability `rate` and divides the others by `1 -
    rate`; in use it gives what it is given. At the end of a residual branch it takes out the branch, and trains nets of
    many depths at once: `[identity, body -> droppath(0.2)] -> add` (Huang et al. 2016, equation 2).

    The paper multiplies by `1 - rate` in use instead, which is the same on average; this is torchvision's
    `StochasticDepth` in mode `row`. Each example has its own chance, and within `over_time` each step.
    """

    example = "[identity, conv(3, 3x3, pad = same) -> droppath(0.2)] -> add"

    rate: float = argument("the probability of being dropped", Real(0, 1, below=True))

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        axes = tuple(range(1, len(inputs[0].array_shape) + 1))
        return Lowering("{self}({0})", f"nnx.Dropout({self.rate!r}, broadcast_dims={axes!r}, rngs=rngs)")


@dataclass(frozen=True)
class GaussianNoise(Noise):
    """In training, adds to each number a normal one of mean 0 and a given standard deviation; in use it gives what it
    is given. On inputs it makes more examples of few, on hidden layers it is a penalty on large weights (Bishop 1995,
    "Training with noise is equivalent to Tikhonov regularization"; Keras' `GaussianNoise`)."""

    example = "gaussian_noise(0.1)"

    std: float = argument("the standard deviation", Real(0))

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering("{self}({0})", f"GaussianNoise({self.std!r}, rngs=rngs)", support=("GaussianNoise",))
