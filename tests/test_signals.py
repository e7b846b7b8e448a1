"""Looks into training: their numbers against hand-written ones, what they find in nets that are wrong on purpose, and
that a training is the same with and without them."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from small_runs import SMALL, blobs, data_of, problem, run_netc, save_blobs, training

import netc
from netc.compiler import check_file, check_text, tapped_source
from netc.kernels.taps import listening, tap
from netc.model import build_module, origin_of, run_source, weights_of
from netc.training import ensemble, loop
from netc.training.arrangement import UNROLLED, VMAPPED, Arrangement
from netc.training.data.arrays import from_arrays
from netc.training.ensemble import prepare_ensemble
from netc.training.look import Look, Norms
from netc.training.loop import Training, prepare_training
from netc.training.members import build_model, members_of
from netc.training.signals import findings, first_not_finite

ROW = 20
HEAD = """
net Made { input x: [4]  output y = x -> NET }
train Made { data = arrays("x.npz")  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1)
  batch = 16  epochs = 3 }
"""


def made(net: str) -> Training:
    return trained(HEAD.replace("NET", net))


def trained(text: str) -> Training:
    """A training on three classes of points that has not begun."""
    checked = check_text(text)
    assert not checked.errors, checked.errors
    program, recipe = checked.programs[0], checked.recipes[0]
    return prepare_training(build_module(program, recipe.seed), program, recipe, from_arrays(blobs()))


def look_often(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Looks into trainings after so many steps, or twice an epoch."""
    monkeypatch.setattr(loop, "FIRST_LOOK", steps)
    monkeypatch.setattr(loop, "FEWEST_BETWEEN", steps)


def look_at(one: Training) -> Look:
    (look,) = looks_at(one)
    return look


def looks_at(one: Training) -> list[Look]:
    return one.look.read(one.done, one.look(one.state, one.feed(one.done), one.order(one.done)))


def rms(array: Any) -> float:
    return float(np.sqrt(np.mean(np.square(np.asarray(array, np.float64)))))


