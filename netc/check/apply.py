"""Applying layers to values: what adds instances and calls to the network that is being built."""

from collections.abc import Callable
from dataclasses import replace

from netc.check.asserts import check_asserts
from netc.check.binding import Given, default_kind, recipe_of
from netc.check.builder import Builder
from netc.check.context import MOST_LAYERS, MOST_NODES, Env, Made
from netc.check.problems import Cycle, DefinedTwice, ShapeMismatch, TooLarge, WrongKind
from netc.check.scope import Binding, Scope
from netc.check.things import (
    POISON,
    WEIGHT_THINGS,
    Chain,
    DefinedRecipe,
    Definition,
    ForRecipe,
    KindName,
    KindRecipe,
    Label,
    NamedLayer,
    Poison,
    RepeatRecipe,
    Several,
    Tensor,
    Thing,
    describe,
    is_layer,
)
from netc.ir.network import Call, Instance, Weight
from netc.layers.arithmetic import PYTHON, Arithmetic, Matmul, Negate, Read
from netc.layers.base import Layer, Refusal, WeightSpec
from netc.problems import Label as Place
from netc.source import Span
from netc.syntax import tree
from netc.types import Type, show_shape

MOST_BLOCKS_DEEP = 40

Flowing = Tensor | Several


def apply(thing: Thing, flowing: Thing, env: Env, span: Span, name: str | None = None) -> Thing:
    """The value or values that a layer gives for those that flow into it."""
    if not isinstance(flowing, Tensor | Several):
        if not isinstance(flowing, Poison):
            env.report(WrongKind(span=span, wanted="a value before this layer", found=describe(flowing)))
        return POISON
    inputs = (flowing,) if isinstance(flowing, Tensor) else flowing.tensors
    match thing:
        case KindName():
            recipe = default_kind(thing, env, span)
            return POISON if isinstance(recipe, Poison) else apply_kind(recipe, inputs, env, span, name)
        case KindRecipe():
            return apply_kind(thing, inputs, env, span, name)
        case Definition():
            recipe = recipe_of(thing, Given((), {}, {}, span), env)
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
        out = apply(layer, flowing, env, span)
        match out:
            case Tensor():
                tensors.append(out)
            case Several():
                tensors.extend(out.tensors)
            case _:
                return POISON
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
    return apply(label.recipe, flowing, env, label.span, path)


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
    outputs = recipe.layer.outputs(types)
    if isinstance(outputs, Refusal):
        places = tuple(Place(t.span, f"this is {t.type}") for t in inputs if t.span != span)
        env.report(ShapeMismatch(span=span, text=outputs.message, way_out=outputs.help, places=places))
        return None
    specs = {spec.name: spec for spec in recipe.layer.weights(types)}
    for (slot, view), place in zip(recipe.views, recipe.view_spans or (span,) * len(recipe.views), strict=True):
        if slot not in specs:
            known = ", ".join(f"`{s}`" for s in specs) or "none"
            text = f"`{recipe.layer.kind}` has no weight `{slot}` to give; it has {known}"
            env.report(ShapeMismatch(span=place, text=text))
            return None
        if view.shape != specs[slot].shape:
            env.report(wrong_weight(recipe.layer, specs[slot], view.shape, types, span, place))
            return None
    if recipe.views and recipe.layer.lower(types).function is None:
        text = f"`{recipe.layer.kind}` works with weights of its own alone"
        env.report(ShapeMismatch(span=span, text=text))
        return None
    given = dict(recipe.views)
    owned = tuple(
        Weight(s.name, s.shape, s.init, s.axes, s.trainable, span) for s in specs.values() if s.name not in given
    )
    views = tuple((slot, builder.view(view)) for slot, view in recipe.views)
    return Instance(name, recipe.layer, None, types, outputs, owned, views, span=span)


