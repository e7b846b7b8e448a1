"""Training from Python: what the loop computes, what it keeps, and what a run folder gives back."""

import errno
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml

import netc
from netc.compiler import check_text
from netc.model import build_module
from netc.rendering import render_all
from netc.training import Chunk, Epoch, loop
from netc.training.data.arrays import from_arrays
from netc.training.loop import Training, prepare_training
from netc.training.run import Interrupted

SPECS = Path(__file__).parents[1] / "specs"
SMALL = """
net Small { input x: [4]  output y = x -> dense(8) -> relu -> dense(3) }
train Small { data = arrays("x.npz")  loss = cross_entropy(y, label)  metric = accuracy(y, label)
  optimizer = adam(rate = 0.01)  batch = 16  epochs = 3 }
"""


def blobs(n: int = 203) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, n)
    return {"x": (rng.normal(size=(n, 4)) + 3 * np.eye(4)[label]).astype("f"), "label": label}


def training(optimizer: str = "adam(rate = 0.01)", arrays: dict[str, np.ndarray] | None = None, **fields: object):
    """The training of `SMALL` with other fields, before its first step."""
    settings = {"optimizer": optimizer, **{name: str(value) for name, value in fields.items()}}
    checked = check_text(SMALL, settings=settings)
    assert not checked.errors, render_all(checked.errors)
    program, recipe = checked.programs[0], checked.recipes[0]
    return prepare_training(build_module(program, recipe.seed), program, recipe, from_arrays(arrays or blobs()))


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


def problem(action: Callable[[], object]) -> str:
    """What the user sees of the mistake."""
    with pytest.raises(netc.NetcError) as failure:
        action()
    return render_all(failure.value.problems)


def no_lengths(length: int) -> Callable[[int, float], int]:
    """Chunks of one length, whatever they take."""
    return lambda count, seconds: length


# What the loop computes.


def test_digits_learn_and_the_run_folder_gives_them_back(tmp_path: Path) -> None:
    run = netc.train(SPECS / "digits.net", out=tmp_path / "run", set={"epochs": 8})
    assert run.test["accuracy"] > 0.95
    assert netc.evaluate(tmp_path / "run") == run.test
    images = np.random.default_rng(0).random((5, 8, 8, 1), "f")
    np.testing.assert_array_equal(netc.load(tmp_path / "run").predict(images), run.model.predict(images))
    assert (run.status, run.step) == ("finished", 8 * 45)
    assert problem(lambda: netc.train(SPECS / "digits.net", out=tmp_path / "run")) == (
        f"error[folder-exists]: `{tmp_path}/run` exists already\n   = help: choose another with `--out`, or remove it"
    )


