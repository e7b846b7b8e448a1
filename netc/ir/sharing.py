"""Sharing: every use of every weight, found by walking the calls that run it, captures followed to the owner."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from netc.ir.network import Instance, Network, Program, View, instance_names
from netc.ir.paths import fits, heads
from netc.ir.views import canonical, references, show_view


@dataclass(frozen=True)
class WeightUse:
    """One call of a layer that sees a weight: its path, what it calls the weight, the view, and how often it runs."""

    layer: str
    slot: str
    view: str
    times: int


@dataclass(frozen=True)
class WeightRow:
    """A weight by its canonical name, and every use of it in the order of the calls."""

    name: str
    shape: tuple[int, ...]
    trainable: bool
    uses: tuple[WeightUse, ...]


def weight_rows(program: Program) -> list[WeightRow]:
    """Every weight in order of definition. A named layer that is called twice has two uses of each of its weights."""
    walk = Walk(program.by_name, {name: {} for name, _ in program.weights()})
    walk.visit(Place(program.root), 1, ())
    return [WeightRow(name, w.shape, w.trainable, uses_of(walk.uses[name])) for name, w in program.weights()]


def weight_sources(program: Program) -> dict[str, str]:
    """What each layer sees in each of its slots: `decode1.kernel` sees `encode1.kernel.T`."""
    return {f"{use.layer}.{use.slot}": use.view for row in weight_rows(program) for use in row.uses}


@dataclass(frozen=True)
class Place:
    """A network where it stands: what its names begin with, and what its captures are there."""

    network: Network
    prefix: str = ""
    views: Mapping[str, View] = field(default_factory=dict)
    layers: "Mapping[str, Found]" = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a call runs: an instance, or one or all of a row, by its names in the place where it is defined."""

    instance: Instance
    names: tuple[str, ...]
    place: Place


Site = tuple[int, ...]
"""A call in the text: the numbers of the calls that lead to it, the same for all of a row."""
Uses = dict[tuple[Site, str, str, str], int]
"""How often each call of a layer runs, by its site, the layer, the slot and the view."""


def uses_of(uses: Uses) -> tuple[WeightUse, ...]:
    return tuple(WeightUse(layer, slot, view, times) for (_, layer, slot, view), times in uses.items())


@dataclass
class Walk:
    networks: Mapping[str, Network]
    uses: dict[str, Uses]

    def visit(self, place: Place, times: int, site: Site) -> None:
        """Notes the uses of one pass through a network that runs so many times."""
        for i, call in enumerate(place.network.calls):
            found = self.find(call.instance, place)
            inner, here, runs = call.network or found.instance.network, (*site, i), times * call.times
            for name in found.names:
                if inner is None:
                    self.note(found, found.place.prefix + name, runs, here)
                else:
                    self.visit(self.enter(found, name, inner), runs, here)

    def note(self, found: Found, path: str, times: int, site: Site) -> None:
        """Notes one use of a layer for every weight that it sees."""
        for weight in found.instance.weights:
            name = f"{path}.{weight.name}"
            self.add(name, (site, path, weight.name, name), times)
        for slot, view in found.instance.views:
            full = canonical(view, found.place.prefix, found.place.views)
            for owner in dict.fromkeys(references(full)):
                self.add(owner, (site, path, slot, show_view(full)), times)

    def add(self, owner: str, use: tuple[Site, str, str, str], times: int) -> None:
        self.uses[owner][use] = self.uses[owner].get(use, 0) + times

    def find(self, path: str, place: Place) -> Found:
        """What a path names: a captured layer, or one of this network or of those inside it."""
        if path in place.layers:
            return place.layers[path]
        for head, number, tail in heads(path):
            instance = place.network.by_name.get(head)
            if instance is None or not fits(instance, number, tail):
                continue
            names = tuple(instance_names(instance)) if number is None else (f"{head}.{number}",)
            found = Found(instance, names, place)
            if not tail:
                return found
            assert instance.network is not None
            return self.find(tail, self.enter(found, names[0], instance.network))
        raise AssertionError(f"no instance {path} in {place.network.name}")

    def enter(self, found: Found, name: str, network: str) -> Place:
        """The inside of a sub-network, with what its captures are."""
        outer, captures = found.place, found.instance.captures
        views = {
            formal: canonical(view, outer.prefix, outer.views) for formal, view in captures if not isinstance(view, str)
        }
        layers = {formal: self.find(path, outer) for formal, path in captures if isinstance(path, str)}
        return Place(self.networks[network], f"{outer.prefix}{name}.", views, layers)
