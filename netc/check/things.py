"""What an expression can mean while compiling: tensors, weights, layers, and plain numbers, strings and lists.

Layers are recipes: applying one to tensors is what makes instances. Recipes compare by value,
so that a block's equal uses are one network.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from netc.arguments import Entry, Symbol
from netc.ir.network import Instance
from netc.layers.base import Initialiser, Layer
from netc.source import Span
from netc.syntax import tree
from netc.types import Orbit, Type

if TYPE_CHECKING:
    from netc.check.builder import Builder
    from netc.check.scope import Scope


class Poison:
    """The meaning of what has already been reported: whatever is made of it is poison too."""


POISON = Poison()


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value that flows in a network."""

    builder: "Builder"
    name: str
    type: Type
    span: Span


@dataclass(frozen=True)
class Several:
    """Several values, in order."""

    tensors: tuple[Tensor, ...]


@dataclass(frozen=True)
class OwnedWeight:
    """A weight by its owner: the path of a weight in the network that a builder builds."""

    builder: "Builder"
    path: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class WeightExpression:
    """A weight computed from others; see `netc.ir.views`."""

    operation: str
    operands: "tuple[WeightThing, ...]"
    settings: tuple[object, ...]
    shape: tuple[int, ...]


WeightThing: TypeAlias = OwnedWeight | WeightExpression


@dataclass(frozen=True)
class KindName:
    """A layer kind by its bare name; used as a layer it has its default arguments."""

    kind: type[Layer]


@dataclass(frozen=True)
class KindRecipe:
    """A layer kind with its arguments, and weights of others in some of its slots."""

    layer: Layer
    views: tuple[tuple[str, WeightThing], ...] = ()
    view_spans: tuple[Span, ...] = field(default=(), compare=False)


@dataclass(frozen=True, eq=False)
class Definition:
    """A block, net or activation of the file, and the scope that it stands in."""

    node: tree.Block | tree.Net | tree.Activation
    scope: "Scope"

    @property
    def word(self) -> str:
        return {tree.Block: "block", tree.Net: "net", tree.Activation: "activation"}[type(self.node)]


@dataclass(frozen=True)
class DefinedRecipe:
    """A block, net or activation with its arguments, defaults filled in."""

    definition: Definition
    arguments: "tuple[tuple[str, Thing], ...]"


@dataclass(frozen=True)
class Chain:
    steps: "tuple[Thing, ...]"
    spans: tuple[Span, ...] = field(compare=False)


@dataclass(frozen=True)
class Label:
    name: str
    recipe: "Thing"
    span: Span = field(compare=False)


@dataclass(frozen=True)
class RepeatRecipe:
    count: int
    node: tree.Repeat
    scope: "Scope"

    def __hash__(self) -> int:
        return hash((self.count, id(self.node)))


@dataclass(frozen=True)
class ForRecipe:
    items: "tuple[Thing, ...]"
    node: tree.ForEach
    scope: "Scope"

    def __hash__(self) -> int:
        return hash((self.items, id(self.node)))


@dataclass(frozen=True)
class OverTimeRecipe:
    node: tree.OverTime
    scope: "Scope"

    def __hash__(self) -> int:
        return hash(id(self.node))


@dataclass(frozen=True)
class LoopBody:
    """One turn of a `repeat`, `for` or `over_time`: its flow, with the loop's names standing for this turn's items."""

    node: tree.Repeat | tree.ForEach | tree.OverTime
    scope: "Scope"
    items: "tuple[Thing, ...]" = ()

    def __hash__(self) -> int:
        return hash((self.items, id(self.node), id(self.scope)))


@dataclass(eq=False)
class NamedLayer:
    """A layer named by `layer`: one set of weights, made at its first use in its own network."""

    builder: "Builder"
    name: str
    recipe: "Thing"
    span: Span
    used: bool = False

    @property
    def instance(self) -> Instance | None:
        return self.builder.instances.get(self.name)


@dataclass(frozen=True)
class InstancePath:
    """A layer by its label or path, for its weights and counts."""

    builder: "Builder"
    path: str


