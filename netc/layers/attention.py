"""Attention: each place of a sequence takes from all others what fits its question."""

from dataclasses import dataclass

from netc.arguments import Integer, Real, Truth, argument
from netc.layers.base import Cost, Initialiser, Layer, Lowering, Refusal, WeightSpec
from netc.layers.initialisers import LECUN, ZEROS, AnInitialiser
from netc.layers.sequence import refuse_no_sequence
from netc.layers.symmetry import Motion, Transformed, together
from netc.types import Type

SLOTS = ("query", "key", "value", "out")


@dataclass(frozen=True)
class Attention(Layer):
    """Multi-head attention on a sequence `[time, channels]` (Vaswani et al. 2017, section 3.2). For each head, with
    matrices of its own,

        q = x @ query + query_bias    k = memory @ key + key_bias    v = memory @ value + value_bias
        y = softmax(q @ k.T / sqrt(head_width)) @ v

    and the heads side by side, times `out` plus `out_bias`, are what comes out: `[time, channels]`. `memory` is `x`
    itself, or a second value, `(x, memory) -> attention(8)`, whose places are attended to.

    The weights are `query` `[channels, heads * head_width]`, `key` and `value` `[memory channels, kv_heads *
    head_width]`, `out` `[heads * head_width, channels]`, and with `bias` one for each; head 0 has the first columns.
    With fewer `kv_heads`, each key and value serves several heads in a row (Ainslie et al. 2023). `rotary` turns
    numbers 2i and 2i + 1 of each query and key at place t by `t * rotary_base^(-2i / head_width)`, so that scores
    depend on the distance of places alone (Su et al. 2021, equation 15).

    Connections are those of the matrices and biases. Flops have the products of all queries with all keys, 3 for each
    score's softmax and 1 for its scale, the sums of values, and 3 for each number that is turned; what `causal` hides
    is computed and counted all the same.
    """

    elsewhere = ("multiheadattention", "multiheaddotproductattention", "selfattention", "mha")
    example = "attention(4, causal = true)"
    example_input = (Type((16, 64)),)

    heads: int = argument("how many heads there are", Integer(1))
    causal: bool = argument("whether each place sees itself and those before it alone", Truth(), False)
    kv_heads: int | None = argument(
        "how many keys and values there are; as many as heads, if left out", Integer(1), None
    )
    head_width: int | None = argument(
        "how many numbers a query has; if left out, the channels divided by the heads", Integer(1), None
    )
    bias: bool = argument("whether to add trainable biases", Truth(), True)
    rotary: bool = argument("whether queries and keys are turned by their place", Truth(), False)
    rotary_base: float = argument("the base of the turns' wavelengths", Real(1, above=True), 10_000.0)
    dropout: float = argument(
        "in training, the probability with which a place is not seen by another", Real(0, 1, below=True), 0.0
    )
    init: Initialiser = argument("how the matrices start", AnInitialiser(), LECUN)
    out_init: Initialiser | None = argument("how `out` starts; if left out, as the others", AnInitialiser(), None)
    bias_init: Initialiser = argument("how the biases start", AnInitialiser(), ZEROS)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return self.refuse_inputs(inputs) or self.refuse_sizes(inputs) or inputs[:1]

    def refuse_inputs(self, inputs: tuple[Type, ...]) -> Refusal | None:
        if len(inputs) not in (1, 2):
            return Refusal(
                f"`attention` takes a sequence, and another to attend to if there is one, and is given {len(inputs)} "
                f"values: {', '.join(map(str, inputs))}",
                "`x -> attention(8)` or `(x, memory) -> attention(8)`",
            )
        for input in inputs:
            if input.element.name != "f32":
                return Refusal(
                    f"`attention` computes with f32 numbers, and is given {input}",
                    "`embedding` makes vectors of tokens",
                )
            way_out = "`reshape([64, 32])` makes a sequence of any value"
            if refusal := refuse_no_sequence(self.kind, input, way_out):
                return refusal
        if (self.causal or self.rotary) and inputs[0].shape[0] != inputs[-1].shape[0]:
            word = "causal" if self.causal else "rotary"
            return Refusal(
                f"`attention` with `{word} = true` compares places, and is given sequences of two lengths, "
                f"{inputs[0]} and {inputs[1]}",
                f"leave out `{word}`, or give two of one length",
            )
        return None

    def refuse_sizes(self, inputs: tuple[Type, ...]) -> Refusal | None:
        channels = inputs[0].channels
        if self.head_width is None and channels % self.heads:
            return Refusal(
                f"`attention` cannot divide the {channels} channels of {inputs[0]} by {self.heads} heads",
                f"`heads` must divide the channels, or `head_width = {-(-channels // self.heads)}` say what a head has",
            )
        if self.heads % self.groups:
            return Refusal(
                f"`attention` cannot divide {self.heads} heads among {self.kv_heads} keys and values",
                "`kv_heads` must divide `heads`",
            )
        if self.rotary and self.width(channels) % 2:
            return Refusal(
                f"`attention` with `rotary = true` turns pairs of numbers, and its heads have {self.width(channels)}",
                "give it another number of heads, or an even `head_width`",
            )
        return None

    @property
    def groups(self) -> int:
        """How many keys and values there are."""
        return self.kv_heads or self.heads

    def width(self, channels: int) -> int:
        """How many numbers a head has."""
        return self.head_width or channels // self.heads

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        channels, fed = inputs[0].channels, inputs[-1].channels
        wide, narrow = (n * self.width(channels) for n in (self.heads, self.groups))
        shapes = ((channels, wide), (fed, narrow), (fed, narrow), (wide, channels))
        axes = (("in", "head_out"), ("in", "head_out"), ("in", "head_out"), ("head_in", "out"))
        starts = (self.init, self.init, self.init, self.out_init or self.init)
        kernels = tuple(WeightSpec(*row) for row in zip(SLOTS, shapes, starts, axes, strict=True))
        biases = tuple(WeightSpec(f"{k.name}_bias", k.shape[1:], self.bias_init, k.axes[1:]) for k in kernels)
        return (*kernels, *biases) if self.bias else kernels

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        (time, channels), (places, fed) = inputs[0].shape, inputs[-1].shape
        wide, narrow = (n * self.width(channels) for n in (self.heads, self.groups))
        links = 2 * time * channels * wide + 2 * places * fed * narrow
        biases = time * (wide + channels) + 2 * places * narrow if self.bias else 0
        turned = 3 * (time * wide + places * narrow) if self.rotary else 0
        scores = 4 * time * places * (wide + self.heads)
        return Cost(connections=links + biases, flops=2 * links + biases + turned + scores)

    def symmetry(self, given: Transformed) -> Motion | None:
        """Without places of its own, attention does the same whatever the order of either sequence."""
        x, memory = given.motions[0], given.motions[-1]
        if self.causal or self.rotary:
            return None
        if given.symmetry.turn is None and memory.moves:
            return None
        return together(given.motions, x.sights, moves=x.moves)

    def settings(self, channels: int) -> str:
        """The options of Flax's module beyond those of the function, where they are not the usual ones."""
        inits = (
            ("kernel_init", self.init if self.init != LECUN else None),
            ("out_init", self.out_init),
            ("bias_init", self.bias_init if self.bias_init != ZEROS else None),
        )
        width = self.width(channels)
        text = f", width={width}" if width * self.heads != channels else ""
        text += f", dropout={self.dropout!r}" if self.dropout else ""
        text += "" if self.bias else ", use_bias=False"
        return text + "".join(f", {name}={init.flax()}" for name, init in inits if init)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        channels, fed = inputs[0].channels, inputs[-1].channels
        made = f"{channels}" + f", {fed}" * (fed != channels)
        options = f"heads={self.heads}" + f", kv_heads={self.kv_heads}" * (self.groups != self.heads)
        used = ", causal=True" * self.causal + f", rotary={self.rotary_base!r}" * self.rotary
        slots = [spec.name for spec in self.weights(inputs)]
        kernels, biases = (", ".join(f"{{{slot}}}" for slot in part) for part in (slots[:4], slots[4:]))
        function = f"attention({{0}}, ({kernels})" + f", ({biases})" * self.bias + f", {options}"
        function += ", memory={1}" * (len(inputs) == 2) + used + ", dropout={self}" * bool(self.dropout)
        return Lowering(
            call="{self}({all})",
            module=f"Attention({made}, {options}{used}{self.settings(channels)}, rngs=rngs)",
            function=f"{function})",
            function_module=f"nnx.Dropout({self.dropout!r}, rngs=rngs)" if self.dropout else None,
            variables={slot: slot for slot in slots},
            support=("Attention",),
            function_support=("attention",),
        )