def wrong_weight(
    layer: Layer, spec: WeightSpec, shape: tuple[int, ...], types: tuple[Type, ...], span: Span, place: Span
) -> ShapeMismatch:
    whole = " and ".join(str(t) for t in types)
    text = (
        f"`{layer.kind}` needs a {spec.name} of {show_shape(spec.shape)} for {whole}, and is given {show_shape(shape)}"
    )
    way_out = "to use it the other way round, write `.T` after it" if shape[::-1] == spec.shape else ""
    return ShapeMismatch(span=span, text=text, way_out=way_out, places=(Place(place, f"this is {show_shape(shape)}"),))


def add(instance: Instance, inputs: tuple[Tensor, ...], env: Env, span: Span) -> Thing:
    """Adds an instance and its call to the network."""
    assert env.builder is not None
    if not counted(instance, env, span):
        return POISON
    env.builder.instances[instance.name] = instance
    return call(instance.name, instance.outputs, inputs, env, span)


def counted(instance: Instance, env: Env, span: Span) -> bool:
    """Whether the net stays within the limits with one more instance."""
    env.context.nodes += 1
    inside = 1 + (env.context.sizes[instance.network] if instance.network else 0)
    size = (1 if instance.count is None else instance.count) * inside
    if env.context.nodes > MOST_NODES or size > MOST_LAYERS:
        limit = f"{MOST_LAYERS:,} layers, {MOST_NODES:,} of them different"
        env.report(TooLarge(span=span, what="this net", limit=limit))
        return False
    return True


def call(
    path: str, outputs: tuple[Type, ...], inputs: tuple[Tensor, ...], env: Env, span: Span, times: int = 1
) -> Thing:
    assert env.builder is not None
    tensors = tuple(env.builder.value(type_, span) for type_ in outputs)
    env.builder.calls.append(Call(path, tuple(t.name for t in inputs), tuple(t.name for t in tensors), times, span))
    return tensors[0] if len(tensors) == 1 else Several(tensors)


def apply_network(
    recipe: Thing, stem: str, inputs: tuple[Tensor, ...], env: Env, span: Span, name: str | None
) -> Thing:
    """One more instance of a sub-network."""
    assert env.builder is not None
    name = name or env.builder.place_name(env.prefix, stem)
    instance = network_instance(recipe, stem, inputs, env.builder, env, span, name)
    return POISON if instance is None else add(instance, inputs, env, span)


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
    running = [owner for owner, _ in env.context.trail]
    if isinstance(recipe, DefinedRecipe) and recipe.definition in running:
        around = [o for o in running[running.index(recipe.definition) :] if isinstance(o, Definition)]
        return env.report(Cycle(span=span, path=(*(str(o.node.name) for o in around), stem)))
    key = (recipe, types)
    if key not in env.context.cache:
        env.context.cache[key] = POISON
        env.context.cache[key] = make_network(recipe, stem, types, env, span)
    return env.context.cache[key]


def make_network(recipe: Thing, stem: str, types: tuple[Type, ...], env: Env, span: Span) -> Made | Poison:
    context = env.context
    running = [owner for owner, _ in context.trail]
    owner = recipe.definition if isinstance(recipe, DefinedRecipe) else recipe
    if len(running) > MOST_BLOCKS_DEEP:
        return context.report(TooLarge(span=span, what="the nesting of blocks", limit=f"{MOST_BLOCKS_DEEP} levels"))
    builder = Builder(stem, env.builder)
    context.trail.append((owner, Place(span, f"in this use of `{stem}`")))
    body = body_of(recipe)
    outputs = body(builder, types, env, span)
    context.trail.pop()
    if isinstance(outputs, Poison):
        return POISON
    return finish(builder, context.network_name(stem), outputs, env, span)


def finish(builder: Builder, name: str, outputs: list[tuple[str, Tensor]], env: Env, span: Span) -> Made:
    """Closes a network and enters it among the finished ones."""
    builder.outputs = [(output, tensor.name) for output, tensor in outputs]
    made = Made(builder.network(name, span), tuple((c.name, thing) for thing, c in builder.captured.items()))
    env.context.networks[name] = made
    if builder.asserts is not None:
        nodes, inner = builder.asserts
        check_asserts(nodes, inner, made.network)
    sizes = env.context.sizes
    sizes[name] = sum((i.count or 1) * (1 + (sizes[i.network] if i.network else 0)) for i in made.network.instances)
    return made


