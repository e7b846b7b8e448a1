"""Ensembles: each member is the single run of its seed, and what they say together is the mean of what they say."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.special import expit, log_softmax, softmax
from small_runs import blobs, chunks_of, problem, run_netc

import netc
from netc.compiler import check_text
from netc.kernels import ensemble as kernels
from netc.model import origin_of, weights_of
from netc.recipes.losses import LOSSES
from netc.rendering import render_all
from netc.training import ensemble, loop
from netc.training.answers import READINGS
from netc.training.arrangement import UNROLLED, VMAPPED, Arrangement
from netc.training.augment import make_augmentation
from netc.training.crops import PLACES, moved
from netc.training.data.arrays import from_arrays
from netc.training.ensemble import prepare_ensemble
from netc.training.loop import Epoch, Training, prepare_training
from netc.training.members import build_model, members_of

ARRANGED = pytest.mark.parametrize("arranged", [UNROLLED, VMAPPED], ids=["unrolled", "vmapped"])
NET = """
net Small { input image: [4, 4, 2]
  output y = image -> conv1: conv(4, 3x3) -> relu -> norm: batchnorm -> flatten -> dropout(0.2) -> last: dense(3) }
train Small { data = arrays("x.npz")  augment = shift(1) -> flip  loss = cross_entropy(y, label)
  metric = [accuracy(y, label), confusion(y, label)]
  optimizer = clip_by_global_norm(1.0) -> adamw(rate = warmup_cosine(0.01, warmup = 5))
  batch = 16  epochs = 2  seed = 7  average = ema(0.9)
  constrain last.kernel: max_norm(1)  ensemble = 2 }
"""
LINEAR = """
net Linear { input x: [4]  output y = x -> body: dense(5) -> head: dense(3) }
train Linear { data = arrays("x.npz")  loss = cross_entropy(y, label)  metric = error_rate(y, label)
  optimizer = sgd(rate = 0.1, momentum = 0.9)  batch = 16  epochs = 1  ensemble = 3  shared = [body.kernel] }
"""


def pictures(n: int = 75) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 3, n)
    return {"image": (rng.normal(size=(n, 4, 4, 2)) + label[:, None, None, None]).astype("f"), "label": label}


def training(text: str, arrays: dict[str, np.ndarray], **fields: Any) -> Training:
    """The training of a text's recipe before its first step."""
    checked = check_text(text, settings={name: str(value) for name, value in fields.items()})
    assert not checked.errors, render_all(checked.errors)
    program, recipe = checked.programs[0], checked.recipes[0]
    prepare = prepare_training if recipe.ensemble == 1 else prepare_ensemble
    return prepare(build_model(program, recipe, {}), program, recipe, from_arrays(arrays))


def trained(one: Training) -> dict[str, Any]:
    """Does the training, and gives its last test results."""
    (*_, epoch) = [event for event in one.run() if isinstance(event, Epoch)]
    one.settle()
    return epoch.test


def state_of(model: Any) -> dict[str, np.ndarray]:
    return weights_of(model, origin_of(model)[1])