@pytest.mark.parametrize("length", [1, 5, 100])
def test_chunks_of_any_length_compute_the_same_as_single_steps(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr(loop, "next_length", no_lengths(length))
    one, other = training(), training()
    events = list(one.run())
    assert [event.step for event in events if isinstance(event, Epoch)] == [12, 24, 36]
    assert sum(event.examples for event in events if isinstance(event, Chunk)) == 3 * 183
    for number in range(36):
        other.state, _ = other.step(other.state, other.train, other.order(number))
    for first, second in zip(one.state, other.state, strict=True):
        np.testing.assert_array_equal(data_of(first), data_of(second))


def data_of(leaf: Any) -> np.ndarray:
    """An array of the state; keys of random numbers by their data."""
    return np.asarray(jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf)


@pytest.mark.parametrize(
    "optimizer", ["adam(rate = 0.01)", "sgd(rate = cosine(0.1), momentum = 0.9)", "lion(rate = 1e-3)"]
)
def test_a_last_smaller_batch_does_not_compile_again(optimizer: str) -> None:
    one = training(optimizer, epochs=2)
    list(one.run())
    assert one.step._cache_size() == 1


def test_the_loss_of_an_epoch_is_the_mean_over_its_examples() -> None:
    """With a rate of 0 it is the loss of the training set; 183 examples in batches of 16 leave one of 7."""
    one = training("sgd(rate = 0.0)", epochs=1)
    (epoch,) = [event for event in one.run() if isinstance(event, Epoch)]
    data = from_arrays(blobs())
    whole = training("sgd(rate = 0.0)", {**{f"test_{n}": a for n, a in data.train.items()}, **data.train}, epochs=1)
    (measured,) = [event for event in whole.run() if isinstance(event, Epoch)]
    assert epoch.loss == pytest.approx(measured.test["loss"], rel=1e-5)


def test_the_weights_of_an_epoch_are_those_of_full_batches() -> None:
    """A last batch of 3 examples moves the weights as a batch of these 3 does, whatever fills it up."""
    arrays = blobs(43)
    split = from_arrays(arrays)
    one = training("sgd(rate = 0.1)", arrays, batch=36, epochs=1)
    order = np.asarray(one.order(0))
    assert (one.per_epoch, len(order)) == (2, 72)
    list(one.run())
    one.settle()
    plain = training("sgd(rate = 0.1)", arrays, batch=36, epochs=1)
    plain.settle()
    for start in (0, 36):
        chosen = order[:39][start : start + 36]
        part = {name: a[chosen] for name, a in split.train.items()}
        step = training(
            "sgd(rate = 0.1)", {**part, "test_x": part["x"], "test_label": part["label"]}, epochs=1, batch=99
        )
        step.model = plain.model
        loop.nnx.update(step.model, loop.nnx.state(plain.model))
        leaves = jax.tree.leaves(loop.nnx.split(plain.model, loop.nnx.Param, ...)[1])
        step.state = [*loop.copied(leaves), *step.state[len(leaves) :]]
        list(step.run())
        step.settle()
    found, expected = (jax.tree.leaves(loop.nnx.state(m, loop.nnx.Param)) for m in (one.model, plain.model))
    for first, second in zip(found, expected, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


# A loss that is not finite.


def bad_first(arrays: dict[str, np.ndarray], step: int) -> dict[str, np.ndarray]:
    """Arrays with a number that overflows in the batch of a step of the first epoch."""
    order = np.asarray(training(arrays=arrays).order(0))
    x = arrays["x"].copy()
    x[order[step * 16 + 3]] = 3e38
    return {**arrays, "x": x}


GROWING = "sgd(rate = exponential(init = 1e-3, decay = 1e14, steps = {}, staircase = true))"
DIVERGING = {
    "first-step": ("sgd(rate = 1e-3)", lambda: bad_first(blobs(), 0)),
    "second-step": ("sgd(rate = 1e-3)", lambda: bad_first(blobs(), 1)),
    "later-step": ("sgd(rate = 1e-3)", lambda: bad_first(blobs(), 7)),
    "last-of-epoch": ("sgd(rate = 1e-3)", lambda: bad_first(blobs(), 11)),
    "from-the-start": ("sgd(rate = 1e14)", blobs),
    "with-state": ("sgd(rate = 1e14, momentum = 0.9)", blobs),
    **{f"growing-{n}": (GROWING.format(n), blobs) for n in (3, 8, 9, 10, 11)},
}


@pytest.mark.parametrize("length", [1, 2, 5, 100])
@pytest.mark.parametrize("case", DIVERGING)
def test_the_weights_kept_are_exactly_those_whose_loss_was_last_finite(
    monkeypatch: pytest.MonkeyPatch, case: str, length: int
) -> None:
    monkeypatch.setattr(loop, "next_length", no_lengths(length))
    optimizer, make = DIVERGING[case]
    arrays = make()
    one = training(optimizer, arrays)
    message = problem(lambda: list(one.run()))
    step, kept = plain_loop(training(optimizer, arrays))
    assert f"at step {step}; the " in message or f"after step {step - 1}; the " in message
    assert ("the initial weights are kept" in message) == (step == 1)
    for first, second in zip(one.state, kept, strict=True):
        np.testing.assert_array_equal(data_of(first), data_of(second))


def plain_loop(one: Training) -> tuple[int, list[Any]]:
    """One step at a time, every state and loss looked at: the step (from 1) whose loss is the first that is not
    finite, and the state that the last finite loss is of. After an epoch the loss of the test set counts too."""
    states = [loop.copied(one.state)]
    while True:
        number = len(states) - 1
        if number and number % one.per_epoch == 0 and not np.isfinite(loss_of_test_set(one, states[-1])):
            return number + 1, states[-2]
        state, loss = one.step(loop.copied(states[-1]), one.train, one.order(number))
        if not np.isfinite(float(loss)):
            return number + 1, states[max(number - 1, 0)]
        states.append(loop.copied(state))


def loss_of_test_set(one: Training, state: list[Any]) -> float:
    params, rest, _, _ = jax.tree.unflatten(one.definition, state)
    return one.evaluate(params, rest)["loss"]


def test_a_run_that_diverges_says_so_and_keeps_its_weights(tmp_path: Path) -> None:
    text = SMALL.replace("adam(rate = 0.01)", "sgd(rate = 1e14)")
    message = problem(lambda: netc.train(text, data=blobs(), out=tmp_path / "c"))
    assert message.startswith("error[not-finite]: the loss is ")
    assert "   = help: lower the rate, clip gradients" in message
    config = yaml.safe_load((tmp_path / "c" / "run.yaml").read_text())
    assert config["status"] == "failed"
    assert config["problem"] in message
    assert np.isfinite(netc.evaluate(tmp_path / "c", blobs())["loss"])


# Sizes.


@pytest.mark.parametrize(
    ("count", "fields", "steps"),
    [
        (203, {"batch": 1000, "epochs": 2}, 2),
        (203, {"epochs": 0}, 0),
        (203, {"epochs": 0, "optimizer": "adam(rate = cosine(0.1))"}, 0),
        (203, {"steps": 13}, 13),
        (1, {"epochs": 2}, 2),
        (2, {"batch": 1, "epochs": 2}, 2),
    ],
)
def test_any_size_of_data_and_batch_trains(tmp_path: Path, count: int, fields: dict[str, Any], steps: int) -> None:
    run = netc.train(SMALL, data=blobs(count), out=tmp_path / "a", set=fields)
    assert (run.step, run.status) == (steps, "finished")
    assert set(netc.evaluate(run.folder, blobs(count))) == {"loss", "accuracy"}
    assert len(run.history) == len((run.folder / "metrics.jsonl").read_text().splitlines()) if steps else not run.test


def test_no_epochs_leave_the_initial_weights(tmp_path: Path) -> None:
    run = netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"epochs": 0, "seed": 5})
    x = blobs()["x"][:7]
    np.testing.assert_array_equal(netc.load(run.folder).predict(x), netc.compile(SMALL).init(seed=5).predict(x))


