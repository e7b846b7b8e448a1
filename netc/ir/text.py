"""A program out as text that reads like the language and loads back (`netc.ir.read`): one line for each
value, owned weight and view; the places in the .net file are comments. docs/ir.md describes the form."""

import json
import re
from collections import deque
from collections.abc import Iterator

from netc.arguments import Accepts, Entry
from netc.ir.counts import flow_of
from netc.ir.entries import word_for
from netc.ir.network import Call, Derived, Instance, Network, Program, Reference, Value, View, Weight
from netc.ir.views import show_view
from netc.layers.initialisers import Constant
from netc.rendering import printable
from netc.source import Span
from netc.types import Type, show_shape

COMMENT_COLUMN = 80
BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.(?!T(?![A-Za-z0-9_]))[A-Za-z0-9_]+)*")
KEYWORDS = re.compile(
    "network|input|output|capture|layer|weight|repeat|from|times|owns|views|binds|state|over|over_time|as|true|false|inf"
)
"""Words of the form (`grammar/ir.lark`), which stand between quotes where they are names."""


def print_program(program: Program) -> str:
    """The text of a lawful program; `netc.ir.read.parse_program` makes an equal one of it."""
    return "\n\n".join("\n".join(network_lines(network)) for network in program.networks) + "\n"


def network_lines(network: Network) -> Iterator[str]:
    yield line(f"network {sure_name(network.name)} {{", network.span)
    for capture in network.captures:
        outside = f"layer {name(capture.name)}" if capture.shape is None else described(capture.name, capture.shape)
        yield f"  capture {outside}"
    for weight in network.weights:
        yield line(f"  weight {weight_text(weight)}", weight.span)
    yield from flow_lines(network)
    for output, value in network.outputs:
        yield f"  output {name(output)} = {name(value)}"
    yield "}"


def flow_lines(network: Network) -> Iterator[str]:
    """Inputs, layers and calls: each input where it stands among the values, each layer with its first call
    or, where that call says too little, by itself."""
    place = {value.name: i for i, value in enumerate(network.values)}
    inputs = deque(value for value in network.values if value.name in network.inputs)
    waiting = deque(network.instances)
    unseen = set(network.by_name)
    for call in network.calls:
        while inputs and place[inputs[0].name] < place[call.outputs[0]]:
            yield input_line(inputs.popleft())
        attached: list[str] = []
        made = ""
        while call.instance in unseen:
            instance = waiting.popleft()
            unseen.discard(instance.name)
            if instance.name == call.instance and says_all(call, instance, network):
                made, attached = f": {maker(instance)}", list(attached_lines(instance))
            else:
                yield from layer_lines(instance)
        yield line(f"  {call_text(call, network)}{made}{use_text(call)}", call.span)
        yield from attached
    yield from map(input_line, inputs)
    for instance in waiting:
        yield from layer_lines(instance)


def says_all(call: Call, instance: Instance, network: Network) -> bool:
    """Whether the types of a call are those that its instance was made for."""
    given, gives, _ = flow_of(call, network.types)
    return call.network is None and given == instance.inputs and gives == instance.outputs


def input_line(value: Value) -> str:
    return line(f"  input {name(value.name)}: {value.type}", value.span)


def call_text(call: Call, network: Network) -> str:
    results = ", ".join(f"{name(v)}: {network.types[v]}" for v in call.outputs)
    operands = ", ".join(map(name, call.inputs))
    flowing = operands if len(call.inputs) == 1 else f"({operands})"
    steps = "over_time " if call.over_time else ""
    return f"{results} = {flowing} -> {steps}{name(call.instance)}"


def use_text(call: Call) -> str:
    """As which network a sub-network is used, if it was made for other types, and how often in a row."""
    variant = "" if call.network is None else f" as {sure_name(call.network)}"
    return variant if call.times == 1 else f"{variant} times {call.times}"


def layer_lines(instance: Instance) -> Iterator[str]:
    """An instance that no call introduces."""
    types = f"{types_text(instance.inputs)} -> {types_text(instance.outputs)}"
    yield line(f"  layer {name(instance.name)}: {types} = {maker(instance)}", instance.span)
    yield from attached_lines(instance)


def types_text(types: tuple[Type, ...]) -> str:
    return str(types[0]) if len(types) == 1 else f"({', '.join(map(str, types))})"


def maker(instance: Instance) -> str:
    """What an instance is made of: a layer kind with its arguments, or a network; `repeat n` makes a row."""
    row = "" if instance.count is None else f"repeat {instance.count} "
    start = f"from {instance.start} " if instance.start else ""
    if instance.network is not None:
        return f"{row}{start}network {sure_name(instance.network)}"
    assert instance.layer is not None
    return f"{row}{start}{entry_text(instance.layer)}"


def attached_lines(instance: Instance) -> Iterator[str]:
    """The weights of an instance: owned, seen through views, and bound to what its network captures."""
    for weight in instance.weights:
        moved = None if weight.span == instance.span else weight.span
        yield line(f"    owns {weight_text(weight)}", moved)
    for slot, view in instance.views:
        yield f"    views {name(slot)} = {view_text(view)}"
    for formal, bound in instance.captures:
        yield f"    binds {name(formal)} = {f'layer {name(bound)}' if isinstance(bound, str) else view_text(bound)}"


def weight_text(weight: Weight) -> str:
    state = "" if weight.trainable else "state "
    axes = f" over {', '.join(map(name, weight.axes))}" if weight.axes else ""
    return f"{state}{described(weight.name, weight.shape)} = {entry_text(weight.init)}{axes}"


def described(weight: str, shape: tuple[int, ...]) -> str:
    return f"{name(weight)}: {show_shape(shape)}"


def view_text(view: View) -> str:
    return show_view(with_names(view))


def with_names(view: View) -> View:
    """A view whose paths are written as names are."""
    if isinstance(view, Reference):
        return Reference(name(view.path), view.shape)
    return Derived(view.operation, tuple(map(with_names, view.operands)), view.settings, view.shape)


def entry_text(entry: Entry) -> str:
    """A layer or initialiser as the language writes it, with the arguments that differ from their defaults; by
    position the first one and those that it needs."""
    if isinstance(entry, Constant):
        return repr(entry.value)
    parts = []
    for i, argument in enumerate(entry.arguments()):
        value = getattr(entry, argument.name)
        if argument.required or value != argument.default:
            leading = i == len(parts) and (argument.required or i == 0)
            parts.append(f"{'' if leading else f'{argument.name} = '}{argument_text(argument.accepts, value)}")
    return f"{entry.kind}({', '.join(parts)})" if parts else entry.kind


def argument_text(accepts: Accepts, value: object) -> str:
    word = word_for(accepts, value)
    return value_text(value) if word is None else name(word)


def value_text(value: object) -> str:
    """The value of an argument; floats in full."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value)
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case Entry():
            return entry_text(value)
        case _:
            return repr(value)


def name(text: str) -> str:
    """A name or path as it is, or between double quotes where it would read as something else."""
    return text if BARE.fullmatch(text) and not KEYWORDS.fullmatch(text) else json.dumps(text)


def sure_name(text: str) -> str:
    """A name behind `network` or `as`, where every word is one."""
    return text if BARE.fullmatch(text) else json.dumps(text)


def line(text: str, span: Span | None) -> str:
    """A line with its place in the .net file as a comment."""
    return text if span is None else f"{text:<{COMMENT_COLUMN}}  # {printable(f'{span.source.name}:{span.line}')}"
