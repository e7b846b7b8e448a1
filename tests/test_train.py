"""Training from Python: arrays and fields in; a run, its model and its predictions out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import SMALL, blobs, problem, weights

import netc
from netc.training import Chunk, Epoch, loop

SPECS = Path(__file__).parents[1] / "specs"


def test_digits_learn_and_the_run_folder_gives_them_back(tmp_path: Path) -> None:
    run = netc.train(SPECS / "digits.net", out=tmp_path / "run", set={"epochs": 8})
    assert run.test["accuracy"] > 0.95
    assert netc.evaluate(tmp_path / "run") == run.test
    images = np.random.default_rng(0).random((5, 8, 8, 1), "f")
    np.testing.assert_array_equal(netc.load(tmp_path / "run").predict(images), run.model.predict(images))
    assert (run.status, run.step) == ("finished", 8 * 45)
    assert problem(lambda: netc.train(SPECS / "digits.net", out=tmp_path / "run")) == (
        f"error[folder-exists]: `{tmp_path}/run` exists already\n   = help: choose another with `--out`, "
        "go on with the run in it with `--resume`, or remove it"
    )


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
