"""Pieces of the IR's text in, the things that they describe out: types, arguments, layers, weights and views."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from lark import Token, Tree

from netc.arguments import Entry, Symbol
from netc.ir.entries import AN_INITIALISER, ORBIT_KINDS, SETTING_KINDS, build, initialiser
from netc.ir.network import Reference, View, Weight
from netc.ir.problems import BrokenProgram
from netc.ir.views import OPERATIONS, checked
from netc.layers.base import Refusal
from netc.problems import CompileError
from netc.source import Source, Span
from netc.types import F32, PLAIN, SIZED, Element, Orbit, Type

Node = Tree[Token]
Find = Callable[[str], tuple[int, ...] | None]
"""Gives the shape of a weight by its path, None where there is no such weight."""

INFIX = {"+": "add", "-": "subtract"}
SCALING = {"*": "multiply", "/": "divide"}
FUNCTIONS = OPERATIONS.keys() - {"transpose", "slice", "negate", *INFIX.values(), *SCALING.values()}


def nodes(node: Node) -> list[Node]:
    """The nodes below a node, its tokens left out."""
    return [child for child in node.children if isinstance(child, Tree)]


def parts(node: Node) -> list[Any]:
    """What stands below a node, in the order of its rule: nodes, tokens, and None for what is left out."""
    return node.children


def word(node: Node) -> str:
    """A name, bare or between quotes."""
    (token,) = parts(node)
    return json.loads(token) if token.type == "STRING" else str(token)


@dataclass(frozen=True)
class Parts:
    """Reads pieces of one source; raises `CompileError` for those that describe nothing."""

    source: Source

    def span(self, node: Node) -> Span:
        empty = node.meta.empty
        return Span(self.source, 0 if empty else node.meta.start_pos, 0 if empty else node.meta.end_pos)

    def fail(self, node: Node, reason: str) -> NoReturn:
        raise CompileError([BrokenProgram(span=self.span(node), reason=reason)])

    def types(self, node: Node) -> tuple[Type, ...]:
        return tuple(map(self.one_type, nodes(node)))

    def one_type(self, node: Node) -> Type:
        found = {str(child.data): child for child in nodes(node)}
        element = self.element(found["element"]) if "element" in found else F32
        orbit = self.orbit(found["orbit"]) if "orbit" in found else None
        return Type(self.shape(found["shape"]) if "shape" in found else (), element, orbit)

    def element(self, node: Node) -> Element:
        name, size = parts(node)
        if name not in (PLAIN if size is None else SIZED):
            self.fail(node, f"there is no element type `{self.span(node).text}`")
        return Element(str(name), None if size is None else int(size))

    def orbit(self, node: Node) -> Orbit:
        name, size = parts(node)
        made = build(ORBIT_KINDS, str(name), () if size is None else (int(size),), {})
        return made if isinstance(made, Orbit) else self.fail(node, str(made))

    def shape(self, node: Node) -> tuple[int, ...]:
        shape = tuple(int(extent) for extent in parts(node))
        if any(extent < 0 for extent in shape):
            self.fail(node, "a shape has no negative extents")
        return shape

    def value(self, node: Node) -> object:
        """The value of an argument; a bare word is a `Symbol`."""
        match str(node.data):
            case "number":
                (token,) = parts(node)
                return int(token) if token.type == "INT" else float(token)
            case "string":
                return word(node)
            case "truth":
                return parts(node)[0] == "true"
            case "list":
                return tuple(map(self.value, nodes(node)))
            case "call_value":
                return self.entry(node, SETTING_KINDS)
            case _:
                return Symbol(str(parts(node)[0]))

    def entry(self, node: Node, table: Mapping[str, type[Entry]]) -> Entry:
        """A layer or initialiser from its kind and arguments."""
        kind, arguments = parts(node)
        positional: list[object] = []
        named: dict[str, object] = {}
        for argument in [] if arguments is None else nodes(arguments):
            if argument.data != "named":
                positional.append(self.value(argument))
                continue
            name, value = parts(argument)
            if name in named:
                self.fail(argument, f"`{kind}` is given `{name}` twice")
            named[str(name)] = self.value(value)
        made = build(table, str(kind), positional, named)
        if isinstance(made, str):
            self.fail(node, made)
        return made

    def weight(self, node: Node) -> Weight:
        """`name: shape = initialiser over axes`."""
        state, name, shape, start, axes = parts(node)
        init = initialiser(self.value(start))
        if init is None:
            self.fail(start, f"a weight starts as {AN_INITIALISER.describe()}")
        over = () if axes is None else tuple(map(word, nodes(axes)))
        return Weight(word(name), self.shape(shape), init, over, state is None, self.span(node))

    def view(self, node: Node, find: Find) -> View:
        """A weight as another layer sees it."""
        if node.data == "reference":
            path = word(nodes(node)[0])
            shape = find(path)
            if shape is None:
                self.fail(node, f"there is no weight `{path}` here")
            return Reference(path, shape)
        operands, settings = self.operands(node, find)
        made = checked(self.operation(node), operands, settings)
        if isinstance(made, Refusal):
            self.fail(node, made.message)
        return made

    def operands(self, node: Node, find: Find) -> tuple[tuple[View, ...], tuple[object, ...]]:
        """The weights and the plain settings of an operation."""
        operands: list[View] = []
        settings: list[object] = []
        for part in parts(node):
            match part:
                case Token(type="INT"):
                    settings.append(int(part))
                case Tree(data="range"):
                    start, stop = parts(part)
                    settings.append((int(start), int(stop)))
                case Tree(data="number"):
                    settings.append(self.value(part))
                case Tree():
                    operands.append(self.view(part, find))
        return tuple(operands), tuple(settings)

    def operation(self, node: Node) -> str:
        match str(node.data):
            case "negation":
                return "negate"
            case "applied":
                name = str(parts(node)[0])
                return name if name in FUNCTIONS else self.fail(node, f"there is no function `{name}` of weights")
            case "infix":
                _, symbol, right = parts(node)
                table = SCALING if right.data == "number" else INFIX
                return table[symbol] if symbol in table else self.fail(node, f"`{symbol}` cannot join these")
            case operation:
                return operation