# From Python.


def test_one_s_own_arrays_train(tmp_path: Path) -> None:
    events: list[Chunk | Epoch] = []
    run = netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"epochs": 20}, watch=events.append)
    assert run.test["accuracy"] > 0.8
    lines = [json.loads(line) for line in (tmp_path / "a" / "metrics.jsonl").read_text().splitlines()]
    assert lines == run.history and [line["epoch"] for line in lines] == list(range(1, 21))
    assert [e.test for e in events if isinstance(e, Epoch)] == [line["test"] for line in lines]
    chunks = [e for e in events if isinstance(e, Chunk)]
    assert chunks[-1].step == chunks[-1].steps == 240 and (chunks[-1].epoch, chunks[-1].epochs) == (20, 20)
    assert netc.evaluate(tmp_path / "a", {f"{p}{n}": a for n, a in blobs().items() for p in ("", "test_")})


def test_equal_seeds_give_equal_bits(tmp_path: Path) -> None:
    arrays = blobs()
    batches = [(arrays["x"][i : i + 50], arrays["label"][i : i + 50]) for i in range(0, 203, 50)]
    for name, data, seed in (("a", arrays, 1), ("b", (arrays["x"], arrays["label"]), 1), ("c", iter(batches), 1)):
        netc.train(SMALL, data=data, out=tmp_path / name, set={"seed": seed})
    netc.train(SMALL, data=arrays, out=tmp_path / "d", set={"seed": 2})
    assert weights(tmp_path / "a") == weights(tmp_path / "b") == weights(tmp_path / "c") != weights(tmp_path / "d")


def test_a_run_without_out_gets_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folders = [netc.train(SMALL, data=blobs(), set={"steps": 1}).folder for _ in range(2)]
    assert folders == [Path("runs/Small"), Path("runs/Small-2")]


