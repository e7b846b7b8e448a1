"""A program out as a Graphviz digraph: values flow along the edges, sub-networks are clusters, and dashed edges
go from the owner of a weight to every further use of it. Each use of a sub-network is drawn; a row of equal
ones is drawn once, with its number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from netc.ir.network import Call, Instance, Network, Program, View
from netc.ir.paths import outline, split_path
from netc.ir.text import entry_text
from netc.ir.views import canonical, references, show_view
from netc.layers.arithmetic import OPERATIONS
from netc.rendering import printable
from netc.types import Type, show_shape

HEAD = (
    'graph [fontname="Helvetica", fontsize=11, nodesep=0.3, ranksep=0.35]',
    'node [fontname="Helvetica", fontsize=11, shape=box, style="rounded,filled", fillcolor="#f5f5f5", color="#777777"]',
    'edge [fontname="Helvetica", fontsize=9, color="#555555", fontcolor="#555555", arrowsize=0.7]',
)
VALUE = {"shape": "ellipse", "fillcolor": "#ffffff"}
WEIGHTED = {"fillcolor": "#cfe2f3", "color": "#3d6fa5"}
WEIGHT = {"shape": "cylinder", "style": "filled", **WEIGHTED}
SHARED = {"style": "dashed", "color": "#b45309", "fontcolor": "#b45309", "constraint": "false"}
CLUSTER = {"style": "rounded", "color": "#999999", "labeljust": "l"}
LONGEST = 44


def dot(program: Program) -> str:
    """The Graphviz source of a program."""
    root = program.root
    drawing = Drawing(program)
    given = {name: drawing.node((name,), VALUE) for name in root.inputs}
    made = drawing.network(root, Place(root.name, "", {}, {}), given)
    for name, value in root.outputs:
        drawing.edge(made[value], drawing.node((name,), VALUE), root.types[value])
    lines = [*HEAD, *drawing.lines, *drawing.edges, *drawing.shared_edges()]
    return "\n".join([f"digraph {quoted((root.name,))} {{", *(f"  {line}" for line in lines), "}"])


@dataclass(frozen=True)
class Place:
    """Where a network is drawn: the prefix of the canonical names in it, and what its captures are."""

    network: str
    prefix: str
    weights: dict[str, View]
    layers: "dict[str, Site]"


@dataclass(frozen=True)
class Site:
    """An instance by its canonical path, and the place that its views and bindings are written for."""

    instance: Instance
    path: str
    place: Place


@dataclass
class Drawing:
    """`owners` are the nodes that hold weights, by the outlines of the weights' paths; `uses` are all other uses."""

    program: Program
    lines: list[str] = field(default_factory=list)
    edges: list[str] = field(default_factory=list)
    drawn: int = 0
    depth: int = 0
    owners: dict[tuple[str, ...], str] = field(default_factory=dict)
    uses: list[tuple[tuple[str, ...], str, str]] = field(default_factory=list)

    def write(self, line: str) -> None:
        self.lines.append("  " * self.depth + line)

    def node(self, label: tuple[str, ...], style: Mapping[str, str]) -> str:
        self.drawn += 1
        self.write(f"n{self.drawn} {attributes(label, style)}")
        return f"n{self.drawn}"

    def edge(self, source: str, target: str, type_: Type) -> None:
        """Kept for the end: an edge inside a cluster would draw its source into it."""
        self.edges.append(f"{source} -> {target} {attributes((f' {type_}',))}")

    def outline(self, path: str) -> tuple[str, ...]:
        return outline(path, self.program.root, self.program.by_name)

    def network(self, network: Network, place: Place, given: dict[str, str]) -> dict[str, str]:
        """Draws a network's weights and calls; values to the nodes that give them."""
        for weight in network.weights:
            key = self.outline(place.prefix + weight.name)
            if key not in self.owners:
                self.owners[key] = self.node((weight.name, show_shape(weight.shape)), WEIGHT)
        made = dict(given)
        for call in network.calls:
            site = self.site(call.instance, network, place)
            sources = [(made[v], network.types[v]) for v in call.inputs]
            made |= zip(call.outputs, self.call(call, site, sources), strict=True)
        return made

    def site(self, path: str, network: Network, place: Place) -> Site:
        if path in place.layers:
            return place.layers[path]
        found = split_path(path, network.by_name, self.program.by_name)
        assert found and not found[1], f"no instance {path} in {network.name}"
        return Site(found[0], place.prefix + path, place)

    def call(self, call: Call, site: Site, sources: list[tuple[str, Type]]) -> list[str]:
        """Draws one use of an instance; the nodes that give its outputs."""
        if site.instance.network is not None:
            return self.cluster(call, site, self.program.by_name[call.network or site.instance.network], sources)
        node = self.layer(call, site)
        for source, type_ in sources:
            self.edge(source, node, type_)
        return [node] * len(call.outputs)

    def cluster(self, call: Call, site: Site, inner: Network, sources: list[tuple[str, Type]]) -> list[str]:
        self.drawn += 1
        self.write(f"subgraph cluster_{self.drawn} {{")
        self.depth += 1
        self.write(f"graph {attributes((site.path, *turns(call, site.instance)), CLUSTER)}")
        given = {name: source for name, (source, _) in zip(inner.inputs, sources, strict=True)}
        made = self.network(inner, self.inside(site, inner), given)
        self.depth -= 1
        self.write("}")
        return [made[value] for _, value in inner.outputs]

    def inside(self, site: Site, inner: Network) -> Place:
        """The place of the network of an instance; a row is drawn as its first."""
        instance, around = site.instance, site.place
        outer = self.program.by_name[around.network]
        number = "" if instance.count is None else f".{instance.start}"
        weights = {
            formal: canonical(bound, around.prefix, around.weights)
            for formal, bound in instance.captures
            if not isinstance(bound, str)
        }
        layers = {
            formal: self.site(bound, outer, around) for formal, bound in instance.captures if isinstance(bound, str)
        }
        return Place(inner.name, f"{site.path}{number}.", weights, layers)

    def layer(self, call: Call, site: Site) -> str:
        instance, around = site.instance, site.place
        views = {slot: canonical(view, around.prefix, around.weights) for slot, view in instance.views}
        style = WEIGHTED if instance.weights or views else {}
        node = self.node((*title(instance, views), *turns(call, instance)), style)
        keys = [self.outline(f"{site.path}.{weight.name}") for weight in instance.weights]
        if keys and keys[0] in self.owners:
            self.uses.append((keys[0], node, f"{site.path} again"))
        else:
            self.owners |= dict.fromkeys(keys, node)
        for view in views.values():
            self.uses += [(self.outline(path), node, show_view(view)) for path in references(view)]
        return node

    def shared_edges(self) -> list[str]:
        """An edge from the owner of a weight to each further use; an owner that nothing calls has none."""
        found = dict.fromkeys((self.owners[key], node, text) for key, node, text in self.uses if key in self.owners)
        return [f"{owner} -> {node} {attributes((f' {text}',), SHARED)}" for owner, node, text in found]


