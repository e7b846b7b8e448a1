"""All checks of a plan, as a table and as data."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from netc.diagnosis.check import FAIL, PASS, SKIP, WARN, WORST, Check
from netc.diagnosis.data import check_inputs, check_labels
from netc.diagnosis.learning import check_first_loss, check_one_batch, check_outputs, first_batch
from netc.ir.network import Program
from netc.training.job import ready
from netc.training.loop import Training
from netc.training.plan import Plan
from netc.training.signals import Finding, findings, first_not_finite
from netc.verification.gradients import measure_gradients
from netc.verification.subject import make_subject

TOLERANCE = 1e-4
"""How far gradients may be from finite differences, relative to them, in float64."""
SIGNALS = {
    "values": {"exploding": FAIL, "dead": FAIL, "saturated": WARN},
    "gradients along the net": {"no-gradient": FAIL, "vanishing": FAIL, "exploding-gradients": FAIL},
    "updates": {"too-fast": WARN, "too-slow": WARN},
}
"""The checks that a look into the first step makes, with how bad each finding is."""
GOOD = {
    "values": "no units are dead or saturated, and nothing explodes",
    "gradients along the net": "gradients of all kernels are of similar size",
    "updates": "a step changes each kernel by a sensible part of its size",
}


@dataclass(frozen=True)
class Diagnosis:
    """What the checks of a net with a recipe came to."""

    net: str
    recipe: str
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        return all(check.status != FAIL for check in self.checks)


def diagnose(plan: Plan) -> Diagnosis:
    """Runs all checks, of an ensemble for one member; raises `RunError` where data do not fit. Nothing is written."""
    alone = replace(plan.recipe, ensemble=1, shared=())
    _, _, training = ready(Path(), replace(plan, recipe=alone), lambda: False)
    program, batch = training.look.program, first_batch(training)
    checks = [
        *check_inputs(training, program),
        *check_labels(training),
        *check_outputs(training, program, batch),
        check_first_loss(training, program, batch),
        *check_signals(training, program),
        check_gradients(program, training.recipe.seed),
        check_one_batch(training, program, batch),
    ]
    return Diagnosis(program.root.name, training.recipe.name, tuple(checks))


def check_signals(training: Training, program: Program) -> list[Check]:
    """Values, gradients and updates of the first step."""
    (look,) = training.look.read(0, training.look(training.state, training.feed(0), training.order(0)))
    if broken := first_not_finite(look):
        way_out = "scale the inputs, start with smaller weights, or look at what divides, takes logarithms or roots"
        return [Check("values", FAIL, broken, {}, way_out)]
    found = findings(look, program)
    return [signal_check(title, [one for one in found if one.kind in kinds], kinds) for title, kinds in SIGNALS.items()]


def signal_check(title: str, found: list[Finding], kinds: dict[str, str]) -> Check:
    """One check of several findings: the worst is what it says, and how many more there are."""
    if not found:
        return Check(title, PASS, GOOD[title])
    worst = min(found, key=lambda one: WORST.index(kinds[one.kind]))
    more = f"; and {len(found) - 1} more" if len(found) > 1 else ""
    figures: dict[str, float | str | None] = {"kind": worst.kind, "layer": worst.layer, "findings": len(found)}
    return Check(title, kinds[worst.kind], worst.text + more, figures, worst.way_out)


def check_gradients(program: Program, seed: int) -> Check:
    """Gradients of weights and inputs against central differences, in float64, on random weights and inputs."""
    with jax.enable_x64(True):
        found = measure_gradients(make_subject(program), seed, TOLERANCE)
    if not found:
        return Check("finite differences", SKIP, "nothing is trained")
    worst = max(found, key=lambda one: one.difference)
    size = worst.difference if np.isfinite(worst.difference) else None
    text = f"gradients of {len(found)} weights and inputs differ by at most {worst.difference:.1e}, at `{worst.name}`"
    way_out = "" if worst.holds else "what is not smooth, such as a step or a hard limit, has no such gradients"
    figures: dict[str, float | str | None] = {"difference": size, "name": worst.name}
    return Check("finite differences", PASS if worst.holds else FAIL, text, figures, way_out)


def as_text(diagnosis: Diagnosis) -> str:
    """A line for each check, and one below it with a way out."""
    lines = [f"{diagnosis.net}, trained by {diagnosis.recipe}"]
    width = max(len(check.name) for check in diagnosis.checks)
    for check in diagnosis.checks:
        lines.append(f"  {check.status}  {check.name.ljust(width)}  {check.text}")
        if check.way_out:
            lines.append(f"        {' ' * width}  = help: {check.way_out}")
    counts = {status: sum(check.status == status for check in diagnosis.checks) for status in (PASS, WARN, FAIL)}
    return "\n".join([*lines, ", ".join(f"{count} {status}" for status, count in counts.items())])


def as_data(diagnosis: Diagnosis) -> dict[str, Any]:
    """The documented form of `netc doctor --format json`."""
    checks = [asdict(check) for check in diagnosis.checks]
    return {"net": diagnosis.net, "recipe": diagnosis.recipe, "holds": diagnosis.holds, "checks": checks}
