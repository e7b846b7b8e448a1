"""Sequences: tokens as vectors, and places in a sequence."""

from dataclasses import dataclass

from netc.arguments import Integer, OneOf, argument
from netc.layers.base import Cost, Initialiser, Layer, Lowering, Refusal, WeightSpec, one_input
from netc.layers.initialisers import AnInitialiser, Normal
from netc.types import Element, Type

GPT2 = Normal(0.02)
"""As GPT-2 starts its tables (Radford et al. 2019; its places start at 0.01)."""


def refuse_no_sequence(kind: str, input: Type, way_out: str) -> Refusal | None:
    """The refusal of what is no sequence of vectors."""
    if len(input.shape) == 2:
        return None
    return Refusal(f"`{kind}` takes a sequence `[time, channels]`, and is given {input}", way_out)


@dataclass(frozen=True)
class Embedding(Layer):
    """A trained vector for each of `n` tokens: token number i becomes row i of the weight `table`, `[n, width]` (Bengio
    et al. 2003). A sequence `token(n)[time]` becomes `[time, width]`.

    The same table can give the scores of the next token: `dense(n, kernel = embed.table.T, bias = false)`, where
    `layer embed = embedding(n, width)` (Press & Wolf 2017). A lookup does no flops, and its connections are the
    numbers that it reads.
    """

    example = "embedding(256, 64)"
    example_input = (Type((16,), Element("token", 256)),)

    n: int = argument("how many tokens there are: the vocabulary", Integer(1))
    width: int = argument("how many numbers stand for a token", Integer(1))
    init: Initialiser = argument("how the table starts", AnInitialiser(), GPT2)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if len(inputs) != 1:
            return Refusal(
                f"`embedding` takes one value, and is given {len(inputs)}: {', '.join(map(str, inputs))}",
                "embed each by itself",
            )
        if inputs[0].element.name != "token":
            return Refusal(
                f"`embedding` takes tokens, and is given {inputs[0]}",
                f"an input of tokens is declared `input text: token({self.n})[16]`; numbers go through `dense`",
            )
        if inputs[0].element.size != self.n:
            return Refusal(
                f"`embedding` has rows for {self.n} tokens, and is given {inputs[0]}, of {inputs[0].element.size}",
                f"write `embedding({inputs[0].element.size}, {self.width})`, or declare the input `token({self.n})`",
            )
        return (Type((*inputs[0].shape, self.width)),)

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        return (WeightSpec("table", (self.n, self.width), self.init, ("token", "out")),)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(connections=outputs[0].size)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(
            call="{self}({0})",
            module=f"nnx.Embed({self.n}, {self.width}, embedding_init={self.init.flax()}, rngs=rngs)",
            function="jnp.take({table}, {0}, axis=0)",
            variables={"table": "embedding"},
        )


@dataclass(frozen=True)
class Position(Layer):
    """Adds to each place of a sequence `[time, channels]` a vector that says which it is; attention alone does not see
    the order.

    `learned` vectors are the rows of the weight `table`, `[context, channels]`; a shorter sequence uses the first ones.
    `sinusoidal` ones are fixed: `sin(t / 10000^(2i / channels))` is number 2i of place t, and the cosine of the same is
    number 2i + 1 (Vaswani et al. 2017, section 3.5). Places relative to each other are `attention(..., rotary = true)`.
    """

    example = "position(32)"
    example_input = (Type((16, 64)),)

    context: int = argument("how many places there can be", Integer(1))
    encoding: str = argument("what says the place", OneOf(("learned", "sinusoidal")), "learned")
    init: Initialiser = argument("how the table of learned places starts", AnInitialiser(), GPT2)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs) or refuse_no_sequence(
            self.kind, inputs[0], "`reshape([64, 32])` makes a sequence of any value"
        ):
            return refusal
        if inputs[0].shape[0] > self.context:
            return Refusal(
                f"`position` has {self.context} places, and is given a sequence of {inputs[0].shape[0]}, {inputs[0]}",
                f"write `position({inputs[0].shape[0]})`",
            )
        return inputs

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        if self.encoding == "sinusoidal":
            return ()
        return (WeightSpec("table", (self.context, inputs[0].channels), self.init, ("time", "channel")),)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        size = outputs[0].size
        return Cost(connections=size if self.encoding == "learned" else 0, flops=size)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        if self.encoding == "sinusoidal":
            return Lowering("sinusoidal({0})", support=("sinusoidal",))
        return Lowering(
            call="{0} + {self}(jnp.arange({0}.shape[1]))",
            module=f"nnx.Embed({self.context}, {inputs[0].channels}, embedding_init={self.init.flax()}, rngs=rngs)",
            function="{0} + {table}[:{0}.shape[1]]",
            variables={"table": "embedding"},
        )


@dataclass(frozen=True)
class Prepend(Layer):
    """Puts `n` trained steps before the first of a sequence `[time, channels]`: the token whose last state is the class
    of an image (Dosovitskiy et al. 2021, equation 1), or a prompt that is learnt (Lester et al. 2021).

    They are the rows of the weight `table`, `[n, channels]`, the same for all examples.
    """

    example = "prepend(1)"
    example_input = (Type((16, 64)),)

    n: int = argument("how many steps", Integer(1), 1)
    init: Initialiser = argument("how they start", AnInitialiser(), GPT2)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs) or refuse_no_sequence(
            self.kind, inputs[0], "`reshape([64, 32])` makes a sequence of any value"
        ):
            return refusal
        time, channels = inputs[0].shape
        return (Type((self.n + time, channels)),)

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        return (WeightSpec("table", (self.n, inputs[0].channels), self.init, ("time", "channel")),)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(connections=self.n * inputs[0].channels)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(
            call="{self}({0})",
            module=f"Prepend({self.n}, {inputs[0].channels}, init={self.init.flax()}, rngs=rngs)",
            function="prepend({0}, {table})",
            variables={"table": "table"},
            support=("Prepend",),
            function_support=("prepend",),
        )
