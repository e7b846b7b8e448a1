"""Constraints in training: exact after every step of every kind of optimizer, and nothing else is changed by them."""

import re
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import yaml
from small_runs import blobs, problem, run_netc

import netc
from netc.compiler import check_text, flax_source
from netc.layers.constraints import CONSTRAINTS
from netc.model import build_module, weights_of
from netc.training.data.arrays import from_arrays
from netc.training.loop import Training, prepare_training

NET = """
net N {
  input x: [4]
  weight W: [4, 4] = normal(0.5)
  layer tied = dense(4, init = normal(2))
  output y = x -> a: dense(4) -> relu -> b: dense(4, kernel = W) -> tied -> relu -> tied
    -> c: dense(6, init = normal(2)) -> d: dense(6) -> batchnorm -> e: dense(6, kernel = d.kernel.T)
    -> r: repeat 2 { dense(6) } -> out: dense(3)
  NET
}
train N { data = arrays("x.npz")  loss = cross_entropy(y, label)  metric = accuracy(y, label)
  optimizer = sgd(rate = 0.1)  batch = 16  epochs = 2
  RECIPE
}
"""
OF_NET = """constrain a: frozen  constrain W: symmetric  constrain W: clip(-0.4, 0.3)  constrain tied: max_norm(1.5)
  constrain c.kernel: zero_mean  constrain c.kernel: unit_norm  constrain d.bias: frozen
  constrain r: unit_norm  constrain out.kernel: zero_mean"""
OF_RECIPE = "constrain d.kernel: nonnegative  constrain d.kernel: max_norm(0.5)  constrain b.bias: frozen"
EMITTED = flax_source(check_text(NET.replace("NET", "").replace("RECIPE", "")).programs[0])
OPTIMIZERS = [
    "sgd(rate = 0.1, momentum = 0.9)",
    "sgd(rate = 0.1, momentum = 0.9, nesterov = true)",
    "adam(rate = 0.05)",
    "clip_by_global_norm(1.0) -> adamw(rate = warmup_cosine(0.05, warmup = 5), weight_decay = 0.1)",
    "add_decayed_weights(0.1) -> sgd(rate = 0.1, momentum = 0.5)",
    "lion(rate = 0.01, weight_decay = 0.1)",
    "rmsprop(rate = 0.01)",
    "adagrad(rate = 0.1)",
    "lamb(rate = 0.01)",
    "adafactor(rate = 0.01)",
]


def training(optimizer: str, net: str = OF_NET, recipe: str = OF_RECIPE, precision: str = "f32") -> Training:
    text = NET.replace("NET", net).replace("RECIPE", recipe)
    checked = check_text(text, settings={"optimizer": optimizer, "precision": precision})
    assert not checked.errors, [p.message() for p in checked.errors]
    program, recipe_ = checked.programs[0], checked.recipes[0]
    return prepare_training(build_module(program), program, recipe_, from_arrays(blobs()))


def present(one: Training) -> dict[str, np.ndarray]:
    """The weights after the steps so far, by canonical name."""
    one.settle()
    return weights_of(one.model, EMITTED)


def check(weights: dict[str, np.ndarray], first: dict[str, np.ndarray]) -> None:
    for name in ("a.kernel", "a.bias", "d.bias", "b.bias"):
        np.testing.assert_array_equal(weights[name], first[name])
    W, c, d = weights["W"], weights["c.kernel"].astype("d"), weights["d.kernel"]
    np.testing.assert_array_equal(W, W.T)
    assert W.min() >= np.float32(-0.4) and W.max() <= np.float32(0.3)
    assert np.linalg.norm(weights["tied.kernel"], axis=0).max() <= 1.5 + 1e-6
    np.testing.assert_allclose(c.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(c, axis=0), 1, atol=1e-6)
    assert d.min() >= 0 and np.linalg.norm(d, axis=0).max() <= 0.5 + 1e-6
    np.testing.assert_allclose(weights["out.kernel"].astype("d").mean(0), 0, atol=1e-6)
    for turn in (0, 1):
        np.testing.assert_allclose(np.linalg.norm(weights[f"r.{turn}.dense1.kernel"].astype("d"), axis=0), 1, atol=1e-6)


WAYS = [*((optimizer, "f32") for optimizer in OPTIMIZERS), *((optimizer, "bf16") for optimizer in OPTIMIZERS[:5])]
"""Momentum, nesterov, Adam and both kinds of weight decay, in both precisions; all constraints in one net."""


def test_every_constraint_is_in_the_net_that_is_trained() -> None:
    assert {kind.kind for kind in CONSTRAINTS} <= set(re.findall(r": (\w+)", OF_NET + OF_RECIPE))


@pytest.mark.parametrize(("optimizer", "precision"), WAYS)
def test_constraints_hold_at_the_start_and_after_every_step(optimizer: str, precision: str) -> None:
    one = training(optimizer, precision=precision)
    first = present(one)
    check(first, first)
    for number in range(20):
        one.state, _ = one.step(one.state, one.feed(number), one.order(number))
        check(present(one), first)
    assert one.step._cache_size() == 1
    moved = present(one)
    for name in ("W", "tied.kernel", "tied.bias", "c.kernel", "c.bias", "d.kernel", "out.kernel", "r.1.dense1.kernel"):
        assert not np.array_equal(moved[name], first[name]), name


