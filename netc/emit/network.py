"""One network as a Flax class, or as a function where it keeps nothing."""

from collections.abc import Mapping

from netc.emit.body import Body
from netc.emit.constructor import Constructor
from netc.emit.emitted import PLACEHOLDER, EmittedNetwork
from netc.emit.layout import wrap
from netc.emit.loops import Loops
from netc.emit.names import Names
from netc.emit.scope import Scope
from netc.emit.taps import PLACE, support
from netc.ir.network import Instance, Network
from netc.layers.base import Layer, Lowering, Target


def emit_network(
    network: Network,
    done: dict[str, EmittedNetwork],
    loops: Loops,
    places: bool,
    must_be_class: bool = False,
    taps: bool = False,
    device: str | None = None,
) -> EmittedNetwork:
    """The text of a network whose own networks are `done`; with `taps` it tells of its values."""
    lowerings = lowerings_of(network, loops, device)
    constructor = Constructor(network, done, lowerings, loops, places)
    made = constructor.write()
    attributes, slots = constructor.attributes, constructor.slots
    taken = {emitted.name for emitted in done.values()} | layer_support(network, lowerings) | loops.support
    taken |= {*support(loops), PLACE} if taps else set()
    parameters, body = Body(Scope(network, done, lowerings, loops, attributes, slots, Names(taken)), taps).write()
    is_class = must_be_class or bool(made)
    text = as_class(made, parameters, body) if is_class else as_function(parameters, body)
    return EmittedNetwork(network, text, PLACEHOLDER, is_class, attributes, slots)


def lowerings_of(network: Network, loops: Loops, device: str | None = None) -> dict[str, Lowering]:
    """The Flax code of each of a network's layers, by its name."""
    return {i.name: lowering(i, i.layer, network, loops, device) for i in network.instances if i.layer is not None}


def lowering(instance: Instance, layer: Layer, network: Network, loops: Loops, device: str | None) -> Lowering:
    target = Target(device, network.name in loops.inside or loops.has(network, instance))
    found = layer.lower_for(target, instance.inputs, bool(instance.views))
    assert found is not None
    return found


def layer_support(network: Network, lowerings: Mapping[str, Lowering]) -> set[str]:
    """What the layers of a network use of the support modules."""
    return {
        name
        for i in network.instances
        if i.layer is not None
        for name in lowerings[i.name].needs(bool(i.views), [w.name for w in i.weights])
    }


def as_class(constructor: list[str], parameters: str, body: list[str]) -> str:
    lines = [f"class {PLACEHOLDER}(nnx.Module):", "    def __init__(self, rngs: nnx.Rngs):"]
    lines += [wrapped for line in constructor or ["pass"] for wrapped in wrap(line, "        ")]
    lines += ["", f"    def __call__(self, {parameters}):"]
    lines += [wrapped for line in body for wrapped in wrap(line, "        ")]
    return "\n".join(lines)


def as_function(parameters: str, body: list[str]) -> str:
    return "\n".join([f"def {PLACEHOLDER}({parameters}):", *(w for line in body for w in wrap(line, "    "))])
