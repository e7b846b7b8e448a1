"""What verifying a net has found: measured by `verify_program`, as text for people and as data."""

from dataclasses import dataclass
from typing import Any

import jax

from netc.check.problems import FailedAssert
from netc.ir.network import Program
from netc.ir.symmetry import Claim
from netc.layers.symmetry import SWAP
from netc.problems import Problem
from netc.verification.gradients import Gradient, measure_gradients
from netc.verification.subject import make_subject
from netc.verification.symmetries import SEEDS, Measured, is_fed, measure_claim, possible_claims
from netc.verification.weights import Leaves, Use, compare_leaves, measure_sharing

GRADIENT_TOLERANCE = 100
"""Finite differences are so much less exact than the symmetries of a net."""


@dataclass(frozen=True)
class Verification:
    """All that is known of a net after verifying it. `asserts` are its own claims, `symmetries` all that it could
    have, whether it has them or not."""

    name: str
    seed: int
    tolerance: float
    leaves: Leaves
    asserts: tuple[Measured, ...]
    symmetries: tuple[Measured, ...]
    gradients: tuple[Gradient, ...]
    shared: tuple[Use, ...]

    @property
    def holds(self) -> bool:
        agree = not self.leaves.misfits and not self.broken and all(use.changes for use in self.shared)
        return agree and all(gradient.holds for gradient in self.gradients)

    @property
    def broken(self) -> list[Measured]:
        """What is asserted or proved, and does not hold when it is measured."""
        proved = [m for m in self.symmetries if m.claim.proved]
        return [m for m in (*self.asserts, *proved) if not m.holds(self.tolerance)]

    @property
    def problems(self) -> list[Problem]:
        """The asserts that do not hold."""
        return [
            FailedAssert(span=m.claim.span, condition=m.claim.text, found=found(m), way_out=way_out(m))
            for m in self.asserts
            if not m.holds(self.tolerance)
        ]


def verify_program(program: Program, claims: tuple[Claim, ...], seed: int, tolerance: float) -> Verification:
    """Measures a net on random weights and inputs, in float64 and as in use."""
    with jax.enable_x64(True):
        subject = make_subject(program)
        asserts = tuple(measure_claim(subject, claim, seed) for claim in claims)
        possible = [claim for claim in possible_claims(program) if is_fed(subject, claim, seed)]
        symmetries = tuple(measure_claim(subject, claim, seed) for claim in possible)
        gradients = tuple(measure_gradients(subject, seed, GRADIENT_TOLERANCE * tolerance))
        shared = tuple(measure_sharing(program, seed))
        leaves = compare_leaves(subject)
    return Verification(program.root.name, seed, tolerance, leaves, asserts, symmetries, gradients, shared)


def found(measured: Measured) -> str:
    if measured.difference is None:
        return "cannot be measured: there is no room for it within the borders"
    return f"{measured.where} differs by {measured.difference:.2g} of the output's spread"


def way_out(measured: Measured) -> str:
    if measured.difference is None:
        return "give the net a larger input"
    return "change the net, or what is asserted; an assert may name one output: `equivariant(x, shift, y)`"


# As text.


def as_text(verification: Verification) -> str:
    """The findings in tables, one below the other."""
    v = verification
    leaves = v.leaves
    agree = "as the checker says" if not leaves.misfits else "which is not what the checker says"
    parts = [f"{v.name}: {leaves.params:,} parameters in {leaves.weights} weights, {agree}"]
    parts += [f"  {misfit}" for misfit in leaves.misfits]
    measured = f"on {SEEDS} draws of weights and inputs from seed {v.seed}"
    if v.asserts:
        rows = [symmetry_row(m, v.tolerance) for m in v.asserts]
        parts += ["", f"asserts on symmetry, {measured} (tolerance {v.tolerance:g})", *aligned(rows)]
    rows = [symmetry_row(m, v.tolerance) for m in v.symmetries if m.claim.proved or m.holds(v.tolerance)]
    parts += ["", f"symmetries, {measured}", *aligned(rows), *absent(v)]
    rows = [(g.name, yes(g.holds), f"{g.difference:.1e}") for g in v.gradients]
    parts += ["", f"gradients against finite differences (tolerance {GRADIENT_TOLERANCE * v.tolerance:g})"]
    parts += aligned(rows) if rows else ["  none"]
    if v.shared:
        parts += ["", "shared weights: changing one changes each of its uses", *aligned(shared_rows(v.shared))]
    return "\n".join(parts)


def symmetry_row(measured: Measured, tolerance: float) -> tuple[str, ...]:
    claim = measured.claim
    how = "by construction" if claim.proved else "measured"
    size = "no room to measure" if measured.difference is None else f"{measured.difference:.1e}"
    notes = [] if measured.step in (None, 1) else [f"shifts by multiples of {measured.step}"]
    notes += [] if measured.holds(tolerance) or not measured.where else [f"at {measured.where}"]
    return claim.text, yes(measured.holds(tolerance)), how, size, ", ".join(notes)


def absent(v: Verification) -> list[str]:
    """A line for each output and input: the symmetries that it has not. Most inputs are not meant to be swapped."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    for m in (m for m in v.symmetries if m.claim.symmetry != SWAP):
        names = found.setdefault((" and ".join(m.claim.outputs), " and ".join(m.claim.inputs)), {})
        names[m.claim.symmetry.name] = names.get(m.claim.symmetry.name, False) or m.claim.proved or m.holds(v.tolerance)
    lines = []
    for (outputs, inputs), names in found.items():
        lacking = [name for name, has in names.items() if not has]
        if lacking:
            lines.append(f"  not of {outputs}: {', '.join(lacking)} of {inputs}")
    return lines


def shared_rows(uses: tuple[Use, ...]) -> list[tuple[str, ...]]:
    """A row for each weight."""
    by_weight: dict[str, list[Use]] = {}
    for use in uses:
        by_weight.setdefault(use.weight, []).append(use)
    return [
        (name, yes(all(use.changes for use in own)), ", ".join(use.layer + unchanged(use) for use in own))
        for name, own in by_weight.items()
    ]


def unchanged(use: Use) -> str:
    return "" if use.changes else " does not change"


def yes(holds: bool) -> str:
    return "holds" if holds else "FAILS"


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


# As data.


def as_data(verification: Verification) -> dict[str, Any]:
    """The documented form of `netc verify --format json`."""
    v = verification
    return {
        "name": v.name,
        "holds": v.holds,
        "seed": v.seed,
        "tolerance": v.tolerance,
        "params": v.leaves.params,
        "misfits": list(v.leaves.misfits),
        "asserts": [symmetry_data(m, v.tolerance) for m in v.asserts],
        "symmetries": [symmetry_data(m, v.tolerance) for m in v.symmetries],
        "gradients": [{"name": g.name, "holds": g.holds, "difference": number(g.difference)} for g in v.gradients],
        "shared": [{"weight": use.weight, "use": use.layer, "changes": use.changes} for use in v.shared],
    }


def symmetry_data(measured: Measured, tolerance: float) -> dict[str, Any]:
    claim = measured.claim
    return {
        "kind": claim.kind,
        "symmetry": claim.symmetry.name,
        "inputs": list(claim.inputs),
        "outputs": list(claim.outputs),
        "holds": measured.holds(tolerance),
        "proved": claim.proved,
        "difference": None if measured.difference is None else number(measured.difference),
        "where": measured.where or None,
        "step": measured.step,
    }


def number(value: float) -> float | None:
    """JSON has no infinity."""
    return value if value < float("inf") else None