def title(instance: Instance, views: Mapping[str, View]) -> tuple[str, ...]:
    """What a layer is called and what it does; a name that the checker gave to one without weights says nothing."""
    assert instance.layer is not None
    if isinstance(instance.layer, OPERATIONS):
        lowering = instance.layer.lower(instance.inputs)
        form = lowering.function if views and lowering.function else lowering.call
        return (form.format("x", "y", **{slot: show_view(view) for slot, view in views.items()}),)
    text = entry_text(instance.layer)
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    last = instance.name.rpartition(".")[2]
    plain = not instance.weights and re.fullmatch(rf"{instance.layer.kind}[0-9]+", last)
    return (short,) if plain else (last, short)


def turns(call: Call, instance: Instance) -> tuple[str, ...]:
    """How often one node or cluster runs: a row of several, or one several times."""
    row = () if instance.count is None else (f"{instance.count} in a row",)
    return row if call.times == 1 else (*row, f"{call.times} times, with the same weights")


def attributes(label: tuple[str, ...], style: Mapping[str, str] | None = None) -> str:
    others = "".join(f", {key}={quoted((value,))}" for key, value in (style or {}).items())
    return f"[label={quoted(label)}{others}]"


def quoted(lines: tuple[str, ...]) -> str:
    """Lines of text between quotes, with nothing in them that Graphviz reads as more than text."""
    escaped = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(escaped) + '"'
