"""What is known of a network once it is emitted: its text, and where its weights and layers are in it."""

from dataclasses import dataclass, replace

from netc.emit.names import Names
from netc.ir.network import Network

PLACEHOLDER = "\0"
"""Stands for the network's own name, which no name of a text can contain."""


@dataclass(frozen=True)
class Place:
    """Where a weight lives in a module: the attributes to it, and its place in each stack that it stands in."""

    path: str = ""
    index: tuple[int, ...] = ()

    def within(self, attribute: str) -> "Place":
        """A place further inside."""
        return Place(f"{self.path}.{attribute}" if self.path else attribute, self.index)


ROOT = Place()


@dataclass(frozen=True)
class EmittedNetwork:
    """A network's text, and what others need to refer into it.

    `attributes` maps instances and declared weights to attributes; `slots` maps (instance, weight) to the
    attribute within the instance's module, or, after `=`, within this network.
    """

    network: Network
    text: str
    name: str
    is_class: bool
    attributes: Names
    slots: dict[tuple[str, str], str]

    def named(self, name: str) -> "EmittedNetwork":
        return replace(self, text=self.text.replace(PLACEHOLDER, name), name=name)


def attribute_path(
    path: str, network: Network, attributes: Names, slots: dict[tuple[str, str], str], done: dict[str, EmittedNetwork]
) -> str:
    if any(weight.name == path for weight in network.weights) or path in network.by_name:
        return attributes[path]
    cuts = [i for i in range(len(path) - 1, 0, -1) if path[i] == "."]
    for cut in cuts:
        head, rest = path[:cut], path[cut + 1 :]
        stem, _, number = head.rpartition(".")
        instance, index = network.by_name.get(head), ""
        if instance is None and number.isdigit() and (stack := network.by_name.get(stem)) and stack.count is not None:
            instance, index = stack, f"[{int(number) - stack.start}]"
        if instance is None:
            continue
        if instance.network is not None:
            inner = done[instance.network]
            return f"{attributes[instance.name]}{index}." + attribute_path(
                rest, inner.network, inner.attributes, inner.slots, done
            )
        slot = slots[instance.name, rest]
        return slot[1:] if slot.startswith("=") else f"{attributes[instance.name]}.{slot}"
    raise AssertionError(f"no weight {path} in network {network.name}")