def test_predict_takes_batches_of_any_size(tmp_path: Path) -> None:
    run = netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"prepare": "standardize", "steps": 3})
    x = np.random.default_rng(1).normal(size=(2500, 4))
    whole = run.model.predict(x)
    assert isinstance(whole, np.ndarray) and whole.shape == (2500, 3)
    np.testing.assert_allclose(whole[1990:2010], run.model.predict(x[1990:2010]), rtol=1e-5, atol=1e-6)
    assert run.model.predict(x[:0]).shape == (0, 3)
    assert loop.nnx.clone(run.model).predict(x[:3]) == pytest.approx(whole[:3], abs=1e-6)


PREDICTIONS = {
    "shape": ((np.zeros((2, 5)),), "a batch of `x` [4] is needed, and the array given is [2, 5]"),
    "one": ((np.zeros(4),), "a batch of `x` [4] is needed, and the array given is [4]"),
    "texts": ((np.array(["a"]),), "a batch of `x` [4] is needed, and the array given holds <U1"),
    "number": ((3.0,), "a batch of `x` [4] is needed, and the array given holds float64"),
    "several": ((np.zeros((2, 4)), np.zeros((2, 4))), "the net takes 1 inputs (x), and 2 are given"),
}


@pytest.mark.parametrize("case", PREDICTIONS)
def test_predict_names_what_it_cannot_take(case: str) -> None:
    given, message = PREDICTIONS[case]
    text = problem(lambda: netc.compile(SMALL).init().predict(*given))
    assert text.startswith(f"error[data-mismatch]: {message}")
    assert ("a batch of one: `x[None]`" in text) == (case == "one")


def test_several_inputs_and_outputs_are_tuples() -> None:
    model = netc.compile("net X { input a, b: [2]  output s = a + b  output p = a * b }").init()
    s, p = model.predict(np.full((1200, 2), 2.0), np.full((1200, 2), 3.0))
    assert s.shape == p.shape == (1200, 2) and (s == 5).all() and (p == 6).all()
    assert "the inputs have different numbers of examples: `a` 2, `b` 3" in problem(
        lambda: model.predict(np.zeros((2, 2)), np.zeros((3, 2)))
    )


# Run folders.


def test_a_run_keeps_the_files_that_its_source_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    (source / "parts").mkdir(parents=True)
    (source / "parts" / "inner.net").write_text("block inner(n) = dense(n) -> relu")
    (source / "parts" / "blocks.net").write_text('use "inner.net"\nblock body(n) = inner(n) -> inner(n)')
    text = SMALL.replace("dense(8) -> relu", "body(8)")
    (source / "small.net").write_text('use "parts/blocks.net"\nuse mlp\n' + text)
    monkeypatch.chdir(tmp_path)
    run = netc.train("source/small.net", data=blobs(), out=tmp_path / "a", set={"steps": 3}, net="Small")
    subprocess.run(["rm", "-r", source], check=True)
    monkeypatch.chdir("/")
    x = blobs()["x"][:5]
    np.testing.assert_array_equal(netc.load(tmp_path / "a").predict(x), run.model.predict(x))
    files = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())["files"]
    assert files == {
        "net.net": "source/small.net",
        "use/1-blocks.net": "source/parts/blocks.net",
        "use/2-inner.net": "source/parts/inner.net",
        "use/3-mlp.net": "specs:mlp.net",
    }


def test_a_net_s_parameters_are_kept(tmp_path: Path) -> None:
    text = SMALL.replace("net Small {", "wide = 8\nnet Small(hidden = wide, seed = [1, 2]) {").replace(
        "dense(8)", "dense(hidden)"
    )
    run = netc.train(text, data=blobs(), out=tmp_path / "a", set={"hidden": 5, "steps": 1})
    config = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())
    assert config["parameters"] == {"hidden": "5", "seed": "[1, 2]"}
    assert config["train"]["seed"] == 0
    assert netc.load(run.folder).predict(np.zeros((1, 4))).shape == (1, 3)


def test_metrics_keep_their_names(tmp_path: Path) -> None:
    metric = "[top_k(y, label, 1), top_k(y, label, 2), 100 * error_rate(y, label)]"
    run = netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"metric": metric, "steps": 1})
    assert list(run.test) == ["loss", "top_k", "top_k(y, label, 2)", "100 * error_rate(y, label)"]
    split = from_arrays(blobs())
    assert netc.evaluate(run.folder, split.test) == run.test


