"""The syntax tree: one frozen dataclass per rule (or alias) of `grammar/netc.lark`, by the same name.

Children come in the order of the rule. Spans do not count when trees are compared.
"""

from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from netc.source import Span, Word


@dataclass(frozen=True)
class Node:
    """A piece of syntax and where it stands."""

    span: Span = field(compare=False, repr=False, kw_only=True)

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        return cls(*children, span=span)


@dataclass(frozen=True)
class Sequence(Node):
    """A node whose children are all of one kind."""

    items: tuple[Any, ...]

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        return cls(tuple(children), span=span)


# Expressions and flows


@dataclass(frozen=True)
class Name(Node):
    word: Word


@dataclass(frozen=True)
class Number(Node):
    value: int | float

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        text = children[0].replace("_", "")
        return cls(int(text) if text.isdigit() else float(text), span=span)


@dataclass(frozen=True)
class Size(Node):
    """`5x5`: the extents of a window."""

    extents: tuple[int, ...]

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        return cls(tuple(int(n) for n in children[0].split("x")), span=span)


@dataclass(frozen=True)
class String(Node):
    value: str

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        return cls(unquote(children[0]), span=span)


@dataclass(frozen=True)
class Boolean(Node):
    value: bool

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        return cls(children[0] == "true", span=span)


class List(Sequence):
    """`[a, b]`: numbers and the like while compiling, or layers that fork a flow."""


class Tuple(Sequence):
    """`(a, b)`: several values."""


@dataclass(frozen=True)
class Unary(Node):
    operator: Word
    operand: "Flow"


@dataclass(frozen=True)
class Binary(Node):
    left: "Flow"
    operator: Word
    right: "Flow"


@dataclass(frozen=True)
class Choice(Node):
    condition: "Flow"
    chosen: "Flow"
    otherwise: "Flow"


@dataclass(frozen=True)
class Attribute(Node):
    of: "Flow"
    name: Word


@dataclass(frozen=True)
class Slice(Node):
    start: "Flow | None"
    stop: "Flow | None"


@dataclass(frozen=True)
class Index(Node):
    of: "Flow"
    subscripts: "tuple[Flow | Slice, ...]"

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        return cls(children[0], tuple(children[1:]), span=span)


@dataclass(frozen=True)
class Named(Node):
    """`name = value` among arguments."""

    name: Word
    value: "Flow"


@dataclass(frozen=True)
class Call(Node):
    function: "Flow"
    arguments: tuple["Flow | Named", ...]

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        return cls(children[0], children[1].items, span=span)


class Arguments(Sequence):
    """What stands between a call's parentheses; dissolved into its `Call`."""


class Chain(Sequence):
    """`a -> b -> c`."""


@dataclass(frozen=True)
class Labelled(Node):
    """`C1: conv(6, 5x5)`."""

    label: Word
    flow: "Flow"


@dataclass(frozen=True)
class Repeat(Node):
    count: "Flow"
    flow: "Flow"


@dataclass(frozen=True)
class Names(Sequence):
    """`a, b`; dissolved into the node that holds it where that is a statement."""


@dataclass(frozen=True)
class ForEach(Node):
    names: Names
    over: "Flow"
    flow: "Flow"


@dataclass(frozen=True)
class OverTime(Node):
    flow: "Flow"


Flow: TypeAlias = (
    Name
    | Number
    | Size
    | String
    | Boolean
    | List
    | Tuple
    | Unary
    | Binary
    | Choice
    | Attribute
    | Index
    | Call
    | Chain
    | Labelled
    | Repeat
    | ForEach
    | OverTime
)


# Types


@dataclass(frozen=True)
class Element(Node):
    """`i32`, `token(50257)`, `class(10)`."""

    name: Word
    arguments: tuple[Flow | Named, ...]

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        return cls(children[0], children[1].items if children[1] else (), span=span)


class Shape(Sequence):
    """`[28, 28, 1]`."""


@dataclass(frozen=True)
class Type(Node):
    """An element type (None: the default, f32) and a shape (None: a single number)."""

    element: Element | None
    shape: Shape | None

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        if len(children) == 1:
            return cls(children[0], None, span=span)
        return cls(*children, span=span)


# Statements of a net or block


@dataclass(frozen=True)
class Input(Node):
    names: Names
    type: Type | None


@dataclass(frozen=True)
class Output(Node):
    """An output; a block's may have no name, and any may do without its type."""

    name: Word | None
    type: Type | None
    flow: Flow


class TypedOutput(Output):
    """Built as an `Output`."""

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Output:
        return Output(*children, span=span)


class NamedOutput(Output):
    """Built as an `Output`."""

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Output:
        return Output(children[0], None, children[1], span=span)


class BareOutput(Output):
    """Built as an `Output`."""

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Output:
        return Output(None, None, children[0], span=span)


@dataclass(frozen=True)
class Let(Node):
    names: Names
    flow: Flow


@dataclass(frozen=True)
class Layer(Node):
    name: Word
    flow: Flow


@dataclass(frozen=True)
class Weight(Node):
    name: Word
    type: Type
    initialiser: Flow | None


@dataclass(frozen=True)
class Assertion(Node):
    condition: Flow


class Selector(Sequence):
    """`tower.*`: the weights whose names match."""


@dataclass(frozen=True)
class Constrain(Node):
    selector: Selector
    constraint: Flow


@dataclass(frozen=True)
class Adjust(Node):
    """`adjust tower.*: rate(0.1)`, in a recipe."""

    selector: Selector
    adjustment: Flow


@dataclass(frozen=True)
class Default(Node):
    """`default conv(init = he)`."""

    call: Flow


@dataclass(frozen=True)
class FlowBody(Node):
    """`= flow`, the short form of a block's body."""

    flow: Flow


class Body(Sequence):
    """The statements between braces."""


# Definitions


@dataclass(frozen=True)
class Parameter(Node):
    name: Word
    default: Flow | None


class Parameters(Sequence):
    """A block's, net's or activation's parameters."""


@dataclass(frozen=True)
class Use(Node):
    """`use "file.net"` (a `String` target) or `use resnet` (a `Word`)."""

    target: Word

    @property
    def path(self) -> str | None:
        return unquote(self.target) if self.target.startswith('"') else None


@dataclass(frozen=True)
class Constant(Node):
    name: Word
    flow: Flow


@dataclass(frozen=True)
class Activation(Node):
    name: Word
    parameters: Parameters
    expression: Flow


@dataclass(frozen=True)
class Block(Node):
    name: Word
    parameters: Parameters | None
    body: FlowBody | Body


@dataclass(frozen=True)
class Net(Node):
    name: Word
    parameters: Parameters | None
    body: Body


@dataclass(frozen=True)
class Field(Node):
    name: Word
    flow: Flow


@dataclass(frozen=True)
class Train(Node):
    """`train Quick for LeNet5 { ... }`; without `for` the recipe has its net's name."""

    name: Word
    net: Word | None
    fields: tuple[Field | Constrain | Adjust, ...]

    @classmethod
    def build(cls, children: list[Any], span: Span) -> Self:
        return cls(children[0], children[1], tuple(children[2:]), span=span)


class Start(Sequence):
    """A whole file."""


def unquote(literal: str) -> str:
    """The text that a string literal stands for."""
    escapes = {"n": "\n", "t": "\t"}
    out, chars = [], iter(literal[1:-1])
    for char in chars:
        if char == "\\":
            char = next(chars)
            char = escapes.get(char, char)
        out.append(char)
    return "".join(out)