@dataclass(frozen=True)
class EntryName:
    """An initialiser or orbit by its bare name."""

    kind: type[Initialiser] | type[Orbit]


@dataclass(frozen=True)
class Function:
    """A function of numbers (`ceil`) or of weights (`flip`)."""

    name: str
    numbers: Callable[..., object] | None
    weights: str | None


LoopThing: TypeAlias = RepeatRecipe | ForRecipe | OverTimeRecipe | LoopBody
LayerThing: TypeAlias = KindName | KindRecipe | Definition | DefinedRecipe | Chain | Label | LoopThing | NamedLayer
Plain: TypeAlias = Symbol | int | float | bool | str | None
WhileCompiling: TypeAlias = InstancePath | EntryName | Entry | Function | Plain
Thing: TypeAlias = Poison | Tensor | Several | WeightThing | LayerThing | WhileCompiling | tuple["Thing", ...]

LOOPS = (RepeatRecipe, ForRecipe, OverTimeRecipe)
LAYER_THINGS = (KindName, KindRecipe, Definition, DefinedRecipe, Chain, Label, *LOOPS, NamedLayer)
WEIGHT_THINGS = (OwnedWeight, WeightExpression)


def tensors_of(thing: Thing) -> tuple[Tensor, ...]:
    """The values that a thing is: one, several, or none if it is something else."""
    match thing:
        case Tensor():
            return (thing,)
        case Several():
            return thing.tensors
        case _:
            return ()


def together(tensors: tuple[Tensor, ...]) -> Tensor | Several:
    """Values as the one thing that flows on."""
    return tensors[0] if len(tensors) == 1 else Several(tensors)


def is_layer(thing: Thing) -> bool:
    """Whether it can stand after `->`; a list of layers is a fork."""
    if isinstance(thing, tuple):
        return bool(thing) and all(is_layer(item) for item in thing)
    return isinstance(thing, LAYER_THINGS)


def describe(thing: Thing) -> str:
    """What a thing is, in a message."""
    match thing:
        case Tensor():
            return f"a value of {thing.type}"
        case Several():
            return f"{len(thing.tensors)} values"
        case OwnedWeight() | WeightExpression():
            return "a weight"
        case bool():
            return f"`{str(thing).lower()}`"
        case int() | float():
            return f"the number {show(thing)}"
        case str():
            return f'the string "{thing}"'
        case Symbol():
            return f"the word `{thing}`"
        case tuple() if any(isinstance(item, Tensor) for item in thing):
            return "a list of values"
        case tuple():
            return "a list of layers" if is_layer(thing) else "the list " + show(thing)
        case NamedLayer():
            return f"the layer `{thing.name}`"
        case InstancePath():
            return f"the layer `{thing.path}`"
        case EntryName(kind=kind) if issubclass(kind, Orbit):
            return f"the orbit `{kind.kind}`"
        case Orbit():
            return f"the orbit `{thing}`"
        case EntryName() | Initialiser():
            return "an initialiser"
        case Function():
            return f"the function `{thing.name}`"
        case KindName():
            return f"the layer `{thing.kind.kind}`"
        case KindRecipe():
            return f"the layer `{thing.layer.kind}`"
        case Definition() | DefinedRecipe():
            definition = thing if isinstance(thing, Definition) else thing.definition
            return f"the {definition.word} `{definition.node.name}`"
        case None:
            return "nothing"
        case _:
            return "a layer"


def show(thing: Thing) -> str:
    """A compile-time value as the language writes it, cut where it is long."""
    match thing:
        case tuple():
            inner = ", ".join(show(item) for item in thing[:8])
            return f"[{inner}{', ...' if len(thing) > 8 else ''}]"
        case bool():
            return str(thing).lower()
        case str():
            return f'"{thing}"'
        case float():
            return f"{thing:g}" if abs(thing) < 1e6 else str(thing)
        case int():
            return str(thing)
        case Symbol():
            return f"`{thing}`"
        case _:
            return describe(thing)