RUNS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no-folder": (lambda run: subprocess.run(["rm", "-r", run]), "there is no such folder"),
    "no-config": (lambda run: (run / "run.yaml").unlink(), "it has no run.yaml"),
    "no-weights": (lambda run: (run / "weights.safetensors").unlink(), "it has no weights.safetensors"),
    "cut-off-weights": (
        lambda run: (run / "weights.safetensors").write_bytes(weights(run)[:200]),
        "its weights.safetensors is damaged (",
    ),
    "empty-weights": (
        lambda run: (run / "weights.safetensors").write_bytes(b""),
        "its weights.safetensors is damaged (",
    ),
    "another-net": (
        lambda run: (run / "net.net").write_text(SMALL.replace("dense(8)", "dense(9)")),
        "its weights are of another net: `y.dense1.kernel` is [4, 8] in weights.safetensors, and [4, 9] in net.net",
    ),
    "fewer-layers": (
        lambda run: (run / "net.net").write_text(SMALL.replace("dense(8) -> relu -> ", "")),
        "its weights are of another net: ",
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one step."""
    folder = tmp_path_factory.mktemp("runs") / "made"
    netc.train(SMALL, data=blobs(), out=folder, set={"steps": 1})
    return folder


@pytest.mark.parametrize("case", RUNS)
def test_a_folder_that_is_no_run_is_named(made: Path, tmp_path: Path, case: str) -> None:
    spoil, reason = RUNS[case]
    run = tmp_path / "run"
    subprocess.run(["cp", "-r", made, run], check=True)
    spoil(run)
    for action in (lambda: netc.load(run), lambda: netc.evaluate(run, blobs())):
        text = problem(action)
        assert text.startswith(f"error[not-a-run]: `{run}` is not a run that can be read: {reason}")
        assert text.endswith("   = help: train one: `netc train specs/digits.net --out runs/digits`")


def test_a_kept_source_that_is_missing_is_named(made: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    subprocess.run(["cp", "-r", made, run], check=True)
    (run / "net.net").unlink()
    assert "`files`: the kept source `net.net` cannot be read" in problem(lambda: netc.load(run))


def test_data_from_python_are_asked_for_again(made: Path) -> None:
    assert problem(lambda: netc.evaluate(made)).startswith(
        "error[data-mismatch]: the run's data were given from Python, and are not kept\n"
        "   = help: measure it from Python"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": np.full(203, 7)}, "labels class(8)"),
        ({"label": np.full(203, -1)}, "holds -1 in example 0"),
        ({"x": np.full((203, 4), np.nan, "f")}, "holds NaN"),
        ({"x": np.zeros((203, 5), "f")}, "the input `x` of `Small` is [4], and the data's `x` is [5]"),
        ({"label": np.zeros(10, int)}, "different numbers of examples"),
        ({"x": np.zeros((0, 4), "f")}, "is empty"),
    ],
)
def test_a_start_that_fails_leaves_no_folder(tmp_path: Path, change: dict, message: str) -> None:
    assert message in problem(lambda: netc.train(SMALL, data={**blobs(), **change}, out=tmp_path / "b"))
    assert list(tmp_path.iterdir()) == []


def test_a_schedule_that_does_not_fit_the_run_is_refused_before_it(tmp_path: Path) -> None:
    settings = {"optimizer": "sgd(rate = warmup_cosine(0.1, warmup = 36))"}
    text = problem(lambda: netc.train(SMALL, data=blobs(), out=tmp_path / "b", set=settings))
    assert "error[recipe-mismatch]: the rate warms up for 36 steps, and the whole run has 36" in text
    assert list(tmp_path.iterdir()) == []


# Disks.


class Disk:
    """A place to write to, that can be made full or read-only: a small file system where root may mount one, else
    the calls that write fail as they would there."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place, self.monkeypatch = place, monkeypatch
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)]
        self.mounted = subprocess.run(command, capture_output=True).returncode == 0

    def fill(self) -> None:
        if self.mounted:
            with (self.place / "filler").open("wb", buffering=0) as file:
                while self.wrote(file):
                    pass
        else:
            self.monkeypatch.setattr(Path, "write_bytes", failing(errno.ENOSPC))

    @staticmethod
    def wrote(file: Any) -> bool:
        try:
            return file.write(b"x" * 1024) == 1024
        except OSError:
            return False

    def make_read_only(self) -> None:
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,ro", str(self.place)], check=True)
        else:
            self.monkeypatch.setattr(Path, "mkdir", failing(errno.EROFS))

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.place)], check=True)


