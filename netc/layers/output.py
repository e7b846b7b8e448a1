"""LeNet-5's output layer: distances to the codes of the classes."""

from dataclasses import dataclass
from typing import Any

from netc.arguments import REJECTED, ListOf, Real, Symbol, argument
from netc.layers.base import Cost, Layer, Lowering, Refusal, one_input
from netc.layers.digit_codes import DIGIT_CODES
from netc.layers.symmetry import Motion, Transformed
from netc.types import Type


@dataclass(frozen=True)
class Codes:
    """Accepts the word `digit_codes`, or a list with a list of numbers for each class."""

    words: tuple[str, ...] = ("digit_codes",)

    def read(self, value: object) -> object:
        if isinstance(value, Symbol) and value.name in self.words:
            return DIGIT_CODES
        rows: Any = ListOf(ListOf(Real())).read(value) if isinstance(value, tuple) else REJECTED
        if rows is REJECTED or not rows or len({len(row) for row in rows}) != 1:
            return REJECTED
        return rows

    def describe(self) -> str:
        return "`digit_codes`, or a list of equally long lists of numbers, one for each class"


@dataclass(frozen=True)
class Rbf(Layer):
    """The squared distance to the code of each class, `y_i = sum_j (x_j - code_ij)^2` (LeCun et al. 1998, equation 7):
    the smallest is the answer, which `accuracy` and `rbf_map` know. It works on the last axis, as `dense` does.

    Codes are fixed, and no parameters. `digit_codes` are the ten digits drawn in 7x12 cells of +1 and -1, after
    figure 3 of the paper, for a layer of 84 before it.
    """

    smallest_wins = True
    example = "flatten -> dense(84) -> rbf(codes = digit_codes)"

    codes: tuple[tuple[float, ...], ...] = argument("a code for each class", Codes())

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs):
            return refusal
        if not inputs[0].shape or inputs[0].channels != len(self.codes[0]):
            return Refusal(
                f"`rbf` has codes of {len(self.codes[0])} numbers, and is given {inputs[0]}",
                f"put `dense({len(self.codes[0])})` before it",
            )
        return (Type((*inputs[0].shape[:-1], len(self.codes))),)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        links = inputs[0].size * len(self.codes)
        return Cost(connections=links, flops=3 * links)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        if self.codes == DIGIT_CODES:
            return Lowering("rbf({0}, digit_codes())", support=("digit_codes", "rbf"))
        return Lowering(f"rbf({{0}}, {[list(row) for row in self.codes]!r})", support=("rbf",))
