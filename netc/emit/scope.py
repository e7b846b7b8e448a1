"""A network from inside: how its weights and layers are written where it is called."""

import ast
from dataclasses import dataclass

from netc.emit.emitted import EmittedNetwork, attribute_path
from netc.emit.expressions import Expression, is_exposed, is_loose, reads, template, texts
from netc.emit.loops import Loops
from netc.emit.names import Names, unique
from netc.ir.network import Instance, Network, View
from netc.ir.views import expression
from netc.layers.arithmetic import OPERATIONS
from netc.layers.base import Lowering


@dataclass
class Scope:
    """`attributes` and `slots` are those of `EmittedNetwork`, `locals` the variables of the call."""

    network: Network
    done: dict[str, EmittedNetwork]
    lowerings: dict[str, Lowering]
    loops: Loops
    attributes: Names
    slots: dict[tuple[str, str], str]
    locals: Names

    def use_path(self, path: str, arguments: list[Expression]) -> tuple[Expression, bool]:
        """The expression of one use, and whether it is light enough to stand inside another."""
        instance = self.network.by_name.get(path)
        if instance is None:
            return Expression(f"{self.function(path)}({texts(arguments)})", reads(arguments)), False
        return self.use(instance, arguments)

    def use(self, instance: Instance, arguments: list[Expression]) -> tuple[Expression, bool]:
        if instance.network is not None:
            given = texts([*arguments, *self.captures(instance)])
            light = not self.done[instance.network].is_class
            return Expression(f"{self.target(instance)}({given})", reads(arguments)), light
        return self.use_layer(instance, arguments)

    def target(self, instance: Instance) -> str:
        """What is called with a layer's inputs, and its captures behind them: a module, or a function."""
        if instance.network is None:
            return self.function(instance.name)
        inner = self.done[instance.network]
        return f"self.{self.attributes[instance.name]}" if inner.is_class else inner.name

    def use_layer(self, instance: Instance, arguments: list[Expression]) -> tuple[Expression, bool]:
        assert instance.layer is not None
        form = template(self.lowerings[instance.name], bool(instance.views))
        exposed = [is_loose(a.text) and is_exposed(form, i) for i, a in enumerate(arguments)]
        inputs = [f"({a.text})" if loose else a.text for a, loose in zip(arguments, exposed, strict=True)]
        named = {"all": ", ".join(inputs), "self": f"self.{self.attributes.given.get(instance.name, '')}"}
        named |= {slot: self.view(view) for slot, view in instance.views}
        if instance.views:
            named |= {w.name: f"self.{self.attributes[f'{instance.name}.{w.name}']}[...]" for w in instance.weights}
        text = form.format(*inputs, **named)
        if any(exposed):
            text = ast.unparse(ast.parse(text, mode="eval"))
        light = isinstance(instance.layer, OPERATIONS) or instance.layer.elementwise
        return Expression(text, reads(arguments)), light

    def is_capture(self, name: str) -> bool:
        return any(capture.name == name for capture in self.network.captures)

    def captures(self, instance: Instance) -> list[Expression]:
        """What a sub-network's captures are here."""
        bound = (thing for _, thing in instance.captures)
        return [Expression(self.function(thing) if isinstance(thing, str) else self.view(thing)) for thing in bound]

    def function(self, path: str) -> str:
        """A named layer as a function: its module, or its use written out where it has none or captures something."""
        instance = self.network.by_name.get(path)
        if instance is None:
            return self.locals[path] if self.is_capture(path) else self.path(path)
        if self.has_module(instance) and not instance.captures:
            return self.path(path)
        taken = set(self.locals.taken)
        names = [unique("x", taken) for _ in instance.inputs]
        made, _ = self.use(instance, [Expression(name) for name in names])
        return f"lambda {', '.join(names)}: {made.text}"

    def has_module(self, instance: Instance) -> bool:
        if instance.network is not None:
            return self.done[instance.network].is_class
        return self.lowerings[instance.name].module is not None and not instance.views

    def view(self, view: View) -> str:
        return expression(view, self.weight)

    def weight(self, path: str) -> str:
        """The array of a weight by its path in this network, or by a capture's name."""
        if self.is_capture(path):
            return self.locals[path]
        return f"{self.path(path)}[...]"

    def path(self, path: str) -> str:
        """The attribute of an instance or weight by its path."""
        return "self." + attribute_path(path, self.network, self.attributes, self.slots, self.done)
