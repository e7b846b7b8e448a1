"""What the functions of the check stage share: problems found so far, networks made, and where they are."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from netc.check.builder import Builder
from netc.check.limits import MOST_ERRORS, Measures
from netc.check.problems import TooLarge
from netc.check.scope import Scope
from netc.check.things import POISON, DefinedRecipe, Definition, NamedLayer, OwnedWeight, Poison, Tensor, Thing
from netc.ir import counts
from netc.ir.network import Network
from netc.problems import Label, Problem
from netc.source import Span
from netc.syntax import tree
from netc.types import Type

if TYPE_CHECKING:
    from netc.check.file import File


@dataclass
class Made:
    """A finished network and the things of outer networks that it captures."""

    network: Network
    captures: tuple[tuple[str, "OwnedWeight | NamedLayer"], ...]


@dataclass
class Context:
    """One run of the checker over a file."""

    evaluate: "Callable[[tree.Node, Env], Thing]"
    elaborate: "Callable[[DefinedRecipe, Builder, tuple[Type, ...], Env, Span], list[tuple[str, Tensor]] | Poison]"
    apply: "Callable[[Thing, Thing, Env, Span], Thing]"
    problems: list[Problem] = field(default_factory=list)
    networks: dict[str, Network] = field(init=False)
    cache: dict[object, Made | Poison] = field(init=False)
    sizes: dict[str, tuple[int, int]] = field(init=False)
    """How many layers run in each network, and how deep its blocks nest."""
    stems: Counter[str] = field(init=False)
    counter: counts.Counter = field(init=False)
    measures: Measures = field(default_factory=Measures)
    trail: list[tuple[object, Label]] = field(default_factory=list)
    seen: set[tuple[str, Span | None, str]] = field(default_factory=set)
    elaborated: set[Definition] = field(default_factory=set)
    constants: list[str] = field(default_factory=list)
    """The constants that are being evaluated, each for the one before."""
    errors: int = 0
    nodes: int = 0
    files: "dict[str, File | None]" = field(default_factory=dict)
    """The files that others use, by their paths; None where there are mistakes in one."""

    def __post_init__(self) -> None:
        self.start_net()

    def start_net(self) -> None:
        """Forgets the networks of the net before."""
        self.networks, self.cache, self.sizes = {}, {}, {}
        self.stems, self.counter = Counter(), counts.Counter(self.networks)

    def report(self, problem: Problem) -> Poison:
        """Adds a problem, once for each place however often the body around it is elaborated."""
        key = (problem.code, problem.span, problem.subject())
        if key not in self.seen and self.errors <= MOST_ERRORS:
            self.seen.add(key)
            self.errors += problem.severity == "error"
            if self.errors > MOST_ERRORS:
                problem = TooLarge(span=problem.span, what="the number of mistakes", limit=f"{MOST_ERRORS}")
            trail = tuple(label for _, label in reversed(self.trail[-3:]))
            self.problems.append(replace(problem, trail=trail))
        return POISON

    def network_name(self, stem: str) -> str:
        """A stem, and for each further network of it a number: no stem has a point."""
        self.stems[stem] += 1
        return stem if self.stems[stem] == 1 else f"{stem}.{self.stems[stem]}"


@dataclass(frozen=True)
class Env:
    """Where an expression stands: its scope, the network that is being built (None outside nets), and the
    value whose flow it is in (its layers are named under it)."""

    context: Context
    scope: Scope
    builder: Builder | None = None
    prefix: str = ""

    def evaluate(self, node: tree.Node) -> Thing:
        return self.context.evaluate(node, self)

    def report(self, problem: Problem) -> Poison:
        return self.context.report(problem)
