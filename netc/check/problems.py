"""What can be wrong with the meaning of a text."""

from dataclasses import dataclass

from netc.problems import Label, Problem, did_you_mean
from netc.source import Span
from netc.syntax.problems import TooLarge, Unreadable


@dataclass(frozen=True, kw_only=True)
class UnknownName(Problem):
    """A name that nothing defines.

    Names come from `input`, `layer`, `weight`, `block`, `net`, constants, parameters, `use`, and from
    the tables of layers, losses, optimizers and data sets; `netc explain` without a name lists those.
    """

    what: str
    name: str
    known: tuple[str, ...] = ()
    way_out: str = ""

    def message(self) -> str:
        return f"there is no {self.what} `{self.name}`"

    def help(self) -> str:
        listed = "there are: " + ", ".join(self.known) if self.known else ""
        short = "`netc explain` lists what there is" if len(self.known) > 30 else listed
        return did_you_mean(self.name, self.known, self.way_out or short)

    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class UsedBeforeDefinition(Problem):
    """A value or layer is used above the line that defines it.

    Within a net, statements are read from top to bottom. (The definitions of a file may come in any order.)
    """

    name: str
    defined: Span

    def message(self) -> str:
        return f"`{self.name}` is used before it is defined"

    def others(self) -> tuple[Label, ...]:
        return (Label(self.defined, "defined here"),)

    def help(self) -> str:
        if self.span and self.span.source is self.defined.source and self.span.start > self.defined.start:
            return "nothing can be made of itself: give what is new a name of its own"
        return "move the definition up"


@dataclass(frozen=True, kw_only=True)
class DefinedTwice(Problem):
    """Two things have the same name.

    A name means one thing in its net or file: values, layers, weights and labels share one name space.
    """

    name: str
    first: Span | None

    def message(self) -> str:
        return f"`{self.name}` is defined twice"

    def others(self) -> tuple[Label, ...]:
        return (Label(self.first, "first here"),) if self.first else ()

    def help(self) -> str:
        return "rename one of them"


@dataclass(frozen=True, kw_only=True)
class Cycle(Problem):
    """A definition needs itself: a block in its own body, a constant in its own value, a file that uses itself.

    Nothing could be built from it, for it would never end. The message gives the round that leads back.
    """

    path: tuple[str, ...]
    way_out: str = "use `repeat n { ... }` for the same thing many times"

    def message(self) -> str:
        return "this definition needs itself: " + " -> ".join(f"`{name}`" for name in self.path)

    def help(self) -> str:
        return self.way_out