Outputs = list[tuple[str, Tensor]]
Body = Callable[[Builder, tuple[Type, ...], Env, Span], Outputs | Poison]


def body_of(recipe: Thing) -> Body:
    """How the body of a recipe is elaborated in a builder of its own."""
    match recipe:
        case DefinedRecipe():
            return lambda builder, types, env, span: env.context.elaborate(recipe, builder, types, env, span)
        case _:
            return lambda builder, types, env, span: layer_body(recipe, builder, types, env, span)


def layer_body(recipe: Thing, builder: Builder, types: tuple[Type, ...], env: Env, span: Span) -> Outputs | Poison:
    """A network that is one layer or chain, or the body of a repeat or for."""
    flowing = enter(builder, types, span)
    inner = Env(env.context, env.scope, builder)
    match recipe:
        case RepeatRecipe(node=node, scope=scope):
            inner = replace(inner, scope=Scope(scope))
            recipe = inner.evaluate(node.flow)
        case ForBody():
            inner = replace(inner, scope=recipe.scope())
            recipe = inner.evaluate(recipe.recipe.node.flow)
        case _:
            pass
    if isinstance(recipe, Poison):
        return POISON
    if not is_layer(recipe):
        return env.report(WrongKind(span=span, wanted="a layer in this body", found=describe(recipe)))
    return outputs_of(apply(recipe, flowing, inner, span))


def enter(builder: Builder, types: tuple[Type, ...], span: Span) -> Flowing:
    tensors = tuple(builder.value(type_, span) for type_ in types)
    builder.inputs = [t.name for t in tensors]
    for i, tensor in enumerate(tensors):
        builder.name_value(tensor, "x" if len(tensors) == 1 else f"x{i + 1}")
    return tensors[0] if len(tensors) == 1 else Several(tensors)


def outputs_of(thing: Thing) -> Outputs | Poison:
    match thing:
        case Tensor():
            return [("out", thing)]
        case Several():
            return [(f"out{i + 1}", tensor) for i, tensor in enumerate(thing.tensors)]
        case _:
            return POISON


def apply_repeat(recipe: RepeatRecipe, inputs: tuple[Tensor, ...], env: Env, span: Span, name: str | None) -> Thing:
    """`repeat n { body }`: one network for the body, in a row as soon as its output has its input's type."""
    assert env.builder is not None
    body = (
        replace(env, scope=Scope(recipe.scope)).evaluate(recipe.node.flow) if is_bare_name(recipe.node.flow) else None
    )
    if isinstance(body, NamedLayer):
        return apply_many_times(body, recipe.count, inputs, env, span)
    name = name or env.builder.place_name(env.prefix, "repeat")
    flowing: Thing = inputs[0] if len(inputs) == 1 else Several(inputs)
    for i in range(recipe.count):
        assert isinstance(flowing, Tensor | Several)
        current = (flowing,) if isinstance(flowing, Tensor) else flowing.tensors
        types = tuple(t.type for t in current)
        stem = name.split(".")[-1]
        one = replace(recipe, count=0)
        instance = network_instance(one, stem, current, env.builder, env, span, f"{name}.{i}")
        if instance is None:
            return POISON
        if instance.outputs == types:
            stack = replace(instance, name=name, start=i, count=recipe.count - i)
            return add(stack, current, env, span)
        flowing = add(instance, current, env, span)
        if isinstance(flowing, Poison):
            return POISON
    return flowing


def is_bare_name(node: tree.Node) -> bool:
    return isinstance(node, tree.Name)


def apply_many_times(layer: NamedLayer, count: int, inputs: tuple[Tensor, ...], env: Env, span: Span) -> Thing:
    """`repeat n { step }` of a named layer: the same weights at every step."""
    assert env.builder is not None
    layer.used = True
    flowing: Thing = inputs[0] if len(inputs) == 1 else Several(inputs)
    for i in range(count):
        before = flowing
        flowing = apply(layer, flowing, env, span)
        if isinstance(flowing, Tensor) and isinstance(before, Tensor) and flowing.type == before.type:
            env.builder.calls[-1] = replace(env.builder.calls[-1], times=count - i)
            return flowing
        if isinstance(flowing, Poison):
            return POISON
    return flowing


