"""The statements of a net or block body, from top to bottom, and the asserts behind them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from netc.check import types
from netc.check.binding import initialiser, parameter_words, report_doubled
from netc.check.constrain import constrained
from netc.check.context import Env
from netc.check.defaults import set_default
from netc.check.instances import unfit_start
from netc.check.networks import Outputs
from netc.check.problems import DefinedTwice, MissingPart, ShapeMismatch, Unused, WrongKind
from netc.check.scope import Binding, defined_names
from netc.check.things import (
    POISON,
    WEIGHT_THINGS,
    Definition,
    NamedLayer,
    OwnedWeight,
    Poison,
    Several,
    Tensor,
    Thing,
    describe,
    is_layer,
    tensors_of,
)
from netc.ir.network import Weight
from netc.layers.base import Initialiser
from netc.layers.initialisers import LECUN, Constant
from netc.problems import Label as Place
from netc.problems import Problem
from netc.source import Span, Word
from netc.syntax import tree
from netc.types import F32, Type


class Body:
    """The elaboration of one `{ ... }` body: its scope, its inputs still to come, its outputs."""

    def __init__(self, env: Env, owner: str, body: tree.Body, inputs: tuple[Type, ...] | None, span: Span) -> None:
        assert env.builder is not None
        self.env, self.owner, self.body, self.span = env, owner, body, span
        self.builder, self.scope = env.builder, env.scope
        self.waiting = None if inputs is None else list(inputs)
        self.given = inputs
        self.outputs: Outputs = []
        self.asserts: list[tree.Assertion] = []
        self.failed = False
        self.scope.statements = body.items
        self.scope.upcoming = {str(word): word.span for item in body.items for word in defined_names(item)}

    def run(self) -> Outputs | Poison:
        wanted = sum(len(item.names.items) for item in self.body.items if isinstance(item, tree.Input))
        if self.given is not None and len(self.given) != wanted:
            takes = f"{wanted} input{'s' * (wanted != 1)}"
            text = f"`{self.owner}` has {takes}, and is given {len(self.given)}: {', '.join(map(str, self.given))}"
            way_out = f"values side by side flow into several inputs: `(a, b) -> {self.owner}`"
            return self.env.report(ShapeMismatch(span=self.span, text=text, way_out=way_out if wanted != 1 else ""))
        for item in self.body.items:
            STATEMENTS[type(item)](self, item)
        if not self.outputs and not self.failed:
            example = "write `output y = x -> dense(10)`"
            self.env.report(MissingPart(span=self.span, owner=f"`{self.owner}`", part="output", example=example))
            self.failed = True
        self.warn_unused()
        if self.failed:
            return POISON
        self.builder.asserts = (self.asserts, self.env)
        return self.outputs

    def bind(self, word: Word, thing: Thing, what: str) -> None:
        first = self.scope.names.get(word) or self.builder.instances.get(word)
        if first is not None:
            self.env.report(DefinedTwice(span=word.span, name=word, first=first.span))
            self.failed = True
            self.scope.names[str(word)] = Binding(POISON, None, what, used=True)
            return
        self.scope.upcoming.pop(word, None)
        self.scope.names[str(word)] = Binding(thing, word.span, what)

    def input(self, node: tree.Input) -> None:
        declared = types.evaluate_type(node.type, self.env) if node.type else None
        if isinstance(declared, Poison):
            self.failed = True
        for word in node.names.items:
            if isinstance(declared, Poison):
                self.bind(word, POISON, "input")
                continue
            type_ = self.input_type(word, declared)
            if type_ is None:
                self.failed = True
                self.bind(word, POISON, "input")
                continue
            tensor = self.builder.value(type_, word.span)
            self.builder.inputs.append(tensor.name)
            self.builder.name_value(tensor, word)
            self.bind(word, tensor, "input")

    def input_type(self, word: Word, declared: Type | None) -> Type | None:
        if self.waiting is None:
            if declared is None:
                example = f"write its shape: `input {word}: [28, 28, 1]`"
                self.env.report(MissingPart(span=word.span, owner=f"the input `{word}`", part="type", example=example))
            return declared
        given = self.waiting.pop(0)
        if declared is not None and declared != given:
            text = f"the input `{word}` of `{self.owner}` is {declared}, and is given {given}"
            way_out = "leave out the input's shape to take any, or change what flows in"
            places = (Place(word.span, f"declared as {declared}"),)
            self.env.report(ShapeMismatch(span=self.span, text=text, way_out=way_out, places=places))
            return None
        return given

    def output(self, node: tree.Output) -> None:
        prefix = f"{node.name}." if node.name else ""
        thing = replace(self.env, prefix=prefix).evaluate(node.flow)
        declared = types.evaluate_type(node.type, self.env) if node.type else None
        if isinstance(thing, Poison) or isinstance(declared, Poison):
            self.failed = True
            if node.name:
                self.bind(node.name, POISON, "output")
            return
        tensors = tensors_of(thing)
        if len(tensors) == 0 or (node.name and len(tensors) > 1):
            wanted = "a value" if len(tensors) == 0 else "one value"
            found, way_out = describe(thing), no_value_help(thing)
            self.env.report(WrongKind(span=node.flow.span, wanted=wanted, found=found, way_out=way_out))
            self.failed = True
            return
        if declared is not None and tensors[0].type != declared:
            text = f"the output is declared as {declared}, and its flow gives {tensors[0].type}"
            self.env.report(
                ShapeMismatch(span=node.flow.span, text=text, way_out=f"declare {tensors[0].type}, or change the flow")
            )
            self.failed = True
        for tensor in tensors:
            alone = not self.outputs and len(tensors) == 1
            self.outputs.append((str(node.name or ("out" if alone else f"out{len(self.outputs) + 1}")), tensor))
        if node.name:
            if tensors[0].name not in self.builder.names:
                self.builder.name_value(tensors[0], node.name)
            self.bind(node.name, tensors[0], "output")
            self.scope.names[node.name].used = True

    def let(self, node: tree.Let) -> None:
        words: tuple[Word, ...] = node.names.items
        prefix = f"{words[0]}." if len(words) == 1 else ""
        thing = replace(self.env, prefix=prefix).evaluate(node.flow)
        if len(words) == 1 and not isinstance(thing, Several):
            if isinstance(thing, Tensor):
                self.builder.name_value(thing, words[0])
            self.failed = self.failed or isinstance(thing, Poison)
            self.bind(words[0], thing, "value" if isinstance(thing, Tensor | Poison) else "name")
            return
        parts: tuple[Thing, ...] = thing if isinstance(thing, tuple) else tensors_of(thing)
        if isinstance(thing, Poison) or len(parts) != len(words):
            if not isinstance(thing, Poison):
                wanted = "one value" if len(words) == 1 else f"{len(words)} values"
                found, way_out = describe(thing), no_value_help(thing)
                self.env.report(WrongKind(span=node.flow.span, wanted=wanted, found=found, way_out=way_out))
            self.failed = True
            parts = (POISON,) * len(words)
        for word, part in zip(words, parts, strict=True):
            if isinstance(part, Tensor):
                self.builder.name_value(part, word)
            self.bind(word, part, "value")

    def layer(self, node: tree.Layer) -> None:
        recipe = self.env.evaluate(node.flow)
        if isinstance(recipe, Poison) or not is_layer(recipe):
            if not isinstance(recipe, Poison):
                found = describe(recipe)
                way_out = "write the layer without its value: `layer f = dense(10)`, and then `x -> f`"
                self.env.report(WrongKind(span=node.flow.span, wanted="a layer", found=found, way_out=way_out))
            self.failed = True
            self.bind(node.name, POISON, "layer")
            return
        self.bind(node.name, NamedLayer(self.builder, str(node.name), recipe, node.name.span), "layer")

    def weight(self, node: tree.Weight) -> None:
        type_ = types.evaluate_type(node.type, self.env)
        init = initialiser(self.env.evaluate(node.initialiser)) if node.initialiser else LECUN
        if isinstance(init, int | float) and not isinstance(init, bool):
            init = Constant(float(init))
        if not isinstance(init, Initialiser) or isinstance(type_, Poison):
            if not isinstance(init, Initialiser | Poison) and node.initialiser:
                found = describe(init)
                seen = isinstance(init, WEIGHT_THINGS)
                way_out = (
                    f"a view is no weight of its own: `{node.name} = {node.initialiser.span.text}`" if seen else ""
                )
                wrong = WrongKind(span=node.initialiser.span, wanted="an initialiser", found=found, way_out=way_out)
                self.env.report(wrong)
            self.failed = True
            self.bind(node.name, POISON, "weight")
            return
        unfit: Problem | None = unfit_start(init, f"`{node.name}`", type_.shape, (node.initialiser or node.type).span)
        if type_.element != F32:
            unfit = WrongKind(span=node.type.span, wanted="a shape of f32 numbers", found=f"{type_}")
        if unfit:
            self.env.report(unfit)
            self.failed = True
        self.builder.weights[str(node.name)] = Weight(str(node.name), type_.shape, init, (), True, node.name.span)
        self.bind(node.name, OwnedWeight(self.builder, str(node.name), type_.shape), "weight")

    def assertion(self, node: tree.Assertion) -> None:
        self.asserts.append(node)

    def default(self, node: tree.Default) -> None:
        set_default(node, self.env)

    def constrain(self, node: tree.Constrain) -> None:
        made = constrained(node, self.env)
        self.failed = self.failed or made is None
        self.builder.constraints += [made] if made else []

    def block(self, node: tree.Block) -> None:
        report_doubled(parameter_words(node), self.env)
        self.bind(node.name, Definition(node, self.scope), "block")

    def warn_unused(self) -> None:
        if self.failed:
            return
        for name, binding in self.scope.names.items():
            if name.startswith("_"):
                continue
            layer = binding.thing
            used = layer.used if isinstance(layer, NamedLayer) else binding.used
            if not used and binding.what in ("input", "value", "layer", "weight", "block") and binding.span:
                self.env.report(Unused(span=binding.span, what=binding.what, name=name))


STATEMENTS: dict[type[tree.Node], Callable[[Body, Any], None]] = {
    tree.Input: Body.input,
    tree.Output: Body.output,
    tree.Let: Body.let,
    tree.Layer: Body.layer,
    tree.Weight: Body.weight,
    tree.Assertion: Body.assertion,
    tree.Default: Body.default,
    tree.Constrain: Body.constrain,
    tree.Block: Body.block,
}


def no_value_help(thing: Thing) -> str:
    """The way out where one value is needed and something else is given."""
    if isinstance(thing, Several):
        return "name each, `a, b = ...`, or join them, `... -> concat`"
    return "begin with a value: `image -> flatten -> dense(10)`" if is_layer(thing) else ""