@dataclass(frozen=True, kw_only=True)
class MissingArgument(Problem):
    """A call leaves out an argument that has no default.

    `netc explain conv` lists the arguments of `conv`, with what each accepts and its default.
    """

    callee: str
    name: str
    accepts: str = ""
    way_out: str = ""

    def message(self) -> str:
        return f"`{self.callee}` needs `{self.name}`" + (f", {self.accepts}" if self.accepts else "")

    def help(self) -> str:
        return self.way_out

    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class UnknownArgument(Problem):
    """A call names an argument that what it calls does not have.

    `netc explain conv` lists the arguments of `conv`. Of a layer, its weights can be given by name too, to share
    those of another: `dense(784, kernel = encoder.kernel.T)`.
    """

    callee: str
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.callee}` has no argument `{self.name}`"

    def help(self) -> str:
        listed = ", ".join(self.known)
        return did_you_mean(self.name, self.known, f"it has: {listed}" if listed else "it takes none by name")

    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class ExtraArgument(Problem):
    """A call gives more arguments than what it calls takes, or one argument twice.

    Arguments without a name are taken in order; `netc explain conv` shows the order.
    """

    callee: str
    takes: tuple[str, ...]
    twice: str | None = None

    def message(self) -> str:
        if self.twice:
            return f"`{self.callee}` is given `{self.twice}` twice"
        count = len(self.takes) or "no"
        return f"`{self.callee}` takes {count} argument{'s' * (len(self.takes) != 1)}, and is given more"

    def help(self) -> str:
        if self.twice:
            return "give it once"
        return "it takes: " + ", ".join(self.takes) if self.takes else f"write `{self.callee}` alone"


@dataclass(frozen=True, kw_only=True)
class BadArgument(Problem):
    """An argument is of the wrong type or out of range. The message says what is accepted."""

    callee: str
    name: str
    given: str
    accepts: str

    def message(self) -> str:
        return f"`{self.name}` of `{self.callee}` must be {self.accepts}; {self.given} is not"

    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class ShapeMismatch(Problem):
    """A layer cannot take the value that reaches it.

    Shapes are written without the batch axis: images are `[height, width, channels]`, vectors
    `[channels]`. The message names both sides; the snippet shows where each comes from.
    """

    text: str
    way_out: str = ""
    places: tuple[Label, ...] = ()

    def message(self) -> str:
        return self.text

    def others(self) -> tuple[Label, ...]:
        return self.places

    def help(self) -> str:
        return self.way_out


@dataclass(frozen=True, kw_only=True)
class WrongKind(Problem):
    """One kind of thing stands where another is needed: a layer for a value, a value for a number.

    Values flow, layers map values to values, weights are trainable tensors, and numbers, sizes,
    strings and lists are known while compiling. `value -> layer` is a value; `layer -> layer` is a layer.
    """

    wanted: str
    found: str
    way_out: str = ""
    taker: str = ""
    """What needs it, if the place is not that of what is wrong but of the whole: `+`, `ceil`."""

    def message(self) -> str:
        if self.taker:
            return f"{self.taker} needs {self.wanted}, and is given {self.found}"
        return f"this should be {self.wanted}, and is {self.found}"

    def help(self) -> str:
        return self.way_out


@dataclass(frozen=True, kw_only=True)
class BadArithmetic(Problem):
    """Arithmetic while compiling that has no result: a division by zero, the root of a negative number, an
    index outside a list. Lists are counted from 0, and -1 is the last one."""

    reason: str

    def message(self) -> str:
        return self.reason


@dataclass(frozen=True, kw_only=True)
class UnknownAttribute(Problem):
    """A `.name` that what stands before it does not have.

    Values have `channels`, `height`, `width`, `shape`; weights have `T` and `shape`; a layer
    has its weights (`encoder.kernel`) and, in asserts, `params`, `connections` and `flops`.
    """

    what: str
    name: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"{self.what} has no `.{self.name}`"

    def help(self) -> str:
        listed = "it has: " + ", ".join(self.known) if self.known else "it has no weights of its own"
        return did_you_mean(self.name, self.known, listed)


@dataclass(frozen=True, kw_only=True)
class UnboundLayer(Problem):
    """A weight is taken from a layer that has not been used yet, so that its shape is not known.

    `layer encoder = dense(128)` says how many numbers come out; how many go in is known once something flows in.
    """

    name: str

    def message(self) -> str:
        return f"the weights of `{self.name}` are not known before it is used"

    def help(self) -> str:
        return f"use it first: `h = x -> {self.name}`"


@dataclass(frozen=True, kw_only=True)
class OutsideValue(Problem):
    """A block or repeated body uses a value that flows outside it.

    What flows into a body comes through its input; weights, named layers and numbers it may take from outside.
    A width of an outer value is a number once it has a name: `width = x.channels`.
    """

    name: str

    def message(self) -> str:
        return f"the value `{self.name}` flows outside this body"

    def help(self) -> str:
        return f"give a block an input for it, or take a number from it before: `width = {self.name}.channels`"


@dataclass(frozen=True, kw_only=True)
class FailedAssert(Problem):
    """An `assert` does not hold.

    A net asserts what must stay true of it, as a paper prints it: `assert params == 60_000`. `params`, `connections`
    and `flops` are those of the net or block that the assert stands in, `C1.params` those of one layer.
    """

    condition: str
    found: str

    def message(self) -> str:
        return f"`{self.condition}` does not hold"

    def label(self) -> str:
        return self.found

    def help(self) -> str:
        return "change the net, or what is asserted"


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
    way_out: str = ""

    def message(self) -> str:
        return self.text

    def help(self) -> str:
        return self.way_out

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
)

__all__ = ["PROBLEMS", "TooLarge", "Unreadable"]
