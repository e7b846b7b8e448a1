"""Layers that multiply by a matrix."""

from dataclasses import dataclass

from netc.arguments import Integer, Truth, argument
from netc.layers.base import Cost, Initialiser, Layer, Lowering, Refusal, WeightSpec, one_input
from netc.layers.initialisers import LECUN, ZEROS, AnInitialiser
from netc.layers.symmetry import Motion, Transformed
from netc.types import Type


@dataclass(frozen=True)
class Dense(Layer):
    """Multiplies the last axis by a matrix and adds a bias: `y = x @ kernel + bias`. Each number that comes out is
    a weighted sum of all that go in on that axis; `flatten` goes before it where it is to see a whole image.

    The weight `kernel` is `[channels in, channels out]`. Give another's to share it, as in an autoencoder whose
    decoder is its encoder turned around: `dense(784, kernel = encoder.kernel.T)`.
    """

    elsewhere = ("linear", "fc", "fullyconnected", "innerproduct", "affine")
    example = "flatten -> dense(10)"

    channels: int = argument("how many numbers come out on the last axis", Integer(1))
    bias: bool = argument("whether to add a trainable bias", Truth(), True)
    init: Initialiser = argument("how the kernel starts", AnInitialiser(), LECUN)
    bias_init: Initialiser = argument("how the bias starts", AnInitialiser(), ZEROS)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs):
            return refusal
        if not inputs[0].shape:
            return Refusal("`dense` needs a last axis to multiply, and is given a single number")
        return (Type((*inputs[0].shape[:-1], self.channels)),)

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        kernel = WeightSpec("kernel", (inputs[0].channels, self.channels), self.init, ("in", "out"))
        bias = WeightSpec("bias", (self.channels,), self.bias_init, ("out",))
        return (kernel, bias) if self.bias else (kernel,)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        links = outputs[0].size * inputs[0].channels
        biases = outputs[0].size if self.bias else 0
        return Cost(connections=links + biases, flops=2 * links + biases)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        options = "" if self.bias else ", use_bias=False"
        if self.init != LECUN:
            options += f", kernel_init={self.init.flax()}"
        if self.bias_init != ZEROS:
            options += f", bias_init={self.bias_init.flax()}"
        return Lowering(
            call="{self}({0})",
            module=f"nnx.Linear({inputs[0].channels}, {self.channels}{options}, rngs=rngs)",
            function="{0} @ {kernel} + {bias}" if self.bias else "{0} @ {kernel}",
            variables={"kernel": "kernel", "bias": "bias"} if self.bias else {"kernel": "kernel"},
        )
