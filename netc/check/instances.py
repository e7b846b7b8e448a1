"""Instances of layer kinds, and calls: what a network that is being built is made of."""

from collections.abc import Mapping
from dataclasses import replace

from netc.check.builder import Builder
from netc.check.context import Env
from netc.check.limits import MOST_BLOCKS_DEEP, MOST_LAYERS, MOST_NODES, too_many_numbers
from netc.check.problems import ShapeMismatch, TooLarge, UnknownArgument
from netc.check.things import POISON, KindRecipe, Tensor, Thing, together
from netc.ir.network import Call, Instance, Weight
from netc.layers.base import Initialiser, Layer, Refusal, WeightSpec
from netc.problems import Label as Place
from netc.problems import Problem
from netc.source import Span
from netc.types import Type, show_shape


def apply_kind(recipe: KindRecipe, inputs: tuple[Tensor, ...], env: Env, span: Span, name: str | None) -> Thing:
    assert env.builder is not None
    types = tuple(tensor.type for tensor in inputs)
    name = name or env.builder.place_name(env.prefix, recipe.layer.kind)
    instance = kind_instance(recipe, types, env.builder, env, span, name, inputs)
    return POISON if instance is None else add(instance, inputs, env, span)


def kind_instance(
    recipe: KindRecipe,
    types: tuple[Type, ...],
    builder: Builder,
    env: Env,
    span: Span,
    name: str,
    inputs: tuple[Tensor, ...] = (),
) -> Instance | None:
    """A layer with its weights, each owned or somebody else's; None where it does not fit."""
    outputs = recipe.layer.gives(types)
    if isinstance(outputs, Refusal):
        places = input_places(inputs, span)
        env.report(ShapeMismatch(span=span, text=outputs.message, way_out=outputs.help, places=places))
        return None
    specs = {spec.name: spec for spec in recipe.layer.weights(types)}
    sizes = [("value", output.array_shape) for output in outputs] + [("weight", spec.shape) for spec in specs.values()]
    if large := next(filter(None, (too_many_numbers(what, shape, span) for what, shape in sizes)), None):
        env.report(large)
        return None
    if unfit := unfit_views(recipe, specs, types, span):
        env.report(unfit)
        return None
    given = dict(recipe.views)
    for spec in specs.values():
        if spec.name not in given and (unfit := unfit_start(spec.init, f"the {spec.name}", spec.shape, span)):
            env.report(unfit)
            return None
    owned = tuple(
        Weight(s.name, s.shape, s.init, s.axes, s.trainable, span) for s in specs.values() if s.name not in given
    )
    views = tuple((slot, builder.view(view)) for slot, view in recipe.views)
    return Instance(name, recipe.layer, None, types, outputs, owned, views, span=span)


def unfit_views(
    recipe: KindRecipe, specs: Mapping[str, WeightSpec], types: tuple[Type, ...], span: Span
) -> Problem | None:
    """The first weight of somebody else's that the layer cannot use: it has no such slot, or one of another shape."""
    layer, declared = recipe.layer, tuple(a.name for a in recipe.layer.arguments())
    for (slot, view), place in zip(recipe.views, recipe.view_spans or (span,) * len(recipe.views), strict=True):
        if slot not in specs:
            known = tuple(dict.fromkeys((*specs, *declared)))
            return UnknownArgument(span=place, callee=layer.kind, name=slot, known=known)
        if view.shape != specs[slot].shape:
            return wrong_weight(layer, specs[slot], view.shape, types, span, place)
    if recipe.views and layer.lower(types).function is None:
        return UnknownArgument(span=span, callee=layer.kind, name=recipe.views[0][0], known=declared)
    return None


def unfit_start(init: Initialiser, what: str, shape: tuple[int, ...], span: Span) -> ShapeMismatch | None:
    """The refusal of an initialiser that counts fan-in for a weight that has none."""
    if len(shape) >= init.least_axes:
        return None
    text = f"`{init.kind}` starts weights of at least two axes, and {what} is {show_shape(shape)}"
    return ShapeMismatch(span=span, text=text, way_out="start it with a number such as 0, or `normal(0.01)`")


def input_places(inputs: tuple[Tensor, ...], span: Span) -> tuple[Place, ...]:
    """Where the values come from that flow into the layer at `span`, with their types."""
    found: dict[Span, list[str]] = {}
    for tensor in inputs:
        found.setdefault(tensor.span, []).append(str(tensor.type))
    return tuple(
        Place(place, f"this is {types[0]}" if len(types) == 1 else f"these are {' and '.join(types)}")
        for place, types in found.items()
        if place != span
    )


def wrong_weight(
    layer: Layer, spec: WeightSpec, shape: tuple[int, ...], types: tuple[Type, ...], span: Span, place: Span
) -> ShapeMismatch:
    whole = " and ".join(str(t) for t in types)
    text = (
        f"`{layer.kind}` needs a {spec.name} of {show_shape(spec.shape)} for {whole}, and is given {show_shape(shape)}"
    )
    axes = f"the axes of its {spec.name} are {', '.join(spec.axes)}" if spec.axes else ""
    way_out = "to use it the other way round, write `.T` after it" if shape[::-1] == spec.shape else axes
    return ShapeMismatch(span=span, text=text, way_out=way_out, places=(Place(place, f"this is {show_shape(shape)}"),))


def add(instance: Instance, inputs: tuple[Tensor, ...], env: Env, span: Span, steps: tuple[int, ...] = ()) -> Thing:
    """Adds an instance and its call to the network."""
    assert env.builder is not None
    env.builder.instances[instance.name] = instance
    return call(instance.name, instance, inputs, env, span, steps=steps)


def call(
    path: str,
    instance: Instance,
    inputs: tuple[Tensor, ...],
    env: Env,
    span: Span,
    network: str | None = None,
    steps: tuple[int, ...] = (),
) -> Thing:
    """A call of an instance; `network` is what it is for these inputs, if it was made for others, and `steps` over
    how many steps in time it runs, if it does."""
    assert env.builder is not None
    if not counted(instance, env, span):
        return POISON
    types = tuple(replace(type_, shape=(*steps, *type_.shape)) for type_ in instance.outputs)
    if large := next(filter(None, (too_many_numbers("value", type_.shape, span) for type_ in types)), None):
        return env.report(large)
    tensors = tuple(env.builder.value(type_, span) for type_ in types)
    names, results = tuple(t.name for t in inputs), tuple(t.name for t in tensors)
    env.builder.call(Call(path, names, results, network=network, over_time=bool(steps), span=span))
    return together(tensors)


def counted(instance: Instance, env: Env, span: Span, times: int = 1) -> bool:
    """Whether the net stays within the limits with one more call, or some more, of an instance."""
    context, builder = env.context, env.builder
    assert builder is not None
    inside, deep = context.sizes[instance.network] if instance.network else (0, 0)
    context.nodes += 1
    builder.size += times * (1 if instance.count is None else instance.count) * (1 + inside)
    builder.depth = max(builder.depth, deep)
    if context.nodes > MOST_NODES or builder.size > MOST_LAYERS:
        limit = f"{MOST_LAYERS:,} layers, {MOST_NODES:,} of them written or made one by one"
        env.report(TooLarge(span=span, what="this net", limit=limit))
    elif builder.depth > MOST_BLOCKS_DEEP:
        env.report(TooLarge(span=span, what="the nesting of blocks", limit=f"{MOST_BLOCKS_DEEP} levels"))
    else:
        return True
    return False
