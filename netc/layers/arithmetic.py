"""Operations that arithmetic on values becomes: not written by name, and so not in `LAYERS`."""

from dataclasses import dataclass

from netc.arguments import Integer, ListOf, OneOf, Real, argument
from netc.layers.base import Cost, Layer, Lowering, Refusal, WeightSpec
from netc.layers.initialisers import ZEROS
from netc.types import Type, show_shape

PYTHON = {"+": "+", "-": "-", "*": "*", "/": "/", "^": "**"}


@dataclass(frozen=True)
class Arithmetic(Layer):
    """`a + b`, `2 * a`, `a ^ 2`: number by number; one side may be a number or a channel vector."""

    example = "identity"

    operator: str = argument("what is done", OneOf(tuple(PYTHON)))
    left: float | None = argument("the number on the left, if it is no value", Real(), None)
    right: float | None = argument("the number on the right, if it is no value", Real(), None)
    weight: str | None = argument("the side that is a weight, and so has no batch axis", OneOf(("left", "right")), None)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        numbers = (self.left is not None) + (self.right is not None)
        if numbers > 1 or len(inputs) != 2 - numbers:
            return Refusal(f"`{self.operator}` has two sides, and is given {len(inputs)} values and {numbers} numbers")
        if any(t.element.name != "f32" for t in inputs):
            return Refusal(
                f"`{self.operator}` computes with f32 numbers, and is given {show_types(inputs)}",
                "an input of numbers is declared by its shape alone: `input x: [16]`",
            )
        if numbers:
            return inputs
        wide, narrow = self.sides(inputs)
        if narrow.shape in (wide.shape, (), (1,), wide.shape[-1:]):
            return (wide,)
        return Refusal(
            f"`{self.operator}` is given {inputs[0]} and {inputs[1]}",
            "shapes must agree, or one side be a number or a vector of the other's channels",
        )

    def sides(self, inputs: tuple[Type, ...]) -> tuple[Type, Type]:
        """The side that gives the result its shape, and the other."""
        first, second = inputs
        if self.weight is not None:
            return (first, second) if self.weight == "right" else (second, first)
        return (second, first) if (second.size, len(second.shape)) > (first.size, len(first.shape)) else (first, second)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=outputs[0].size)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        symbol = PYTHON[self.operator]
        if self.left is not None:
            return Lowering(call=f"{number(self.left)} {symbol} {{0}}")
        if self.right is not None:
            return Lowering(call=f"{{0}} {symbol} {number(self.right)}")
        rank = max(len(t.shape) for t in inputs)
        sides = [f"{{{i}}}{'' if self.weight else beside(t.shape, rank)}" for i, t in enumerate(inputs)]
        return Lowering(call=f"{sides[0]} {symbol} {sides[1]}")


def beside(shape: tuple[int, ...], rank: int) -> str:
    """The index that puts a channel vector or number of each example beside a value of more axes."""
    if len(shape) == rank:
        return ""
    middle = ["None"] * (rank - len(shape))
    return f"[{', '.join([':', *middle, *(':' for _ in shape)])}]"


@dataclass(frozen=True)
class Negate(Layer):
    """`-a`."""

    example = "identity"

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if len(inputs) != 1 or inputs[0].element.name != "f32":
            return Refusal(f"`-` turns the sign of one f32 value, and is given {show_types(inputs)}")
        return inputs

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=outputs[0].size)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(call="-{0}")


@dataclass(frozen=True)
class Matmul(Layer):
    """`x @ W`: the last axis of a value times the first of a weight (or of another value)."""

    example = "identity"

    shape: tuple[int, ...] = argument("the weight's shape; empty for a product of two values", ListOf(Integer(0)), ())

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if len(inputs) != (1 if self.shape else 2):
            return Refusal(f"`@` has two sides, and is given {show_types(inputs)}")
        right = self.shape or inputs[1].shape
        left = inputs[0].shape
        if any(t.element.name != "f32" for t in inputs):
            return Refusal(f"`@` computes with f32 numbers, and is given {show_types(inputs)}")
        batch = () if self.shape else left[:-2]
        fits = len(left) >= 1 and len(right) == 2 and left[-1] == right[0]
        if self.shape and fits:
            return (Type((*left[:-1], right[1])),)
        if not self.shape and len(left) >= 2 and right[:-2] == batch and left[-1] == right[-2]:
            return (Type((*left[:-1], right[-1])),)
        turned = bool(self.shape) and len(right) == 2 and len(left) >= 1 and left[-1] == right[1]
        return Refusal(
            f"`@` is given {show_shape(left)} and {show_shape(right)}",
            "to use the weight the other way round, write `.T` after it"
            if turned
            else f"the second needs {left[-1]} rows"
            if left
            else "",
        )

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        return (WeightSpec("kernel", self.shape, ZEROS, ("in", "out")),) if self.shape else ()

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        links = outputs[0].size * inputs[0].channels
        return Cost(connections=links if self.shape else 0, flops=2 * links)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(call="{0} @ {1}", function="{0} @ {kernel}")


@dataclass(frozen=True)
class Read(Layer):
    """A weight as a value, for arithmetic with one; it has no batch axis."""

    example = "identity"

    shape: tuple[int, ...] = argument("the weight's shape", ListOf(Integer(0)), ())

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return Refusal("a weight takes no values") if inputs else (Type(self.shape),)

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        return (WeightSpec("weight", self.shape, ZEROS, ("",) * len(self.shape)),)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(connections=outputs[0].size)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(call="{weight}", function="{weight}")


def number(value: float) -> str:
    text = repr(value)
    return f"({text})" if text.startswith("-") else text


def show_types(types: tuple[Type, ...]) -> str:
    return " and ".join(map(str, types)) or "nothing"


OPERATIONS: tuple[type[Layer], ...] = (Arithmetic, Negate, Matmul, Read)
