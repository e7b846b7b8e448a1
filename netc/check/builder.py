"""Builds one network: its values, instances, calls and captures, with names made unique."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from netc.check.things import NamedLayer, OwnedWeight, Tensor, WeightThing
from netc.ir.network import (
    Call,
    Capture,
    Constrained,
    Derived,
    Instance,
    Network,
    Reference,
    Value,
    View,
    Weight,
)
from netc.source import Span
from netc.syntax import tree
from netc.types import Type

if TYPE_CHECKING:
    from netc.check.context import Env

CAPTURED = "\0"
"""What the mark of a capture starts with: no name of a text does."""


@dataclass(eq=False)
class Builder:
    """A network in the making. `outer` is the builder whose statements this one's body stands in or is used from."""

    name: str
    outer: "Builder | None"
    values: dict[str, Value] = field(default_factory=dict)
    weights: dict[str, Weight] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    uses: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    inputs: list[str] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    captured: dict[OwnedWeight | NamedLayer, Capture] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    constraints: list[Constrained] = field(default_factory=list)
    asserts: "tuple[list[tree.Assertion], Env] | None" = None
    counter: Counter[str] = field(default_factory=Counter)
    size: int = 0
    """How many layers run in it, those of its blocks included."""
    depth: int = 0
    """How deep its blocks nest."""

    def value(self, type_: Type, span: Span) -> Tensor:
        """Adds a value; it has a number until the text names it."""
        name = f"v{len(self.values) + 1}"
        self.values[name] = Value(name, type_, span)
        return Tensor(self, name, type_, span)

    def call(self, call: Call) -> None:
        """Adds a use of an instance; `uses` finds the calls of an instance again."""
        self.uses[call.instance].append(len(self.calls))
        self.calls.append(call)

    def name_value(self, tensor: Tensor, name: str) -> None:
        """Gives a value the name that the text gives it; the first one stays."""
        if tensor.builder is self:
            self.names.setdefault(tensor.name, str(name))

    def place_name(self, prefix: str, kind: str) -> str:
        """The name of a layer without a label: its kind and place, under the value that it belongs to."""
        while True:
            self.counter[prefix + kind] += 1
            name = f"{prefix}{kind}{self.counter[prefix + kind]}"
            if name not in self.instances:
                return name

    def capture(self, thing: OwnedWeight | NamedLayer) -> str:
        """A mark for a weight or layer of an outer network, until `network` gives it a name that nothing here has."""
        if thing not in self.captured:
            shape = thing.shape if isinstance(thing, OwnedWeight) else None
            self.captured[thing] = Capture(f"{CAPTURED}{len(self.captured)}", shape)
        return self.captured[thing].name

    def view(self, weight: WeightThing) -> View:
        """A weight as this network sees it: by its path here, or by a capture."""
        if isinstance(weight, OwnedWeight):
            path = weight.path if weight.builder is self else self.capture(weight)
            return Reference(path, weight.shape)
        operands = tuple(self.view(operand) for operand in weight.operands)
        return Derived(weight.operation, operands, weight.settings, weight.shape)

    def path(self, layer: NamedLayer) -> str:
        """A named layer as this network sees it."""
        return layer.name if layer.builder is self else self.capture(layer)

    def resolve(self, thing: OwnedWeight | NamedLayer) -> View | str:
        """What an inner network's capture is here."""
        return self.view(thing) if isinstance(thing, OwnedWeight) else self.path(thing)

    def network(self, name: str, span: Span) -> Network:
        """The finished network, its values under the names of the text where they have one."""
        names = self.final_names()
        captures = self.name_captures({*names.values(), *self.weights, *self.instances})
        values = tuple(Value(names[v.name], v.type, v.span) for v in self.values.values())
        calls = tuple(
            replace(
                c,
                instance=captures.get(c.instance, c.instance),
                inputs=tuple(names[v] for v in c.inputs),
                outputs=tuple(names[v] for v in c.outputs),
            )
            for c in self.calls
        )
        return Network(
            name,
            tuple(names[v] for v in self.inputs),
            tuple((output, names[v]) for output, v in self.outputs),
            values,
            tuple(self.weights.values()),
            tuple(renamed(instance, captures) for instance in self.instances.values()),
            calls,
            tuple(self.captured.values()),
            tuple(self.constraints),
            span,
        )

    def name_captures(self, taken: set[str]) -> dict[str, str]:
        """Names the captures after what they are outside; the names by their marks."""
        final = {}
        for thing, capture in self.captured.items():
            stem = (thing.path if isinstance(thing, OwnedWeight) else thing.name).replace(".", "_")
            name, i = stem, 2
            while name in taken:
                name, i = f"{stem}_{i}", i + 1
            taken.add(name)
            final[capture.name] = name
            self.captured[thing] = replace(capture, name=name)
        return final

    def final_names(self) -> dict[str, str]:
        taken = set(self.names.values())
        final = {}
        for number in self.values:
            name = self.names.get(number)
            if name is None:
                name = number
                while name in taken:
                    name += "_"
                taken.add(name)
            final[number] = name
        return final


def renamed(instance: Instance, names: Mapping[str, str]) -> Instance:
    """An instance with other names for the captures in its views and bindings."""
    views = tuple((slot, renamed_view(view, names)) for slot, view in instance.views)
    captures = tuple(
        (formal, names.get(bound, bound) if isinstance(bound, str) else renamed_view(bound, names))
        for formal, bound in instance.captures
    )
    return replace(instance, views=views, captures=captures)


def renamed_view(view: View, names: Mapping[str, str]) -> View:
    if isinstance(view, Reference):
        return replace(view, path=names.get(view.path, view.path))
    return replace(view, operands=tuple(renamed_view(operand, names) for operand in view.operands))