@pytest.fixture(scope="module")
def singles() -> list[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """What the single runs of both members' seeds measure, and their weights."""
    made = []
    for seed in (7, 8):
        one = training(NET, pictures(), ensemble=1, seed=seed)
        made.append((trained(one), state_of(one.model)))
    return made


@ARRANGED
def test_each_member_is_the_single_run_of_its_seed(
    monkeypatch: pytest.MonkeyPatch, singles: list[tuple[dict[str, Any], dict[str, np.ndarray]]], arranged: Arrangement
) -> None:
    """With dropout, running statistics, augmentation, clipping, a schedule, an average of weights and a constraint; one
    after another they are the same to the bit."""
    monkeypatch.setattr(ensemble, "arrangement", lambda: arranged)
    several = training(NET, pictures())
    found = trained(several)
    for i, (member, (expected, weights)) in enumerate(zip(members_of(several.model), singles, strict=True)):
        rtol, atol = (0, 0) if arranged is UNROLLED else (2e-5, 2e-6)
        for name, value in weights.items():
            np.testing.assert_allclose(state_of(member)[name], value, rtol=rtol, atol=atol, err_msg=name)
        assert found["members"]["loss"][i] == pytest.approx(expected["loss"], rel=1e-5)
        assert found["members"]["accuracy"][i] == expected["accuracy"]
        assert found["members"]["confusion"][i] == expected["confusion"]
    assert np.abs(singles[0][1]["conv1.kernel"] - singles[1][1]["conv1.kernel"]).max() > 0.01
    test = from_arrays(pictures()).test
    p = np.mean([softmax(member.predict(test["image"]), axis=-1) for member in members_of(several.model)], axis=0)
    right = p[np.arange(len(p)), test["label"].astype(int)]
    assert found["loss"] == pytest.approx(-np.log(right).mean(), rel=1e-5)
    assert found["accuracy"] == pytest.approx((p.argmax(-1) == test["label"]).mean())
    np.testing.assert_allclose(softmax(several.model.predict(test["image"]), axis=-1), p, rtol=1e-5, atol=1e-7)


@ARRANGED
def test_what_members_share_is_one_weight_that_follows_the_mean_of_their_gradients(
    monkeypatch: pytest.MonkeyPatch, arranged: Arrangement
) -> None:
    monkeypatch.setattr(ensemble, "arrangement", lambda: arranged)
    monkeypatch.setattr(loop, "next_length", chunks_of(100))
    several = training(LINEAR, blobs())
    begin = [dict(state_of(member)) for member in members_of(several.model)]
    np.testing.assert_array_equal(begin[0]["body.kernel"], begin[2]["body.kernel"])
    assert np.abs(begin[0]["head.kernel"] - begin[2]["head.kernel"]).max() > 0.1
    orders = [np.asarray(arranged.member(several.order(0), i)) for i in range(3)]
    trained(several)
    data, shared = from_arrays(blobs()).train, "body.kernel"

    def loss(weights: dict[str, Any], x: Any, label: Any) -> Any:
        y = (x @ weights["body.kernel"] + weights["body.bias"]) @ weights["head.kernel"] + weights["head.bias"]
        return -jnp.mean(jax.nn.log_softmax(y)[jnp.arange(len(x)), label.astype(int)])

    gradient = jax.jit(jax.grad(loss))
    weights, speeds = begin, [{name: 0 * value for name, value in one.items()} for one in begin]
    for start in range(0, len(data["x"]), 16):
        chosen = [order[start : min(start + 16, len(data["x"]))] for order in orders]
        found = [gradient(w, data["x"][c], data["label"][c]) for w, c in zip(weights, chosen, strict=True)]
        mean = sum(g[shared] for g in found) / 3
        found = [{**g, shared: mean} for g in found]
        speeds = [{n: 0.9 * v[n] + g[n] for n in g} for v, g in zip(speeds, found, strict=True)]
        weights = [{n: w[n] - 0.1 * v[n] for n in w} for w, v in zip(weights, speeds, strict=True)]
    for member, expected in zip(members_of(several.model), weights, strict=True):
        for name, value in state_of(member).items():
            np.testing.assert_allclose(value, expected[name], rtol=1e-4, atol=1e-6, err_msg=name)
    numbers = 2 * (4 * 5 + 3 * (5 + 5 * 3 + 3))
    assert sum(leaf.size for leaf in several.state) == numbers + 1, "weights and speeds, shared ones once; and the step"


def test_what_is_shared_is_averaged_constrained_and_frozen_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Running statistics below a selector stay the members' own; both arrangements do the same."""
    held = "average = ema(0.5)  constrain body.kernel: max_norm(0.3)  constrain norm.scale: frozen"
    text = LINEAR.replace("-> head", "-> norm: batchnorm -> head").replace("ensemble", f"{held}  ensemble")
    made = []
    for arranged in (UNROLLED, VMAPPED):
        monkeypatch.setattr(ensemble, "arrangement", lambda arranged=arranged: arranged)
        several = training(text, blobs(), shared="[body.kernel, norm]")
        trained(several)
        made.append([state_of(member) for member in members_of(several.model)])
    ours, theirs = made
    for name in ours[0]:
        alike = name in ("body.kernel", "norm.scale", "norm.bias")
        assert np.array_equal(ours[0][name], ours[2][name]) == alike, name
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-5, err_msg=name)
    norms = np.linalg.norm(ours[0]["body.kernel"], axis=0)
    assert 0.29 < norms.max() < 0.3001 and (ours[0]["norm.scale"] == 1).all()


