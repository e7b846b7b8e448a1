"""The body of a network's call: a line for each use of a layer, or several uses in one line where they fit."""

from collections import Counter
from dataclasses import dataclass

from netc.emit.expressions import Expression, reads, template, texts
from netc.emit.loops import AGAIN, IN_TURN
from netc.emit.names import unique
from netc.emit.scope import Scope
from netc.emit.taps import PLACE, TAPPED, WITHIN, taps
from netc.ir.network import Call, Instance
from netc.layers.arithmetic import OPERATIONS

PASSED = "{all}"
"""The lowering of a layer that gives what it is given."""


@dataclass
class Body:
    """Writes the lines call by call. Values without a name of their own stand in the line that uses them, or in scratch
    variables (`h`, `h2` ...), which are `busy` until they are read. With `taps` each value has a line of its own, and
    tells of itself."""

    scope: Scope
    taps: bool = False

    def __post_init__(self) -> None:
        self.network = self.scope.network
        self.uses = Counter(v for call in self.network.calls for v in call.inputs)
        self.uses.update(v for _, v in self.network.outputs)
        self.users = {v: call for call in self.network.calls for v in call.inputs}
        self.expressions: dict[str, Expression] = {}
        self.lines: list[str] = []
        self.scratch: list[str] = []
        self.busy: set[str] = set()

    def write(self) -> tuple[str, list[str]]:
        """The parameters and the lines."""
        for name in [c.name for c in self.network.captures] + [v.name for v in self.network.values]:
            if not unnamed(name):
                self.scope.locals.reserve(name)
        inputs = [self.scope.locals[name] for name in self.network.inputs]
        captures = [self.scope.locals[capture.name] for capture in self.network.captures]
        for name, identifier in zip(self.network.inputs, inputs, strict=True):
            self.expressions[name] = Expression(identifier)
        for call in self.network.calls:
            self.call(call)
        returned = ", ".join(self.expressions[v].text for _, v in self.network.outputs)
        return ", ".join([*inputs, *captures]), [*self.lines, f"return {returned}"]

    def call(self, call: Call) -> None:
        """One use of an instance: a line or loop, or an expression inside the line that uses its value."""
        instance = self.network.by_name.get(call.instance)
        arguments = [self.expressions[v] for v in call.inputs]
        if instance is not None and self.scope.loops.has(self.network, instance):
            self.loop(call, instance, arguments)
        elif instance is not None and instance.count is not None:
            self.row(call, instance, arguments)
        elif call.times > 1:
            names = self.enter_loop(call, arguments)
            made, _ = self.scope.use_path(call.instance, [Expression(name) for name in names])
            self.lines.append(f"for _ in range({call.times}):")
            self.lines += [f"    {line}" for line in self.assigned(call, names, made.text)]
        elif call.over_time:
            self.over_time(call, arguments)
        elif instance is not None and self.passes(call, instance, arguments):
            self.expressions |= dict(zip(call.outputs, arguments, strict=True))
        else:
            self.bind(call, *self.scope.use_path(call.instance, arguments))

    def passes(self, call: Call, instance: Instance, arguments: list[Expression]) -> bool:
        """Whether a layer gives what it is given, in values without names that can stand for their arguments."""
        if instance.layer is None or self.scope.lowerings[instance.name].call != PASSED or len(arguments) != 1:
            return False
        value, made = call.outputs[0], arguments[0]
        return unnamed(value) and (self.uses[value] == 1 or (made.text.isidentifier() and not made.scratch))

    def row(self, call: Call, instance: Instance, arguments: list[Expression]) -> None:
        """A row of layers: what comes out of one goes into the next."""
        assert instance.network is not None
        inner = self.scope.done[instance.network]
        stack = f"self.{self.scope.attributes[instance.name]}"
        over = f"layer in {stack}" if inner.is_class else f"_ in range({instance.count})"
        if self.taps:
            own = stack if inner.is_class else f"range({instance.count})"
            over = f"{PLACE}, {'layer' if inner.is_class else '_'} in enumerate({own}, {instance.start})"
        names = self.enter_loop(call, arguments)
        given = ", ".join([*names, *(c.text for c in self.scope.captures(instance))])
        target = "layer" if inner.is_class else inner.name
        self.lines.append(f"for {over}:")
        self.lines += [f"    {line}" for line in self.assigned(call, names, f"{target}({given})", f", {PLACE}")]

    def loop(self, call: Call, instance: Instance, arguments: list[Expression]) -> None:
        """A long row, or one layer many times in a row, as a compiled loop."""
        target = self.scope.target(instance)
        stacked = self.scope.loops.stacks(self.network, instance)
        turns = f"{instance.start}, " if self.taps else ""
        loop = f"{IN_TURN}({turns}{target}" if stacked else f"{AGAIN}({target}, {instance.count or call.times}"
        loop = TAPPED + loop if self.taps else loop
        captures = self.scope.captures(instance)
        given = f", given=({texts(captures)},)" if captures else ""
        self.bind(call, Expression(f"{loop}, {texts(arguments)}{given})", reads(arguments)), False)

    def over_time(self, call: Call, arguments: list[Expression]) -> None:
        """A layer at every step in time at once: time goes into the batch, and comes out again."""
        sequences = [self.named_once(argument) for argument in arguments]
        steps = [f"{e.text}.reshape(-1, *{e.text}.shape[2:])" for e in sequences]
        made, _ = self.scope.use_path(call.instance, [Expression(text) for text in steps])
        names = self.targets(call, frozenset())
        self.busy -= reads(sequences)
        self.lines += self.assigned(call, names, made.text)
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
        self.lines += self.assigned(call, self.targets(call, made.scratch), made.text)

    def assigned(self, call: Call, names: list[str], text: str, place: str = "") -> list[str]:
        """The lines that give variables what a call makes; `place` says which one of a row is called."""
        line = f"{', '.join(names)} = {text}"
        if not self.taps:
            return [line]
        own = [f"with {WITHIN}({call.instance!r}{place}):", f"    {line}"]
        instance = self.network.by_name.get(call.instance)
        return [*own, *taps(call.instance, instance.layer if instance else None, names)] if self.told(call) else own

    def told(self, call: Call) -> bool:
        """Whether a call's values are told of here, and not by the network inside."""
        instance = self.network.by_name.get(call.instance)
        return instance is None or instance.network is None

    def targets(self, call: Call, read: frozenset[str]) -> list[str]:
        """The variables for what a call gives; scratch variables that its line reads are free again."""
        self.busy -= read
        names = []
        for value in call.outputs:
            reusable = unnamed(value) and self.uses[value] == 1
            name = self.free_scratch() if reusable else self.scope.locals[value]
            self.expressions[value] = Expression(name, frozenset({name} if reusable else ()))
            names.append(name)
        return names

    def free_scratch(self) -> str:
        for name in self.scratch:
            if name not in self.busy:
                break
        else:
            name = unique(f"h{len(self.scratch) + 1}" if self.scratch else "h", self.scope.locals.taken)
            self.scratch.append(name)
        self.busy.add(name)
        return name

    def fits(self, value: str, made: Expression, light: bool) -> bool:
        """Whether a value without a name of its own may stand inside the line that uses it."""
        if self.taps:
            return False
        if len(made.text) > 80 or not unnamed(value):
            return value == "out"
        user = self.users.get(value)
        if user is None or user.times > 1 or user.over_time:
            return user is None
        instance = self.network.by_name.get(user.instance)
        if instance is None or instance.count is not None:
            return False
        if instance.network is not None:
            return not self.scope.done[instance.network].is_class
        assert instance.layer is not None
        lowering = self.scope.lowerings[instance.name]
        if template(lowering, bool(instance.views)).count("{0}") > 1:
            return False
        heavy = lowering.module is not None
        return isinstance(instance.layer, OPERATIONS) or instance.layer.elementwise or (light and not heavy)


def unnamed(value: str) -> bool:
    """Whether a value has only the number that the checker gave it."""
    return value.startswith("v") and value.rstrip("_")[1:].isdigit()