def test_a_look_into_a_long_row_has_the_numbers_of_a_hand_written_net() -> None:
    one = made(f"dense(6) -> repeat {ROW} {{ dense(6) -> tanh }} -> dense(3)")
    own = {name: jnp.asarray(array) for name, array in weights_of(one.model, origin_of(one.model)[1]).items()}
    chosen = one.order(0)[:16]
    x, label = one.feed(0)["x"][chosen], one.feed(0)["label"][chosen]
    assert len(tapped_source(one.look.program, "cpu").source.splitlines()) < 60, "the row is a loop"

    def forward(own: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        h, values = x @ own["y.dense1.kernel"] + own["y.dense1.bias"], {}
        for i in range(ROW):
            values[f"y.repeat1.{i}.dense1"] = (
                h @ own[f"y.repeat1.{i}.dense1.kernel"] + own[f"y.repeat1.{i}.dense1.bias"]
            )
            values[f"y.repeat1.{i}.tanh1"] = h = jnp.tanh(values[f"y.repeat1.{i}.dense1"])
        y = h @ own["y.dense2.kernel"] + own["y.dense2.bias"]
        return -jnp.mean(jax.nn.log_softmax(y)[jnp.arange(16), label]), values

    (loss, values), gradients = jax.jit(jax.value_and_grad(forward, has_aux=True))(own)
    found = look_at(one)
    assert found.loss == pytest.approx(float(loss), rel=1e-5)
    assert found.values.keys() >= values.keys()
    for name, value in values.items():
        assert found.values[name]["rms"] == pytest.approx(rms(value), rel=1e-4)
        assert found.values[name]["largest"] == pytest.approx(float(jnp.max(jnp.abs(value))), rel=1e-4)
    assert found.weights.keys() == gradients.keys()
    for name, gradient in gradients.items():
        norms = found.weights[name]
        assert (norms.gradient, norms.weight) == pytest.approx((rms(gradient), rms(own[name])), rel=1e-3)
        assert norms.update == pytest.approx(0.1 * rms(gradient), rel=1e-3)


def test_shares_of_dead_and_saturated_units() -> None:
    value = jnp.array([[[0.0, 0.995, 0.0, -1.0]], [[0.0, 0.2, 0.0, 1.0]], [[0.0, 0.0, 1.0, -0.999]]])
    with listening() as heard:
        tap("a", value, flat=(-0.99, 0.99), dies=True)
        tap("a", value)
        tap("tokens", jnp.arange(3))
    assert heard.names == [("a",), ("a (use 2)",)]
    assert {name: float(array[0]) for name, array in heard.stats[0].items()} == pytest.approx(
        {"rms": rms(value), "largest": 1.0, "saturated": 5 / 12, "dead": 1 / 4}
    )
    assert heard.stats[1].keys() == {"rms", "largest"}


def test_layers_that_are_used_several_times_are_told_apart() -> None:
    text = HEAD.replace(
        "output y = x -> NET", "layer step = dense(4) -> tanh  output y = x -> step -> step -> dense(3)"
    )
    one = trained(text)
    assert list(look_at(one).values) == [
        "step.dense1", "step.tanh1", "step.dense1 (use 2)", "step.tanh1 (use 2)", "y.dense1",
    ]  # fmt: skip


def test_turns_of_one_layer_are_told_apart() -> None:
    text = HEAD.replace(
        "output y = x -> NET", "layer step = dense(4) -> tanh  output y = x -> repeat 17 { step } -> dense(3)"
    )
    one = trained(text)
    found = look_at(one)
    assert [name for name in found.values if "turn 17" in name] == ["step.dense1 (turn 17)", "step.tanh1 (turn 17)"]
    assert found.values["step.tanh1 (turn 17)"]["rms"] < found.values["step.tanh1 (turn 1)"]["rms"]


SPECS = Path(__file__).parents[1] / "specs"


@pytest.mark.parametrize("name", ["universal_transformer", "lines_lstm"])
def test_what_tells_of_its_values_has_the_same_arrays_and_gives_the_same(name: str) -> None:
    program = check_file(str(SPECS / f"{name}.net")).programs[0]
    model = build_module(program)
    emitted = tapped_source(program, jax.default_backend())
    tapped = nnx.eval_shape(lambda: run_source(emitted.source, "<tapped>")[emitted.class_name](nnx.Rngs(0)))
    assert emitted.variables == origin_of(model)[1].variables
    model.eval()
    tapped.eval()
    plain, told = nnx.state(model), nnx.state(tapped)
    assert [(p, v.shape) for p, v in nnx.to_flat_state(plain)] == [(p, v.shape) for p, v in nnx.to_flat_state(told)]
    root = program.root
    given = [
        np.ones((2, *root.types[i].shape), "f" if root.types[i].element.name == "f32" else "i") for i in root.inputs
    ]
    graph, state = nnx.split(tapped)[0], nnx.state(model)

    @jax.jit
    def both(state: Any, *given: Any) -> Any:
        with listening() as heard:
            made = nnx.merge(graph, state)(*given)
        assert heard.names
        return made, nnx.merge(nnx.split(model)[0], state)(*given)

    one, other = both(state, *given)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5), one, other)


BAD = {
    "vanishing": "repeat 6 { dense(8) -> sigmoid } -> dense(3)",
    "exploding": "dense(8, init = normal(300)) -> relu -> dense(3)",
    "exploding-gradients": "first: dense(8) -> dense(8, init = normal(0.0001)) -> last: dense(3, init = normal(50))",
    "dead": "dense(8, bias_init = -50) -> relu -> dense(3)",
    "no-gradient": "dense(8) -> dense(8, init = 0) -> dense(3, init = 0)",
    "saturated": "dense(8, init = normal(50)) -> tanh -> dense(3)",
}
"""Nets that are wrong on purpose, and what is to be said of each."""


@pytest.mark.parametrize("kind", BAD)
def test_a_net_that_is_wrong_on_purpose_is_named_with_its_layer(kind: str) -> None:
    one = made(BAD[kind])
    found = {finding.kind: finding for finding in findings(look_at(one), one.look.program)}
    assert kind in found
    assert f"`{found[kind].layer}`" in found[kind].text and found[kind].way_out


