"""The body of a block, net or activation for given input types, in a builder of its own."""

from netc.check.binding import parameter_bindings
from netc.check.builder import Builder
from netc.check.context import Env
from netc.check.networks import Outputs, layer_body
from netc.check.problems import MissingPart, ShapeMismatch, WrongKind
from netc.check.scope import Binding, Scope
from netc.check.statements import Body
from netc.check.things import POISON, DefinedRecipe, Poison, Tensor, describe, is_layer
from netc.source import Span
from netc.syntax import tree
from netc.types import Type


def elaborate(
    recipe: DefinedRecipe, builder: Builder, inputs: tuple[Type, ...], env: Env, span: Span
) -> Outputs | Poison:
    """The body of a block, net or activation, for given input types, in a builder of its own."""
    node = recipe.definition.node
    scope = Scope(recipe.definition.scope)
    scope.names = parameter_bindings(node, recipe.arguments)
    inner = Env(env.context, scope, builder)
    if isinstance(node, tree.Activation):
        return activation_body(node, builder, inputs, inner, span)
    if isinstance(node.body, tree.FlowBody):
        return flow_body(node.body, builder, inputs, inner, span)
    outputs = Body(inner, str(node.name), node.body, inputs, span).run()
    return without_orbits(node, outputs, env) if isinstance(node, tree.Net) else outputs


def without_orbits(node: tree.Net, outputs: Outputs | Poison, env: Env) -> Outputs | Poison:
    """A net's outputs are plain values: what is over an orbit would have to be pooled by whoever uses it."""
    over = [] if isinstance(outputs, Poison) else [(name, t) for name, t in outputs if t.type.orbit is not None]
    for name, tensor in over:
        text = f"the output `{name}` of the net `{node.name}` is {tensor.type}"
        way_out = "`orbit_pool(max)` first makes it invariant: a net gives values without an orbit"
        env.report(ShapeMismatch(span=tensor.span, text=text, way_out=way_out))
    return POISON if over else outputs


def activation_body(
    node: tree.Activation, builder: Builder, inputs: tuple[Type, ...], env: Env, span: Span
) -> Outputs | Poison:
    if len(inputs) != 1:
        text = f"the activation `{node.name}` takes one value, and is given {len(inputs)}"
        return env.report(ShapeMismatch(span=span, text=text, way_out="join them first: `(a, b) -> concat`"))
    if not node.parameters.items:
        return env.report(
            MissingPart(
                span=node.span,
                owner=f"the activation `{node.name}`",
                part="parameter",
                example="write `activation f(x) = ...`",
            )
        )
    parameter = node.parameters.items[0].name
    tensor = builder.value(inputs[0], parameter.span)
    builder.inputs = [tensor.name]
    builder.name_value(tensor, parameter)
    env.scope.names[parameter] = Binding(tensor, parameter.span, "value")
    result = env.evaluate(node.expression)
    if isinstance(result, Tensor):
        return [("out", result)]
    if isinstance(result, Poison):
        return POISON
    return env.report(WrongKind(span=node.expression.span, wanted="a value", found=describe(result)))


def flow_body(
    body: tree.FlowBody, builder: Builder, inputs: tuple[Type, ...], env: Env, span: Span
) -> Outputs | Poison:
    """`block f(...) = layer`: the layer applied to what flows in."""
    layer = env.evaluate(body.flow)
    if isinstance(layer, Poison):
        return POISON
    if not is_layer(layer):
        return env.report(WrongKind(span=body.flow.span, wanted="a layer", found=describe(layer)))
    return layer_body(layer, builder, inputs, env, span)
