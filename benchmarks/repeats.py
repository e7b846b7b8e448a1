"""Rows of equal layers: how long compiling takes with their length, as a loop and written out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from benchmarks.measure import Row, Table, as_ratio, at_most, in_milliseconds, in_seconds, ratios, spread, take_turns
from netc.compiler import check_text, support
from netc.emit.flax import emit
from netc.emit.loops import LONG
from netc.model import run_source

FORMS = {"loop": 2, "written out": 10**9}
"""From how many layers on a row is a loop."""
LENGTHS = (4, 8, 16, 32, 128)
LONGEST_WRITTEN = 32
"""Longer rows take long to compile written out."""
TIMES = 5
"""How often a compiled step runs, to measure it."""


@dataclass(frozen=True)
class Case:
    """A body to repeat, what flows through it, and how many examples at a time."""

    name: str
    input: str
    body: str
    batch: int


CASES = (
    Case(
        "convolutional residual blocks",
        "[16, 16, 16]",
        "[identity, conv(16, 3x3, pad = same) -> batchnorm -> relu -> conv(16, 3x3, pad = same)] -> add",
        8,
    ),
    Case("dense residual blocks", "[64]", "[identity, dense(64) -> relu -> dense(64)] -> add", 32),
    Case(
        "transformer layers",
        "[32, 64]",
        "[identity, layernorm -> attention(4)] -> add "
        "-> [identity, layernorm -> dense(256) -> gelu -> dense(64)] -> add",
        4,
    ),
)


def tables(rounds: int) -> list[Table]:
    return [lengths(case, LENGTHS, max(1, rounds // 10)) for case in CASES]


def lengths(case: Case, counts: tuple[int, ...], rounds: int) -> Table:
    """Compiling a step, forward, backward and down the slope, for rows of several lengths."""
    forms = [(n, form) for n in counts for form in FORMS if form == "loop" or n <= LONGEST_WRITTEN]
    steps = {f"{n} {form}": make_step(case, n, FORMS[form]) for n, form in forms}
    seconds = take_turns({name: partial(compiled, *step) for name, step in steps.items()}, rounds, warm=0)
    rows = [
        Row(name, f"{spread(taken, in_seconds)}; a step {in_milliseconds(a_step(*steps[name]))}")
        for name, taken in seconds.items()
    ]
    long, short = f"{counts[-1]} loop", f"{min(LONG, counts[-2])} loop"
    rows.append(at_most(f"{long} to {short}", ratios(seconds, long, short), 1.5, as_ratio))
    text = (
        "Tracing and compiling a training step (forward, backward, Adam), in float32, in turn, "
        f"{rounds} rounds; batches of {case.batch} of {case.input}; the shortest of {TIMES} steps."
    )
    return Table(f"Compiling rows of {case.name}", text, tuple(rows))


def make_step(case: Case, n: int, long: int) -> tuple[Callable[..., Any], list[Any], jax.Array]:
    """A step of Adam on a flat list of arrays, as training has it, and what it is given."""
    program = check_text(f"net N {{ input x: {case.input}  output y = x -> repeat {n} {{ {case.body} }} }}").programs[0]
    emitted = emit(program, support(), long=long)
    graph, params, rest = nnx.split(
        run_source(emitted.source, "<row>")[emitted.class_name](nnx.Rngs(0)), nnx.Param, ...
    )
    optimizer = optax.adam(1e-3)
    leaves, definition = jax.tree.flatten((params, rest, optimizer.init(params)))

    def step(leaves: list[Any], x: jax.Array) -> list[Any]:
        params, rest, state = jax.tree.unflatten(definition, leaves)

        def loss(params: Any) -> Any:
            model = nnx.merge(graph, params, rest, copy=True)
            return jnp.mean(jnp.square(model(x))), nnx.state(model, nnx.Not(nnx.Param))

        gradients, rest = jax.grad(loss, has_aux=True)(params)
        updates, state = optimizer.update(gradients, state, params)
        return jax.tree.leaves((optax.apply_updates(params, updates), rest, state))

    return step, leaves, jnp.ones((case.batch, *program.root.types["x"].shape))


def compiled(step: Callable[..., Any], leaves: list[Any], x: jax.Array) -> Any:
    """The step compiled anew: JAX keeps nothing of another function's."""
    return jax.jit(lambda *given: step(*given)).lower(leaves, x).compile()


def a_step(step: Callable[..., Any], leaves: list[Any], x: jax.Array) -> float:
    """The seconds of the shortest of some steps."""
    run = compiled(step, leaves, x)
    jax.block_until_ready(run(leaves, x))
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        jax.block_until_ready(run(leaves, x))
        taken.append(time.perf_counter() - start)
    return min(taken)
