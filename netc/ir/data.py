"""A program as plain data and as YAML, both ways. docs/ir.md lists the keys; those left out have their defaults."""

from collections.abc import Mapping
from typing import Any

from netc.arguments import Accepts, Entry
from netc.ir.cursor import LARGEST, Cursor
from netc.ir.entries import AN_ORBIT, CONSTRAINT_KINDS, INITIALISER_KINDS, SETTING_KINDS, build, meant, word_for
from netc.ir.network import Call, Capture, Constrained, Instance, Network, Program, Reference, Value, View, Weight
from netc.ir.problems import BrokenProgram
from netc.ir.verify import first_broken
from netc.ir.views import checked
from netc.layers import ALL_KINDS
from netc.layers.base import Initialiser, Layer, Refusal
from netc.layers.constraints import Constraint
from netc.problems import CompileError
from netc.types import F32, PLAIN, SIZED, Element, Orbit, Type


def print_yaml(program: Program) -> str:
    """A program as one YAML document."""
    import yaml

    return yaml.safe_dump(to_data(program), sort_keys=False, explicit_start=True, width=100, default_flow_style=None)


def parse_yaml(text: str) -> Program:
    """The program of a YAML document; raises `CompileError` as `from_data` does."""
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as failure:
        raise CompileError([BrokenProgram(reason=f"this is no YAML: {' '.join(str(failure).split())}")]) from None
    except (ValueError, LookupError, AttributeError, RecursionError) as failure:
        # What PyYAML lets through: values that their explicit tags forbid, and a hostile depth.
        raise CompileError([BrokenProgram(reason=f"this is no plain YAML: {failure}")]) from None
    return from_data(data)


# Out.


def to_data(program: Program) -> dict[str, Any]:
    """A program as mappings, lists, strings and numbers."""
    return {"networks": [network_data(network) for network in program.networks]}


def network_data(network: Network) -> dict[str, Any]:
    return {
        "name": network.name,
        "inputs": list(network.inputs),
        "outputs": [{"name": name, "value": value} for name, value in network.outputs],
        **said(captures=[capture_data(capture) for capture in network.captures]),
        "values": [{"name": value.name, **type_data(value.type)} for value in network.values],
        **said(
            weights=[weight_data(weight) for weight in network.weights],
            constraints=[{"selector": c.selector, "constraint": entry_data(c.constraint)} for c in network.constraints],
        ),
        "instances": [instance_data(instance) for instance in network.instances],
        "calls": [call_data(call) for call in network.calls],
    }


def said(**lists: list[Any]) -> dict[str, Any]:
    """The lists that have something in them."""
    return {key: items for key, items in lists.items() if items}


def capture_data(capture: Capture) -> dict[str, Any]:
    return {"name": capture.name, **({} if capture.shape is None else {"shape": list(capture.shape)})}


def type_data(type_: Type) -> dict[str, Any]:
    element = {} if type_.element == F32 else {"element": type_.element.name}
    size = {} if type_.element.size is None else {"size": type_.element.size}
    orbit = {} if type_.orbit is None else {"orbit": argument_data(AN_ORBIT, type_.orbit)}
    return {"shape": list(type_.shape), **element, **size, **orbit}


def weight_data(weight: Weight) -> dict[str, Any]:
    return {
        "name": weight.name,
        "shape": list(weight.shape),
        "init": entry_data(weight.init),
        **said(axes=list(weight.axes)),
        **({} if weight.trainable else {"trainable": False}),
    }


def instance_data(instance: Instance) -> dict[str, Any]:
    made = {"network": instance.network} if instance.layer is None else {"layer": entry_data(instance.layer)}
    return {
        "name": instance.name,
        **made,
        **({"start": instance.start} if instance.start else {}),
        **({} if instance.count is None else {"count": instance.count}),
        "inputs": [type_data(t) for t in instance.inputs],
        "outputs": [type_data(t) for t in instance.outputs],
        **said(
            weights=[weight_data(weight) for weight in instance.weights],
            views=[{"name": slot, "view": view_data(view)} for slot, view in instance.views],
            captures=[
                {"name": name, **({"layer": bound} if isinstance(bound, str) else {"view": view_data(bound)})}
                for name, bound in instance.captures
            ],
        ),
    }


