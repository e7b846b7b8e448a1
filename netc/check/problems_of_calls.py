"""What can be wrong with the arguments of a call."""

from dataclasses import dataclass

from netc.problems import Problem, did_you_mean


@dataclass(frozen=True, kw_only=True)
class MissingArgument(Problem):
    """A call leaves out an argument that has no default.

    `netc explain conv` lists the arguments of `conv`, with what each accepts and its default.
    """

    callee: str
    name: str
    accepts: str = ""

    def message(self) -> str:
        return f"`{self.callee}` needs `{self.name}`" + (f", {self.accepts}" if self.accepts else "")

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
        otherwise = f"it has: {listed}" if listed else "it takes none by name"
        return self.way_out or did_you_mean(self.name, self.known, otherwise)

    def subject(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class ExtraArgument(Problem):
    """A call gives more arguments than what it calls takes, one argument twice, or one that another leaves nothing to
    do: `dense(8, kernel = W, init = he)`, where `W` starts as its own definition says.

    Arguments without a name are taken in order; `netc explain conv` shows the order.
    """

    callee: str
    takes: tuple[str, ...]
    twice: str | None = None
    idle: str = ""
    """What has nothing to do, `beside` another argument."""
    beside: str = ""

    def message(self) -> str:
        if self.twice:
            return f"`{self.callee}` is given `{self.twice}` twice"
        if self.idle:
            return f"`{self.idle}` of `{self.callee}` starts nothing, as its `{self.beside}` is given"
        count = len(self.takes) or "no"
        return f"`{self.callee}` takes {count} argument{'s' * (len(self.takes) != 1)}, and is given more"

    def help(self) -> str:
        if self.twice:
            return "give it once"
        if self.idle:
            return "leave it out: a weight starts where it is defined, `weight W: [784, 128] = glorot`"
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
