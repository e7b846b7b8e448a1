"""One network as a Flax class, or as a function where it keeps nothing."""

import ast
from collections import Counter
from dataclasses import dataclass, field

from netc.emit.emitted import PLACEHOLDER, EmittedNetwork, attribute_path
from netc.emit.expressions import Expression, is_exposed, is_loose, reads, template, texts
from netc.emit.layout import wrap
from netc.emit.names import MODULE_ATTRIBUTES, Names, unique
from netc.ir.network import Call, Instance, Network, View, Weight
from netc.ir.views import expression
from netc.layers.arithmetic import OPERATIONS

PASSED = "{all}"
"""The lowering of a layer that gives what it is given."""


def emit_network(
    network: Network, done: dict[str, EmittedNetwork], places: bool, must_be_class: bool = False
) -> EmittedNetwork:
    """The text of a network whose own networks are `done`."""
    return Writer(network, done, places).write(must_be_class)


@dataclass
class Writer:
    network: Network
    done: dict[str, EmittedNetwork]
    places: bool
    attributes: Names = field(default_factory=lambda: Names(MODULE_ATTRIBUTES))
    slots: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.globals = {emitted.name for emitted in self.done.values()} | self.support()
        self.locals = Names(self.globals)
        self.lowerings = {i.name: i.layer.lower(i.inputs) for i in self.network.instances if i.layer is not None}
        self.uses = Counter(v for call in self.network.calls for v in call.inputs)
        self.uses.update(v for _, v in self.network.outputs)
        self.users = {v: call for call in self.network.calls for v in call.inputs}
        self.expressions: dict[str, Expression] = {}
        self.lines: list[str] = []
        for name in [c.name for c in self.network.captures] + [v.name for v in self.network.values]:
            if not unnamed(name):
                self.locals.reserve(name)
        self.scratch: list[str] = []
        self.busy: set[str] = set()

    def support(self) -> set[str]:
        return {
            name
            for i in self.network.instances
            if i.layer is not None
            for name in i.layer.lower(i.inputs).needs(bool(i.views), [w.name for w in i.weights])
        }

    def write(self, must_be_class: bool) -> EmittedNetwork:
        init = [line for weight in self.network.weights for line in self.declare_weight(weight)]
        for instance in self.network.instances:
            init += self.declare(instance)
        is_class = must_be_class or bool(init)
        inputs = [self.locals[name] for name in self.network.inputs]
        captures = [self.locals[capture.name] for capture in self.network.captures]
        for name, identifier in zip(self.network.inputs, inputs, strict=True):
            self.expressions[name] = Expression(identifier)
        for call in self.network.calls:
            self.call(call)
        returned = ", ".join(self.value(v).text for _, v in self.network.outputs)
        body = [*self.lines, f"return {returned}"]
        parameters = ", ".join([*inputs, *captures])
        text = self.as_class(init, parameters, body) if is_class else as_function(parameters, body)
        return EmittedNetwork(self.network, text, PLACEHOLDER, is_class, self.attributes, self.slots)

    def as_class(self, init: list[str], parameters: str, body: list[str]) -> str:
        lines = [f"class {PLACEHOLDER}(nnx.Module):", "    def __init__(self, rngs: nnx.Rngs):"]
        lines += [wrapped for line in init or ["pass"] for wrapped in wrap(line, "        ")]
        lines += ["", f"    def __call__(self, {parameters}):"]
        lines += [wrapped for line in body for wrapped in wrap(line, "        ")]
        return "\n".join(lines)

    def declare_weight(self, weight: Weight) -> list[str]:
        return [f"self.{self.attributes[weight.name]} = {parameter(weight, weight.init.flax())}{self.place(weight)}"]

    def declare(self, instance: Instance) -> list[str]:
        """The constructor lines of an instance; none where it keeps nothing."""
        place = self.place(instance)
        if instance.network is not None:
            inner = self.done[instance.network]
            if not inner.is_class:
                return []
            made = f"{inner.name}(rngs)"
            if instance.count is not None:
                made = f"nnx.List([{inner.name}(rngs) for _ in range({instance.count})])"
            return [f"self.{self.attributes[instance.name]} = {made}{place}"]
        lowering = self.lowerings[instance.name]
        if instance.views:
            lines = []
            for weight in instance.weights:
                attribute = self.attributes[f"{instance.name}.{weight.name}"]
                self.slots[instance.name, weight.name] = f"={attribute}"
                start = lowering.starts.get(weight.name, weight.init.flax())
                lines.append(f"self.{attribute} = {parameter(weight, start)}{place}")
            if lowering.function_module is not None:
                lines.append(f"self.{self.attributes[instance.name]} = {lowering.function_module}{place}")
            return lines
        if lowering.module is None:
            return []
        for weight in instance.weights:
            self.slots[instance.name, weight.name] = lowering.variables[weight.name]
        return [f"self.{self.attributes[instance.name]} = {lowering.module}{place}"]

    def place(self, thing: Instance | Weight) -> str:
        if not self.places or thing.span is None:
            return ""
        name = "".join(char if char.isprintable() else "?" for char in thing.span.source.name)
        return f"  # {name}:{thing.span.line}"

    def call(self, call: Call) -> None:
        """One use of an instance: a line or loop, or an expression inside the line that uses its value."""
        instance = self.network.by_name.get(call.instance)
        arguments = [self.value(v) for v in call.inputs]
        if instance is not None and instance.count is not None:
            self.row(call, instance, arguments)
        elif call.times > 1:
            names = self.enter_loop(call, arguments)
            made, _ = self.use_path(call.instance, [Expression(name) for name in names])
            self.lines += [f"for _ in range({call.times}):", f"    {', '.join(names)} = {made.text}"]
        elif call.over_time:
            self.over_time(call, arguments)
        elif instance is not None and self.passes(call, instance, arguments):
            self.expressions |= dict(zip(call.outputs, arguments, strict=True))
        else:
            self.bind(call, *self.use_path(call.instance, arguments))

    def use_path(self, path: str, arguments: list[Expression]) -> tuple[Expression, bool]:
        """The expression of one use, and whether it is light enough to stand inside another."""
        instance = self.network.by_name.get(path)
        if instance is None:
            return Expression(f"{self.function(path)}({texts(arguments)})", reads(arguments)), False
        return self.use(instance, arguments)

    def use(self, instance: Instance, arguments: list[Expression]) -> tuple[Expression, bool]:
        if instance.network is not None:
            inner = self.done[instance.network]
            target = f"self.{self.attributes[instance.name]}" if inner.is_class else inner.name
            given = texts([*arguments, *self.captures(instance)])
            return Expression(f"{target}({given})", reads(arguments)), not inner.is_class
        return self.use_layer(instance, arguments)

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

    def passes(self, call: Call, instance: Instance, arguments: list[Expression]) -> bool:
        """Whether a layer gives what it is given, in values without names that can stand for their arguments."""
        if instance.layer is None or self.lowerings[instance.name].call != PASSED or len(arguments) != 1:
            return False
        value, made = call.outputs[0], arguments[0]
        return unnamed(value) and (self.uses[value] == 1 or (made.text.isidentifier() and not made.scratch))

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

    def row(self, call: Call, instance: Instance, arguments: list[Expression]) -> None:
        """A row of layers: what comes out of one goes into the next."""
        assert instance.network is not None
        inner = self.done[instance.network]
        over = f"layer in self.{self.attributes[instance.name]}" if inner.is_class else f"_ in range({instance.count})"
        names = self.enter_loop(call, arguments)
        given = ", ".join([*names, *(c.text for c in self.captures(instance))])
        target = "layer" if inner.is_class else inner.name
        self.lines += [f"for {over}:", f"    {', '.join(names)} = {target}({given})"]

    def over_time(self, call: Call, arguments: list[Expression]) -> None:
        """A layer at every step in time at once: time goes into the batch, and comes out again."""
        sequences = [self.named_once(argument) for argument in arguments]
        steps = [f"{e.text}.reshape(-1, *{e.text}.shape[2:])" for e in sequences]
        made, _ = self.use_path(call.instance, [Expression(text) for text in steps])
        names = self.targets(call, frozenset())
        self.busy -= reads(sequences)
        self.lines.append(f"{', '.join(names)} = {made.text}")
        self.lines += [f"{name} = {name}.reshape(*{sequences[0].text}.shape[:2], *{name}.shape[1:])" for name in names]

    def named_once(self, expression: Expression) -> Expression:
        """An expression that can stand several times: a variable."""
        if expression.text.isidentifier():
            return expression
        self.busy -= expression.scratch
        name = self.free_scratch()
        self.lines.append(f"{name} = {expression.text}")
        return Expression(name, frozenset({name}))

    def enter_loop(self, call: Call, arguments: list[Expression]) -> list[str]:
        """The variables that flow through a loop, with what flows in assigned to them."""
        names = self.targets(call, reads(arguments))
        flowing = ", ".join(names)
        if texts(arguments) != flowing:
            self.lines.append(f"{flowing} = {texts(arguments)}")
        return names

    def bind(self, call: Call, made: Expression, light: bool) -> None:
        """Gives a call's value to a variable, or keeps it to stand where it is used, if it is used once."""
        if len(call.outputs) == 1 and self.uses[call.outputs[0]] == 1 and self.fits(call.outputs[0], made, light):
            self.expressions[call.outputs[0]] = made
            return
        names = self.targets(call, made.scratch)
        self.lines.append(f"{', '.join(names)} = {made.text}")

    def targets(self, call: Call, read: frozenset[str]) -> list[str]:
        """The variables for what a call gives; scratch variables that its line reads are free again."""
        self.busy -= read
        names = []
        for value in call.outputs:
            reusable = unnamed(value) and self.uses[value] == 1
            name = self.free_scratch() if reusable else self.locals[value]
            self.expressions[value] = Expression(name, frozenset({name} if reusable else ()))
            names.append(name)
        return names

    def free_scratch(self) -> str:
        for name in self.scratch:
            if name not in self.busy:
                break
        else:
            name = unique(f"h{len(self.scratch) + 1}" if self.scratch else "h", self.locals.taken)
            self.scratch.append(name)
        self.busy.add(name)
        return name

    def fits(self, value: str, made: Expression, light: bool) -> bool:
        """Whether a value without a name of its own may stand inside the line that uses it."""
        if len(made.text) > 80 or not unnamed(value):
            return value == "out"
        user = self.users.get(value)
        if user is None or user.times > 1 or user.over_time:
            return user is None
        instance = self.network.by_name.get(user.instance)
        if instance is None or instance.count is not None:
            return False
        if instance.network is not None:
            return not self.done[instance.network].is_class
        assert instance.layer is not None
        lowering = self.lowerings[instance.name]
        if template(lowering, bool(instance.views)).count("{0}") > 1:
            return False
        heavy = lowering.module is not None
        return isinstance(instance.layer, OPERATIONS) or instance.layer.elementwise or (light and not heavy)

    def value(self, name: str) -> Expression:
        return self.expressions[name]

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


def unnamed(value: str) -> bool:
    """Whether a value has only the number that the checker gave it."""
    return value.startswith("v") and value.rstrip("_")[1:].isdigit()


def parameter(weight: Weight, start: str) -> str:
    """The declaration of a weight outside a Flax layer, with the expression of its initialiser."""
    kind = "nnx.Param" if weight.trainable else "nnx.BatchStat"
    return f"{kind}({start}(rngs.params(), {weight.shape!r}))"


def as_function(parameters: str, body: list[str]) -> str:
    return "\n".join([f"def {PLACEHOLDER}({parameters}):", *(w for line in body for w in wrap(line, "    "))])