def call_data(call: Call) -> dict[str, Any]:
    again: dict[str, Any] = {} if call.times == 1 else {"times": call.times}
    variant = {} if call.network is None else {"network": call.network}
    flow = {"inputs": list(call.inputs), "outputs": list(call.outputs)}
    steps = {"over_time": True} if call.over_time else {}
    return {"instance": call.instance, **flow, **again, **variant, **steps}


def view_data(view: View) -> dict[str, Any]:
    if isinstance(view, Reference):
        return {"weight": view.path, "shape": list(view.shape)}
    settings: list[object] = [list(s) if isinstance(s, tuple) else s for s in view.settings]
    return {
        "operation": view.operation,
        "operands": [view_data(operand) for operand in view.operands],
        **said(settings=settings),
        "shape": list(view.shape),
    }


def entry_data(entry: Entry) -> dict[str, Any]:
    """A layer or initialiser by its kind and the arguments that differ from their defaults."""
    accepts = {argument.name: argument.accepts for argument in entry.arguments()}
    return {"kind": entry.kind, **{name: argument_data(accepts[name], v) for name, v in entry.given().items()}}


def argument_data(accepts: Accepts, value: object) -> object:
    word = word_for(accepts, value)
    return value_data(value) if word is None else word


def value_data(value: object) -> object:
    match value:
        case tuple():
            return [value_data(item) for item in value]
        case Entry():
            return entry_data(value)
        case _:
            return value


# In.


def from_data(data: object) -> Program:
    """The program that plain data describe. Raises `CompileError` with the first thing that is wrong."""
    networks = Cursor(data).fields(("networks",))["networks"]
    program = Program(tuple(read_network(item) for item in networks.items()))
    if broken := first_broken(program):
        raise CompileError([BrokenProgram(where="networks", reason=str(broken))])
    return program


def read_network(at: Cursor) -> Network:
    found = at.fields(
        ("name", "inputs", "outputs", "values", "instances", "calls"), ("captures", "weights", "constraints")
    )
    return Network(
        found["name"].text(),
        found["inputs"].texts(),
        tuple((pair["name"].text(), pair["value"].text()) for pair in rows(found, "outputs", ("name", "value"))),
        tuple(read_value(item) for item in found["values"].items()),
        tuple(read_weight(item) for item in listed(found, "weights")),
        tuple(read_instance(item) for item in found["instances"].items()),
        tuple(read_call(item) for item in found["calls"].items()),
        tuple(read_capture(item) for item in listed(found, "captures")),
        tuple(map(read_constrained, listed(found, "constraints"))),
    )


def listed(found: Mapping[str, Cursor], key: str) -> list[Cursor]:
    """The items of a list that may be left out."""
    return found[key].items() if key in found else []