def test_a_good_net_is_left_alone() -> None:
    one = made("dense(8) -> relu -> dense(8) -> tanh -> dense(3)")
    assert findings(look_at(one), one.look.program) == []


@pytest.mark.parametrize(("update", "kind"), [(0.5, "too-fast"), (1e-3, None), (1e-9, "too-slow")])
def test_steps_that_are_too_large_or_too_small(update: float, kind: str | None) -> None:
    one = made("dense(3)")
    look = Look(3, 1.0, {}, {"y.dense1.kernel": Norms(0.1, 1.0, update), "y.dense1.bias": Norms(0.1, 1.0, 9.0)})
    assert [finding.kind for finding in findings(look, one.look.program)] == ([kind] if kind else [])


def test_a_value_that_is_not_finite_is_named() -> None:
    message = problem(lambda: list(made("dense(8) -> log -> dense(3)").run()))
    assert "the loss is nan at step 1; the first numbers that are not finite are what `y.log1` gives;" in message


def test_a_gradient_that_is_not_finite_is_named_with_its_step() -> None:
    """The square root of 0 is finite, and its slope is not."""
    message = problem(lambda: list(made("first: dense(8, init = 0) -> sqrt -> dense(3)").run()))
    assert "the loss is nan at step 2; the first numbers that are not finite are in the gradient of `first." in message
    assert "` in step 1; the " in message


def test_a_weight_that_is_not_finite_comes_first() -> None:
    look = Look(0, np.nan, {"a": {"rms": np.nan, "largest": np.nan}}, {"a.kernel": Norms(np.nan, np.inf, np.nan)})
    assert first_not_finite(look) == "the weight `a.kernel` holds numbers that are not finite"


def test_a_training_is_the_same_with_and_without_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    without, looking = training(), training()
    assert [*without.run()] and not without.seen
    look_often(monkeypatch, 5)
    assert [*looking.run()] and [look.step for look in looking.seen] == [5, 6, 12, 18, 24, 30]
    for one, other in zip(without.state, looking.state, strict=True):
        np.testing.assert_array_equal(data_of(one), data_of(other))


def test_looks_are_bounded() -> None:
    one = training(batch=1, epochs=1000)
    assert one.steps == 183_000 and one.look_every == 183_000 // loop.MOST_LOOKS + 1
    assert training(batch=1).look_every == 250


