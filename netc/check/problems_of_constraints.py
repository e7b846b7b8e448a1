"""What can be wrong with `constrain` statements."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from netc.problems import Label, Problem, nearest
from netc.source import Span

MOST_LISTED = 12


def around(weights: Iterable[str]) -> set[str]:
    """Weights and all layers that they are in."""
    return {path for name in weights for path in accumulate(name.split("."), "{}.{}".format)}


@dataclass(frozen=True, kw_only=True)
class NoSuchWeight(Problem):
    """A selector, in a `constrain` statement or elsewhere in a recipe, names no weight.

    Weights are named as `netc show FILE --as json` lists them, relative to the net or block that the statement stands
    in. `*` stands for one or more parts of a name, and a layer's name for all weights below it.
    """

    selector: str
    known: tuple[str, ...]
    layer: str = ""
    """The layer that it begins with, and a dot: `known` are its weights."""
    bare: bool = False
    """Whether it names a layer, which has no weights."""

    def message(self) -> str:
        return f"`{self.selector}` has no weights" if self.bare else f"no weight is called `{self.selector}`"

    def help(self) -> str:
        known = sorted(set(self.known))
        more = f" and {len(known) - MOST_LISTED} more" if len(known) > MOST_LISTED else ""
        are = "is" if len(known) == 1 else "are"
        listed = f"there {are}: {', '.join(known[:MOST_LISTED])}{more}" if known else "there are no weights"
        below = {name.removeprefix(self.layer) for name in known}
        near = None if self.bare else nearest(self.selector.removeprefix(self.layer), around(below))
        return f"did you mean `{self.layer}{near}`?" if near else listed

    def subject(self) -> str:
        return self.selector


@dataclass(frozen=True, kw_only=True)
class UnfitConstraint(Problem):
    """A constraint cannot hold for a weight that it names: it is not square, has nothing that comes into a unit, is not
    trained, or belongs to another layer, which must then be named."""

    reason: str
    weight: str

    def message(self) -> str:
        return self.reason

    def subject(self) -> str:
        return self.weight


@dataclass(frozen=True, kw_only=True)
class ContradictoryConstraints(Problem):
    """Two constraints cannot both hold of one weight, exactly and after every step.

    Constraints that a net, its blocks and a recipe put on one weight all hold together, in the order of their table:
    `symmetric`, `zero_mean`, `nonnegative`, `clip`, `max_norm`, `unit_norm`. What would undo another is refused.
    """

    weight: str
    reason: str
    first: str
    second: str
    place: Span | None
    """Where the first one stands."""

    def message(self) -> str:
        return f"`{self.weight}` cannot be `{self.first}` and `{self.second}` at once: {self.reason}"

    def others(self) -> tuple[Label, ...]:
        return (Label(self.place, f"here it is `{self.first}`"),) if self.place else ()

    def help(self) -> str:
        return "remove one of them, or name fewer weights"

    def subject(self) -> str:
        return self.first


PROBLEMS = (NoSuchWeight, UnfitConstraint, ContradictoryConstraints)
