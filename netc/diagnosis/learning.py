"""Checks of the net with its loss: what it says before it has learnt anything, and whether it can learn one batch."""

import time
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from netc.diagnosis.check import FAIL, PASS, SKIP, WARN, Check
from netc.ir.network import Applied, Output, Program
from netc.recipes.losses import LOSSES
from netc.training.data.stored import read
from netc.training.loop import Training
from netc.training.matching import applied_terms
from netc.training.precision import run_in

ROWS = {row.kind: row for row in LOSSES}
UNIFORM = {"logits": lambda shape: jnp.zeros(shape), "score": lambda shape: jnp.zeros(shape)}
UNIFORM |= {"probabilities": lambda shape: jnp.full(shape, 1 / max(shape[-1], 2))}
"""What a net that knows nothing gives, by how an output is read: every class is as likely as any other."""
HIGH, TOO_HIGH, LOW = 1.5, 4.0, 0.5
"""The loss at initialisation, in parts of that of a net that knows nothing."""
EXAMPLES, STEPS, SECONDS = 32, 400, 60.0
"""How large the batch is that is learnt, and how long."""
RATE = 0.003
LEARNT, HARDLY = 0.1, 0.5
"""Which part of the loss is left of a batch that is learnt, and of one that hardly is."""
OUTPUTS = "outputs"


@dataclass(frozen=True)
class Batch:
    """Some examples, with what the net gives for them at first, in training mode but without dropout."""

    graph: Any
    params: Any
    rest: Any
    data: dict[str, Any]
    outputs: dict[str, Any]


def first_batch(training: Training) -> Batch:
    """The first examples of the training set in the order of its first epoch."""
    look = training.look
    view = nnx.view(training.model, deterministic=True, raise_if_not_found=False)
    graph, params, rest = nnx.split(view, look.keeps.trained, ...)
    chosen = np.asarray(training.order(0)[: min(EXAMPLES, training.batch)])
    data = {name: jnp.asarray(read(array, chosen)) for name, array in training.feed.arrays.items()}
    run = jax.jit(lambda params, rest, data: run_in(training.recipe.precision, look.used, graph, params, rest, data)[0])
    outputs = run(params, rest, data)
    return Batch(graph, params, rest, data, outputs)


def readings(training: Training, program: Program) -> dict[str, str]:
    """How the losses read the outputs that they are about; an output of no loss is left out."""
    found: dict[str, str] = {}
    for term in applied_terms((training.recipe.loss,)):
        for operand in term.positional[:1]:
            if isinstance(operand, Output):
                found.setdefault(operand.name, ROWS[term.name].reading)
    return found


def losses_text(terms: tuple[Applied, ...]) -> str:
    return " and ".join(f"`{name}`" for name in dict.fromkeys(term.name for term in terms))


def reference(training: Training, program: Program, batch: Batch) -> float | None:
    """The loss of a net that knows nothing: ln(classes) for `cross_entropy`. None where a loss has no such thing."""
    read = readings(training, program)
    terms = applied_terms((training.recipe.loss,))
    if not all(ROWS[term.name].reading in UNIFORM for term in terms) or read.keys() != batch.outputs.keys():
        return None
    given = {name: UNIFORM[read[name]](array.shape) for name, array in batch.outputs.items()}
    return float(jnp.mean(training.look.used.loss(given, batch.data)))


def check_first_loss(training: Training, program: Program, batch: Batch) -> Check:
    """The loss at initialisation against that of a net that holds all classes for equally likely."""
    title = "loss at initialisation"
    found = float(jnp.mean(training.look.used.loss(batch.outputs, batch.data)))
    if not np.isfinite(found):
        return Check(title, FAIL, f"the loss is {found}", {"loss": None}, "start with smaller weights, or scale inputs")
    known = reference(training, program, batch)
    figures: dict[str, float | str | None] = {"loss": found, "expected": known}
    if known is None:
        named = losses_text(tuple(applied_terms((training.recipe.loss,))))
        return Check(title, SKIP, f"the loss is {found:.4g}; of {named} nobody knows what it should be", figures)
    text = f"the loss is {found:.4g}, and that of a net that holds all classes for equally likely {known:.4g}"
    if found > HIGH * known:
        way_out = (
            "the net is sure of what it cannot know: start with smaller weights (`init = he` or `glorot`), or scale \
inputs (`prepare = standardize`)"
        )
        return Check(title, FAIL if found > TOO_HIGH * known else WARN, text, figures, way_out)
    if found < LOW * known:
        way_out = "look at whether the label is among the inputs, and whether the loss is what is meant"
        return Check(title, WARN, text, figures, way_out)
    return Check(title, PASS, text, figures)