class ForBody:
    """One turn of a `for`: its body with the names bound to an item."""

    def __init__(self, recipe: ForRecipe, item: Thing) -> None:
        self.recipe, self.item = recipe, item

    def __hash__(self) -> int:
        return hash((id(self.recipe.node), id(self.recipe.scope), self.item))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ForBody)
            and self.recipe.node is other.recipe.node
            and self.recipe.scope is other.recipe.scope
            and self.item == other.item
        )

    def scope(self) -> Scope:
        names = self.recipe.node.names.items
        items = (self.item,) if len(names) == 1 else self.item
        assert isinstance(items, tuple)
        scope = Scope(self.recipe.scope)
        scope.names = {
            str(name): Binding(thing, name.span, "loop name") for name, thing in zip(names, items, strict=True)
        }
        return scope


def apply_for(recipe: ForRecipe, inputs: tuple[Tensor, ...], env: Env, span: Span, name: str | None) -> Thing:
    assert env.builder is not None
    names = recipe.node.names.items
    name = name or env.builder.place_name(env.prefix, "for")
    flowing: Thing = inputs[0] if len(inputs) == 1 else Several(inputs)
    for i, item in enumerate(recipe.items):
        if len(names) > 1 and not (isinstance(item, tuple) and len(item) == len(names)):
            wanted = f"a list of {len(names)} for each turn"
            return env.report(WrongKind(span=recipe.node.over.span, wanted=wanted, found=describe(item)))
        assert isinstance(flowing, Tensor | Several)
        current = (flowing,) if isinstance(flowing, Tensor) else flowing.tensors
        stem = name.split(".")[-1]
        instance = network_instance(ForBody(recipe, item), stem, current, env.builder, env, span, f"{name}.{i}")  # type: ignore[arg-type]
        flowing = POISON if instance is None else add(instance, current, env, span)
        if isinstance(flowing, Poison):
            return POISON
    return flowing


def apply_named(layer: NamedLayer, inputs: tuple[Tensor, ...], env: Env, span: Span) -> Thing:
    """A use of a layer with a name: its weights are made at the first use, in its own network."""
    assert env.builder is not None
    layer.used = True
    types = tuple(t.type for t in inputs)
    path = env.builder.path(layer)
    made = layer.instance
    if made is None or made.inputs != types:
        new = named_instance(layer, inputs, types, env, span)
        if new is None:
            return POISON
        if made is None:
            if not counted(new, env, span):
                return POISON
            layer.builder.instances[layer.name] = new
        elif not serves(made, new):
            return env.report(other_input(layer, made, types, span))
        return call(path, new.outputs, inputs, env, span)
    return call(path, made.outputs, inputs, env, span)


def serves(made: Instance, new: Instance) -> bool:
    """Whether what was made for other inputs does for these: the same weights, and the same Flax layer."""
    if made.layer is None or new.layer is None:
        return False
    return new.weights == made.weights and new.layer.lower(new.inputs) == made.layer.lower(made.inputs)


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
        recipe = recipe_of(recipe, Given((), {}, {}, span), env)
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
    return ShapeMismatch(
        span=span, text=text, places=places, way_out="a named layer has one set of weights: give it inputs of one shape"
    )


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
        return env.report(WrongKind(span=span, wanted=f"a number for `{symbol}`", found=found, way_out=way_out))
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
                wanted = f"a value, weight or number for `{symbol}`"
                env.report(WrongKind(span=span, wanted=wanted, found=describe(side)))
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
    wrong = right if isinstance(left, Tensor) else left
    way_out = "write the value on the left: `x @ W`"
    return env.report(WrongKind(span=span, wanted="a value or weight for `@`", found=describe(wrong), way_out=way_out))
