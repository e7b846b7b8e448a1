"""Names and what they mean, scope within scope; file-level definitions are evaluated when first asked for."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from netc.check.things import Thing
from netc.source import Span, Word
from netc.syntax import tree

MOST_NEEDED = 40
"""So many names are looked at for a round of definitions."""


@dataclass(eq=False)
class Lazy:
    """A constant of a file: its meaning is found when it is first needed."""

    node: tree.Constant
    evaluate: Callable[[], Thing]
    thing: Thing = None
    """Its meaning, once it is found."""


@dataclass
class Binding:
    thing: "Thing | Lazy"
    span: Span | None
    what: str
    used: bool = False


@dataclass(eq=False)
class Scope:
    """The names of a file, net, block or body. `upcoming` are names that later statements will define."""

    parent: "Scope | None" = None
    names: dict[str, Binding] = field(default_factory=dict)
    upcoming: dict[str, Span] = field(default_factory=dict)
    statements: tuple[tree.Node, ...] = ()
    """Those of a net or block."""
    defaults: dict[str, dict[str, Thing]] = field(default_factory=dict)
    incomplete: bool = False
    """Names are missing here, because the file that has them could not be used."""

    def find(self, name: str) -> Binding | None:
        scope: Scope | None = self
        while scope:
            if binding := scope.names.get(name):
                return binding
            scope = scope.parent
        return None

    def find_upcoming(self, name: str) -> Span | None:
        scope: Scope | None = self
        while scope:
            if name in scope.upcoming:
                return scope.upcoming[name]
            scope = scope.parent
        return None

    def find_labelled(self, name: str) -> tree.Labelled | None:
        """A layer with a label in the net or block around, made or not."""
        scope: Scope | None = self
        while scope and not scope.statements:
            scope = scope.parent
        return scope.labelled.get(name) if scope else None

    @cached_property
    def labelled(self) -> dict[str, tree.Labelled]:
        return {str(node.label): node for node in labelled(self.statements)}

    @cached_property
    def definitions(self) -> dict[str, tree.Node]:
        """The statement or labelled layer that defines each name of a net or block."""
        return {str(name): node for node in self.statements for name in defined_names(node)} | self.labelled

    @cached_property
    def needs(self) -> dict[str, tuple[str, ...]]:
        """Which of these names each definition uses."""
        known = self.definitions
        return {name: tuple(str(word) for word in used_names(node) if word in known) for name, node in known.items()}

    def round_from(self, word: Word) -> tuple[str, ...]:
        """The names by which what `word` means leads back to the definition that asks for it; empty if it does not."""
        scope: Scope | None = self
        while scope and not scope.statements:
            scope = scope.parent
        if scope is None or word not in scope.definitions:
            return ()
        users = {str(word): ""}
        waiting = deque(users)
        while waiting and len(users) < MOST_NEEDED:
            name = waiting.popleft()
            for used in (other for other in scope.needs[name] if other not in users):
                users[used] = name
                if scope.definitions[used].span.start <= word.span.start < scope.definitions[used].span.end:
                    return (used, *reversed(list(followed(users, used))))
                waiting.append(used)
        return ()

    def is_incomplete(self) -> bool:
        return self.incomplete or (self.parent is not None and self.parent.is_incomplete())

    def known(self) -> set[str]:
        scope: Scope | None = self
        names: set[str] = set()
        while scope:
            names |= scope.names.keys()
            scope = scope.parent
        return names

    def default(self, callee: str) -> dict[str, Thing]:
        """The arguments that `default` statements set for a callee, inner scopes first."""
        found: dict[str, Thing] = {}
        scope: Scope | None = self
        while scope:
            for name, thing in scope.defaults.get(callee, {}).items():
                found.setdefault(name, thing)
            scope = scope.parent
        return found


def followed(links: Mapping[str, str], name: str) -> Iterator[str]:
    """A name, and those that links lead to from it."""
    while name:
        yield name
        name = links[name]


def labelled(node: object) -> Iterator[tree.Labelled]:
    """The layers with labels in statements and flows; those inside other bodies are not seen from outside."""
    match node:
        case tree.Block() | tree.Repeat() | tree.ForEach() | tree.OverTime():
            return
        case tree.Labelled():
            yield node
    parts = node if isinstance(node, tuple) else vars(node).values() if isinstance(node, tree.Node) else ()
    for part in parts:
        yield from labelled(part)


def used_names(node: object) -> Iterator[Word]:
    """The names that stand in a statement or flow."""
    if isinstance(node, tree.Name):
        yield node.word
    parts = node if isinstance(node, tuple) else vars(node).values() if isinstance(node, tree.Node) else ()
    for part in parts:
        yield from used_names(part)


def defined_names(item: tree.Node) -> tuple[Word, ...]:
    match item:
        case tree.Let(names=names) | tree.Input(names=names):
            return names.items
        case tree.Layer(name=name) | tree.Weight(name=name) | tree.Block(name=name):
            return (name,)
        case tree.Output(name=name) if name:
            return (name,)
        case _:
            return ()
