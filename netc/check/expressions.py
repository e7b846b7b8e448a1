"""The meaning of an expression or flow: `evaluate` gives a `Thing`, adding to the network what flows."""

from collections.abc import Callable
from typing import Any

from netc.check import numbers, weights
from netc.check.apply import apply, poison_label
from netc.check.binding import report_doubled
from netc.check.calls import bind_call
from netc.check.context import Env
from netc.check.limits import LARGEST, MOST_REPEATS
from netc.check.names import attribute, lookup
from netc.check.operate import operate
from netc.check.problems import BadArithmetic, TooLarge, WrongKind
from netc.check.things import (
    POISON,
    WEIGHT_THINGS,
    Chain,
    ForRecipe,
    Label,
    NamedLayer,
    OverTimeRecipe,
    Poison,
    RepeatRecipe,
    Several,
    Tensor,
    Thing,
    describe,
    is_layer,
    tensors_of,
)
from netc.problems import Problem
from netc.syntax import tree


def evaluate(node: tree.Node, env: Env) -> Thing:
    """The meaning of a piece of syntax; problems are reported and give `POISON`."""
    if env.context.measures.full:
        return POISON
    thing = EVALUATE[type(node)](node, env)
    large = env.context.measures.refuse(thing, node.span)
    return env.report(large) if large else thing


def evaluate_name(node: tree.Name, env: Env) -> Thing:
    return lookup(node.word, env)


def evaluate_number(node: tree.Number, env: Env) -> Thing:
    if abs(node.value) > LARGEST:
        return env.report(TooLarge(span=node.span, what="this number", limit="15 digits"))
    return node.value


def evaluate_size(node: tree.Size, env: Env) -> Thing:
    if max(node.extents) > LARGEST:
        return env.report(TooLarge(span=node.span, what="this size", limit="15 digits"))
    return node.extents


def evaluate_sequence(node: tree.Sequence, env: Env) -> Thing:
    things = tuple(evaluate(item, env) for item in node.items)
    return POISON if any(isinstance(thing, Poison) for thing in things) else things


def evaluate_tuple(node: tree.Tuple, env: Env) -> Thing:
    things = evaluate_sequence(node, env)
    if isinstance(things, Poison):
        return POISON
    assert isinstance(things, tuple)
    if all(isinstance(thing, int) and not isinstance(thing, bool) for thing in things):
        written = f"a size is written `{'x'.join(map(str, things))}`, a list `[{', '.join(map(str, things))}]`"
        found = "a pair of round brackets, in which values stand side by side"
        return env.report(WrongKind(span=node.span, wanted="a size", found=found, way_out=written))
    tensors: list[Tensor] = []
    for thing, item in zip(things, node.items, strict=True):
        values = tensors_of(thing)
        if not values:
            way_out, found = "layers side by side are written as a list: `[conv(6, 1x1), identity]`", describe(thing)
            return env.report(WrongKind(span=item.span, wanted="a value", found=found, way_out=way_out))
        tensors.extend(values)
    return Several(tuple(tensors))


def evaluate_unary(node: tree.Unary, env: Env) -> Thing:
    operand = evaluate(node.operand, env)
    match operand:
        case Poison():
            return POISON
        case bool() if node.operator == "not":
            return not operand
        case Tensor() if node.operator == "-":
            return operate("-", None, operand, env, node.span)
        case int() | float() if node.operator == "-" and not isinstance(operand, bool):
            return -operand
        case _ if node.operator == "-" and isinstance(operand, WEIGHT_THINGS):
            return weights.derive("negate", (operand,), (), env, node.span)
    wanted = "`true` or `false`" if node.operator == "not" else "a number, value or weight"
    return env.report(WrongKind(span=node.operand.span, wanted=wanted, found=describe(operand)))


