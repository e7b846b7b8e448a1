"""What can be wrong with `constrain` statements."""

from dataclasses import dataclass

from netc.problems import Label, Problem, did_you_mean
from netc.source import Span


@dataclass(frozen=True, kw_only=True)
class NoSuchWeight(Problem):
    """A `constrain` statement names no weight.

    Weights are named as `netc show FILE --as json` lists them, relative to the net or block that the statement stands
    in. `*` stands for one or more parts of a name, and a layer's name for all weights below it.
    """

    selector: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"no weight is called `{self.selector}`"

    def help(self) -> str:
        listed = f"there are: {', '.join(self.known[:12])}" if self.known else "there are no weights"
        return did_you_mean(self.selector, self.known, listed)

    def subject(self) -> str:
        return self.selector


@dataclass(frozen=True, kw_only=True)
class UnfitConstraint(Problem):
    """A constraint cannot hold for a weight that it names: it is not square, has nothing that comes into a unit, is not
    trained, or belongs to another layer, which must then be named."""

    reason: str
    weight: str
    owner: str
    constraint: str

    def message(self) -> str:
        return self.reason

    def help(self) -> str:
        if not self.owner:
            return f"name the weights that it is for; `netc explain {self.constraint.partition('(')[0]}` says more"
        return f"constrain its owner too, and all its uses follow: `constrain {self.owner}: {self.constraint}`"

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
