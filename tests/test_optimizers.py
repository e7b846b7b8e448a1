"""Optimizers and schedules: every row against Optax's real signatures, every function built and used for a step."""

import inspect
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import FunctionType
from typing import Any

import jax
import jax.numpy as jnp
import optax
import pytest

from netc.arguments import REJECTED
from netc.emit.recipe import chain
from netc.ir.network import Applied, Term
from netc.layers.base import Refusal
from netc.recipes.optax_rows import OF_WHOLE_WEIGHTS
from netc.recipes.optimizers import TOTAL_STEPS, Parameter, Row, Wrong, bind_row, refuse_steps, schedules, transforms

SHORT = {name: row for name, row in schedules().items() if name != row.optax_name}
OPTAX_SCHEDULES = {name: row for name, row in schedules().items() if name not in SHORT}

# What Optax exports and the tables have not: it takes a transform, a function, a mask or a dict, or its update
# needs the loss as a function (line searches, of which `lbfgs` has one inside).
TRANSFORMS_NOT_PLAIN = {
    "apply_if_finite",
    "chain",
    "conditionally_mask",
    "conditionally_transform",
    "flatten",
    "freeze",
    "lbfgs",
    "lookahead",
    "masked",
    "measure_with_ema",
    "multi_transform",
    "named_chain",
    "partition",
    "scale_by_backtracking_linesearch",
    "scale_by_zoom_linesearch",
    "selective_transform",
    "snapshot",
    "stateless",
    "stateless_with_tree_map",
    "with_extra_args_support",
}
SCHEDULES_NOT_PLAIN = {
    "join_schedules",
    "piecewise_constant_schedule",
    "piecewise_interpolate_schedule",
    "sgdr_schedule",
}
# Exported with plain arguments, but without a return annotation.
UNANNOTATED = {"scale_by_factored_rms"}
# Parameters that no row has: dtypes, masks, functions, the old spelling of `key`, and an axis that would have to
# fit every weight.
NOT_WRITTEN = {
    "accumulator_dtype",
    "dtype_momentum",
    "mu_dtype",
    "param_dtype",
    "mask",
    "weight_decay_mask",
    "trust_ratio_mask",
    "decay_rate_fn",
    "add_noise.seed",
    "noisy_sgd.seed",
    "adaptive_grad_clip.axis",
}
DEPRECATED = {"optimistic_adam"}

PARAMS = {"kernel": jnp.full((3, 2), 0.5), "bias": jnp.zeros(2)}
GRADIENTS = {"kernel": jnp.full((3, 2), 0.1), "bias": jnp.full(2, -0.2)}


def returning(*kinds: object) -> set[str]:
    """The functions that Optax exports whose annotation says that they return one of these."""
    functions = {name: getattr(optax, name) for name in dir(optax) if name[0] != "_"}
    plain = {name: f for name, f in functions.items() if isinstance(f, FunctionType | partial)}
    return {name for name, f in plain.items() if inspect.signature(f).return_annotation in kinds}


def test_every_transform_that_optax_exports_has_a_row_or_a_reason():
    kinds = (optax.GradientTransformation, optax.GradientTransformationExtraArgs)
    assert set(transforms()) == (returning(*kinds) - TRANSFORMS_NOT_PLAIN) | UNANNOTATED
    assert returning(*kinds) >= TRANSFORMS_NOT_PLAIN


def test_every_schedule_that_optax_exports_has_a_row_or_a_reason():
    assert set(OPTAX_SCHEDULES) == returning(optax.Schedule) - SCHEDULES_NOT_PLAIN
    assert returning(optax.Schedule) >= SCHEDULES_NOT_PLAIN


@pytest.mark.parametrize("row", [*transforms().values(), *OPTAX_SCHEDULES.values()], ids=lambda row: row.name)
def test_a_row_has_the_parameters_and_defaults_of_the_real_signature(row: Row):
    real = inspect.signature(getattr(optax, row.optax_name)).parameters
    written = [name for name in real if not {name, f"{row.name}.{name}"} & NOT_WRITTEN]
    assert [p.optax_name for p in row.parameters] == written
    for p in row.parameters:
        default = real[p.optax_name].default
        if p.filled:
            assert default is None
            continue
        assert p.required == (default is inspect.Parameter.empty), p.name
        assert p.required or (p.default == default and isinstance(p.default, bool) == isinstance(default, bool))


@pytest.mark.parametrize("row", SHORT.values(), ids=lambda row: row.name)
def test_a_short_schedule_is_optaxs_under_other_names(row: Row):
    real = OPTAX_SCHEDULES[row.optax_name].parameters
    assert {p.optax_name for p in row.parameters} == {p.optax_name for p in real}
    defaults = {p.optax_name: p for p in real}
    for p in row.parameters:
        own = defaults[p.optax_name]
        assert p.filled or (p.required, p.default) == (own.required, own.default), p.name
    required = [p.required for p in row.parameters]
    assert required == sorted(required, reverse=True)


