"""Sub-networks: the network of a block, net, chain or loop body for given input types, made once."""

from dataclasses import replace

from netc.check.asserts import check_asserts
from netc.check.builder import Builder
from netc.check.constraints import check_constraints
from netc.check.context import Env, Made
from netc.check.limits import MOST_BLOCKS_DEEP, MOST_NODES, spelled
from netc.check.problems import Cycle, TooLarge, WrongKind
from netc.check.scope import Binding, Scope
from netc.check.things import (
    POISON,
    DefinedRecipe,
    LoopBody,
    Poison,
    Several,
    Tensor,
    Thing,
    describe,
    is_layer,
    show,
    together,
)
from netc.ir.network import Instance
from netc.problems import Label as Place
from netc.source import Span
from netc.syntax import tree
from netc.types import Type


def network_instance(
    recipe: Thing, stem: str, inputs: tuple[Tensor, ...], builder: Builder, env: Env, span: Span, name: str
) -> Instance | None:
    types = tuple(t.type for t in inputs)
    made = network_of(recipe, stem, types, env, span, inputs)
    if isinstance(made, Poison):
        return None
    captures = tuple((formal, builder.resolve(thing)) for formal, thing in made.captures)
    outputs = tuple(made.network.types[value] for _, value in made.network.outputs)
    return Instance(name, None, made.network.name, types, outputs, captures=captures, span=span)


def network_of(
    recipe: Thing, stem: str, types: tuple[Type, ...], env: Env, span: Span, inputs: tuple[Tensor, ...]
) -> Made | Poison:
    """The network of a recipe for given input types, made once."""
    if env.context.nodes > MOST_NODES:
        return POISON
    if cycle := running_again(recipe, env):
        return env.report(Cycle(span=span, path=(*cycle, stem)))
    key = (recipe, types, spelled(recipe))
    if key not in env.context.cache:
        env.context.cache[key] = POISON
        env.context.cache[key] = make_network(recipe, stem, types, env, span)
    return env.context.cache[key]


def running_again(recipe: Thing, env: Env) -> tuple[str, ...]:
    """The blocks from a use of the same block on that this one stands in. One that was a part of the other's
    arguments may stand in it: `twice(twice(relu))`."""
    if not isinstance(recipe, DefinedRecipe):
        return ()
    running = [owner for owner, _ in env.context.trail if isinstance(owner, DefinedRecipe)]
    same = [i for i, owner in enumerate(running) if owner.definition is recipe.definition]
    size = env.context.measures.measure
    if not same or size(recipe) < size(running[same[-1]]):
        return ()
    return tuple(str(owner.definition.node.name) for owner in running[same[-1] :])


def make_network(recipe: Thing, stem: str, types: tuple[Type, ...], env: Env, span: Span) -> Made | Poison:
    context = env.context
    if len(context.trail) > MOST_BLOCKS_DEEP:
        return context.report(TooLarge(span=span, what="the nesting of blocks", limit=f"{MOST_BLOCKS_DEEP} levels"))
    builder = Builder(stem, env.builder)
    context.trail.append((recipe, Place(span, use_of(recipe, stem))))
    if isinstance(recipe, DefinedRecipe):
        context.elaborated.add(recipe.definition)
        outputs = context.elaborate(recipe, builder, types, env, span)
    else:
        outputs = layer_body(recipe, builder, types, env, span)
    made = POISON if isinstance(outputs, Poison) else finish(builder, context.network_name(stem), outputs, env, span)
    context.trail.pop()
    return made


def use_of(recipe: Thing, stem: str) -> str:
    """How a use is called in the trail of a problem."""
    match recipe:
        case LoopBody(node=tree.ForEach() as node, items=items):
            named = zip(node.names.items, items, strict=True)
            return "in this `for`, with " + ", ".join(f"{name} = {show(item)}" for name, item in named)
        case LoopBody(node=tree.OverTime()):
            return "in this `over_time`"
        case LoopBody():
            return "in this `repeat`"
        case _:
            return f"in this use of `{stem}`"


def finish(builder: Builder, name: str, outputs: list[tuple[str, Tensor]], env: Env, span: Span) -> Made:
    """Closes a network and enters it among the finished ones."""
    builder.outputs = [(output, tensor.name) for output, tensor in outputs]
    network = builder.network(name, span)
    if not check_constraints(network.constraints, network, env.context.networks, env.report):
        network = replace(network, constraints=())
    made = Made(network, tuple((c.name, thing) for thing, c in builder.captured.items()))
    env.context.networks[name] = made.network
    if builder.asserts is not None:
        nodes, inner = builder.asserts
        check_asserts(nodes, inner, made.network)
    env.context.sizes[name] = (builder.size, builder.depth + 1)
    return made


Outputs = list[tuple[str, Tensor]]


def layer_body(recipe: Thing, builder: Builder, types: tuple[Type, ...], env: Env, span: Span) -> Outputs | Poison:
    """A network that is one layer or chain, or the body of a repeat or for."""
    flowing = enter(builder, types, span)
    inner = Env(env.context, env.scope, builder)
    place = span
    if isinstance(recipe, LoopBody):
        inner, place = replace(inner, scope=turn_scope(recipe)), recipe.node.flow.span
        recipe = inner.evaluate(recipe.node.flow)
    if isinstance(recipe, Poison):
        return POISON
    if not is_layer(recipe):
        return env.report(WrongKind(span=place, wanted="a layer", found=describe(recipe)))
    return outputs_of(env.context.apply(recipe, flowing, inner, place))


def turn_scope(body: LoopBody) -> Scope:
    """The scope of one turn of a loop, with its names bound."""
    scope = Scope(body.scope)
    if isinstance(body.node, tree.ForEach):
        named = zip(body.node.names.items, body.items, strict=True)
        scope.names = {str(name): Binding(thing, name.span, "loop name") for name, thing in named}
    return scope


def enter(builder: Builder, types: tuple[Type, ...], span: Span) -> Tensor | Several:
    tensors = tuple(builder.value(type_, span) for type_ in types)
    builder.inputs = [t.name for t in tensors]
    for i, tensor in enumerate(tensors):
        builder.name_value(tensor, "x" if len(tensors) == 1 else f"x{i + 1}")
    return together(tensors)


def outputs_of(thing: Thing) -> Outputs | Poison:
    match thing:
        case Tensor():
            return [("out", thing)]
        case Several():
            return [(f"out{i + 1}", tensor) for i, tensor in enumerate(thing.tensors)]
        case _:
            return POISON
