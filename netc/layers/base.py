"""What a layer kind is: the one class from which the checker, the counts, Flax and the docs know it.

To add a layer: write one subclass of `Layer` in a module of this folder and list it in
`LAYERS` (`netc/layers/__init__.py`). docs/adding-a-layer.md walks through an example.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import ClassVar

from netc.arguments import Entry
from netc.layers.symmetry import Motion, Transformed
from netc.types import Type


@dataclass(frozen=True)
class Initialiser(Entry):
    """How a weight's numbers start; `flax` is the emitted expression, a function (key, shape) -> array."""

    support: ClassVar[tuple[str, ...]] = ()
    least_axes: ClassVar[int] = 0
    """How many axes a weight needs: fan-in and fan-out are counted on the last two."""

    def flax(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True)
class WeightSpec:
    """A weight that a layer needs: its slot name, shape, start and the meaning of its axes."""

    name: str
    shape: tuple[int, ...]
    init: Initialiser
    axes: tuple[str, ...]
    trainable: bool = True


@dataclass(frozen=True)
class Cost:
    """Work for one example, forward: `connections` are links that carry a weight (trainable or fixed),
    biases included; `flops` count a multiply-add as 2, and 1 for each bias, comparison or function of
    one number."""

    connections: int = 0
    flops: int = 0


@dataclass(frozen=True)
class Refusal:
    """Why a layer cannot take the inputs it is given: a full sentence and a way out."""

    message: str
    help: str = ""


@dataclass(frozen=True)
class Lowering:
    """How a layer reads in Flax.

    `call` is the expression for one use: `{0}`, `{1}` ... stand for the inputs, `{all}` for them all
    separated by commas, `{self}` for the module, if `module` (a constructor expression, which may use
    `rngs`) is given. `function` is the expression when at least one weight belongs to somebody else;
    there `{kernel}` and so on stand for the weights as arrays, wherever they live, and `{self}` for what the layer
    keeps beside weights, made by `function_module`, such as dropout. `variables` maps
    weight names to the attributes of the module that hold them. `support` names what `call` and `module`
    use of the support modules (`netc.kernels.modules` and those beside it), `function_support` what `function` uses.
    Several outputs are a tuple. `starts` are the initialisers of weights that do not start as their specs say by
    themselves, for those that stay the layer's own where others belong to somebody else; `start_support` is what
    they use; `support` has that too.
    """

    call: str
    module: str | None = None
    function: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    support: tuple[str, ...] = ()
    function_support: tuple[str, ...] = ()
    starts: dict[str, str] = field(default_factory=dict)
    start_support: tuple[str, ...] = ()
    function_module: str | None = None

    def needs(self, given: bool, own: Collection[str]) -> tuple[str, ...]:
        """The support names of the form that is used; `own` are the weights that are not given."""
        if not given:
            return self.support
        return self.function_support + (self.start_support if self.starts.keys() & set(own) else ())


@dataclass(frozen=True)
class Target:
    """What code is made for: the kind of device that runs it (`cpu`, `gpu`, `tpu`; any, if None), and whether it stands
    in a compiled loop."""

    device: str | None = None
    in_loop: bool = False


@dataclass(frozen=True)
class Layer(Entry):
    """A layer kind: subclass it, document it, list it in `LAYERS`."""

    example: ClassVar[str]
    """A flow after `x -> ` that uses the layer, on an input of `example_input`."""
    example_input: ClassVar[tuple[Type, ...]] = (Type((8, 8, 3)),)
    elementwise: ClassVar[bool] = False
    """Works on each number by itself, so that `tanh(x)` also reads as a function of a value."""

    flat: ClassVar[tuple[float, float] | None] = None
    """For functions that are almost flat where they give less than the first or more than the second: there hardly any
    gradient comes through, and they are saturated."""

    dies: ClassVar[bool] = False
    """Gives 0 for half of all numbers, and passes no gradient on: a unit that is 0 for all examples learns no more."""

    smallest_wins: ClassVar[bool] = False
    """Gives distances to classes: the smallest is the answer."""

    keeps_orbit: ClassVar[bool] = False
    """Takes values over an orbit, and does the same to each of its copies."""

    sign: ClassVar[str] = ""
    """How it is written, where that is not by its name."""

    def gives(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        """The output types, or why there are none: only kinds that keep an orbit take a value over one."""
        over = None if self.keeps_orbit else next((t for t in inputs if t.orbit is not None), None)
        if over is None:
            return self.outputs(inputs)
        return Refusal(
            f"`{self.sign or self.kind}` takes values without an orbit, and is given {over}",
            "`orbit_pool(max)` first makes it invariant",
        )

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        """The shape rule: output types, or why there are none. It is asked through `gives`."""
        raise NotImplementedError

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        """The weights it needs for inputs that the shape rule accepts."""
        return ()

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost()

    def symmetry(self, given: Transformed) -> Motion | None:
        """How what it gives moves when a value that reaches it moves with the net's input; None where that is not
        known. What comes from values that stay stays, and is not asked."""
        return None

    def everywhere(self, inputs: tuple[Type, ...]) -> "Layer | None":
        """For kinds that see all positions of inputs such as these: the layer that does to each window of that size,
        of larger ones, what this does to all of it. None where there is none."""
        return None

    def in_any_order(self) -> bool:
        """Whether its inputs may come in any order."""
        return False

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        """The Flax code for inputs that the shape rule accepts (batch axis first at run time), for any device."""
        raise NotImplementedError

    def lower_for(self, target: Target, inputs: tuple[Type, ...], given: bool) -> Lowering | None:
        """The code that is fastest there, with the same weights and results, and None for layers that would be slow in
        a loop, on whatever device. `given`: weights are somebody else's."""
        return self.lower(inputs)


def one_input(kind: str, inputs: tuple[Type, ...], ranks: tuple[int, ...] = ()) -> Refusal | None:
    """The refusal of anything but a single f32 value of one of the given ranks (any, if none is given)."""
    if len(inputs) != 1:
        return Refusal(
            f"`{kind}` takes one value, and is given {len(inputs)}: {', '.join(map(str, inputs))}",
            "join them first: `(a, b) -> concat`",
        )
    if inputs[0].element.name != "f32":
        return Refusal(
            f"`{kind}` computes with f32 numbers, and is given {inputs[0]}",
            "an input of numbers is declared by its shape alone: `input x: [16]`",
        )
    if ranks and len(inputs[0].shape) not in ranks:
        wanted = ", ".join(str(rank) for rank in ranks[:-1]) + " or " * (len(ranks) > 1) + str(ranks[-1])
        axes = "axis" if ranks == (1,) else "axes"
        way_out = "`flatten` makes a vector of any value" if ranks == (1,) else AXES
        return Refusal(f"`{kind}` takes a value of {wanted} {axes}, and is given {inputs[0]}", way_out)
    return None


AXES = "sequences are `[time, channels]`, images `[height, width, channels]`; `reshape` makes one of another value"