def example(p: Parameter) -> Term:
    """A value for a parameter that must be given."""
    if p.optax_name == "warmup_steps":
        return 2
    return next(value for value in (0.1, 4) if p.accepts.read(value) is not REJECTED)


def call(row: Row, **changed: Term) -> Applied:
    """A call with what is required, and changes."""
    given = {p.name: example(p) for p in row.parameters if p.required}
    return Applied(row.name, (), tuple((given | changed).items()))


def build(bound: Applied | list[Wrong]) -> Any:
    """What the emitted source of a checked call makes."""
    return eval(emitted(bound), {"optax": optax, "total_steps": 10})


def emitted(bound: Applied | list[Wrong]) -> str:
    assert isinstance(bound, Applied), bound
    return chain((bound,))


def expected_warning(row: Row) -> AbstractContextManager[Any]:
    return pytest.warns(DeprecationWarning) if row.name in DEPRECATED else nullcontext()


def step(transform: Any) -> Any:
    transform = optax.with_extra_args_support(transform)
    return transform.update(GRADIENTS, transform.init(PARAMS), PARAMS, value=jnp.float32(1.0))[0]


@pytest.mark.parametrize("row", transforms().values(), ids=lambda row: row.name)
def test_a_transform_is_built_and_takes_a_step(row: Row):
    with expected_warning(row):
        updates = step(build(bind_row(call(row), transforms())))
    assert jax.tree.map(jnp.shape, updates) == jax.tree.map(jnp.shape, PARAMS)
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(updates))


