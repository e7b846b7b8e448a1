"""Applying layers to values: what flows, and which rule a layer follows."""

from netc.check.binding import default_kind, no_arguments, recipe_of
from netc.check.context import Env
from netc.check.instances import add, apply_kind
from netc.check.loops import apply_for, apply_over_time, apply_repeat
from netc.check.named import apply_named
from netc.check.networks import network_instance
from netc.check.problems import DefinedTwice, WrongKind
from netc.check.scope import Binding
from netc.check.things import (
    POISON,
    Chain,
    DefinedRecipe,
    Definition,
    ForRecipe,
    KindName,
    KindRecipe,
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
from netc.source import Span


def apply(thing: Thing, flowing: Thing, env: Env, span: Span, name: str | None = None) -> Thing:
    """The value or values that a layer gives for those that flow into it."""
    if not isinstance(flowing, Tensor | Several):
        if not isinstance(flowing, Poison):
            env.report(WrongKind(span=span, wanted="a value before this layer", found=describe(flowing)))
        return POISON
    inputs = tensors_of(flowing)
    match thing:
        case KindName():
            recipe = default_kind(thing, env, span)
            return POISON if isinstance(recipe, Poison) else apply_kind(recipe, inputs, env, span, name)
        case KindRecipe():
            return apply_kind(thing, inputs, env, span, name)
        case Definition():
            recipe = recipe_of(thing, no_arguments(span), env)
            return POISON if isinstance(recipe, Poison) else apply(recipe, flowing, env, span, name)
        case DefinedRecipe():
            return apply_network(thing, str(thing.definition.node.name), inputs, env, span, name)
        case Label():
            return apply_label(thing, flowing, env, name)
        case Chain() | tuple() if name is not None:
            return apply_network(thing, name.split(".")[-1], inputs, env, span, name)
        case Chain():
            return apply_chain(thing, flowing, env)
        case tuple():
            return apply_fork(thing, flowing, env, span)
        case RepeatRecipe():
            return apply_repeat(thing, inputs, env, span, name)
        case ForRecipe():
            return apply_for(thing, inputs, env, span, name)
        case OverTimeRecipe():
            return apply_over_time(thing, inputs, env, span, name)
        case NamedLayer():
            return apply_named(thing, inputs, env, span)
        case _:
            assert not is_layer(thing)
            return env.report(WrongKind(span=span, wanted="a layer", found=describe(thing)))


def apply_chain(chain: Chain, flowing: Thing, env: Env) -> Thing:
    for step, span in zip(chain.steps, chain.spans, strict=True):
        flowing = apply(step, flowing, env, span)
    return flowing


def apply_fork(layers: tuple[Thing, ...], flowing: Thing, env: Env, span: Span) -> Thing:
    tensors: list[Tensor] = []
    for layer in layers:
        made = tensors_of(apply(layer, flowing, env, span))
        if not made:
            return POISON
        tensors.extend(made)
    return Several(tuple(tensors))


def apply_label(label: Label, flowing: Thing, env: Env, name: str | None) -> Thing:
    if isinstance(label.recipe, NamedLayer):
        way_out = f"it already has the name `{label.recipe.name}`: remove the label"
        found = describe(label.recipe)
        return env.report(WrongKind(span=label.span, wanted="a layer without a name", found=found, way_out=way_out))
    assert env.builder is not None
    path = f"{name}.{label.name}" if name else str(label.name)
    first = env.builder.instances.get(path) or env.builder.weights.get(path)
    if first:
        return env.report(DefinedTwice(span=label.span, name=label.name, first=first.span))
    if (binding := env.scope.names.get(label.name)) and binding.span != label.span:
        return env.report(DefinedTwice(span=label.span, name=label.name, first=binding.span))
    made = apply(label.recipe, flowing, env, label.span, path)
    if isinstance(made, Poison):
        poison_label(label.name, label.span, env)
    return made


def poison_label(name: str, span: Span, env: Env) -> None:
    """What is asked of a layer that could not be made has been answered by the problem with it."""
    if env.builder is not None:
        env.scope.names.setdefault(name, Binding(POISON, span, "label"))


def apply_network(
    recipe: Thing, stem: str, inputs: tuple[Tensor, ...], env: Env, span: Span, name: str | None
) -> Thing:
    """One more instance of a sub-network."""
    assert env.builder is not None
    name = name or env.builder.place_name(env.prefix, stem)
    instance = network_instance(recipe, stem, inputs, env.builder, env, span, name)
    return POISON if instance is None else add(instance, inputs, env, span)
