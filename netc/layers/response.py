"""Normalisation by neighbouring channels, without statistics."""

from dataclasses import dataclass

from netc.arguments import Integer, Real, argument
from netc.layers.base import Cost, Layer, Lowering, Refusal, one_input
from netc.layers.symmetry import Motion, Transformed
from netc.types import Type


@dataclass(frozen=True)
class Lrn(Layer):
    """Local response normalisation: divides each number by `(k + alpha * s) ^ beta`, where `s` is the sum of the
    squares of the `size` channels around its own at the same position (Krizhevsky et al. 2012, section 3.3, for
    AlexNet). Channels beyond the first and last count as 0.

    `alpha` is the paper's. Caffe and PyTorch divide it by `size`: their `alpha` of 5e-4 is 1e-4 here.
    """

    example = "conv(8, 3x3) -> lrn"
    keeps_orbit = True

    size: int = argument("how many channels count, an odd number", Integer(1), 5)
    alpha: float = argument("the factor of the sum of squares", Real(0), 1e-4)
    beta: float = argument("the exponent", Real(0), 0.75)
    k: float = argument("what is added to the sum", Real(0, above=True), 2.0)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (1, 2, 3, 4)):
            return refusal
        if self.size % 2 == 0:
            return Refusal(
                f"`lrn` looks at as many channels on either side, and is given a size of {self.size}",
                f"give it an odd size: {self.size - 1} or {self.size + 1}",
            )
        return inputs

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        # A square, the sum, alpha, k, the power and the division.
        return Cost(flops=(self.window(inputs[0]) + 4) * outputs[0].size)

    def window(self, input: Type) -> int:
        """The size, or what sees all channels from each, if that is less."""
        return min(self.size, 2 * input.channels - 1)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        settings = f"size={self.window(inputs[0])}, alpha={self.alpha!r}, beta={self.beta!r}, k={self.k!r}"
        return Lowering(f"local_response({{0}}, {settings})", support=("local_response",))