@pytest.mark.parametrize("name", sorted(transforms().keys() - OF_WHOLE_WEIGHTS))
def test_a_stack_of_weights_is_updated_as_each_is_except_by_transforms_of_whole_weights(name: str):
    assert transforms().keys() > OF_WHOLE_WEIGHTS
    row = transforms()[name]
    with expected_warning(row):
        made = optax.with_extra_args_support(build(bind_row(call(row), transforms())))
    w, g = (scale * jax.random.normal(jax.random.key(i), (2, 128, 130)) for i, scale in enumerate((1, 9)))
    apart = {"a": w[0], "b": w[1]}, {"a": g[0], "b": g[1]}
    found: list[Any] = [made.update(g, made.init(w), w, value=jnp.float32(1))[0] for w, g in ((w, g), apart)]
    stacked, each = found
    assert jnp.allclose(stacked, jnp.stack([each["a"], each["b"]]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("row", schedules().values(), ids=lambda row: row.name)
def test_a_schedule_is_built_and_gives_finite_rates(row: Row):
    schedule = build(bind_row(call(row), schedules()))
    assert all(bool(jnp.isfinite(schedule(count))) for count in (0, 3, 9, 10, 11))


SCHEDULE = Applied("cosine", (0.1,))
CANDIDATES: tuple[Term, ...] = (-1, 0, 0.5, 1, 2.5, 7, True, False, "sps+", "smooth", "zz", None, SCHEDULE)


@pytest.mark.parametrize("row", [*transforms().values(), *schedules().values()], ids=lambda row: row.name)
def test_whatever_the_check_accepts_optax_can_use(row: Row):
    """Traced and not run: what Optax refuses, it refuses while building or tracing."""
    table = transforms() if row.name in transforms() else schedules()
    calls = [call(row, **{p.name: value}) for p in row.parameters for value in CANDIDATES]
    accepted = [bound for c in calls if isinstance(bound := bind_row(c, table), Applied)]
    assert bool(accepted) == bool(row.parameters)
    for bound in accepted:
        with expected_warning(row):
            made = build(bound)
            jax.eval_shape(lambda made=made: made(jnp.int32(3)) if table is schedules() else step(made))


def test_a_rate_can_be_a_schedule_wherever_optax_allows_it():
    may = {row.name for row in transforms().values() if any(p.schedule for p in row.parameters)}
    assert {"sgd", "adam", "adamw", "scale_by_learning_rate", "scale_by_schedule"} <= may
    assert not {"sm3", "rprop", "clip"} & may


def wrongs(bound: Applied | list[Wrong]) -> list[tuple[str, str, str]]:
    assert isinstance(bound, list)
    return [(w.what, w.name, w.callee) for w in bound]


def bind(name: str, *positional: Term, **named: Term) -> Applied | list[Wrong]:
    return bind_row(Applied(name, positional, tuple(named.items())), transforms())


COSINE = Applied("cosine", (0.05,))
WARMUP = Applied("warmup_cosine", (3e-4,), (("warmup", 500),))
READ_AS = [
    (bind("clip", 1), "optax.clip(max_delta=1.0)"),
    (bind("adam", learning_rate=1), "optax.adam(learning_rate=1.0)"),
    (bind("add_noise", 0.1, 0.5), "optax.add_noise(eta=0.1, gamma=0.5, key=0)"),
    (
        bind("sgd", rate=COSINE, momentum=0.9),
        "optax.sgd(learning_rate=optax.cosine_decay_schedule(init_value=0.05, decay_steps=total_steps), momentum=0.9)",
    ),
    (
        bind("adamw", rate=WARMUP),
        "optax.adamw(learning_rate=optax.warmup_cosine_decay_schedule(peak_value=0.0003, warmup_steps=500, "
        "decay_steps=total_steps, init_value=0.0))",
    ),
    (
        bind("scale_by_schedule", 0.5),
        "optax.scale_by_schedule(step_size_fn=optax.constant_schedule(value=0.5))",
    ),
]


@pytest.mark.parametrize(("bound", "source"), READ_AS)
def test_calls_of_the_language_are_calls_of_optax(bound: Applied | list[Wrong], source: str):
    assert emitted(bound) == source


def test_a_chain_reads_one_transform_a_line():
    clip, sgd = bind("clip", 1.0), bind("sgd", 0.1)
    assert isinstance(clip, Applied) and isinstance(sgd, Applied)
    assert chain((clip, sgd)) == (
        "optax.chain(\n        optax.clip(max_delta=1.0),\n        optax.sgd(learning_rate=0.1),\n    )"
    )


MISTAKES = [
    (bind("adamm", 0.1), [("unknown", "adamm", "adamm")]),
    (bind("adam"), [("missing", "rate", "adam")]),
    (bind("adam", rate=0.1, b3=0.5), [("argument", "b3", "adam")]),
    (bind("adam", 0.1, rate=0.1), [("extra", "rate", "adam")]),
    (bind("adam", rate=0.1, learning_rate=0.1), [("extra", "learning_rate", "adam")]),
    (bind("clip", 1.0, 2.0), [("extra", "", "clip")]),
    (bind("adam", rate="x", b1=2, nesterov=1), [("type", name, "adam") for name in ("rate", "b1", "nesterov")]),
    (bind("adam", rate=-1), [("type", "rate", "adam")]),
    (bind("adam", rate=True), [("type", "rate", "adam")]),
    (bind("adam", 0.1, b1=COSINE), [("type", "b1", "adam")]),
    (bind("sm3", COSINE), [("type", "rate", "sm3")]),
    (bind("scale_by_lbfgs", 0.5), [("type", "memory_size", "scale_by_lbfgs")]),
    (bind("scale_by_lion", mode="__import__('os')"), [("type", "mode", "scale_by_lion")]),
    (bind("polyak_sgd", variant=TOTAL_STEPS), [("type", "variant", "polyak_sgd")]),
    (bind("sgd", Applied("cosin", (0.1,))), [("unknown", "cosin", "cosin")]),
    (bind("sgd", Applied("adam", (0.1,))), [("unknown", "adam", "adam")]),
    (bind("sgd", Applied("cosine"), b=1), [("argument", "b", "sgd"), ("missing", "init", "cosine")]),
    (bind("sgd", Applied("cosine", (0.1, 0))), [("type", "steps", "cosine")]),
    (bind("sgd", Applied("warmup_cosine", (0.1, 9, 9))), [("type", "warmup", "warmup_cosine")]),
]


@pytest.mark.parametrize(("bound", "found"), MISTAKES)
def test_every_mistake_in_a_call_is_found(bound: Applied | list[Wrong], found: list[tuple[str, str, str]]):
    assert wrongs(bound) == found


def test_a_mistake_says_which_table_was_looked_in():
    optimizers, inner = bind("adamm"), bind("sgd", Applied("cosin", (0.1,)))
    assert isinstance(optimizers, list) and isinstance(inner, list)
    (optimizer,), (schedule,) = optimizers, inner
    assert (optimizer.table, schedule.table) == ("optimizer", "schedule")
    assert "adam" in optimizer.known and "adam" not in schedule.known and "cosine" in schedule.known


def test_a_warmup_longer_than_the_run_is_refused():
    warmup, cosine = bind("sgd", WARMUP), bind("sgd", COSINE)
    assert isinstance(warmup, Applied) and isinstance(cosine, Applied)
    assert refuse_steps((warmup,), 501) is None
    refusal = refuse_steps((cosine, warmup), 500)
    assert isinstance(refusal, Refusal) and "500" in refusal.message
    assert refuse_steps((cosine,), 1) is None
