"""Constraints of weights: which weights a selector means, and what cannot hold of one weight.

A selector is a path with `*` for one or more parts; a path that ends above weights means all below it. Weights are
looked for by their paths in one network. Views are found too: they belong to somebody else, whose name is needed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from netc.ir.network import Constrained, Network, Program, View, Weight, instance_names
from netc.ir.views import canonical, operations, references, show_view
from netc.layers.constraints import Constraint, Frozen, clash, in_order

Networks = Mapping[str, Network]
Found = tuple[str, Weight | View]
"""A weight slot by its path: the weight that is owned there, or the view of another."""


@dataclass(frozen=True)
class NoneFound:
    """A selector that no weight has a name for; `known` are the weights there are, of the `layer` that it begins with
    if there is one. `bare`: it names a layer, which has none."""

    known: tuple[str, ...]
    layer: str
    bare: bool


@dataclass(frozen=True)
class Unfit:
    """Why a constraint cannot hold for a weight that a selector means."""

    weight: str
    reason: str
    way_out: str


@dataclass(frozen=True)
class Clash:
    """Two constraints that cannot both hold of one weight."""

    weight: str
    first: Constrained
    second: Constrained
    reason: str


Wrong = NoneFound | Unfit | Clash


def matches(selector: str, name: str) -> bool:
    """Whether a selector means a weight: it is its path, or that of something around it."""
    parts = name.split(".")
    reached = {0}
    for wanted in selector.split("."):
        if wanted == "*":
            reached = set(range(min(reached) + 1, len(parts) + 1))
        else:
            reached = {i + 1 for i in reached if i < len(parts) and parts[i] == wanted}
        if not reached:
            return False
    return True


def slots(network: Network, networks: Networks) -> list[Found]:
    """Every weight that is owned or seen in a network and in those inside it, by its path there."""
    return list(slots_below(network, networks, "", {}))


def slots_below(network: Network, networks: Networks, prefix: str, captured: dict[str, View]) -> Iterator[Found]:
    yield from ((prefix + weight.name, weight) for weight in network.weights)
    for instance in network.instances:
        for name in instance_names(instance):
            path = f"{prefix}{name}."
            yield from ((path + weight.name, weight) for weight in instance.weights)
            yield from ((path + slot, canonical(view, prefix, captured)) for slot, view in instance.views)
            if instance.network is not None:
                inner = {f: canonical(b, prefix, captured) for f, b in instance.captures if not isinstance(b, str)}
                yield from slots_below(networks[instance.network], networks, path, inner)


def selected(constrained: Constrained, found: Iterable[Found]) -> dict[str, Weight]:
    """The weights that a lawful constraint holds for."""
    selector, constraint = constrained.selector, constrained.constraint
    return {
        name: thing
        for name, thing in found
        if isinstance(thing, Weight)
        and thing.trainable
        and matches(selector, name)
        and (name == selector or constraint.about(thing.shape, thing.axes))
    }


def wrong_selection(constrained: Constrained, constraints: tuple[Constrained, ...], named: list[Found]) -> Unfit | None:
    """What is wrong with one of some constraints by itself; `named` is what its selector matches."""
    selector, constraint = constrained.selector, constrained.constraint
    views = [
        (name, thing)
        for name, thing in named
        if not isinstance(thing, Weight) and (constraint.about(thing.shape, ()) or name == selector)
    ]
    for name, view in views:
        if wrong := wrong_view(name, view, constrained, constraints):
            return wrong
    chosen = selected(constrained, named)
    for name, weight in chosen.items():
        if reason := constraint.refuses(weight.shape, weight.axes):
            return Unfit(name, f"`{name}` cannot be `{constraint}`: {reason}", constraint.way_out())
    if chosen or views:
        return None
    name, thing = named[0]
    if isinstance(thing, Weight) and not thing.trainable:
        way_out = "remove it: running statistics follow the data, and no step of the optimizer changes them"
        return Unfit(name, f"`{name}` is not trained, and needs no constraint", way_out)
    reason = constraint.refuses(thing.shape, thing.axes if isinstance(thing, Weight) else ())
    return Unfit(name, f"`{name}` cannot be `{constraint}`: {reason}", constraint.way_out())


def wrong_view(name: str, view: View, constrained: Constrained, constraints: tuple[Constrained, ...]) -> Unfit | None:
    """Why a view cannot be named. Its owner must be named too, by this constraint or another like it; and what holds
    for the owner must hold for it, unless a selector with `*` means all kinds of weights."""
    constraint, shown = constrained.constraint, show_view(view)
    for owner in references(view):
        if not any(other.constraint == constraint and matches(other.selector, owner) for other in constraints):
            whose = "given from elsewhere" if shown == owner else f"and belongs to `{owner}`"
            way_out = f"constrain its owner too, and all its uses follow: `constrain {owner}: {constraint}`"
            if operations(view) & constraint.undone_by:
                way_out = f"constrain its owner, for which it then holds: `constrain {owner}: {constraint}`"
            return Unfit(name, f"`{name}` is `{shown}`, {whose}", way_out)
    if operations(view) & constraint.undone_by and "*" not in constrained.selector:
        owners = ", ".join(f"`{owner}`" for owner in dict.fromkeys(references(view)))
        reason = f"`{name}` is `{shown}`, which need not be `{constraint}` where {owners} is"
        return Unfit(name, reason, f"name {owners} alone, or give `{name.rpartition('.')[0]}` weights of its own")
    return None


def none_found(selector: str, found: list[Found], network: Network, networks: Networks) -> NoneFound:
    """What there is instead of what a selector names."""
    owned = [name for name, thing in found if isinstance(thing, Weight) and thing.trainable]
    layer = selector.rpartition(".")[0] + "."
    below = [name for name, _ in found if name.startswith(layer)]
    bare = any(matches(selector, name) for name in layers(network, networks))
    return NoneFound(tuple(below or owned), layer if below else "", bare)


def layers(network: Network, networks: Networks, prefix: str = "") -> Iterator[str]:
    """The paths of the layers in a network and in those inside it."""
    for instance in network.instances:
        for name in instance_names(instance):
            yield prefix + name
            if instance.network is not None:
                yield from layers(networks[instance.network], networks, f"{prefix}{name}.")


def held_below(
    network: Network, networks: Networks, prefix: str = "", without: bool = False
) -> Iterator[tuple[str, Constrained]]:
    """The constraints of the weights in a network, with the paths of the weights; outer ones first. `without` leaves
    out the network's own."""
    if network.constraints and not without:
        found = slots(network, networks)
        for constrained in network.constraints:
            yield from ((prefix + name, constrained) for name in selected(constrained, found))
    for instance in network.instances:
        if instance.network is not None and any_below(networks[instance.network], networks):
            for name in instance_names(instance):
                yield from held_below(networks[instance.network], networks, f"{prefix}{name}.")


