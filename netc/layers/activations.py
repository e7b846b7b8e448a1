"""Functions of one number, applied to each; `tanh(x)` and `x -> tanh` are the same."""

from dataclasses import dataclass
from typing import ClassVar

from netc.arguments import Real, Truth, argument
from netc.layers.base import Cost, Layer, Lowering, Refusal, one_input
from netc.layers.symmetry import Motion, Transformed
from netc.types import Type


@dataclass(frozen=True)
class Elementwise(Layer):
    """What the functions of one number share; `function` is how Flax calls it."""

    elementwise = True
    keeps_orbit = True
    function: ClassVar[str]

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return one_input(self.kind, inputs) or inputs

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=outputs[0].size)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(f"{self.function}({{0}})")


@dataclass(frozen=True)
class Relu(Elementwise):
    """`max(x, 0)`: what is negative becomes 0 (Nair & Hinton 2010). The usual choice between layers."""

    example, function = "relu", "nnx.relu"
    dies = True


@dataclass(frozen=True)
class Sigmoid(Elementwise):
    """`1 / (1 + exp(-x))`, the logistic function: every number becomes one between 0 and 1, such as a probability."""

    example, function = "sigmoid", "nnx.sigmoid"
    flat = (0.01, 0.99)


@dataclass(frozen=True)
class Tanh(Elementwise):
    """The hyperbolic tangent: every number becomes one between -1 and 1, and 0 stays 0."""

    example, function = "tanh", "jnp.tanh"
    flat = (-0.99, 0.99)


@dataclass(frozen=True)
class Elu(Elementwise):
    """`x` for `x > 0` and `alpha * (exp(x) - 1)` otherwise (Clevert, Unterthiner & Hochreiter 2015)."""

    example, function = "elu", "nnx.elu"

    alpha: float = argument("how far below 0 very negative numbers go", Real(0), 1.0)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(f"nnx.elu({{0}}, {self.alpha!r})")


@dataclass(frozen=True)
class LeakyRelu(Elementwise):
    """`x` for `x > 0` and `slope * x` otherwise, so that a gradient is left where `relu` has none
    (Maas, Hannun & Ng 2013)."""

    example, function = "leaky_relu", "nnx.leaky_relu"

    slope: float = argument("the slope for negative x", Real(), 0.01)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(f"nnx.leaky_relu({{0}}, {self.slope!r})")


@dataclass(frozen=True)
class Softplus(Elementwise):
    """`log(1 + exp(x))`, a smooth `relu`, always above 0 (Dugas et al. 2000)."""

    example, function = "softplus", "nnx.softplus"


@dataclass(frozen=True)
class Gelu(Elementwise):
    """`x` times the probability that a normal number is below `x` (Hendrycks & Gimpel 2016), exactly or, as in GPT-2
    and BERT, by `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`: `gelu(approximate = true)`."""

    example, function = "gelu", "nnx.gelu"

    approximate: bool = argument("whether to use the formula with tanh", Truth(), False)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(f"nnx.gelu({{0}}, approximate={self.approximate})")


@dataclass(frozen=True)
class Silu(Elementwise):
    """`x * sigmoid(x)`, also called swish (Elfwing, Uchibe & Doya 2017)."""

    example, function = "silu", "nnx.silu"


@dataclass(frozen=True)
class Selu(Elementwise):
    """`lambda * x` for `x > 0` and `lambda * alpha * (exp(x) - 1)` otherwise, with alpha = 1.67326324 and lambda =
    1.05070099, for which layers keep mean 0 and variance 1 by themselves (Klambauer et al. 2017, equation 2); their
    weights start as with `lecun`."""

    example, function = "selu", "nnx.selu"


@dataclass(frozen=True)
class Relu6(Elementwise):
    """`min(max(x, 0), 6)` (Krizhevsky 2010, "Convolutional deep belief networks on CIFAR-10"; MobileNet)."""

    example, function = "relu6", "nnx.relu6"
    flat, dies = (-1.0, 5.999), True


@dataclass(frozen=True)
class HardSigmoid(Elementwise):
    """`relu6(x + 3) / 6`, straight lines in place of `sigmoid` (Howard et al. 2019, MobileNetV3, section 5.2; PyTorch's
    and Keras 3's)."""

    example, function = "hard_sigmoid", "nnx.hard_sigmoid"
    flat = (0.001, 0.999)


@dataclass(frozen=True)
class HardSwish(Elementwise):
    """`x * relu6(x + 3) / 6`, which is `silu` with `hard_sigmoid` (Howard et al. 2019, MobileNetV3, section 5.2)."""

    example, function = "hard_swish", "nnx.hard_swish"


@dataclass(frozen=True)
class HardTanh(Elementwise):
    """`x`, but at least -1 and at most 1 (Collobert 2004)."""

    example, function = "hard_tanh", "nnx.hard_tanh"
    flat = (-0.999, 0.999)


@dataclass(frozen=True)
class Exp(Elementwise):
    """e to the power of `x`."""

    example, function = "exp", "jnp.exp"


@dataclass(frozen=True)
class Log(Elementwise):
    """The natural logarithm; it is not finite where `x` is 0 or below."""

    example, function = "exp -> log", "jnp.log"


@dataclass(frozen=True)
class Sqrt(Elementwise):
    """The square root; it is not a number where `x` is below 0. Of a plain number, as in `dense(sqrt(64))`, it is
    found while compiling."""

    example, function = "exp -> sqrt", "jnp.sqrt"


@dataclass(frozen=True)
class Abs(Elementwise):
    """The absolute value."""

    example, function = "abs", "jnp.abs"


@dataclass(frozen=True)
class Sin(Elementwise):
    """The sine, of radians."""

    example, function = "sin", "jnp.sin"


@dataclass(frozen=True)
class Cos(Elementwise):
    """The cosine, of radians."""

    example, function = "cos", "jnp.cos"


@dataclass(frozen=True)
class Normalised(Layer):
    """What the softmax kinds share: they work on the last axis. Counted are exp, sum and division,
    not the maximum that is subtracted against overflow."""

    function: ClassVar[str]

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs):
            return refusal
        return (
            inputs if inputs[0].shape else Refusal(f"`{self.kind}` needs an axis to work on, and is given one number")
        )

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=3 * outputs[0].size)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(f"{self.function}({{0}})")


@dataclass(frozen=True)
class Softmax(Normalised):
    """`exp(x_i) / sum_j exp(x_j)` over the last axis: scores become probabilities, which add up to 1.

    The loss `cross_entropy` has it within, and takes what stands before it, the logits.
    """

    example, function = "softmax", "nnx.softmax"


@dataclass(frozen=True)
class LogSoftmax(Normalised):
    """The logarithm of `softmax`, computed without overflow."""

    example, function = "log_softmax", "nnx.log_softmax"
