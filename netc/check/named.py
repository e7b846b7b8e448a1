"""Layers named by `layer`: one set of weights, made at the first use."""

from dataclasses import replace

from netc.check.binding import default_kind, no_arguments, recipe_of
from netc.check.context import Env
from netc.check.instances import call, kind_instance
from netc.check.networks import network_instance
from netc.check.problems import ShapeMismatch
from netc.check.things import (
    POISON,
    DefinedRecipe,
    Definition,
    KindName,
    KindRecipe,
    Label,
    NamedLayer,
    Poison,
    Tensor,
    Thing,
)
from netc.ir.alike import alike
from netc.ir.network import Instance
from netc.problems import Label as Place
from netc.source import Span
from netc.types import Type


def apply_named(layer: NamedLayer, inputs: tuple[Tensor, ...], env: Env, span: Span) -> Thing:
    """A use of a layer with a name: its weights are made at the first use, in its own network."""
    assert env.builder is not None
    layer.used = True
    types = tuple(t.type for t in inputs)
    path = env.builder.path(layer)
    made = layer.instance
    if made is not None and made.inputs == types:
        return call(path, made, inputs, env, span)
    new = named_instance(layer, inputs, types, env, span)
    if new is None:
        return POISON
    if made is None:
        layer.builder.instances[layer.name] = new
        return call(path, new, inputs, env, span)
    if not alike(made, new, env.context.networks):
        return env.report(other_input(layer, made, types, span))
    return call(path, new, inputs, env, span, new.network)


def named_instance(
    layer: NamedLayer, inputs: tuple[Tensor, ...], types: tuple[Type, ...], env: Env, span: Span
) -> Instance | None:
    recipe = layer.recipe
    if isinstance(recipe, Label):
        recipe = recipe.recipe
    if isinstance(recipe, KindName):
        bound = default_kind(recipe, env, span)
        recipe = bound
    if isinstance(recipe, Definition):
        recipe = recipe_of(recipe, no_arguments(span), env)
    if isinstance(recipe, Poison):
        return None
    if isinstance(recipe, KindRecipe):
        return kind_instance(recipe, types, layer.builder, env, span, layer.name, inputs)
    stem = str(recipe.definition.node.name) if isinstance(recipe, DefinedRecipe) else layer.name
    owned = replace(env, builder=layer.builder)
    return network_instance(recipe, stem, inputs, layer.builder, owned, span, layer.name)


def other_input(layer: NamedLayer, made: Instance, types: tuple[Type, ...], span: Span) -> ShapeMismatch:
    first, now = (" and ".join(map(str, t)) for t in (made.inputs, types))
    text = f"`{layer.name}` was made for {first}, and is given {now}"
    places = (Place(made.span, f"first used here, on {first}"),) if made.span else ()
    way_out = "a named layer has one set of weights and does one thing: give it inputs that it treats alike"
    return ShapeMismatch(span=span, text=text, places=places, way_out=way_out)
