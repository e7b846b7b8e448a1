"""The constructor of a network's class: what makes each of its weights and layers, and the attribute that keeps it."""

from dataclasses import dataclass, field

from netc.emit.emitted import EmittedNetwork
from netc.emit.loops import STACK, Loops
from netc.emit.names import MODULE_ATTRIBUTES, Names
from netc.ir.network import Instance, Network, Weight
from netc.layers.base import Lowering


@dataclass
class Constructor:
    """Names the attributes and slots of a network (see `EmittedNetwork`) while its lines are written."""

    network: Network
    done: dict[str, EmittedNetwork]
    lowerings: dict[str, Lowering]
    loops: Loops
    places: bool
    attributes: Names = field(default_factory=lambda: Names(MODULE_ATTRIBUTES))
    slots: dict[tuple[str, str], str] = field(default_factory=dict)

    def write(self) -> list[str]:
        """The lines; none where the network keeps nothing."""
        lines = [
            f"self.{self.attributes[weight.name]} = {parameter(weight, weight.init.flax())}{self.place(weight)}"
            for weight in self.network.weights
        ]
        for instance in self.network.instances:
            declare = self.declare_layer if instance.network is None else self.declare_network
            lines += [line + self.place(instance) for line in declare(instance)]
        return lines

    def declare_network(self, instance: Instance) -> list[str]:
        assert instance.network is not None
        inner = self.done[instance.network]
        if not inner.is_class:
            return []
        made = f"{inner.name}(rngs)"
        if instance.count is not None:
            row = f"[{inner.name}(rngs) for _ in range({instance.count})]"
            made = f"{STACK if self.loops.stacks(self.network, instance) else 'nnx.List'}({row})"
        return [f"self.{self.attributes[instance.name]} = {made}"]

    def declare_layer(self, instance: Instance) -> list[str]:
        """One line for a layer's module; where the layer sees weights of others, one for each that is its own."""
        lowering = self.lowerings[instance.name]
        if instance.views:
            lines = []
            for weight in instance.weights:
                attribute = self.attributes[f"{instance.name}.{weight.name}"]
                self.slots[instance.name, weight.name] = f"={attribute}"
                start = lowering.starts.get(weight.name, weight.init.flax())
                lines.append(f"self.{attribute} = {parameter(weight, start)}")
            if lowering.function_module is not None:
                lines.append(f"self.{self.attributes[instance.name]} = {lowering.function_module}")
            return lines
        if lowering.module is None:
            return []
        for weight in instance.weights:
            self.slots[instance.name, weight.name] = lowering.variables[weight.name]
        return [f"self.{self.attributes[instance.name]} = {lowering.module}"]

    def place(self, thing: Instance | Weight) -> str:
        if not self.places or thing.span is None:
            return ""
        name = "".join(char if char.isprintable() else "?" for char in thing.span.source.name)
        return f"  # {name}:{thing.span.line}"


def parameter(weight: Weight, start: str) -> str:
    """The declaration of a weight outside a Flax layer, with the expression of its initialiser."""
    kind = "nnx.Param" if weight.trainable else "nnx.BatchStat"
    return f"{kind}({start}(rngs.params(), {weight.shape!r}))"
