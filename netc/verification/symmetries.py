"""Symmetries measured: the net run on an input and on the moved one, and what it gives compared.

Turns and swaps are compared everywhere. A shift moves what stands in the middle of an empty input, so that nothing
falls off; what moves is compared where the output sees no border, what stays everywhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import lcm

import numpy as np

from netc.check.claims import misfit
from netc.ir.network import Program
from netc.ir.symmetry import EQUIVARIANT, INVARIANT, Claim, follows, motions
from netc.layers.symmetry import SHIFT, SWAP, SYMMETRIES, Motion, Sight, Turn
from netc.verification.subject import Arrays, Subject

SHIFTS = (1, 2, 3)
"""How many steps an input is shifted."""
SEEDS = 3

Places = tuple[slice, ...]


@dataclass(frozen=True)
class Measured:
    """How far a claim is from holding: the largest difference as a part of the output's spread, and where it is. None
    where nothing could be compared: an image may have no room for a shift. `step` is that of the shifts."""

    claim: Claim
    difference: float | None = None
    where: str = ""
    step: int | None = None

    def holds(self, tolerance: float) -> bool:
        """What cannot be measured holds if it is proved."""
        return self.claim.proved if self.difference is None else self.difference <= tolerance


def measure_claim(subject: Subject, claim: Claim, seed: int) -> Measured:
    """The worst of several random weights and inputs."""
    found = Measured(claim)
    for draw in range(seed, seed + SEEDS):
        for own in measure_once(subject, claim, subject.weights(draw), subject.inputs(draw)):
            if found.difference is None or (own.difference or 0.0) > found.difference:
                found = own
    return found


def measure_once(subject: Subject, claim: Claim, weights: Arrays, inputs: Arrays) -> Iterator[Measured]:
    if claim.symmetry == SHIFT:
        yield from measure_shifts(subject, claim, weights, inputs)
        return
    given = subject.run(weights, inputs)
    after = subject.run(weights, inputs | moved_inputs(claim, inputs))
    mirror = claim.outputs[::-1] if claim.symmetry == SWAP and claim.kind == EQUIVARIANT else claim.outputs
    for name, other in zip(claim.outputs, mirror, strict=True):
        before = np.asarray(given[other])
        turn = claim.symmetry.turn
        expected = turned(before, turn(before.ndim - 2)) if turn and claim.kind == EQUIVARIANT else before
        yield compared(claim, name, np.asarray(after[name]), expected, before)


def moved_inputs(claim: Claim, inputs: Arrays) -> Arrays:
    if claim.symmetry == SWAP:
        first, second = claim.inputs
        return {first: inputs[second], second: inputs[first]}
    assert claim.symmetry.turn is not None
    return {name: turned(inputs[name], claim.symmetry.turn(inputs[name].ndim - 2)) for name in claim.inputs}


def turned(array: np.ndarray, turn: Turn) -> np.ndarray:
    """An array [batch, positions..., channels] with its positions turned."""
    back = tuple(axis + 1 for axis, (_, sign) in enumerate(turn) if sign < 0)
    sources = [axis for axis, _ in turn]
    order = [0, *(sources.index(axis) + 1 for axis in range(len(turn))), array.ndim - 1]
    return np.flip(array, back).transpose(order)


def compared(
    claim: Claim,
    name: str,
    found: np.ndarray,
    expected: np.ndarray,
    before: np.ndarray,
    step: int | None = None,
    kept: Places = (),
) -> Measured:
    """The largest difference, as a part of how far the output spreads over the batch; at `kept` places alone."""
    gap = np.abs(found - expected)
    here = gap[(slice(None), *kept)]
    worst = np.unravel_index(np.argmax(here), here.shape)
    spread = float(np.max(np.abs(before - before[:1]))) or float(np.max(np.abs(before))) or 1.0
    starts = [place.start for place in kept] + [0] * (here.ndim - 1 - len(kept))
    place = ", ".join(str(i + start) for i, start in zip(worst[1:], starts, strict=True))
    size = float(here[worst]) / spread
    return Measured(claim, size if np.isfinite(size) else np.inf, f"{name}[{place}]" if place else name, step)


# Shifts.


@dataclass(frozen=True)
class Room:
    """Along one axis of the input: what step a shift has, and how much is left empty before and after."""

    step: int
    margin: int
    extent: int

    def content(self, shift: int) -> slice:
        return slice(self.margin, self.extent - self.margin - abs(shift))


def measure_shifts(subject: Subject, claim: Claim, weights: Arrays, inputs: Arrays) -> Iterator[Measured]:
    """Shifts along each axis, and along all together."""
    program = subject.program
    known = motions(program.by_name, program.root, claim.inputs, SHIFT)
    extents = inputs[claim.inputs[0]].shape[1:-1]
    for name in claim.outputs:
        motion = known[name]
        rooms = rooms_of(motion, extents)
        axes = range(len(extents))
        for chosen in [(axis,) for axis in axes] + ([tuple(axes)] if len(extents) > 1 else []):
            for count in SHIFTS:
                shift = tuple(count * rooms[axis].step if axis in chosen else 0 for axis in axes)
                places = [room.content(own) for room, own in zip(rooms, shift, strict=True)]
                if any(place.start >= place.stop for place in places):
                    continue
                before = inputs | {i: emptied(inputs[i], places) for i in claim.inputs}
                after = before | {i: np.roll(before[i], shift, range(1, len(extents) + 1)) for i in claim.inputs}
                step = max(rooms[axis].step for axis in chosen)
                old, new = (np.asarray(subject.run(weights, given)[name]) for given in (before, after))
                yield from compare_shifted(claim, name, old, new, motion, shift, extents, step)


def rooms_of(motion: Motion | None, extents: tuple[int, ...]) -> list[Room]:
    """Of a net that nothing is known of, the middle half is filled and shifted pixel by pixel."""
    if motion is None:
        return [Room(1, extent // 4, extent) for extent in extents]
    seen = motion.sights or (Sight(1, 0, 0),) * len(extents)
    steps = [lcm(step, sight.step) for step, sight in zip(motion.steps, seen, strict=True)]
    return [Room(*row) for row in zip(steps, motion.margins, extents, strict=True)]


def emptied(array: np.ndarray, places: list[slice]) -> np.ndarray:
    """An input that is 0 outside some places."""
    kept = (slice(None), *places, slice(None))
    made = np.zeros_like(array)
    made[kept] = array[kept]
    return made


def compare_shifted(
    claim: Claim,
    name: str,
    old: np.ndarray,
    new: np.ndarray,
    motion: Motion | None,
    shift: tuple[int, ...],
    extents: tuple[int, ...],
    step: int,
) -> Iterator[Measured]:
    if claim.kind == INVARIANT:
        yield compared(claim, name, new, old, old, step)
        return
    sights = sights_of(motion, extents, old.shape[1:-1])
    if any(own % sight.step for own, sight in zip(shift, sights, strict=True)):
        return
    out = tuple(own // sight.step for own, sight in zip(shift, sights, strict=True))
    inner = [inside(sight, *row) for sight, *row in zip(sights, shift, extents, old.shape[1:-1], strict=True)]
    if any(place.start >= place.stop for place in inner):
        return
    expected = np.roll(old, out, range(1, len(out) + 1))
    yield compared(claim, name, new, expected, old, step, tuple(inner))


def sights_of(motion: Motion | None, extents: tuple[int, ...], outs: tuple[int, ...]) -> tuple[Sight, ...]:
    """What positions see; of a net that nothing is known of, a quarter of the input to each side."""
    if motion is not None and motion.sights:
        return motion.sights
    steps = [max(1, round(extent / max(1, out))) for extent, out in zip(extents, outs, strict=True)]
    reach = [extent // 4 for extent in extents]
    return tuple(Sight(step, -own, own) for step, own in zip(steps, reach, strict=True))


def inside(sight: Sight, shift: int, extent: int, positions: int) -> slice:
    """The positions that see nothing beyond the borders, before the shift and after it."""
    first = -((sight.first - shift) // sight.step)
    last = (extent - 1 - sight.last) // sight.step
    return slice(max(0, first), max(0, min(positions, last + 1)))


# What a net has unasked.


def is_fed(subject: Subject, claim: Claim, seed: int) -> bool:
    """Whether the outputs of a claim depend on its inputs at all."""
    weights, inputs, others = subject.weights(seed), subject.inputs(seed), subject.inputs(seed + 1)
    before, after = subject.run(weights, inputs), subject.run(weights, inputs | {i: others[i] for i in claim.inputs})
    return any(np.any(np.asarray(before[name]) != np.asarray(after[name])) for name in claim.outputs)


def possible_claims(program: Program) -> list[Claim]:
    """Every symmetry that an output could have, for each input, and for each two inputs that can be exchanged."""
    root = program.root
    outputs = [(name,) for name, _ in root.outputs]
    pairs = [(name, other) for (name,), (other,) in combinations(outputs, 2)]
    kinds = [s for s in SYMMETRIES.values() if s != SWAP]
    inputs = [(name,) for name in root.inputs]
    rows = [(i, s, o, k) for o in outputs for i in inputs for s in kinds for k in (EQUIVARIANT, INVARIANT)]
    rows += [(i, SWAP, o, INVARIANT) for o in outputs for i in combinations(root.inputs, 2)]
    rows += [(i, SWAP, o, EQUIVARIANT) for o in pairs for i in combinations(root.inputs, 2)]
    claims = [Claim(k, i, s, o, spelled(k, i, s.name, o), False) for i, s, o, k in rows]
    return [
        Claim(c.kind, c.inputs, c.symmetry, c.outputs, c.text, follows(program.by_name, root, c))
        for c in claims
        if not misfit(c, root)
    ]


def spelled(kind: str, inputs: tuple[str, ...], symmetry: str, outputs: tuple[str, ...]) -> str:
    """A claim as the language writes it."""
    given, made = (names[0] if len(names) == 1 else f"({', '.join(names)})" for names in (inputs, outputs))
    return f"{kind}({given}, {symmetry}, {made})"
