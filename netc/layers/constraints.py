"""What must stay true of weights: the constraints, by their names in the language.

Each one but `frozen` is a projection: after every step of training, and at the start, a weight is put back to where
the constraint holds (projected gradient descent). `CONSTRAINTS` is the order in which several of them are applied to
one weight; what one of them would undo of those before it is refused (`excludes`).
"""

from dataclasses import dataclass
from typing import ClassVar

from netc.arguments import Entry, Real, argument
from netc.types import show_shape


@dataclass(frozen=True)
class Constraint(Entry):
    """A row of the table."""

    incoming: ClassVar[bool] = False
    """Is about the numbers that come into each unit. Selectors with `*`, and those that name a layer, then leave out
    weights of fewer than two axes, such as biases."""

    undone_by: ClassVar[frozenset[str]] = frozenset()
    """Operations of views (`netc.ir.views`) whose results need not keep it where it holds of the weight itself."""

    def refuses(self, shape: tuple[int, ...], axes: tuple[str, ...]) -> str:
        """Why it cannot hold for a weight; empty if it can."""
        return ""

    def excludes(self, other: "Constraint") -> str:
        """Why it cannot hold together with another; empty if it can. Asked of both."""
        return ""

    def flax(self, weight: str, axis: tuple[int, ...]) -> str | None:
        """The projection of an array as an expression; `axis` are those of the numbers that come into a unit. None if
        there is nothing to project."""
        return f"{self.kind}({', '.join([weight, *map(repr, self.given().values())])})"

    def way_out(self) -> str:
        """What to do where it cannot hold for a weight."""
        return f"name the weights that it is for; `netc explain {self.kind}` says more"

    def about(self, shape: tuple[int, ...], axes: tuple[str, ...]) -> bool:
        """Whether selectors of many weights mean such weights too."""
        return not self.incoming or bool(incoming_axes(axes, len(shape)))

    def __str__(self) -> str:
        numbers = [f"{value:.15g}" for value in self.given().values()]
        return f"{self.kind}({', '.join(numbers)})" if numbers else self.kind


def incoming_axes(axes: tuple[str, ...], rank: int) -> tuple[int, ...]:
    """The axes of the numbers that come into one unit: all but those that tell units apart, `out` and the sets of
    unshared and tiled layers. Where nothing says which axes these are, in a `weight` of its own, it is the last. A
    vector has a number for each unit."""
    if rank < 2 or not any(axes):
        return tuple(range(rank - 1))
    return tuple(i for i, axis in enumerate(axes) if not axis.endswith(("out", "_set")))


ARITHMETIC = frozenset({"add", "subtract", "multiply", "divide", "negate"})
SCATTERED = {"connection": "a connection table scatters", "group_in": "the groups of `conv_transpose` scatter"}
"""Axes of kernels in which no axis tells apart what comes into each map."""


def no_units(kind: str, shape: tuple[int, ...], axes: tuple[str, ...]) -> str:
    """Why a weight has no numbers that come into one unit."""
    for axis, scatters in SCATTERED.items():
        if axis in axes:
            return f"`{kind}` is for all the numbers that come into a map, and {scatters} them"
    if not incoming_axes(axes, len(shape)):
        return f"`{kind}` is for the numbers that come into each unit, and {show_shape(shape)} has one for each"
    return ""


@dataclass(frozen=True)
class Incoming(Constraint):
    """A constraint on all the numbers that come into a unit together."""

    incoming = True
    undone_by = ARITHMETIC | {"transpose", "slice", "rot90", "concat"}

    def refuses(self, shape: tuple[int, ...], axes: tuple[str, ...]) -> str:
        return no_units(self.kind, shape, axes)

    def flax(self, weight: str, axis: tuple[int, ...]) -> str:
        return f"{self.kind}({', '.join([weight, *map(repr, self.given().values()), f'axis={axis!r}'])})"


@dataclass(frozen=True)
class Frozen(Constraint):
    """Stays as it starts. No gradient is computed for it, and neither momentum nor weight decay moves it; the optimizer
    keeps nothing for it. Running statistics (batchnorm's) are no weights, and go on following the data."""

    def excludes(self, other: Constraint) -> str:
        return "" if isinstance(other, Frozen) else "what is frozen stays as it starts"

    def flax(self, weight: str, axis: tuple[int, ...]) -> None:
        return None


