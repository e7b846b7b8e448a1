"""Layers between others that choose or scale what passes: several channels for one, or by trained numbers."""

from dataclasses import dataclass

from netc.arguments import Integer, Truth, argument
from netc.layers.base import Cost, Initialiser, Layer, Lowering, Refusal, WeightSpec, one_input
from netc.layers.initialisers import LECUN, ZEROS, AnInitialiser, Constant
from netc.layers.part import undivided
from netc.layers.symmetry import Motion, Transformed
from netc.types import Type


@dataclass(frozen=True)
class Prelu(Layer):
    """`x` where it is above 0 and `slope * x` otherwise, with a trained slope for each channel, or one for all (He et
    al. 2015, section 2.1). The paper does not decay slopes: a decay would push them to 0, and `prelu` to `relu`.

    Over an orbit a channel has one slope for all its copies.
    """

    example = "prelu"
    keeps_orbit = True

    shared: bool = argument("whether all channels have one slope", Truth(), False)
    init: Initialiser = argument("how the slopes start", AnInitialiser(), Constant(0.25))

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return one_input(self.kind, inputs, (1, 2, 3, 4)) or inputs

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        return (WeightSpec("slope", (1 if self.shared else inputs[0].channels,), self.init, ("channel",)),)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(connections=outputs[0].size, flops=2 * outputs[0].size)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        features = 1 if self.shared else inputs[0].channels
        return Lowering(
            call="{self}({0})",
            module=f"Prelu({features}, slope_init={self.init.flax()}, rngs=rngs)",
            function="prelu({0}, {slope})",
            variables={"slope": "slope"},
            support=("Prelu",),
            function_support=("prelu",),
        )


@dataclass(frozen=True)
class Maxout(Layer):
    """The largest of each `k` channels that stand side by side, so that `k` times fewer come out: behind a `dense` or
    `conv` a piecewise linear function that is learnt (Goodfellow et al. 2013, section 3). `dense(2 * 100) -> maxout(2)`
    is the paper's layer of 100 units with 2 pieces."""

    example = "conv(8, 3x3) -> maxout(2)"
    keeps_orbit = True

    k: int = argument("of how many channels the largest is kept", Integer(1))

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (1, 2, 3, 4)):
            return refusal
        shape = (*inputs[0].shape[:-1], inputs[0].channels // self.k)
        return undivided(self.kind, inputs[0], self.k, "k") or (Type(shape, orbit=inputs[0].orbit),)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=inputs[0].size - outputs[0].size)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        *before, channels = inputs[0].array_shape
        apart = ", ".join(map(str, (-1, *before, channels // self.k, self.k)))
        return Lowering(f"{{0}}.reshape({apart}).max(axis=-1)")


@dataclass(frozen=True)
class Swiglu(Layer):
    """A matrix whose answers pass a gate: `silu(x @ gate + gate_bias) * (x @ kernel + bias)` on the last axis (Shazeer
    2020, equation 5, with beta = 1). Before a `dense` that gives the width back it is the feed-forward layer of
    equation 6, which leaves out biases: `swiglu(n, bias = false) -> dense(width, bias = false)`.

    The weights `gate` (the paper's `W`) and `kernel` (its `V`) are `[channels in, channels out]`.
    """

    example = "swiglu(10)"

    channels: int = argument("how many numbers come out on the last axis", Integer(1))
    bias: bool = argument("whether to add trained biases, to the gate and to what passes it", Truth(), True)
    init: Initialiser = argument("how gate and kernel start", AnInitialiser(), LECUN)
    bias_init: Initialiser = argument("how the biases start", AnInitialiser(), ZEROS)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (1, 2, 3, 4)):
            return refusal
        return (Type((*inputs[0].shape[:-1], self.channels)),)

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        shape = (inputs[0].channels, self.channels)
        kernels = (WeightSpec(name, shape, self.init, ("in", "out")) for name in ("gate", "kernel"))
        biases = (WeightSpec(name, shape[1:], self.bias_init, ("out",)) for name in ("gate_bias", "bias"))
        return (*kernels, *biases) if self.bias else tuple(kernels)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        links = 2 * inputs[0].channels * outputs[0].size
        biases = 2 * outputs[0].size if self.bias else 0
        # The function of the gate, and the product.
        return Cost(connections=links + biases, flops=2 * links + biases + 2 * outputs[0].size)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        options = "" if self.bias else ", use_bias=False"
        options += "" if self.bias_init == ZEROS else f", bias_init={self.bias_init.flax()}"
        gate, made = (
            ("{0} @ {gate} + {gate_bias}", "{0} @ {kernel} + {bias}")
            if self.bias
            else ("{0} @ {gate}", "{0} @ {kernel}")
        )
        sizes = f"{inputs[0].channels}, {self.channels}"
        return Lowering(
            call="{self}({0})",
            module=f"Swiglu({sizes}, kernel_init={self.init.flax()}{options}, rngs=rngs)",
            function=f"nnx.silu({gate}) * ({made})",
            variables={spec.name: spec.name for spec in self.weights(inputs)},
            support=("Swiglu",),
        )
