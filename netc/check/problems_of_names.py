"""What can be wrong with names: what they mean, where they are defined, and what is asked of them."""

from dataclasses import dataclass

from netc.problems import Label, Problem, did_you_mean
from netc.source import Span


@dataclass(frozen=True, kw_only=True)
class UnknownName(Problem):
    """A name that nothing defines.

    Names come from `input`, `layer`, `weight`, `block`, `net`, constants, parameters, `use`, and from
    the tables of layers, losses, optimizers and data sets; `netc explain` without a name lists those.
    """

    what: str
    name: str
    known: tuple[str, ...] = ()

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
    """A definition needs itself: a block in its own body, a constant in its own value, two weights that are views of
    each other, a file that uses itself.

    Nothing could be built from it, for it would never end. The message gives the round that leads back.
    """

    path: tuple[str, ...]
    way_out: str = "use `repeat n { ... }` for the same thing many times"

    def message(self) -> str:
        return "this definition needs itself: " + " -> ".join(f"`{name}`" for name in self.path)


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
        return self.way_out or did_you_mean(self.name, self.known, listed)


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