def check_outputs(training: Training, program: Program, batch: Batch) -> list[Check]:
    """Whether outputs are what their loss takes: logits, and no probabilities; probabilities, and no logits."""
    found = []
    for name, reading in readings(training, program).items():
        array = np.asarray(batch.outputs[name], np.float64)
        if reading == "logits" and array.ndim > 1 and array.shape[-1] > 1:
            sums = array.sum(axis=-1)
            twice = bool((array >= 0).all() and np.allclose(sums, 1, atol=1e-3))
            text = f"`{name}` adds up to 1 in every example: it is a softmax, and the loss has another within"
            good = f"`{name}` are logits, as the loss takes them"
            way_out = f"leave out the `softmax` before `{name}`, or use the loss `log_likelihood`"
            found.append(Check(OUTPUTS, FAIL, text, {}, way_out) if twice else Check(OUTPUTS, PASS, good))
        if reading == "probabilities":
            outside = bool((array < 0).any() or (array > 1).any())
            text = f"`{name}` goes from {array.min():.3g} to {array.max():.3g}, and the loss takes probabilities"
            way_out = f"put `softmax` (or `sigmoid`) before `{name}`, or use the loss `cross_entropy`"
            good = f"`{name}` are probabilities, as the loss takes them"
            found.append(Check(OUTPUTS, FAIL, text, {}, way_out) if outside else Check(OUTPUTS, PASS, good))
    return found


def check_one_batch(training: Training, program: Program, batch: Batch) -> Check:
    """Whether the net learns some examples by heart, without dropout and augmentation, by Adam."""
    title = "learning one batch"
    known = reference(training, program, batch)
    losses = learnt(training, batch, LEARNT * known if known else None)
    first, last = losses[0], losses[-1]
    examples = len(next(iter(batch.data.values())))
    text = f"{examples} examples: the loss goes from {first:.4g} to {last:.4g} in {len(losses) - 1} steps of Adam"
    figures: dict[str, float | str | None] = {"first": first, "last": last, "steps": len(losses) - 1}
    if not np.isfinite(losses).all():
        figures |= {"first": None, "last": None}
        return Check(
            title, FAIL, text, figures, "the loss is not finite: start with smaller weights, or scale the inputs"
        )
    left = last / (known or first) if (known or first) > 0 else 0.0
    if left <= LEARNT:
        return Check(title, PASS, text, figures)
    way_out = (
        "a net that cannot learn some examples by heart cannot learn many: look at the checks above, at whether the \
loss sees the output, and at whether the net is large enough"
    )
    return Check(title, WARN if left <= HARDLY else FAIL, text, figures, way_out)


def learnt(training: Training, batch: Batch, goal: float | None) -> list[float]:
    """The losses of steps on one batch, until one is below the goal, or a tenth of the first."""
    look, optimizer = training.look, optax.adam(RATE)

    def loss(params: Any, rest: Any) -> Any:
        outputs, changed = run_in(training.recipe.precision, look.used, batch.graph, params, rest, batch.data)
        return jnp.mean(look.used.loss(outputs, batch.data)), changed

    @jax.jit
    def step(params: Any, rest: Any, state: Any) -> Any:
        (found, changed), gradients = jax.value_and_grad(loss, has_aux=True)(params, rest)
        updates, state = optimizer.update(gradients, state)
        return look.keeps.projected(optax.apply_updates(params, updates), batch.graph, changed), changed, state, found

    params, rest, state = batch.params, batch.rest, optimizer.init(batch.params)
    found, started = list[float](), time.monotonic()
    while len(found) <= STEPS and time.monotonic() - started < SECONDS:
        params, rest, state, value = step(params, rest, state)
        found.append(float(value))
        below = found[-1] <= (goal if goal is not None else LEARNT * found[0])
        if below or not np.isfinite(found[-1]):
            break
    return found