def test_the_mean_is_that_of_probabilities() -> None:
    x = np.random.default_rng(0).normal(size=(3, 6, 4)).astype("f") * 3
    p = softmax(x, axis=-1).mean(0)
    np.testing.assert_allclose(softmax(kernels.mean_of_logits(jnp.asarray(x)), axis=-1), p, rtol=1e-5)
    np.testing.assert_allclose(softmax(-np.asarray(kernels.mean_of_distances(jnp.asarray(-x))), axis=-1), p, rtol=1e-5)
    np.testing.assert_allclose(kernels.mean_of_distances(jnp.asarray(x[:1])), x[0], rtol=1e-5, atol=1e-5)
    scores = np.asarray(kernels.mean_of_scores(jnp.asarray(x)))
    np.testing.assert_allclose(expit(scores), expit(x).mean(0), rtol=1e-5)
    np.testing.assert_allclose(kernels.mean_of_numbers(jnp.asarray(x)), x.mean(0), rtol=1e-5, atol=1e-6)
    far = jnp.asarray([[[-300.0, 0.0]], [[-310.0, 0.0]]])
    assert np.isfinite(kernels.mean_of_logits(far)).all() and np.isfinite(kernels.mean_of_scores(far)).all()
    np.testing.assert_allclose(
        kernels.mean_of_logits(jnp.asarray(x[:1])), log_softmax(x[0], axis=-1), rtol=1e-5, atol=1e-6
    )


def test_every_reading_of_a_loss_has_a_mean() -> None:
    assert set(kernels.MEANS) == set(READINGS) >= {row.reading for row in LOSSES}


# Run folders and the command line.