def evaluate_binary(node: tree.Binary, env: Env) -> Thing:
    if node.operator in ("and", "or"):
        return evaluate_logic(node, env)
    left, right = evaluate(node.left, env), evaluate(node.right, env)
    if isinstance(left, Poison) or isinstance(right, Poison):
        return POISON
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return operate(node.operator, left, right, env, node.span)
    if isinstance(left, WEIGHT_THINGS) or isinstance(right, WEIGHT_THINGS):
        return weights.arithmetic(node.operator, left, right, env, node.span)
    return reported(numbers.calculate(node.operator, left, right, node.span), env)


def evaluate_logic(node: tree.Binary, env: Env) -> Thing:
    for side in (node.left, node.right):
        thing = evaluate(side, env)
        if isinstance(thing, Poison):
            return POISON
        if not isinstance(thing, bool):
            return env.report(WrongKind(span=side.span, wanted="`true` or `false`", found=describe(thing)))
        if thing == (node.operator == "or"):
            return thing
    return node.operator == "and"


def evaluate_choice(node: tree.Choice, env: Env) -> Thing:
    condition = evaluate(node.condition, env)
    if isinstance(condition, Poison):
        return POISON
    if not isinstance(condition, bool):
        found = describe(condition)
        return env.report(WrongKind(span=node.condition.span, wanted="`true` or `false`", found=found))
    return evaluate(node.chosen if condition else node.otherwise, env)


def evaluate_attribute(node: tree.Attribute, env: Env) -> Thing:
    return attribute(evaluate(node.of, env), node.name, env)


def evaluate_index(node: tree.Index, env: Env) -> Thing:
    of = evaluate(node.of, env)
    bounds: list[int | tuple[int | None, int | None]] = []
    for subscript in node.subscripts:
        if isinstance(subscript, tree.Slice):
            start = whole(subscript.start, env) if subscript.start else None
            stop = whole(subscript.stop, env) if subscript.stop else None
            if isinstance(start, Poison) or isinstance(stop, Poison):
                return POISON
            bounds.append((start, stop))
        else:
            index = whole(subscript, env)
            if isinstance(index, Poison):
                return POISON
            bounds.append(index)
    match of:
        case Poison():
            return POISON
        case tuple() | str():
            return index_list(of, bounds, node, env)
        case _ if isinstance(of, WEIGHT_THINGS):
            return weights.index(of, bounds, env, node.span)
    return env.report(WrongKind(span=node.of.span, wanted="a list or weight before `[`", found=describe(of)))


def index_list(of: Any, bounds: list[Any], node: tree.Index, env: Env) -> Thing:
    if len(bounds) != 1:
        return env.report(BadArithmetic(span=node.span, reason="a list has one axis, and is given several indices"))
    if isinstance(bounds[0], tuple):
        return of[slice(*bounds[0])]
    if not -len(of) <= bounds[0] < len(of):
        reason = f"index {bounds[0]} is outside a list of {len(of)}"
        return env.report(BadArithmetic(span=node.span, reason=reason))
    return of[bounds[0]]


def whole(node: tree.Node, env: Env) -> int | Poison:
    """A whole number, reported if it is none."""
    thing = evaluate(node, env)
    if isinstance(thing, float) and thing.is_integer():
        thing = int(thing)
    if isinstance(thing, int) and not isinstance(thing, bool):
        return thing
    if isinstance(thing, Poison):
        return POISON
    return env.report(WrongKind(span=node.span, wanted="a whole number", found=describe(thing)))


def evaluate_call(node: tree.Call, env: Env) -> Thing:
    of = node.function
    function = lookup(of.word, env, called=True) if isinstance(of, tree.Name) else evaluate(of, env)
    if isinstance(function, Poison):
        for argument in node.arguments:
            evaluate(argument.value if isinstance(argument, tree.Named) else argument, env)
        return POISON
    return bind_call(function, node, env)