def test_a_run_keeps_its_signals_and_says_each_warning_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_often(monkeypatch, 10)
    text = SMALL.replace("dense(8) -> relu", "dense(8, bias_init = -50) -> relu")
    save_blobs(tmp_path)
    (tmp_path / "dead.net").write_text(text)
    done = run_netc("train", tmp_path / "dead.net", "--out", tmp_path / "a")
    assert done.code == 0
    said = [line for line in done.err.splitlines() if "`y.relu1` are dead" in line]
    assert len(said) == 1 and said[0].startswith("note: after step 10, 100 % of the units of `y.relu1` are dead")
    lines = [json.loads(line) for line in (tmp_path / "a" / "signals.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [10, 20, 30]
    assert lines[0]["values"]["y.relu1"] == {"rms": 0.0, "largest": 0.0, "dead": 1.0}
    assert lines[0]["weights"]["y.dense1.kernel"]["gradient"] == 0
    assert lines[2]["findings"][0]["kind"] == "dead"
    run = netc.train(tmp_path / "dead.net", out=tmp_path / "a", set={"epochs": 4}, resume=True)
    assert run.warnings == []
    again = [json.loads(line) for line in (tmp_path / "a" / "signals.jsonl").read_text().splitlines()]
    assert again[:3] == lines and [line["step"] for line in again] == [10, 20, 30, 40]


ENSEMBLE = """
net Small { input x: [4]  output y = x -> body: dense(5) -> act: tanh -> head: dense(3) }
train Small { data = arrays("x.npz")  loss = cross_entropy(y, label)  optimizer = adam(rate = 0.01)
  batch = 16  epochs = 2  seed = 4  ensemble = 3 SHARED }
"""
ARRANGED = pytest.mark.parametrize("arranged", [UNROLLED, VMAPPED], ids=["unrolled", "vmapped"])


def together(monkeypatch: pytest.MonkeyPatch, arranged: Arrangement, text: str) -> Training:
    """The training of an ensemble that has not begun."""
    monkeypatch.setattr(ensemble, "arrangement", lambda: arranged)
    checked = check_text(text)
    assert not checked.errors, checked.errors
    program, recipe = checked.programs[0], checked.recipes[0]
    return prepare_ensemble(build_model(program, recipe, {}), program, recipe, from_arrays(blobs()))


def close(one: Look, other: Look) -> None:
    """The same numbers, but for the last bits that XLA gives otherwise in another program."""
    assert one.step == other.step and one.loss == pytest.approx(other.loss, rel=1e-4)
    assert one.values.keys() == other.values.keys() and one.weights.keys() == other.weights.keys()
    for name, stats in one.values.items():
        assert stats == pytest.approx(other.values[name], rel=1e-3)
    for name, norms in one.weights.items():
        assert asdict(norms) == pytest.approx(asdict(other.weights[name]), rel=1e-3)


@ARRANGED
def test_a_look_into_an_ensemble_sees_what_the_single_runs_would_show(
    arranged: Arrangement, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_often(monkeypatch, 10)
    one = together(monkeypatch, arranged, ENSEMBLE.replace("SHARED", ""))
    assert [*one.run()] and [(look.step, look.member) for look in one.seen] == [
        (step, member) for step in (10, 20) for member in range(3)
    ]
    alone = trained(ENSEMBLE.replace("ensemble = 3 SHARED", "").replace("seed = 4", "seed = 6"))
    assert [*alone.run()]
    for seen, expected in zip((look for look in one.seen if look.member == 2), alone.seen, strict=True):
        close(replace(seen, member=None), expected)


@ARRANGED
def test_what_members_share_is_changed_by_their_mean_gradient(
    arranged: Arrangement, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = ENSEMBLE.replace("SHARED", "shared = [body.kernel]").replace("adam(rate = 0.01)", "sgd(rate = 0.1)")
    one = together(monkeypatch, arranged, text)
    looks = looks_at(one)
    own = origin_of(members_of(one.model)[0])[1]
    before = weights_of(members_of(one.model)[0], own)["body.kernel"]
    assert one.chunk(1).size == 1
    one.settle()
    change = weights_of(members_of(one.model)[0], own)["body.kernel"] - before
    for look in looks:
        assert look.weights["body.kernel"].update == pytest.approx(rms(change), rel=1e-3)
    assert len({look.weights["body.kernel"].gradient for look in looks}) == 3


def test_the_member_that_is_not_finite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    one = together(monkeypatch, UNROLLED, ENSEMBLE.replace("SHARED", ""))
    members, shared, number = jax.tree.unflatten(one.definition, one.state)
    own, rest, learner = members[1]
    own["head"]["kernel"][...] = own["head"]["kernel"][...].at[0, 0].set(np.inf)
    members = members[0], (own, rest, learner), members[2]
    one.go_on(jax.tree.leaves((members, shared, number)), one.position())
    text = problem(lambda: list(one.run()))
    assert "is nan at step 1; in member 1, the weight `head.kernel` holds numbers that are not finite; the" in text


def test_an_ensemble_keeps_its_signals_and_names_the_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look_often(monkeypatch, 10)
    save_blobs(tmp_path)
    text = ENSEMBLE.replace("SHARED", "").replace("body: dense(5)", "body: dense(5, init = normal(50))")
    (tmp_path / "wrong.net").write_text(text)
    run = netc.train(tmp_path / "wrong.net", out=tmp_path / "run")
    said = [text for text in run.warnings if "what `act` gives is saturated" in text]
    assert len(said) == 1 and said[0].startswith("after step 10, in member 0, ")
    lines = [json.loads(line) for line in (tmp_path / "run" / "signals.jsonl").read_text().splitlines()]
    assert [(line["step"], line["member"]) for line in lines] == [(s, m) for s in (10, 20) for m in range(3)]
    assert list(lines[0]) == ["step", "member", "loss", "values", "weights", "findings"]
