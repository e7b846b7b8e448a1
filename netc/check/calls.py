"""Calls: which arguments go where, for layer kinds, blocks, nets, activations, initialisers and functions."""

from netc.check import numbers, weights
from netc.check.apply import apply
from netc.check.binding import Given, bind_entry, bind_kind, recipe_of
from netc.check.context import Env
from netc.check.problems import ExtraArgument, UnknownArgument, WrongKind
from netc.check.things import (
    POISON,
    WEIGHT_THINGS,
    Definition,
    EntryName,
    Function,
    KindName,
    KindRecipe,
    Poison,
    Several,
    Tensor,
    Thing,
    describe,
)
from netc.layers.base import Initialiser, Layer
from netc.problems import Problem
from netc.source import Span
from netc.syntax import tree
from netc.types import Orbit


def evaluate_arguments(node: tree.Call, env: Env, callee: str) -> Given | Poison:
    positional: list[Thing] = []
    named: dict[str, Thing] = {}
    spans: dict[int | str, Span] = {}
    poisoned = False
    for argument in node.arguments:
        if isinstance(argument, tree.Named):
            if argument.name in named:
                env.report(ExtraArgument(span=argument.span, callee=callee, takes=(), twice=argument.name))
                poisoned = True
            named[str(argument.name)] = thing = env.evaluate(argument.value)
            spans[str(argument.name)] = argument.value.span if isinstance(thing, WEIGHT_THINGS) else argument.span
        else:
            spans[len(positional)] = argument.span
            thing = env.evaluate(argument)
            positional.append(thing)
        poisoned = poisoned or isinstance(thing, Poison)
    return POISON if poisoned else Given(tuple(positional), named, spans, node.span)


def bind_call(function: Thing, node: tree.Call, env: Env) -> Thing:
    """The meaning of `function(arguments)`."""
    name = node.function.word if isinstance(node.function, tree.Name) else describe(function)
    given = evaluate_arguments(node, env, name)
    if isinstance(given, Poison):
        return POISON
    match function:
        case KindName() if any(isinstance(a, Tensor | Several) for a in given.positional):
            return call_on_value(function, given, env)
        case KindName() if given.positional and all(isinstance(a, WEIGHT_THINGS) for a in given.positional):
            if function.kind.kind == "concat":
                return weights.function("concat", list(given.positional), env, node.span)
            return bind_kind(function.kind, given, env)
        case KindName() if function.kind.kind in numbers.FUNCTIONS and given.positional:
            return call_function(Function(name, None, None), given, env)
        case KindName():
            return bind_kind(function.kind, given, env)
        case EntryName():
            made = bind_entry(function.kind, given, env)
            return made if isinstance(made, Initialiser | Orbit) else POISON
        case Function():
            return call_function(function, given, env)
        case Definition():
            return call_definition(function, given, env)
        case _:
            wanted = "a layer, block, net or function before `(`"
            return env.report(WrongKind(span=node.function.span, wanted=wanted, found=describe(function)))


def call_on_value(kind: KindName, given: Given, env: Env) -> Thing:
    """`tanh(x)`: only activations read as functions of a value."""
    name = kind.kind.kind
    if kind.kind.elementwise and len(given.positional) == 1 and isinstance(given.positional[0], Tensor):
        layer = bind_entry(kind.kind, Given((), given.named, given.spans, given.span), env)
        if isinstance(layer, Poison):
            return POISON
        assert isinstance(layer, Layer)
        return apply(KindRecipe(layer), given.positional[0], env, given.span)
    way_out = f"a value flows into a layer: `x -> {name}(...)`"
    found = describe(given.positional[0])
    return env.report(WrongKind(span=given.place(0), wanted=f"an argument of `{name}`", found=found, way_out=way_out))


def call_function(function: Function, given: Given, env: Env) -> Thing:
    if given.named:
        name = next(iter(given.named))
        return env.report(UnknownArgument(span=given.place(name), callee=function.name, name=name, known=()))
    if function.weights and any(isinstance(a, WEIGHT_THINGS) for a in given.positional):
        return weights.function(function.weights, list(given.positional), env, given.span)
    if function.weights:
        found = " and ".join(describe(a) for a in given.positional) or "nothing"
        return env.report(WrongKind(span=given.span, taker=f"`{function.name}`", wanted="a weight", found=found))
    result = numbers.call(function.name, list(given.positional), given.span)
    return env.report(result) if isinstance(result, Problem) else result


def call_definition(definition: Definition, given: Given, env: Env) -> Thing:
    """A block, net or activation with arguments; an activation may be given its value at once."""
    value = given.positional[0] if given.positional else None
    if isinstance(definition.node, tree.Activation) and isinstance(value, Tensor):
        recipe = recipe_of(definition, given.without_first(), env)
        return POISON if isinstance(recipe, Poison) else apply(recipe, value, env, given.span)
    return recipe_of(definition, given, env)