def evaluate_chain(node: tree.Chain, env: Env) -> Thing:
    flowing: Thing = evaluate(node.items[0], env)
    if not isinstance(flowing, Tensor | Several | Poison):
        steps = (flowing, *(evaluate(step, env) for step in node.items[1:]))
        return chain_of_layers(steps, node, env)
    for step in node.items[1:]:
        layer = evaluate(step, env)
        if isinstance(layer, Poison) or isinstance(flowing, Poison):
            flowing = POISON
            if isinstance(step, tree.Labelled):
                poison_label(str(step.label), step.label.span, env)
            if isinstance(layer, NamedLayer):
                layer.used = True
        elif not is_layer(layer):
            return env.report(not_a_layer(layer, step))
        else:
            flowing = apply(layer, flowing, env, step.span)
    return flowing


def chain_of_layers(steps: tuple[Thing, ...], node: tree.Chain, env: Env) -> Thing:
    if any(isinstance(step, Poison) for step in steps):
        return POISON
    for step, item in zip(steps, node.items, strict=True):
        if not is_layer(step):
            return env.report(not_a_layer(step, item))
    return Chain(steps, tuple(item.span for item in node.items))


def not_a_layer(thing: Thing, node: tree.Node) -> Problem:
    way_out = ""
    if isinstance(thing, Tensor):
        way_out = "the steps of a chain are layers; several values flow into one layer as `(a, b) -> concat`"
    if isinstance(thing, tuple) and any(isinstance(item, Tensor) for item in thing):
        way_out = "values side by side stand in round brackets: `(a, b) -> concat`"
    if isinstance(thing, str):
        way_out = "the name of a layer stands without quotes"
    return WrongKind(span=node.span, wanted="a layer", found=describe(thing), way_out=way_out)


def evaluate_labelled(node: tree.Labelled, env: Env) -> Thing:
    thing = evaluate(node.flow, env)
    if isinstance(thing, Poison):
        return POISON
    if not is_layer(thing):
        found = describe(thing)
        return env.report(WrongKind(span=node.span, wanted=f"a layer after `{node.label}:`", found=found))
    return Label(str(node.label), thing, node.label.span)


def evaluate_repeat(node: tree.Repeat, env: Env) -> Thing:
    count = whole(node.count, env)
    if isinstance(count, Poison):
        return POISON
    if count > MOST_REPEATS:
        return env.report(TooLarge(span=node.count.span, what=f"repeating {count:,} times", limit=f"{MOST_REPEATS:,}"))
    if count < 0:
        reason, way_out = f"a body cannot be repeated {count:,} times", "the count must be at least 0"
        if isinstance(node.count, tree.Binary):
            way_out += ", so what it is computed from must be larger"
        return env.report(BadArithmetic(span=node.count.span, reason=reason, way_out=way_out))
    return RepeatRecipe(count, node, env.scope)


def evaluate_for(node: tree.ForEach, env: Env) -> Thing:
    over = evaluate(node.over, env)
    if isinstance(over, Poison):
        return POISON
    if not isinstance(over, tuple):
        return env.report(WrongKind(span=node.over.span, wanted="a list after `in`", found=describe(over)))
    report_doubled(node.names.items, env)
    return ForRecipe(over, node, env.scope)


def evaluate_over_time(node: tree.OverTime, env: Env) -> Thing:
    return OverTimeRecipe(node, env.scope)


def reported(result: Thing | Problem, env: Env) -> Thing:
    return env.report(result) if isinstance(result, Problem) else result


def constant(node: Any, env: Env) -> Thing:
    return node.value


EVALUATE: dict[type[tree.Node], Callable[[Any, Env], Thing]] = {
    tree.Name: evaluate_name,
    tree.Number: evaluate_number,
    tree.Size: evaluate_size,
    tree.String: constant,
    tree.Boolean: constant,
    tree.List: evaluate_sequence,
    tree.Tuple: evaluate_tuple,
    tree.Unary: evaluate_unary,
    tree.Binary: evaluate_binary,
    tree.Choice: evaluate_choice,
    tree.Attribute: evaluate_attribute,
    tree.Index: evaluate_index,
    tree.Call: evaluate_call,
    tree.Chain: evaluate_chain,
    tree.Labelled: evaluate_labelled,
    tree.Repeat: evaluate_repeat,
    tree.ForEach: evaluate_for,
    tree.OverTime: evaluate_over_time,
}
