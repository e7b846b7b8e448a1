"""Weights of weights: transposes, slices, sums and the like, as views that own nothing."""

from typing import Any, cast

from netc.check.context import Env
from netc.check.problems import BadArithmetic, ShapeMismatch, WrongKind
from netc.check.things import WEIGHT_THINGS, OwnedWeight, Thing, WeightExpression, WeightThing, describe
from netc.ir import views
from netc.ir.network import Derived, Reference, View
from netc.layers.base import Refusal
from netc.source import Span
from netc.types import show_shape

ADDITIVE = {"+": "add", "-": "subtract"}
SCALING = {"*": "multiply", "/": "divide"}


def derive(
    operation: str, operands: tuple[WeightThing, ...], settings: tuple[object, ...], env: Env, span: Span
) -> Thing:
    """The view, or the problem with its shapes."""
    made = views.derive(operation, tuple(Reference("", operand.shape) for operand in operands), settings)
    if isinstance(made, Refusal):
        named = dict.fromkeys(f"`{views.show_view(spelled(o))}` is {show_shape(o.shape)}" for o in operands)
        return env.report(ShapeMismatch(span=span, text=made.message, way_out=made.help, sides=", ".join(named)))
    return WeightExpression(operation, operands, made.settings, made.shape)


def spelled(weight: WeightThing) -> View:
    """A weight by the names of its owners where they stand, for a message."""
    if isinstance(weight, OwnedWeight):
        return Reference(weight.path, weight.shape)
    return Derived(weight.operation, tuple(map(spelled, weight.operands)), weight.settings, weight.shape)


def arithmetic(symbol: str, left: Thing, right: Thing, env: Env, span: Span) -> Thing:
    """`W + V`, `W - V`, `W * 2`, `2 * W`, `W / 2`."""
    both = isinstance(left, WEIGHT_THINGS) and isinstance(right, WEIGHT_THINGS)
    if both and symbol in ADDITIVE:
        return derive(ADDITIVE[symbol], cast(Any, (left, right)), (), env, span)
    if symbol == "*" and isinstance(right, WEIGHT_THINGS):
        left, right = right, left
    number = isinstance(right, int | float) and not isinstance(right, bool)
    if symbol == "/" and number and right == 0 and isinstance(left, WEIGHT_THINGS):
        return env.report(BadArithmetic(span=span, reason="this divides by zero"))
    if symbol in SCALING and isinstance(left, WEIGHT_THINGS) and number:
        return derive(SCALING[symbol], (left,), (right,), env, span)
    wrong = right if isinstance(left, WEIGHT_THINGS) else left
    way_out = "weights can be added and subtracted, and multiplied and divided by numbers"
    wanted = "a number" if symbol in SCALING else "another weight" if symbol in ADDITIVE else "values or numbers"
    found = describe(wrong if symbol in {*SCALING, *ADDITIVE} else left if wrong is right else right)
    return env.report(WrongKind(span=span, taker=f"`{symbol}`", wanted=wanted, found=found, way_out=way_out))


def index(weight: WeightThing, bounds: list[Any], env: Env, span: Span) -> Thing:
    return derive("slice", (weight,), tuple(bounds), env, span)


def function(operation: str, arguments: list[Thing], env: Env, span: Span) -> Thing:
    """`flip(W, 0)`, `rot90(W)`, `concat(W, V)`."""
    operands = tuple(a for a in arguments if isinstance(a, OwnedWeight | WeightExpression))
    settings = tuple(a for a in arguments if not isinstance(a, WEIGHT_THINGS))
    for setting in settings:
        if not isinstance(setting, int) or isinstance(setting, bool):
            wanted = "weights and whole numbers"
            return env.report(WrongKind(span=span, taker=f"`{operation}`", wanted=wanted, found=describe(setting)))
    return derive(operation, operands, settings, env, span)
