"""Names and what they mean, scope within scope; file-level definitions are evaluated when first asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field

from netc.check.things import Thing
from netc.source import Span
from netc.syntax import tree


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