@pytest.mark.parametrize("optimizer", OPTIMIZERS[:4])
def test_what_never_binds_changes_nothing(optimizer: str) -> None:
    """Bounds that no weight comes near leave every step as it is without them."""
    one = training(optimizer, "constrain *: clip(-1e6, 1e6)", "constrain c: max_norm(1e6)  constrain W: max_norm(1e6)")
    other = training(optimizer, "", "")
    for number in range(20):
        one.state, first = one.step(one.state, one.feed(number), one.order(number))
        other.state, second = other.step(other.state, other.feed(number), other.order(number))
        assert abs(float(first) - float(second)) < 1e-5
    for name, weight in present(one).items():
        np.testing.assert_allclose(weight, present(other)[name], rtol=1e-4, atol=1e-5)


def sizes(tree: Any) -> int:
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def test_the_optimizer_keeps_nothing_for_frozen_weights() -> None:
    """Adam keeps two numbers for each that it changes, and a count."""
    everything, some = training("adam(rate = 0.01)", "", ""), training("adam(rate = 0.01)", "constrain a: frozen", "")
    kept = [jax.tree.unflatten(one.definition, one.state) for one in (everything, some)]
    assert sizes(kept[0][0]) - sizes(kept[1][0]) == 4 * 4 + 4
    assert sizes(kept[0][2]) - sizes(kept[1][2]) == 2 * (4 * 4 + 4)


def test_freezing_equals_a_twin_without_gradients_there() -> None:
    """The rest moves as it does where the gradients of the frozen weights are 0."""
    frozen, twin = training("sgd(rate = 0.05)", "constrain a: frozen", ""), training("sgd(rate = 0.05)", "", "")
    first = present(frozen)
    for number in range(20):
        frozen.state, _ = frozen.step(frozen.state, frozen.feed(number), frozen.order(number))
        twin.state, _ = twin.step(twin.state, twin.feed(number), twin.order(number))
        params, *rest = jax.tree.unflatten(twin.definition, twin.state)
        params["a"]["kernel"][...], params["a"]["bias"][...] = first["a.kernel"], first["a.bias"]
        twin.state = jax.tree.leaves((params, *rest))
    for name, weight in present(frozen).items():
        np.testing.assert_allclose(weight, present(twin)[name], rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_projected_step_is_the_plain_one_projected() -> None:
    """One step of a constrained net is that of the net without constraints from the same weights, cut off."""
    one = training("sgd(rate = 0.5)", "constrain d.kernel: clip(-0.1, 0.1)", "")
    other = training("sgd(rate = 0.5)", "", "")
    other.state = [jax.numpy.copy(leaf) for leaf in one.state]
    one.state, _ = one.step(one.state, one.feed(0), one.order(0))
    other.state, _ = other.step(other.state, other.feed(0), other.order(0))
    made, plain = present(one), present(other)
    assert np.abs(plain["d.kernel"]).max() > 0.1
    for name, weight in plain.items():
        wanted = np.clip(weight, -0.1, 0.1) if name == "d.kernel" else weight
        np.testing.assert_allclose(made[name], wanted, rtol=1e-6, atol=1e-7)


def test_a_run_keeps_its_constraints_and_repeats(tmp_path: Path) -> None:
    (tmp_path / "n.net").write_text(NET.replace("NET", OF_NET).replace("RECIPE", OF_RECIPE))
    arrays = blobs()
    np.savez(tmp_path / "x.npz", x=arrays["x"], label=arrays["label"])
    run = netc.train(tmp_path / "n.net", out=tmp_path / "run")
    assert run.status == "finished"
    text = (tmp_path / "n.net").read_text()
    program = check_text(text).programs[0]
    loaded = weights_of(netc.load(tmp_path / "run"), flax_source(program))
    check(loaded, loaded)
    assert netc.evaluate(tmp_path / "run", data=str(tmp_path))["loss"] == pytest.approx(run.test["loss"])
    config = yaml.safe_load((tmp_path / "run" / "run.yaml").read_text())
    assert config["train"]["constrain"] == ["d.kernel: nonnegative", "d.kernel: max_norm(0.5)", "b.bias: frozen"]
    again = run_netc("train", "--config", tmp_path / "run", "--out", tmp_path / "again")
    assert again.code == 0, again.err
    for name in ("run.yaml", "weights.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()
    config["train"]["constrain"] = ["d.kernel: clip(0, 0.25)"]
    (tmp_path / "again" / "run.yaml").write_text(yaml.safe_dump(config))
    assert run_netc("train", "--config", tmp_path / "again", "--out", tmp_path / "other").code == 0
    changed = weights_of(netc.load(tmp_path / "other"), flax_source(program))
    assert changed["d.kernel"].max() == np.float32(0.25) and changed["b.bias"].any()
    config["train"]["constrain"] = ["d.kernel: frozn"]
    (tmp_path / "again" / "run.yaml").write_text(yaml.safe_dump(config))
    wrong = run_netc("train", "--config", tmp_path / "again", "--out", tmp_path / "wrong")
    assert "`train.constrain`: there is no constraint `frozn`" in wrong.err


def test_nothing_left_to_train_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "n.net").write_text(NET.replace("NET", "").replace("RECIPE", "constrain *: frozen"))
    assert "nothing is left to train" in problem(lambda: netc.train(tmp_path / "n.net", out=tmp_path / "run"))
