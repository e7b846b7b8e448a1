"""`repeat n { ... }`, `for x in list { ... }` and `over_time { ... }`: one network for each distinct turn."""

from dataclasses import replace

from netc.check.binding import Given, recipe_of
from netc.check.context import Env
from netc.check.instances import add, counted, input_places
from netc.check.networks import network_instance, turn_scope, use_of
from netc.check.problems import ShapeMismatch, WrongKind
from netc.check.scope import Scope
from netc.check.things import (
    POISON,
    DefinedRecipe,
    Definition,
    ForRecipe,
    LoopBody,
    NamedLayer,
    OverTimeRecipe,
    Poison,
    RepeatRecipe,
    Several,
    Tensor,
    Thing,
    describe,
)
from netc.ir.network import Instance
from netc.problems import Label as Place
from netc.source import Span
from netc.syntax import tree


def apply_repeat(recipe: RepeatRecipe, inputs: tuple[Tensor, ...], env: Env, span: Span, name: str | None) -> Thing:
    """`repeat n { body }`: one network for the body, in a row as soon as its output has its input's type."""
    assert env.builder is not None
    if isinstance(recipe.node.flow, tree.Name):
        layer = replace(env, scope=Scope(recipe.scope)).evaluate(recipe.node.flow)
        if isinstance(layer, NamedLayer):
            return apply_many_times(layer, recipe.count, inputs, env, span)
    stem = name.split(".")[-1] if name else "repeat"
    name = name or env.builder.place_name(env.prefix, stem)
    flowing: Thing = inputs[0] if len(inputs) == 1 else Several(inputs)
    for i in range(recipe.count):
        assert isinstance(flowing, Tensor | Several)
        current = (flowing,) if isinstance(flowing, Tensor) else flowing.tensors
        types = tuple(t.type for t in current)
        instance = turn(LoopBody(recipe.node, recipe.scope), stem, current, env, span, f"{name}.{i}")
        if instance is None:
            return POISON
        if instance.outputs == types:
            stack = replace(instance, name=name, start=i, count=recipe.count - i)
            return add(stack, current, env, span)
        flowing = add(instance, current, env, span)
        if isinstance(flowing, Poison):
            return POISON
    return flowing


def turn(body: LoopBody, stem: str, inputs: tuple[Tensor, ...], env: Env, span: Span, name: str) -> Instance | None:
    """The instance of one turn. A body that is one block is that block: `stage.3.conv1` is a layer of it."""
    assert env.builder is not None
    block = whole_block(body, env)
    if block is None:
        return network_instance(body, stem, inputs, env.builder, env, span, name)
    env.context.trail.append((body, Place(span, use_of(body, stem))))
    instance = network_instance(block, str(block.definition.node.name), inputs, env.builder, env, span, name)
    env.context.trail.pop()
    return instance


def whole_block(body: LoopBody, env: Env) -> DefinedRecipe | None:
    """The block that a loop's body is and no more: neither a chain, nor with a label."""
    if not isinstance(body.node.flow, tree.Name | tree.Call):
        return None
    inner = replace(env, scope=turn_scope(body))
    thing = inner.evaluate(body.node.flow)
    if isinstance(thing, Definition):
        thing = recipe_of(thing, Given((), {}, {}, body.node.flow.span), inner)
    return thing if isinstance(thing, DefinedRecipe) else None


def apply_many_times(layer: NamedLayer, count: int, inputs: tuple[Tensor, ...], env: Env, span: Span) -> Thing:
    """`repeat n { step }` of a named layer: the same weights at every step."""
    assert env.builder is not None
    layer.used = True
    flowing: Thing = inputs[0] if len(inputs) == 1 else Several(inputs)
    for i in range(count):
        before = flowing
        flowing = env.context.apply(layer, flowing, env, span)
        if isinstance(flowing, Tensor) and isinstance(before, Tensor) and flowing.type == before.type:
            env.builder.calls[-1] = replace(env.builder.calls[-1], times=count - i)
            assert layer.instance is not None
            return flowing if counted(layer.instance, env, span, count - i - 1) else POISON
        if isinstance(flowing, Poison):
            return POISON
    return flowing


def apply_for(recipe: ForRecipe, inputs: tuple[Tensor, ...], env: Env, span: Span, name: str | None) -> Thing:
    assert env.builder is not None
    names = recipe.node.names.items
    stem = name.split(".")[-1] if name else "for"
    name = name or env.builder.place_name(env.prefix, stem)
    flowing: Thing = inputs[0] if len(inputs) == 1 else Several(inputs)
    for i, item in enumerate(recipe.items):
        if len(names) > 1 and not (isinstance(item, tuple) and len(item) == len(names)):
            wanted = f"a list of {len(names)} for each turn"
            return env.report(WrongKind(span=recipe.node.over.span, wanted=wanted, found=describe(item)))
        assert isinstance(flowing, Tensor | Several)
        current = (flowing,) if isinstance(flowing, Tensor) else flowing.tensors
        body = LoopBody(recipe.node, recipe.scope, item if len(names) > 1 and isinstance(item, tuple) else (item,))
        instance = turn(body, stem, current, env, span, f"{name}.{i}")
        flowing = POISON if instance is None else add(instance, current, env, span)
        if isinstance(flowing, Poison):
            return POISON
    return flowing


def apply_over_time(
    recipe: OverTimeRecipe, inputs: tuple[Tensor, ...], env: Env, span: Span, name: str | None
) -> Thing:
    """`over_time { body }`: one network for the body, used at each position of the first axis."""
    assert env.builder is not None
    lengths = {tensor.type.shape[:1] for tensor in inputs}
    if len(lengths) != 1 or () in lengths:
        shown = " and ".join(str(tensor.type) for tensor in inputs)
        text = f"`over_time` takes values that have their first axis, time, in common, and is given {shown}"
        way_out = "sequences are `[time, channels]`; it runs its body once for each of their steps"
        places = input_places(inputs, span)
        return env.report(ShapeMismatch(span=span, text=text, way_out=way_out, places=places))
    stem = name.split(".")[-1] if name else "over_time"
    name = name or env.builder.place_name(env.prefix, stem)
    steps = tuple(replace(tensor, type=tensor.type.step) for tensor in inputs)
    body = LoopBody(recipe.node, recipe.scope)
    instance = network_instance(body, stem, steps, env.builder, env, span, name)
    return POISON if instance is None else add(instance, inputs, env, span, lengths.pop())
