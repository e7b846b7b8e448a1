"""What follows from how a net is built when an input is moved: a walk over the IR by the rules of its layers.

A program and one of `SYMMETRIES` in, the `Motion` of each output out, or None where nothing follows. Claims, the
asserts on symmetry, are decided by it; what it leaves open is measured by `netc verify`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

from netc.ir.counts import Bindings, Count, Counter
from netc.ir.network import Call, Derived, Instance, Network, Reference, View
from netc.ir.views import canonical
from netc.layers.base import Layer
from netc.layers.symmetry import SWAP, Motion, Sight, Symmetry, Transformed, Turn, composed, together
from netc.source import Span
from netc.types import Type

EQUIVARIANT, INVARIANT = "equivariant", "invariant"

MOST_TURNS = 100
"""So often is a row of layers walked; of a longer one nothing is known, unless it comes to rest before."""
MOST_STEPS = 20_000
"""So many layers are looked at."""


@dataclass(frozen=True)
class Claim:
    """`equivariant(image, shift)` of a net: its outputs move as its inputs do, or stay; `text` as it is written,
    `proved` if it follows from how the net is built."""

    kind: str
    inputs: tuple[str, ...]
    symmetry: Symmetry
    outputs: tuple[str, ...]
    text: str
    proved: bool
    span: Span | None = field(default=None, compare=False, repr=False)


Motions = tuple[Motion | None, ...]


@dataclass(frozen=True)
class Place:
    """Where a network stands: the path of what is inside, and what its captures are."""

    prefix: str = ""
    captured: Mapping[str, View] = field(default_factory=dict)
    bindings: Bindings = ()


@dataclass
class Walk:
    """Follows one symmetry through the networks of a program."""

    networks: Mapping[str, Network]
    symmetry: Symmetry
    still: Motion
    """The motion of what is not moved."""
    steps: int = 0

    def __post_init__(self) -> None:
        self.counter = Counter(self.networks)

    def outputs(self, network: Network, given: Motions, place: Place) -> Motions:
        found = dict(zip(network.inputs, given, strict=True))
        for call in network.calls:
            made = self.call(call, network, tuple(found[v] for v in call.inputs), place)
            found |= zip(call.outputs, made, strict=True)
        return tuple(found[value] for _, value in network.outputs)

    def call(self, call: Call, network: Network, given: Motions, place: Place) -> Motions:
        """One use, or as many in a row as there are."""
        unknown = (None,) * len(call.outputs)
        captured = {c.name for c in network.captures if c.shape is None}
        if call.instance in captured - dict(place.bindings).keys():
            return unknown
        if call.over_time and any(motion is None or motion.moves for motion in given):
            return unknown
        target = self.counter.target(call.instance, network, place.bindings)
        own = call.instance in network.by_name
        inner = self.inside(target.instance, place) if own else Place()
        inner = Place(inner.prefix, inner.captured, target.bindings)
        turns = call.times * (1 if target.instance.count is None else target.instance.count)
        for _ in range(min(turns, MOST_TURNS)):
            made = self.use(target.instance, call, network, given, place if own else None, inner)
            if made == given:
                return made
            given = made
        return given if turns <= MOST_TURNS else unknown

    def inside(self, instance: Instance, place: Place) -> Place:
        """The place of what an instance of a network at a place is made of."""
        bound = ((formal, view) for formal, view in instance.captures if not isinstance(view, str))
        views = {formal: canonical(view, place.prefix, place.captured) for formal, view in bound}
        return Place(f"{place.prefix}{instance.name}.", views)

    def use(
        self, instance: Instance, call: Call, network: Network, given: Motions, place: Place | None, inner: Place
    ) -> Motions:
        if instance.network is not None:
            return self.outputs(self.networks[call.network or instance.network], given, inner)
        assert instance.layer is not None
        self.steps += 1
        inputs = tuple(network.types[v] for v in call.inputs)
        known = tuple(motion for motion in given if motion is not None)
        if len(known) < len(given) or self.steps > MOST_STEPS:
            return (None,) * len(call.outputs)
        unchanged = self.unchanged(instance, inputs, place) if place is not None else frozenset[str]()
        made = self.layer(instance.layer, Transformed(self.symmetry, inputs, known, unchanged))
        return tuple(self.settled(made, network.types[v]) for v in call.outputs)

    def layer(self, layer: Layer, given: Transformed) -> Motion | None:
        if any(motion.moves for motion in given.motions):
            return layer.symmetry(given)
        return together(given.motions) if given.motions else self.still

    def settled(self, motion: Motion | None, type_: Type) -> Motion | None:
        """What has a single position stays where it is when the image turns."""
        alone = prod(type_.shape[:-1]) == 1 and type_.orbit is None
        if motion is not None and motion.moves and self.symmetry.turn and alone:
            return Motion(False)
        return motion

    def unchanged(self, instance: Instance, inputs: tuple[Type, ...], place: Place) -> frozenset[str]:
        """The slots whose weights, of others, a turn of their first axes leaves as they are."""
        rank = len(inputs[0].shape) - 1 if inputs else 0
        if self.symmetry.turn is None or rank < self.symmetry.least:
            return frozenset()
        turn = self.symmetry.turn(rank)
        views = ((slot, canonical(view, place.prefix, place.captured)) for slot, view in instance.views)
        return frozenset(slot for slot, view in views if is_fixed(view, turn))


def motions(
    networks: Mapping[str, Network], root: Network, inputs: tuple[str, ...], symmetry: Symmetry
) -> dict[str, Motion | None]:
    """How each output moves when inputs, alike in their positions, are moved together."""
    rank = len(root.types[inputs[0]].shape) - 1
    shifts = rank if symmetry.turn is None else 0
    walk = Walk(networks, symmetry, Motion(False, (), (1,) * shifts, (0,) * shifts))
    start = Motion(True, (Sight(1, 0, 0),) * shifts, (1,) * shifts, (0,) * shifts)
    given = tuple(walk.settled(start, root.types[v]) if v in inputs else walk.still for v in root.inputs)
    made = walk.outputs(root, given, Place())
    return dict(zip((name for name, _ in root.outputs), made, strict=True))


def follows(networks: Mapping[str, Network], root: Network, claim: Claim) -> bool:
    """Whether a claim follows from how the net is built."""
    if claim.symmetry == SWAP:
        return exchanged(networks, root, claim)
    found = motions(networks, root, claim.inputs, claim.symmetry)
    own = (found[name] for name in claim.outputs)
    return all(motion is not None and motion.moves == (claim.kind == EQUIVARIANT) for motion in own)


# Two inputs exchanged: what a value is made of, with the inputs in their places and the other way round.

Made = tuple[object, ...]


def exchanged(networks: Mapping[str, Network], root: Network, claim: Claim) -> bool:
    """Whether exchanging two inputs exchanges the outputs, or leaves them. Blocks are not looked into."""
    numbers: dict[Made, int] = {}
    first, second = claim.inputs
    places = {name: numbers.setdefault(("input", name), len(numbers)) for name in root.inputs}
    who = {instance.name: identity(instance, Counter(networks)) for instance in root.instances}
    straight = numbered(root, places, who, numbers)
    turned = numbered(root, places | {first: places[second], second: places[first]}, who, numbers)
    values = dict(root.outputs)
    mirror = claim.outputs[::-1] if claim.kind == EQUIVARIANT else claim.outputs
    return all(turned[values[a]] == straight[values[b]] for a, b in zip(claim.outputs, mirror, strict=True))


def identity(instance: Instance, counter: Counter) -> object:
    """What tells instances apart: those that keep nothing of their own are the same if they are made the same."""
    if instance.captures or counter.owned_instance(instance) != Count():
        return instance.name
    return instance.layer, instance.views, instance.network, instance.count


def numbered(
    root: Network, found: dict[str, int], who: Mapping[str, object], numbers: dict[Made, int]
) -> dict[str, int]:
    """A number for each value; what is made by the same layer of the same values has the same."""
    found = dict(found)
    for call in root.calls:
        given = [found[v] for v in call.inputs]
        instance = root.by_name.get(call.instance)
        if instance is not None and instance.layer is not None and instance.layer.in_any_order():
            given.sort()
        for i, value in enumerate(call.outputs):
            key = (who.get(call.instance, call.instance), call.network, call.times, i, *given)
            found[value] = numbers.setdefault(key, len(numbers))
    return found


# Weights that a turn leaves as they are: a sum of turned weights is one if turning it gives the same sum.

Sum = dict[tuple[str, Turn], Fraction]


def is_fixed(view: View, turn: Turn) -> bool:
    """Whether a turn of its first axes leaves a weight as it is, whatever its numbers: `(K + flip(K, 1)) / 2`."""
    parts = sum_of(view, len(turn))
    if parts is None:
        return False
    return parts == {(path, composed(own, turn)): factor for (path, own), factor in parts.items()}


def sum_of(view: View, rank: int) -> Sum | None:
    """A view as a sum of weights, each turned and times a number; None if it is something else."""
    if isinstance(view, Reference):
        return {(view.path, tuple((axis, 1) for axis in range(rank))): Fraction(1)}
    parts = [sum_of(operand, rank) for operand in view.operands]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or view.operation not in SUMS:
        return None
    return SUMS[view.operation](view, known, rank)


def add(first: Sum, second: Sum, sign: int = 1) -> Sum:
    keys = {**first, **second}
    total = {key: first.get(key, Fraction(0)) + sign * second.get(key, Fraction(0)) for key in keys}
    return {key: factor for key, factor in total.items() if factor}


def times(parts: Sum, factor: Fraction) -> Sum:
    return {key: own * factor for key, own in parts.items() if factor}


def turned(parts: Sum, turn: Turn, count: int = 1) -> Sum:
    for _ in range(count):
        parts = {(path, composed(own, turn)): factor for (path, own), factor in parts.items()}
    return parts


def flipped(view: Derived, parts: list[Sum], rank: int) -> Sum | None:
    axis = whole(view.settings[0]) % len(view.shape)
    if axis >= rank:
        return None
    return turned(parts[0], tuple((a, -1 if a == axis else 1) for a in range(rank)))


def rotated(view: Derived, parts: list[Sum], rank: int) -> Sum | None:
    if rank < 2:
        return None
    turn = ((1, 1), (0, -1), *((axis, 1) for axis in range(2, rank)))
    return turned(parts[0], turn, whole(view.settings[0]) % 4)


def whole(setting: object) -> int:
    assert isinstance(setting, int)
    return setting


def number(setting: object) -> Fraction:
    assert isinstance(setting, int | float)
    return Fraction(setting)


SUMS: dict[str, Callable[[Derived, list[Sum], int], Sum | None]] = {
    "add": lambda view, parts, rank: add(parts[0], parts[1]),
    "subtract": lambda view, parts, rank: add(parts[0], parts[1], -1),
    "multiply": lambda view, parts, rank: times(parts[0], number(view.settings[0])),
    "divide": lambda view, parts, rank: times(parts[0], 1 / number(view.settings[0])),
    "negate": lambda view, parts, rank: times(parts[0], Fraction(-1)),
    "flip": flipped,
    "rot90": rotated,
}
"""The operations of `netc.ir.views` that give a sum of turned weights of one."""
