"""Arithmetic on numbers and lists while compiling, with limits that no net needs to exceed."""

import math
import operator
from collections.abc import Callable
from typing import TypeGuard

from netc.check.limits import LARGEST
from netc.check.problems import BadArithmetic, TooLarge, WrongKind
from netc.check.things import Thing, describe
from netc.problems import Problem
from netc.source import Span

OPERATORS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "^": operator.pow,
}
COMPARISONS: dict[str, Callable[..., bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "ceil": math.ceil,
    "floor": math.floor,
    "sqrt": math.sqrt,
    "len": len,
}
SEVERAL = ("min", "max")


def is_number(thing: Thing) -> TypeGuard[int | float]:
    return isinstance(thing, int | float) and not isinstance(thing, bool)


def calculate(symbol: str, left: Thing, right: Thing, span: Span) -> Thing | Problem:
    """The result of `left symbol right`, or the problem with it."""
    if symbol in COMPARISONS:
        return compare(symbol, left, right, span)
    if symbol == "+" and isinstance(left, tuple) and isinstance(right, tuple):
        return left + right
    if symbol == "@" or not (is_number(left) and is_number(right)):
        wrong = left if symbol == "@" or not is_number(left) else right
        wanted = "values or weights" if symbol == "@" else "a number"
        return WrongKind(span=span, taker=f"`{symbol}`", wanted=wanted, found=describe(wrong))
    if symbol in ("/", "//", "%") and right == 0:
        return BadArithmetic(span=span, reason="this divides by zero")
    if symbol == "^" and ((left == 0 and right < 0) or (left < 0 and not float(right).is_integer())):
        return BadArithmetic(span=span, reason=f"{left} ^ {right} is no real number")
    if symbol == "^" and left != 0 and right * math.log(abs(left)) > math.log(LARGEST) + 1:
        return TooLarge(span=span, what="this number", limit="15 digits")
    return limited(OPERATORS[symbol](left, right), span)


def compare(symbol: str, left: Thing, right: Thing, span: Span) -> bool | Problem:
    ordered = is_number(left) and is_number(right)
    if symbol not in ("==", "!=") and not ordered:
        wrong = right if is_number(left) else left
        return WrongKind(span=span, taker=f"`{symbol}`", wanted="a number", found=describe(wrong))
    return COMPARISONS[symbol](left, right)


def limited(result: float, span: Span) -> Thing | Problem:
    if (isinstance(result, float) and not math.isfinite(result)) or abs(result) > LARGEST:
        return TooLarge(span=span, what="this number", limit="15 digits")
    return result


def call(name: str, arguments: list[Thing], span: Span) -> Thing | Problem:
    """`min`, `ceil` and so on, of numbers or (`min`, `max`, `len`) of a list."""
    listed = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple | str) else None
    if name == "len" and listed is not None:
        return len(listed)
    values = plain_numbers(listed if name in SEVERAL and isinstance(listed, tuple) else tuple(arguments))
    if name == "len" or not values or (name not in SEVERAL and len(values) > 1):
        wanted = "one list" if name == "len" else "numbers" if name in SEVERAL else "one number"
        found = " and ".join(describe(a) for a in arguments) or "nothing"
        return WrongKind(span=span, taker=f"`{name}`", wanted=wanted, found=found)
    if name == "sqrt" and values[0] < 0:
        return BadArithmetic(span=span, reason=f"{values[0]} has no real root")
    return FUNCTIONS[name](*values)


def plain_numbers(things: tuple[Thing, ...]) -> list[int | float]:
    """The things, if they are all numbers; otherwise none."""
    found = [thing for thing in things if is_number(thing)]
    return found if len(found) == len(things) else []