def rows(
    found: Mapping[str, Cursor], key: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> list[dict[str, Cursor]]:
    return [item.fields(required, optional) for item in listed(found, key)]


def read_capture(at: Cursor) -> Capture:
    found = at.fields(("name",), ("shape",))
    return Capture(found["name"].text(), found["shape"].shape() if "shape" in found else None)


def read_constrained(at: Cursor) -> Constrained:
    found = at.fields(("selector", "constraint"))
    made = read_entry(found["constraint"], CONSTRAINT_KINDS)
    assert isinstance(made, Constraint)
    return Constrained(found["selector"].text(), made)


def read_value(at: Cursor) -> Value:
    found = at.fields(("name", "shape"), TYPE_KEYS)
    return Value(found["name"].text(), type_of(found))


def read_type(at: Cursor) -> Type:
    return type_of(at.fields(("shape",), TYPE_KEYS))


TYPE_KEYS = ("element", "size", "orbit")


def type_of(found: Mapping[str, Cursor]) -> Type:
    size = found["size"].whole() if "size" in found else None
    orbit = read_orbit(found["orbit"]) if "orbit" in found else None
    if "element" not in found:
        shape = found["shape"].shape()
        return Type(shape, orbit=orbit) if size is None else found["size"].fail("an element is of this size")
    name = found["element"].text()
    if name not in (PLAIN if size is None else SIZED):
        found["element"].fail(f"there is no element `{name}` {'without' if size is None else 'with'} a size")
    return Type(found["shape"].shape(), Element(name, size), orbit)


def read_orbit(at: Cursor) -> Orbit:
    made = AN_ORBIT.read(meant(AN_ORBIT, read_plain(at)))
    return made if isinstance(made, Orbit) else at.fail(f"an orbit is {AN_ORBIT.describe()}")


def read_weight(at: Cursor) -> Weight:
    found = at.fields(("name", "shape", "init"), ("axes", "trainable"))
    return Weight(
        found["name"].text(),
        found["shape"].shape(),
        read_initialiser(found["init"]),
        found["axes"].texts() if "axes" in found else (),
        found["trainable"].truth() if "trainable" in found else True,
    )


def read_instance(at: Cursor) -> Instance:
    lists = ("weights", "views", "captures")
    found = at.fields(("name", "inputs", "outputs"), ("layer", "network", "start", "count", *lists))
    return Instance(
        found["name"].text(),
        read_layer(found["layer"]) if "layer" in found else None,
        found["network"].text() if "network" in found else None,
        tuple(map(read_type, found["inputs"].items())),
        tuple(map(read_type, found["outputs"].items())),
        tuple(map(read_weight, listed(found, "weights"))),
        tuple((row["name"].text(), read_view(row["view"])) for row in rows(found, "views", ("name", "view"))),
        tuple(map(read_binding, listed(found, "captures"))),
        found["start"].whole() if "start" in found else 0,
        found["count"].whole() if "count" in found else None,
    )


def read_binding(at: Cursor) -> tuple[str, View | str]:
    found = at.fields(("name",), ("view", "layer"))
    if len(found) != 2:
        at.fail("a capture is bound either to a view or to a layer")
    return found["name"].text(), found["layer"].text() if "layer" in found else read_view(found["view"])


def read_call(at: Cursor) -> Call:
    found = at.fields(("instance", "inputs", "outputs"), ("times", "network", "over_time"))
    times = found["times"].whole() if "times" in found else 1
    network = found["network"].text() if "network" in found else None
    steps = found["over_time"].truth() if "over_time" in found else False
    return Call(found["instance"].text(), found["inputs"].texts(), found["outputs"].texts(), times, network, steps)


def read_view(at: Cursor) -> View:
    if isinstance(at.value, dict) and "weight" in at.value:
        found = at.fields(("weight", "shape"))
        return Reference(found["weight"].text(), found["shape"].shape())
    found = at.fields(("operation", "operands", "shape"), ("settings",))
    operands = tuple(map(read_view, found["operands"].items()))
    settings = tuple(read_plain(item) for item in listed(found, "settings"))
    made = checked(found["operation"].text(), operands, settings)
    if isinstance(made, Refusal):
        at.fail(made.message)
    if made.shape != found["shape"].shape():
        found["shape"].fail(f"this view has the shape {list(made.shape)}")
    return made


def read_layer(at: Cursor) -> Layer:
    made = read_entry(at, ALL_KINDS)
    assert isinstance(made, Layer)
    return made


def read_initialiser(at: Cursor) -> Initialiser:
    made = read_entry(at, INITIALISER_KINDS)
    assert isinstance(made, Initialiser)
    return made


def read_entry(at: Cursor, table: Mapping[str, type[Entry]]) -> Entry:
    found = at.fields(("kind",), None)
    named = {name: read_plain(item) for name, item in found.items() if name != "kind"}
    made = build(table, found["kind"].text(), (), named)
    return at.fail(made) if isinstance(made, str) else made


def read_plain(at: Cursor) -> object:
    """An argument: a number, string or truth value, a list of such, an initialiser or an orbit."""
    match at.value:
        case list() | tuple():
            return tuple(read_plain(item) for item in at.items())
        case dict():
            return read_entry(at, SETTING_KINDS)
        case bool() | str() | float():
            return at.value
        case int() as number if abs(number) < LARGEST:
            return number
        case _:
            return at.fail("a number, string, list or initialiser is needed here")