@dataclass(frozen=True)
class Symmetric(Constraint):
    """A square matrix that is its own transpose. The nearest one is the mean of both: `(W + W.T) / 2`."""

    incoming = True
    undone_by = frozenset({"slice", "flip", "rot90", "concat"})

    def refuses(self, shape: tuple[int, ...], axes: tuple[str, ...]) -> str:
        square = len(shape) == 2 and shape[0] == shape[1]
        return "" if square else f"`symmetric` is for square matrices, and this one is {show_shape(shape)}"

    def excludes(self, other: Constraint) -> str:
        return "a change for each unit by itself makes a matrix unsymmetric" if isinstance(other, Incoming) else ""


@dataclass(frozen=True)
class ZeroMean(Incoming):
    """The numbers that come into each unit have mean 0: their mean is taken away (Huang et al. 2017, "Centered weight
    normalization")."""

    def refuses(self, shape: tuple[int, ...], axes: tuple[str, ...]) -> str:
        single = all(shape[i] < 2 for i in incoming_axes(axes, len(shape)))
        alone = "one number alone has mean 0 only if it is 0"
        return super().refuses(shape, axes) or (alone if single else "")

    def excludes(self, other: Constraint) -> str:
        if isinstance(other, Nonnegative):
            return "numbers of at least 0 have mean 0 only if all are 0"
        return "cutting numbers off moves their mean" if isinstance(other, Clip) else ""


@dataclass(frozen=True)
class Nonnegative(Constraint):
    """No number is below 0: those that are become 0 (Lee & Seung 1999, "Learning the parts of objects")."""

    undone_by = ARITHMETIC - {"add"}

    def excludes(self, other: Constraint) -> str:
        return f"`{other}` leaves nothing of at least 0" if isinstance(other, Clip) and other.high < 0 else ""


@dataclass(frozen=True)
class Clip(Constraint):
    """Every number lies between `low` and `high`: those outside are cut off (Arjovsky et al. 2017, algorithm 1)."""

    undone_by = ARITHMETIC
    low: float = argument("the least number", Real(-1e30, 1e30))
    high: float = argument("the largest number", Real(-1e30, 1e30))

    def refuses(self, shape: tuple[int, ...], axes: tuple[str, ...]) -> str:
        return "" if self.low <= self.high else f"no number lies between {self.low:g} and {self.high:g}"

    def way_out(self) -> str:
        turned = f"the lower bound comes first: `{Clip(self.high, self.low)}`"
        return super().way_out() if self.low <= self.high else turned

    def excludes(self, other: Constraint) -> str:
        match other:
            case Clip(low=low, high=high) if max(low, self.low) > min(high, self.high):
                return "no number lies between both pairs of bounds"
            case MaxNorm() if self.low > 0 or self.high < 0:
                return "a smaller norm brings numbers nearer to 0 than the bounds allow"
            case UnitNorm():
                return "numbers that are cut off no longer have norm 1"
            case _:
                return ""


@dataclass(frozen=True)
class MaxNorm(Incoming):
    """The numbers that come into each unit, of a kernel all axes but `out`, have a Euclidean norm of at most `norm`: a
    longer vector is shortened (Srebro & Shraibman 2005; Srivastava et al. 2014, section 5.1, with dropout)."""

    norm: float = argument("the largest norm", Real(0, 1e30, above=True))

    def excludes(self, other: Constraint) -> str:
        return f"norm 1 is more than {self.norm:g}" if isinstance(other, UnitNorm) and self.norm < 1 else ""


@dataclass(frozen=True)
class UnitNorm(Incoming):
    """The numbers that come into each unit, of a kernel all axes but `out`, have the Euclidean norm 1: they are divided
    by their norm; zeros become numbers that are all the same (Salimans & Kingma 2016)."""


CONSTRAINTS: tuple[type[Constraint], ...] = (Frozen, Symmetric, ZeroMean, Nonnegative, Clip, MaxNorm, UnitNorm)
"""In the order in which they are applied."""


def in_order(constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
    """Constraints on one weight, each once, in the order in which they are applied."""
    return tuple(sorted(dict.fromkeys(constraints), key=lambda c: CONSTRAINTS.index(type(c))))


def clash(first: Constraint, second: Constraint) -> str:
    """Why two constraints cannot both hold for one weight; empty if they can."""
    return first.excludes(second) or second.excludes(first)
