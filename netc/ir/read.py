"""The IR's text in (`netc.ir.text`), a lawful program out. A text has one program, with its callees first."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from netc.ir.network import Call, Capture, Instance, Network, Program, Value, View, Weight
from netc.ir.problems import BrokenProgram
from netc.ir.read_parts import Node, Parts, nodes, parts, word
from netc.ir.verify import first_broken, weight_shape
from netc.layers import ALL_KINDS
from netc.layers.base import Layer
from netc.problems import CompileError
from netc.source import Source, Span
from netc.syntax.parse import parser_of, too_deep
from netc.syntax.tables import IR
from netc.types import Type


def parse_program(text: str, name: str = "<ir>") -> Program:
    """The program that a text describes. Its spans are places in the text, which problems show under `name`.

    Raises `CompileError` with the first problem of a text that docs/ir.md does not allow or that is not lawful.
    """
    source = Source(name, text)
    read = Parts(source)
    finished: dict[str, Network] = {}
    networks = []
    for node in nodes(parse(source)):
        network = Body(read, finished).network(node)
        finished[network.name] = network
        networks.append(network)
    program = Program(tuple(networks))
    if broken := first_broken(program):
        owner = broken.network or program.root
        raise CompileError([BrokenProgram(span=owner.span, reason=str(broken))])
    return program


@functools.cache
def parser() -> Lark:
    return parser_of(IR)


def parse(source: Source) -> Node:
    try:
        parsed = parser().parse(source.text)
    except UnexpectedInput as failure:
        raise CompileError([explain(failure, source)]) from None
    if problem := too_deep(parsed, source):
        raise CompileError([problem])
    return parsed


def explain(failure: UnexpectedInput, source: Source) -> BrokenProgram:
    match failure:
        case UnexpectedCharacters(pos_in_stream=int(at)):
            return BrokenProgram(span=Span(source, at, at + 1), reason=f"{source.text[at]!r} cannot stand here")
        case UnexpectedToken(token=token) if token.type != "$END":
            assert token.start_pos is not None and token.end_pos is not None
            span = Span(source, token.start_pos, token.end_pos)
            return BrokenProgram(span=span, reason=f"`{token[:40]}` cannot stand here")
        case _:
            end = len(source.text.rstrip())
            return BrokenProgram(span=Span(source, max(0, end - 1), end), reason="the text ends too early")


@dataclass
class Body:
    """One network in the making. Views are read last, when the weights that they see are all known."""

    read: Parts
    finished: dict[str, Network]
    inputs: list[str] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    instances: list[tuple[Instance, Node]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)
    types: dict[str, Type] = field(default_factory=dict)

    def network(self, node: Node) -> Network:
        title, *statements = nodes(node)
        for statement in statements:
            STATEMENTS[str(statement.data)](self, *parts(statement))
        whole = Network(
            word(title),
            tuple(self.inputs),
            tuple(self.outputs),
            tuple(self.values),
            tuple(self.weights),
            tuple(instance for instance, _ in self.instances),
            tuple(self.calls),
            tuple(self.captures),
            self.read.span(title),
        )
        return replace(whole, instances=tuple(self.with_views(*made, whole) for made in self.instances))

    def input(self, name: Node, type_: Node) -> None:
        self.inputs.append(word(name))
        self.value(name, type_)

    def value(self, name: Node, type_: Node) -> str:
        value = Value(word(name), self.read.one_type(type_), self.read.span(name))
        self.values.append(value)
        self.types[value.name] = value.type
        return value.name

    def output(self, name: Node, value: Node) -> None:
        self.outputs.append((word(name), word(value)))

    def capture(self, name: Node, shape: Node) -> None:
        self.captures.append(Capture(word(name), self.read.shape(shape)))

    def layer_capture(self, name: Node) -> None:
        self.captures.append(Capture(word(name), None))

    def weight(self, described: Node) -> None:
        self.weights.append(self.read.weight(described))

    def layer(self, name: Node, takes: Node, gives: Node, maker: Node, attached: Node) -> None:
        self.make(name, self.read.types(takes), self.read.types(gives), maker, attached)

    def call(
        self,
        results: Node,
        operands: Node,
        over_time: Token | None,
        name: Node,
        maker: Node | None,
        variant: Node | None,
        times: Node | None,
        attached: Node,
    ) -> None:
        inputs = tuple(map(word, nodes(operands)))
        for node, value in zip(nodes(operands), inputs, strict=True):
            if value not in self.types:
                self.read.fail(node, f"the value `{value}` is not there yet")
        outputs = tuple(self.value(*parts(result)) for result in nodes(results))
        if maker is not None:
            takes, gives = (tuple(self.types[v] for v in side) for side in (inputs, outputs))
            if over_time is not None:
                takes, gives = (tuple(type_.step for type_ in side) for side in (takes, gives))
            self.make(name, takes, gives, maker, attached)
        elif nodes(attached):
            self.read.fail(attached, f"the weights of `{word(name)}` are said where it is made")
        again = 1 if times is None else int(parts(times)[0])
        network = None if variant is None else word(nodes(variant)[0])
        steps = over_time is not None
        self.calls.append(Call(word(name), inputs, outputs, again, network, steps, self.read.span(name)))

    def make(self, name: Node, takes: tuple[Type, ...], gives: tuple[Type, ...], maker: Node, attached: Node) -> None:
        """An instance with the weights that it owns."""
        row, made = parts(maker)
        count, start = (None, None) if row is None else parts(row)
        layer = None if made.data == "network_name" else self.read.entry(made, ALL_KINDS)
        assert layer is None or isinstance(layer, Layer)
        network = word(nodes(made)[0]) if layer is None else None
        if network is not None and network not in self.finished:
            self.read.fail(made, f"there is no network `{network}` before this one")
        instance = Instance(
            word(name),
            layer,
            network,
            takes,
            gives,
            tuple(self.read.weight(parts(node)[0]) for node in nodes(attached) if node.data == "owns"),
            start=0 if start is None else int(start),
            count=None if count is None else int(count),
            span=self.read.span(name),
        )
        self.instances.append((instance, attached))

    def with_views(self, instance: Instance, attached: Node, whole: Network) -> Instance:
        """An instance with what it sees of other weights and binds to the captures of its network."""
        views: list[tuple[str, View]] = []
        captures: list[tuple[str, View | str]] = []
        for node in nodes(attached):
            if node.data == "owns":
                continue
            name, seen = parts(node)
            if node.data == "layer_binds":
                captures.append((word(name), word(seen)))
                continue
            view = self.read.view(seen, lambda path: weight_shape(path, whole, self.finished))
            if node.data == "views":
                views.append((word(name), view))
            else:
                captures.append((word(name), view))
        return replace(instance, views=tuple(views), captures=tuple(captures))


STATEMENTS: dict[str, Callable[..., Any]] = {
    "input": Body.input,
    "output": Body.output,
    "capture": Body.capture,
    "layer_capture": Body.layer_capture,
    "weight": Body.weight,
    "layer": Body.layer,
    "call": Body.call,
}
