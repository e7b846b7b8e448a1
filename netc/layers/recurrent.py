"""Recurrent layers: one set of weights used at every step in time, with a state that goes from step to step."""

from dataclasses import dataclass
from typing import ClassVar

from netc.arguments import Integer, OneOf, Real, Truth, argument
from netc.layers.base import Cost, Initialiser, Layer, Lowering, Refusal, WeightSpec, one_input
from netc.layers.initialisers import LECUN, ZEROS, AnInitialiser
from netc.types import Type


@dataclass(frozen=True)
class Recurrent(Layer):
    """What recurrent layers have in common: `[time, channels]` to `[time, n]`, from a state of zeros on."""

    gates: ClassVar[int] = 1
    pointwise: ClassVar[int]
    """The flops of one step for each number of the state, beside matrices and biases."""
    example_input = (Type((16, 8)),)

    n: int = argument("how many numbers the state has", Integer(1))
    last: bool = argument("whether to give the state behind the last step alone, `[n]`", Truth(), False)
    reverse: bool = argument("whether to go from the last step to the first", Truth(), False)
    init: Initialiser = argument("how the kernel starts", AnInitialiser(), LECUN)
    recurrent_init: Initialiser = argument("how the recurrent kernel starts", AnInitialiser(), LECUN)
    bias_init: Initialiser = argument("how the bias starts", AnInitialiser(), ZEROS)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs):
            return refusal
        if len(inputs[0].shape) != 2:
            return Refusal(
                f"`{self.kind}` takes a sequence `[time, channels]`, and is given {inputs[0]}",
                "`over_time { flatten }` makes vectors of the steps, `reshape([28, 28])` rows of a grey image",
            )
        return (Type((self.n,) if self.last else (inputs[0].shape[0], self.n)),)

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        wide = self.gates * self.n
        out = "out" if self.gates == 1 else "gate_out"
        return (
            WeightSpec("kernel", (inputs[0].channels, wide), self.init, ("in", out)),
            WeightSpec("recurrent", (self.n, wide), self.recurrent_init, ("hidden", out)),
            WeightSpec("bias", (wide,), self.bias_init, (out,)),
        )

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        time, channels = inputs[0].shape
        links, biases = (channels + self.n) * self.gates * self.n, self.gates * self.n
        return Cost(time * (links + biases), time * (2 * links + biases + self.pointwise * self.n))

    def starts(self) -> dict[str, str]:
        """Initialisers of the weights; a kernel starts gate by gate."""
        kernels = {"kernel": self.init.flax(), "recurrent": self.recurrent_init.flax()}
        return {name: f"by_gates({init}, {self.gates})" for name, init in kernels.items()}

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        options = ", last=True" * self.last + ", reverse=True" * self.reverse
        starts = self.starts()
        inits = {"kernel": self.init.flax(), "recurrent": self.recurrent_init.flax(), **starts}
        named = ", ".join(f"{name}_init={init}" for name, init in inits.items())
        if self.bias_init != ZEROS and "bias" not in starts:
            named += f", bias_init={self.bias_init.flax()}"
        name, settings = self.module()
        support = tuple(text.partition("(")[0] for text in starts.values())
        return Lowering(
            call="{self}({0})",
            module=f"{name}({inputs[0].channels}, {self.n}, {named}{options}, rngs=rngs)",
            function=f"{self.kind}({{0}}, {{kernel}}, {{recurrent}}, {{bias}}{settings}{options})",
            variables={"kernel": "kernel", "recurrent": "recurrent", "bias": "bias"},
            support=(name, *support),
            function_support=(self.kind,),
            starts=starts,
            start_support=support,
        )

    def module(self) -> tuple[str, str]:
        """The class in `netc.kernels.recurrent`, and what the function is given for it."""
        return type(self).__name__, ""


@dataclass(frozen=True)
class Rnn(Recurrent):
    """A simple recurrent layer (Elman 1990), from a state of zeros on:

        h[t] = tanh(x[t] @ kernel + h[t-1] @ recurrent + bias)

    Takes sequences `[time, channels]` and gives all its states `[time, n]`, or the last one. With `reverse` it reads
    from the end, and its state at each step stands where it stood in the input. The weights are `kernel` `[channels,
    n]`, `recurrent` `[n, n]` and `bias` `[n]`.
    """

    example = "rnn(32)"
    pointwise = 1

    activation: str = argument("the function of the state", OneOf(("tanh", "relu")), "tanh")

    def starts(self) -> dict[str, str]:
        return {}

    def module(self) -> tuple[str, str]:
        return ("Rnn", "") if self.activation == "tanh" else ("ReluRnn", ", activation=nnx.relu")


@dataclass(frozen=True)
class Gru(Recurrent):
    """Gated recurrent units (Cho et al. 2014, version 3, equations 5 to 8), from a state of zeros on:

        z[t] = sigmoid(x[t] @ Wz + h[t-1] @ Uz + bz)           update: how much of the state stays
        r[t] = sigmoid(x[t] @ Wr + h[t-1] @ Ur + br)           reset: how much of it the candidate sees
        c[t] = tanh(x[t] @ Wc + (r[t] * h[t-1]) @ Uc + bc)     candidate
        h[t] = z[t] * h[t-1] + (1 - z[t]) * c[t]

    The reset gate acts on the state before the matrix `Uc` does; cuDNN's and PyTorch's variant has it behind the
    matrix. Takes sequences `[time, channels]` and gives all its states `[time, n]`, or the last one. With `reverse`
    it reads from the end, and its state at each step stands where it stood in the input. The weights have the
    columns of update, reset and candidate in this order: `kernel` `[channels, 3 n]`, `recurrent` `[n, 3 n]` and
    `bias` `[3 n]`; each gate starts by itself.
    """

    example = "gru(32)"
    gates = 3
    pointwise = 8
    """Two sigmoids, tanh, the reset's product, and four for the new state."""


@dataclass(frozen=True)
class Lstm(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997) with a forget gate (Gers et al. 2000), from a state and
    cells of zeros on:

        i[t] = sigmoid(x[t] @ Wi + h[t-1] @ Ui + bi)           input: how much enters the cells
        f[t] = sigmoid(x[t] @ Wf + h[t-1] @ Uf + bf)           forget: how much of them stays
        g[t] = tanh(x[t] @ Wg + h[t-1] @ Ug + bg)              candidate
        o[t] = sigmoid(x[t] @ Wo + h[t-1] @ Uo + bo)           output: how much of them shows
        c[t] = f[t] * c[t-1] + i[t] * g[t]
        h[t] = o[t] * tanh(c[t])

    Takes sequences `[time, channels]` and gives all its states `h`, `[time, n]`, or the last one. With `reverse` it
    reads from the end, and its state at each step stands where it stood in the input. The weights have the columns
    of input, forget, candidate and output in this order: `kernel` `[channels, 4 n]`, `recurrent` `[n, 4 n]` and
    `bias` `[4 n]`; each gate starts by itself, and `bf` at 1, so that the cells keep what they have until training
    says otherwise (Jozefowicz et al. 2015).
    """

    example = "lstm(32)"
    gates = 4
    pointwise = 9
    """Three sigmoids, two tanh, a product and a multiply-add for the cells, a product for the state."""

    forget: float = argument("how the forget gate's bias starts", Real(), 1.0)

    def starts(self) -> dict[str, str]:
        return super().starts() | {"bias": f"open_forget_gate({self.bias_init.flax()}, {self.forget!r})"}