def failing(number: int) -> Callable[..., None]:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk(tmp_path / "disk", monkeypatch)
    yield made
    made.close()


HELP = "\n   = help: make room, or choose another folder with `--out`"


def test_a_full_disk_is_found_before_the_training(disk: Disk) -> None:
    disk.fill()
    text = problem(lambda: netc.train(SMALL, data=blobs(), out=disk.place / "a"))
    assert text == f"error[cannot-write]: cannot write `{disk.place}/a/net.net`: No space left on device{HELP}"
    assert not (disk.place / "a").exists()


def test_a_disk_that_becomes_full_is_named(disk: Disk) -> None:
    def watch(event: object) -> None:
        if isinstance(event, Chunk) and event.step == 1:
            disk.fill()

    text = problem(lambda: netc.train(SMALL, data=blobs(), out=disk.place / "a", watch=watch))
    assert (
        text == f"error[cannot-write]: cannot write `{disk.place}/a/weights.safetensors`: No space left on device{HELP}"
    )
    assert netc.load(disk.place / "a").predict(np.zeros((1, 4))).shape == (1, 3)
    assert not list((disk.place / "a").glob("*.part"))


def test_a_read_only_disk_is_named(disk: Disk) -> None:
    disk.make_read_only()
    text = problem(lambda: netc.train(SMALL, data=blobs(), out=disk.place / "a"))
    assert text == f"error[cannot-write]: cannot write `{disk.place}/a`: Read-only file system{HELP}"


def test_a_parent_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = problem(lambda: netc.train(SMALL, data=blobs(), out=tmp_path / "file" / "a"))
    assert text == f"error[cannot-write]: cannot write `{tmp_path}/file/a`: Not a directory{HELP}"


# Ctrl-C.


def test_ctrl_c_finishes_the_steps_and_saves(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    events: list[Chunk | Epoch] = []

    def watch(event: Chunk | Epoch) -> None:
        events.append(event)
        if event.step == 12 and isinstance(event, Epoch):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as stopped:
        netc.train(SMALL, data=blobs(), out=tmp_path / "a", watch=watch)
    assert isinstance(stopped.value, Interrupted)
    run = stopped.value.run
    assert (run.status, run.step, events[-1].step) == ("interrupted", 12, 12)
    assert signal.getsignal(signal.SIGINT) is before
    config = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())
    assert (config["status"], config["step"]) == ("interrupted", 12)
    netc.train(SMALL, data=blobs(), out=tmp_path / "b", set={"epochs": 1})
    assert weights(tmp_path / "a") == weights(tmp_path / "b")


def test_an_interrupt_in_the_middle_of_a_step_goes_back_to_the_copy(tmp_path: Path) -> None:
    one = training()
    events = one.run()
    while not isinstance(next(events), Epoch):
        pass
    kept = [data_of(leaf) for leaf in one.kept.state]
    one.step(one.state, one.train, one.order(12))
    one.settle()
    assert one.done == one.kept.step < 12
    for first, second in zip(one.state, kept, strict=True):
        np.testing.assert_array_equal(data_of(first), second)


def test_an_interrupt_that_is_raised_leaves_the_weights(tmp_path: Path) -> None:
    def watch(event: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        netc.train(SMALL, data=blobs(), out=tmp_path / "a", watch=watch)
    assert netc.load(tmp_path / "a").predict(np.zeros((1, 4))).shape == (1, 3)
    assert yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())["status"] == "interrupted"


def test_a_failure_of_the_watcher_leaves_the_weights(tmp_path: Path) -> None:
    def watch(event: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        netc.train(SMALL, data=blobs(), out=tmp_path / "a", watch=watch)
    assert yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())["status"] == "failed"
    assert netc.load(tmp_path / "a")
