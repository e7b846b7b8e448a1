"""What a look into a step says of a training: gradients that vanish or explode, units that are dead or saturated,
updates that are too large or too small, and where the first number is that is not finite.

Gradients that shrink or grow by a factor at each layer are Hochreiter 1991's and Bengio, Simard & Frasconi 1994's;
Nielsen 2015, chapter 5, shows them layer by layer; Glorot & Bengio 2010 and He et al. 2015 choose first weights that
keep both directions of even size.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from netc.ir.network import Program
from netc.training.look import Look
from netc.training.run import SIGNALS

VANISHED = 1e-3
"""Gradients of one kernel beside those of another that are smaller than this have vanished, or the others exploded."""
LARGEST_VALUES = 1e3
"""Root mean squares of values above this have exploded: layers give about 1."""
MOST_DEAD, MOST_SATURATED = 0.5, 0.75
UPDATES = 1e-6, 0.1
"""Between these is the size of an update beside its weight; about 1e-3 is usual."""


@dataclass(frozen=True)
class Finding:
    """Something that is probably wrong, with the layer or weight that it is about. `kind` is a word."""

    kind: str
    layer: str
    text: str
    way_out: str


VANISHING = (
    "use `relu` in place of what saturates, start with `init = he` (`glorot` for `tanh`), or put `batchnorm` or \
residual connections (`[identity, body] -> add`) between"
)
EXPLODING = (
    "start with smaller weights (`init = he`, or `glorot` for `tanh`), put `clip_by_global_norm(1.0)` before the \
optimizer, or `batchnorm` between"
)
NO_GRADIENT = "look at what stands behind it: dead or saturated units, or a path that the loss does not see"
DEAD = "start biases at 0 and weights with `init = he`, lower the rate, or use `leaky_relu`"
SATURATED = "scale the inputs (`prepare = standardize`), start with smaller weights (`init = glorot`), or use `relu`"
FAST = "lower the rate, or warm it up"
SLOW = "raise the rate"


def findings(look: Look, program: Program) -> list[Finding]:
    """All that is to be said of a step, what is about values first."""
    return [
        *exploding_values(look),
        *dead_units(look),
        *saturated_units(look, program),
        *uneven_gradients(look, program),
        *updates(look, program),
    ]


def exploding_values(look: Look) -> Iterator[Finding]:
    """The first layer whose values are too large; those after it follow from it."""
    for name, stats in look.values.items():
        if stats["rms"] > LARGEST_VALUES:
            text = f"what `{name}` gives explodes: its numbers are about {stats['rms']:.1e}"
            yield Finding("exploding", name, text, EXPLODING)
            return


def dead_units(look: Look) -> Iterator[Finding]:
    for name, stats in look.values.items():
        if stats.get("dead", 0) > MOST_DEAD:
            text = f"{share(stats['dead'])} of the units of `{name}` are dead: 0 for every example of a batch"
            yield Finding("dead", name, text, DEAD)


def saturated_units(look: Look, program: Program) -> Iterator[Finding]:
    """Of what the net gives itself, sure answers are no harm."""
    given = {value for _, value in program.root.outputs}
    last = {call.instance for call in program.root.calls if given & set(call.outputs)}
    for name, stats in look.values.items():
        inside = any(name == own or name.startswith(f"{own}.") for own in last)
        if stats.get("saturated", 0) > MOST_SATURATED and not inside:
            text = f"{share(stats['saturated'])} of what `{name}` gives is saturated: hardly any gradient comes through"
            yield Finding("saturated", name, text, SATURATED)


def kernels(look: Look, program: Program) -> list[str]:
    """The weights that are compared, in order of definition: trained ones of two axes or more, which are no biases, and
    no tables of which a batch sees a few rows."""
    found = [name for name, weight in program.weights() if len(weight.shape) > 1 and "token" not in weight.axes]
    return [name for name in found if name in look.weights and not name.endswith("bias")]


def uneven_gradients(look: Look, program: Program) -> Iterator[Finding]:
    """Gradients of one kernel far smaller than those of another: in the direction of the flow they explode backwards,
    against it they vanish."""
    names = kernels(look, program)
    sizes = {name: look.weights[name].gradient for name in names}
    reached = [name for name in names if sizes[name] > 0]
    unreached = [name for name in names if not sizes[name]]
    if unreached:
        others = f", or {len(unreached) - 1} of the {len(names) - 1} other kernels" if len(unreached) > 1 else ""
        text = f"no gradient reaches `{unreached[0]}`{others}: it is exactly 0"
        yield Finding("no-gradient", unreached[0], text, NO_GRADIENT)
    if not reached:
        return
    small, large = min(reached, key=sizes.__getitem__), max(reached, key=sizes.__getitem__)
    ratio = sizes[small] / sizes[large]
    if ratio >= VANISHED:
        return
    if names.index(small) < names.index(large):
        text = f"gradients vanish: those of `{small}` are {ratio:.1e} of those of `{large}`"
        yield Finding("vanishing", small, text, VANISHING)
    else:
        text = f"gradients explode: those of `{large}` are {1 / ratio:.1e} times those of `{small}`"
        yield Finding("exploding-gradients", large, text, EXPLODING)


def updates(look: Look, program: Program) -> Iterator[Finding]:
    """Kernels that a step changes too much or too little; of several the worst."""
    ratios = {name: look.weights[name].ratio for name in kernels(look, program) if look.weights[name].weight}
    ratios = {name: ratio for name, ratio in ratios.items() if look.weights[name].gradient > 0}
    least, most = UPDATES
    if not ratios:
        return
    fast, slow = max(ratios, key=ratios.__getitem__), min(ratios, key=ratios.__getitem__)
    if ratios[fast] > most:
        yield Finding("too-fast", fast, changes(fast, ratios[fast]), FAST)
    if 0 < ratios[slow] < least:
        yield Finding("too-slow", slow, changes(slow, ratios[slow]), SLOW)


def changes(name: str, ratio: float) -> str:
    return f"a step changes `{name}` by {ratio:.1e} of its size; about 1e-3 is usual"


def share(part: float) -> str:
    return f"{100 * part:.0f} %"


def first_not_finite(look: Look) -> str:
    """Where the first number that is not finite stands: in a weight, in a value in the order of the calls, in a
    gradient in the order in which they come about, or in an update; empty where all are finite."""
    where, first = in_member(look), "the first numbers that are not finite are"
    for name, norms in look.weights.items():
        if not math.isfinite(norms.weight):
            return f"{where}the weight `{name}` holds numbers that are not finite"
    for name, stats in look.values.items():
        if not math.isfinite(stats["largest"]):
            return f"{where}{first} what `{name}` gives"
    for name, norms in reversed(look.weights.items()):
        if not math.isfinite(norms.gradient):
            return f"{where}{first} in the gradient of `{name}`"
    for name, norms in look.weights.items():
        if not math.isfinite(norms.update):
            return f"{where}{first} in the update of `{name}`"
    return ""


def in_member(look: Look) -> str:
    """Which member of an ensemble was looked into, as the beginning of a sentence."""
    return "" if look.member is None else f"in member {look.member}, "


def record(look: Look, found: list[Finding]) -> dict[str, Any]:
    """A line of signals.jsonl, with numbers of four digits."""
    weights = {name: rounded({**asdict(norms), "ratio": norms.ratio}) for name, norms in look.weights.items()}
    values = {name: rounded(stats) for name, stats in look.values.items()}
    known = [asdict(finding) for finding in found]
    where = {"step": look.step} if look.member is None else {"step": look.step, "member": look.member}
    return {**where, **rounded({"loss": look.loss}), "values": values, "weights": weights, "findings": known}


def rounded(numbers: dict[str, float]) -> dict[str, float | None]:
    """JSON has no infinity."""
    return {name: float(f"{x:.4g}") if math.isfinite(x) else None for name, x in numbers.items()}


def named(finding: Mapping[str, Any]) -> tuple[str, str]:
    """What a finding of a line is about: its kind and layer."""
    return finding["kind"], finding["layer"]


def read_signals(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run's signals.jsonl; one that was cut off while it was written is none."""
    path = folder / SIGNALS
    lines = path.read_text().split("\n")[:-1] if path.is_file() else []
    return [json.loads(line) for line in lines]
