"""Arithmetic on values: `a + b`, `2 * a`, `x @ W`."""

from netc.check.context import Env
from netc.check.instances import apply_kind
from netc.check.problems import WrongKind
from netc.check.things import POISON, WEIGHT_THINGS, KindRecipe, Poison, Tensor, Thing, describe
from netc.layers.arithmetic import PYTHON, Arithmetic, Matmul, Negate, Read
from netc.source import Span


def operate(symbol: str, left: Thing, right: Thing, env: Env, span: Span) -> Thing:
    """Arithmetic with at least one value; `left` is None for a sign."""
    if left is None:
        assert isinstance(right, Tensor)
        return apply_kind(KindRecipe(Negate()), (right,), env, span, None)
    if symbol == "@":
        return multiply(left, right, env, span)
    if symbol not in PYTHON:
        way_out = "values know + - * / ^ @ and the activations"
        found = describe(left if isinstance(left, Tensor) else right)
        taker = f"`{symbol}`"
        return env.report(WrongKind(span=span, taker=taker, wanted="numbers", found=found, way_out=way_out))
    tensors: list[Tensor] = []
    numbers: list[float | None] = []
    weight = "left" if isinstance(left, WEIGHT_THINGS) else "right" if isinstance(right, WEIGHT_THINGS) else None
    for side in (left, right):
        if isinstance(side, int | float) and not isinstance(side, bool):
            numbers.append(float(side))
            continue
        tensor = read(side, env, span)
        if not isinstance(tensor, Tensor):
            if not isinstance(tensor, Poison):
                taker, wanted = f"`{symbol}`", "values, weights or numbers"
                env.report(WrongKind(span=span, taker=taker, wanted=wanted, found=describe(side)))
            return POISON
        tensors.append(tensor)
        numbers.append(None)
    return apply_kind(KindRecipe(Arithmetic(symbol, numbers[0], numbers[1], weight)), tuple(tensors), env, span, None)


def read(thing: Thing, env: Env, span: Span) -> Thing:
    """A weight among values is read as one."""
    if isinstance(thing, WEIGHT_THINGS):
        return apply_kind(KindRecipe(Read(thing.shape), (("weight", thing),)), (), env, span, None)
    return thing


def multiply(left: Thing, right: Thing, env: Env, span: Span) -> Thing:
    if isinstance(left, Tensor) and isinstance(right, WEIGHT_THINGS):
        return apply_kind(KindRecipe(Matmul(right.shape), (("kernel", right),)), (left,), env, span, None)
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return apply_kind(KindRecipe(Matmul()), (left, right), env, span, None)
    wanted, wrong = "a value on its left", left
    if isinstance(left, Tensor):
        wanted, wrong = "a value or weight on its right", right
    way_out = "write the value first: `x @ W`"
    return env.report(WrongKind(span=span, taker="`@`", wanted=wanted, found=describe(wrong), way_out=way_out))
