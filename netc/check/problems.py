"""What can be wrong with the meaning of a text; the problems of names and of calls stand beside this module."""

from dataclasses import dataclass

from netc.check.problems_of_calls import BadArgument, ExtraArgument, MissingArgument, UnknownArgument
from netc.check.problems_of_constraints import ContradictoryConstraints, NoSuchWeight, UnfitConstraint
from netc.check.problems_of_names import (
    Cycle,
    DefinedTwice,
    OutsideValue,
    UnboundLayer,
    UnknownAttribute,
    UnknownName,
    UsedBeforeDefinition,
)
from netc.problems import Label, Problem
from netc.syntax.problems import TooLarge, Unreadable


@dataclass(frozen=True, kw_only=True)
class ShapeMismatch(Problem):
    """A layer cannot take the value that reaches it.

    Shapes are written without the batch axis: images are `[height, width, channels]`, vectors
    `[channels]`. The message names both sides; the snippet shows where each comes from.
    """

    text: str
    places: tuple[Label, ...] = ()
    sides: str = ""
    """What meets at the place, where that has several parts: `A` is [4, 6], `B` is [6, 4]."""

    def message(self) -> str:
        return self.text

    def label(self) -> str:
        return self.sides

    def others(self) -> tuple[Label, ...]:
        return self.places


@dataclass(frozen=True, kw_only=True)
class WrongKind(Problem):
    """One kind of thing stands where another is needed: a layer for a value, a value for a number.

    Values flow, layers map values to values, weights are trainable tensors, and numbers, sizes,
    strings and lists are known while compiling. `value -> layer` is a value; `layer -> layer` is a layer.
    """

    wanted: str
    found: str
    taker: str = ""
    """What needs it, if the place is not that of what is wrong but of the whole: `+`, `ceil`."""

    def message(self) -> str:
        if self.taker:
            return f"{self.taker} needs {self.wanted}, and is given {self.found}"
        return f"this should be {self.wanted}, and is {self.found}"


@dataclass(frozen=True, kw_only=True)
class BadArithmetic(Problem):
    """Arithmetic while compiling that has no result: a division by zero, the root of a negative number, an
    index outside a list. Lists are counted from 0, and -1 is the last one."""

    reason: str

    def message(self) -> str:
        return self.reason


@dataclass(frozen=True, kw_only=True)
class FailedAssert(Problem):
    """An `assert` does not hold.

    A net asserts what must stay true of it, as a paper prints it: `assert params == 60_000`. `params`, `connections`
    and `flops` are those of the net or block that the assert stands in, `C1.params` those of one layer.
    `equivariant(image, shift)` and `invariant(image, rot90)` are asserts on symmetry: `netc check` proves what follows
    from how the net is built, and `netc verify` measures the rest.
    """

    condition: str
    found: str

    def message(self) -> str:
        return f"`{self.condition}` does not hold"

    def label(self) -> str:
        return self.found

    def help(self) -> str:
        return self.way_out or "change the net, or what is asserted"


@dataclass(frozen=True, kw_only=True)
class Unused(Problem):
    """Something is defined and never used. The net works, but perhaps not as meant."""

    severity = "warning"

    what: str
    name: str

    def message(self) -> str:
        return f"the {self.what} `{self.name}` is never used"

    def help(self) -> str:
        return "use it or remove it"


@dataclass(frozen=True, kw_only=True)
class Unchecked(Problem):
    """A net has a parameter without a default, and nothing gives it a value, so that its shapes are not known.

    The net is checked where another net uses it with arguments, or with `--set`.
    """

    severity = "warning"

    name: str
    parameter: str

    def message(self) -> str:
        return f"the net `{self.name}` is not checked: its parameter `{self.parameter}` has no value"

    def help(self) -> str:
        return f"give it a default, `{self.parameter} = 8`, or a value on the command line, `--set {self.parameter}=8`"


@dataclass(frozen=True, kw_only=True)
class MissingPart(Problem):
    """Something is left out that must be there: an output of a net, the type of an input, the data, loss or optimizer
    of a recipe."""

    owner: str
    part: str
    example: str = ""

    def message(self) -> str:
        return f"{self.owner} has no {self.part}"

    def help(self) -> str:
        return self.example

    def subject(self) -> str:
        return self.part


@dataclass(frozen=True, kw_only=True)
class NotYet(Problem):
    """A part of the language that this version reads and formats, and does not compile yet."""

    what: str

    def message(self) -> str:
        return f"{self.what} is part of the language, and this version of netc does not compile it yet"

    def help(self) -> str:
        return "CHANGELOG.md says what each version compiles"


@dataclass(frozen=True, kw_only=True)
class RecipeMismatch(Problem):
    """A recipe does not fit its net or its data: a loss on fields that are not there, shapes that differ.

    The data set says what fields there are and `prepare` may change their shapes; the net's inputs take those
    fields, and the loss compares the net's outputs with them.
    """

    text: str

    def message(self) -> str:
        return self.text

    def subject(self) -> str:
        return self.text


PROBLEMS = (
    UnknownName,
    UsedBeforeDefinition,
    DefinedTwice,
    Cycle,
    MissingArgument,
    UnknownArgument,
    ExtraArgument,
    BadArgument,
    ShapeMismatch,
    WrongKind,
    BadArithmetic,
    UnknownAttribute,
    UnboundLayer,
    OutsideValue,
    FailedAssert,
    Unused,
    Unchecked,
    MissingPart,
    NotYet,
    RecipeMismatch,
    NoSuchWeight,
    UnfitConstraint,
    ContradictoryConstraints,
)

__all__ = [
    "PROBLEMS",
    "BadArgument",
    "BadArithmetic",
    "ContradictoryConstraints",
    "Cycle",
    "DefinedTwice",
    "ExtraArgument",
    "FailedAssert",
    "MissingArgument",
    "MissingPart",
    "NoSuchWeight",
    "NotYet",
    "OutsideValue",
    "RecipeMismatch",
    "ShapeMismatch",
    "TooLarge",
    "UnboundLayer",
    "Unchecked",
    "UnfitConstraint",
    "UnknownArgument",
    "UnknownAttribute",
    "UnknownName",
    "Unreadable",
    "Unused",
    "UsedBeforeDefinition",
    "WrongKind",
]