def any_below(network: Network, networks: Networks) -> bool:
    """Whether a network or one inside it has constraints."""
    waiting, seen = [network], {network.name}
    while waiting:
        here = waiting.pop()
        if here.constraints:
            return True
        inner = {i.network for i in here.instances if i.network is not None} - seen
        seen |= inner
        waiting += [networks[name] for name in inner]
    return False


def wrong_constraints(
    constraints: tuple[Constrained, ...], network: Network, networks: Networks, below: bool = True
) -> Iterator[tuple[Constrained, Wrong]]:
    """What is wrong with constraints on the weights of a network: each by itself, and with others on the same weight.
    `below` leaves out the network's own, if they are these."""
    if not constraints:
        return
    found = slots(network, networks)
    held: dict[str, list[Constrained]] = {}
    for name, other in held_below(network, networks, without=below):
        held.setdefault(name, []).append(other)
    told: set[tuple[int, int]] = set()
    for constrained in constraints:
        named = [(name, thing) for name, thing in found if matches(constrained.selector, name)]
        if not named:
            yield constrained, none_found(constrained.selector, found, network, networks)
            continue
        if wrong := wrong_selection(constrained, constraints, named):
            yield constrained, wrong
            continue
        for name in selected(constrained, named):
            here = held.setdefault(name, [])
            clashes = [(other, reason) for other in here if (reason := clash(other.constraint, constrained.constraint))]
            for other, reason in clashes:
                if (id(other), id(constrained)) not in told:
                    told.add((id(other), id(constrained)))
                    yield constrained, Clash(name, other, constrained, reason)
            if not clashes:
                here.append(constrained)


def with_constraints(program: Program, more: tuple[Constrained, ...]) -> Program:
    """A program whose net has constraints of a recipe behind its own."""
    root = replace(program.root, constraints=program.root.constraints + more)
    return Program((*program.networks[:-1], root)) if more else program


def constraints_of(program: Program) -> dict[str, tuple[Constraint, ...]]:
    """The constraints of each constrained weight, in the order in which they are applied, by canonical name."""
    held: dict[str, list[Constraint]] = {}
    for name, constrained in held_below(program.root, program.by_name):
        held.setdefault(name, []).append(constrained.constraint)
    return {name: in_order(tuple(constraints)) for name, constraints in held.items()}


def all_frozen(program: Program, more: tuple[Constrained, ...]) -> bool:
    """Whether a program has weights, and all that could be trained are frozen."""
    held = constraints_of(with_constraints(program, more))
    trained = [name for name, weight in program.weights() if weight.trainable] if held else []
    return bool(trained) and all(Frozen() in held.get(name, ()) for name in trained)