OTHER = (
    LINEAR.replace("Linear", "Other").replace("-> body: dense(5) ", "-> relu ").replace("shared = [body.kernel]", "")
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run of an ensemble, `three`, and the run of another net, `other`."""
    folder = tmp_path_factory.mktemp("ensembles")
    arrays = blobs(80)
    np.savez(folder / "x.npz", x=arrays["x"], label=arrays["label"])
    (folder / "linear.net").write_text(LINEAR)
    (folder / "other.net").write_text(OTHER)
    netc.train(folder / "linear.net", out=folder / "three")
    netc.train(folder / "other.net", out=folder / "other", set={"ensemble": 1, "epochs": 3})
    return folder


def test_a_run_of_an_ensemble_comes_back(place: Path) -> None:
    whole = netc.load(place / "three")
    x = blobs(80)["x"]
    stored = load_file(place / "three/weights.safetensors")
    assert set(stored) == {"body.kernel"} | {
        f"{i}.{n}" for i in range(3) for n in ("body.bias", "head.kernel", "head.bias")
    }
    made = [x @ stored["body.kernel"] + stored[f"{i}.body.bias"] for i in range(3)]
    made = [made[i] @ stored[f"{i}.head.kernel"] + stored[f"{i}.head.bias"] for i in range(3)]
    for member, y in zip(members_of(whole), made, strict=True):
        np.testing.assert_allclose(member.predict(x), y, rtol=1e-4, atol=1e-5)
    p = np.mean([softmax(y, axis=-1) for y in made], axis=0)
    np.testing.assert_allclose(softmax(whole.predict(x), axis=-1), p, rtol=1e-4, atol=1e-6)
    last = netc.evaluate(place / "three")
    line = json.loads((place / "three/metrics.jsonl").read_text().splitlines()[-1])["test"]
    assert last["loss"] == pytest.approx(line["loss"], rel=1e-5) and last["error_rate"] == line["error_rate"]
    assert last["members"]["loss"] == pytest.approx(line["members"]["loss"], rel=1e-5)


def test_runs_of_different_nets_are_averaged(place: Path) -> None:
    """A member of an ensemble counts as a run does."""
    found = run_netc("eval", place / "three", place / "other", "--format", "json")
    assert found.code == 0, found.err
    measured = json.loads(found.out)
    test = from_arrays(dict(np.load(place / "x.npz"))).test
    nets = [*members_of(netc.load(place / "three")), netc.load(place / "other")]
    p = np.mean([softmax(net.predict(test["x"]), axis=-1) for net in nets], axis=0)
    label = test["label"].astype(int)
    assert measured["loss"] == pytest.approx(-np.log(p[np.arange(len(p)), label]).mean(), rel=1e-5)
    assert measured["error_rate"] == pytest.approx((p.argmax(-1) != label).mean())
    assert len(measured["members"]["loss"]) == 4
    assert measured["members"]["loss"][3] == pytest.approx(netc.evaluate(place / "other")["loss"], rel=1e-5)
    shown = run_netc("eval", place / "three", place / "other").out
    mean = sum(measured["members"]["error_rate"]) / 4
    assert f"error_rate: {measured['error_rate']:.4f}" in shown.splitlines()
    assert f"members error_rate: {mean:.4f} on average (" in shown


def test_a_member_is_exported_as_a_net(place: Path) -> None:
    out = place / "two.safetensors"
    assert run_netc("export", place / "three", "--member", 2, "--to", "safetensors", "-o", out).code == 0
    model = netc.load_weights(netc.compile(LINEAR), out)
    x = blobs(80)["x"]
    np.testing.assert_array_equal(model.predict(x), members_of(netc.load(place / "three"))[2].predict(x))
    found = run_netc("export", place / "three", "--member", 3, "--to", "safetensors", "-o", place / "no")
    assert found.code == 2 and "the run has 3 of them, from 0 on" in found.err


def test_weights_of_a_member_that_are_missing_are_named(place: Path, tmp_path: Path) -> None:
    message = problem(lambda: netc.load_weights(netc.compile(LINEAR), place / "three/weights.safetensors"))
    assert "it has no `body.bias` [5]" in message
    started = {"start": f'run("{place / "three"}")', "ensemble": 1}
    message = problem(lambda: netc.train(place / "other.net", out=tmp_path / "no", set=started))
    assert "it holds the weights of an ensemble's members" in message and not (tmp_path / "no").exists()


def test_an_ensemble_starts_from_a_run(place: Path, tmp_path: Path) -> None:
    started = {"start": f'run("{place / "other"}")', "ensemble": 2, "optimizer": "sgd(rate = 0.0)"}
    run = netc.train(place / "other.net", out=tmp_path / "two", set=started)
    expected = state_of(netc.load(place / "other"))
    for member in members_of(run.model):
        np.testing.assert_array_equal(state_of(member)["head.kernel"], expected["head.kernel"])


# Crops.


def test_windows_lie_in_the_corners_and_the_middle() -> None:
    image = np.arange(1.0, 13.0).reshape(1, 4, 3, 1)
    ground = np.full((1, 8, 7, 1), 1.0)
    ground[:, 2:6, 2:5] = image
    corners = [moved(image, place, 2) for place in PLACES]
    expected = [(2, 2), (0, 0), (0, 4), (4, 0), (4, 4)]
    for found, (top, left) in zip(corners, expected, strict=True):
        np.testing.assert_array_equal(found, ground[:, top : top + 4, left : left + 3])


CROPPED = NET.replace("augment", "prepare = standardize -> crop(4) augment").replace("ensemble = 2", "")


def test_crops_are_averaged(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {"image": rng.normal(size=(40, 6, 7, 2)).astype("f"), "label": rng.integers(0, 3, 40)}
    np.savez(tmp_path / "x.npz", image=arrays["image"], label=arrays["label"])
    (tmp_path / "small.net").write_text(CROPPED)
    netc.train(tmp_path / "small.net", out=tmp_path / "run")
    test, model = from_arrays(arrays).test, netc.load(tmp_path / "run")
    label = test["label"].astype(int)
    for kind, mirrors in (("five", (1,)), ("ten", (1, -1))):
        windows = [
            test["image"][:, top : top + 4, left : left + 4][:, :, ::way]
            for top, left in ((1, 1), (0, 0), (0, 3), (2, 0), (2, 3))
            for way in mirrors
        ]
        p = np.mean([softmax(model.predict(window), axis=-1) for window in windows], axis=0)
        found = netc.evaluate(tmp_path / "run", crops=kind)
        assert found["loss"] == pytest.approx(-np.log(p[np.arange(len(p)), label]).mean(), rel=1e-4)
        assert "members" not in found
    shown = problem(lambda: netc.evaluate(tmp_path / "run", crops="ten", margin=1))
    assert "leave the margin out" in shown


def test_augmented_copies_are_averaged(tmp_path: Path) -> None:
    arrays = pictures()
    np.savez(tmp_path / "x.npz", image=arrays["image"], label=arrays["label"])
    text = NET.replace("ensemble = 2", "").replace("shift(1) -> flip", "shift(1) -> noise(0.1)")
    (tmp_path / "small.net").write_text(text)
    netc.train(tmp_path / "small.net", out=tmp_path / "run")
    data, model = from_arrays(arrays), netc.load(tmp_path / "run")
    program, recipe = origin_of(model)[0], check_text(text).recipes[0]
    augment = make_augmentation(program, replace(recipe, feeds=(("image", "image"),)), data.train)
    places = jnp.arange(len(data.test["label"]))
    copies = [augment({"image": jnp.asarray(data.test["image"])}, 7, k, places)["image"] for k in range(3)]
    assert not np.array_equal(copies[0], copies[1])
    p = np.mean([softmax(model.predict(np.asarray(copy)), axis=-1) for copy in copies], axis=0)
    found = netc.evaluate(tmp_path / "run", augmented=3)
    label = data.test["label"].astype(int)
    assert found["loss"] == pytest.approx(-np.log(p[np.arange(len(p)), label]).mean(), rel=1e-4)
    told = run_netc("eval", tmp_path / "run", "--augmented", "3", "--format", "json")
    assert json.loads(told.out) == found
    assert "are both given" in problem(lambda: netc.evaluate(tmp_path / "run", crops="ten", augmented=3))
    assert "`augmented` is -1, and is how many" in problem(lambda: netc.evaluate(tmp_path / "run", augmented=-1))
    assert run_netc("eval", tmp_path / "run", "--augmented", "3", "--crops", "ten").code == 2


def test_copies_need_an_augmentation(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **blobs(40))
    (tmp_path / "one.net").write_text(LINEAR.replace("ensemble = 3  shared = [body.kernel]", ""))
    netc.train(tmp_path / "one.net", out=tmp_path / "run", set={"epochs": 0})
    shown = problem(lambda: netc.evaluate(tmp_path / "run", augmented=2))
    assert "the recipe `Linear` has no `augment`, and copies would all be alike" in shown


def test_members_of_a_net_with_a_loop_share_a_whole_row() -> None:
    """Layers of a long row are stacked: members have their own stacks, or one, but never a part of one."""
    row = LINEAR.replace("body: dense(5) ->", "repeat 16 { body: dense(4) -> relu } ->")
    names = [name for name, _ in check_text(row, settings={"shared": "head"}).programs[0].weights()]
    first = next(name for name in names if name.endswith("kernel"))
    several = training(row, blobs(), shared=f'["{first.split(".")[0]}"]', ensemble=2, epochs=1)
    trained(several)
    one, other = (state_of(member) for member in members_of(several.model))
    assert all(np.array_equal(one[name], other[name]) == ("head" not in name) for name in names)
    assert len(state_of(several.model)) == len(names) + 2
    shown = problem(lambda: training(row, blobs(), shared=f'["{first}"]', ensemble=2))
    assert "share all layers of the row, or none" in shown


def test_an_ensemble_goes_on_from_a_checkpoint(place: Path, tmp_path: Path) -> None:
    settings = {"epochs": 3, "checkpoint": "every(epochs = 1, best = loss)"}
    whole = netc.train(place / "linear.net", out=tmp_path / "whole", set=settings)
    with pytest.raises(KeyboardInterrupt):
        netc.train(place / "linear.net", out=tmp_path / "cut", set=settings, watch=stop_after_first)
    again = netc.train(place / "linear.net", out=tmp_path / "cut", set=settings, resume=True)
    for name, value in state_of(whole.model).items():
        np.testing.assert_array_equal(state_of(again.model)[name], value)
    assert netc.evaluate(tmp_path / "cut", best=True)["loss"] <= netc.evaluate(tmp_path / "cut")["loss"]


def stop_after_first(event: Any) -> None:
    if isinstance(event, Epoch):
        raise KeyboardInterrupt
