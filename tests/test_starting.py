"""Training that starts from a run: what comes from it, what starts anew, and what does not fit."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file
from small_runs import blobs, problem, run_netc

import netc

FIRST = """
net First { input x: [4]  output y = x -> body: b -> head: dense(3) }
block b = one: dense(8) -> batchnorm -> relu
train First { data = arrays("x.npz")  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1)  batch = 16
  epochs = 2 }
"""
SECOND = FIRST.replace("First", "Second").replace("head: dense(3)", "head: dense(5)")
START = 'start = run("runs/first"FRESH)  loss ='


def save(arrays: dict[str, np.ndarray]) -> None:
    np.savez("x.npz", x=arrays["x"], label=arrays["label"])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save(blobs(80))
    Path("first.net").write_text(FIRST)
    Path("second.net").write_text(SECOND.replace("loss =", START.replace("FRESH", ", fresh = [head]")))
    netc.train("first.net", out="runs/first")
    return tmp_path


def weights(folder: str) -> dict[str, np.ndarray]:
    return load_file(Path(folder) / "weights.safetensors")


def test_weights_come_from_the_run_and_others_start_anew(place: Path) -> None:
    netc.train("second.net", out="a", set={"epochs": 0})
    netc.train("second.net", out="anew", set={"epochs": 0, "start": 'run("runs/first", fresh = [body, head])'})
    first, found, anew = weights("runs/first"), weights("a"), weights("anew")
    assert found.keys() == first.keys() and {"body.batchnorm1.mean", "body.one.kernel"} <= found.keys()
    for name in found:
        np.testing.assert_array_equal(found[name], (anew if name.startswith("head") else first)[name])
        assert name.startswith("head") or not np.array_equal(first[name], anew[name])


def test_what_is_frozen_stays_as_the_run_has_it(place: Path) -> None:
    netc.train("second.net", out="a", set={"constrain": "body.one: frozen"})
    first, found = weights("runs/first"), weights("a")
    for name in ("body.one.kernel", "body.one.bias"):
        np.testing.assert_array_equal(found[name], first[name])
    assert not np.array_equal(found["body.batchnorm1.scale"], first["body.batchnorm1.scale"])


def test_it_is_repeated_from_anywhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """run.yaml keeps the whole path; the folder may also be seen from where netc runs."""
    (place / "nets").mkdir()
    Path("nets/second.net").write_text(Path("second.net").read_text())
    first = run_netc("train", "nets/second.net", "--out", "a", "--data", ".", "--quiet")
    assert first.code == 0, first.err
    kept = yaml.safe_load(Path("a/run.yaml").read_text())["train"]["start"]
    assert kept == f'run(folder = "{place}/runs/first", fresh = ["head"])'
    monkeypatch.chdir(place / "nets")
    assert run_netc("train", "--config", "../a", "--out", "b", "--quiet").code == 0
    assert Path("b/weights.safetensors").read_bytes() == Path("../a/weights.safetensors").read_bytes()


def test_all_that_does_not_fit_is_named_with_its_way_out(place: Path) -> None:
    text = SECOND.replace("one: dense(8)", "one: dense(8) -> two: dense(8)").replace(
        "loss =", START.replace("FRESH", "")
    )
    Path("third.net").write_text(text)
    message = problem(lambda: netc.train("third.net", out="a"))
    assert "`body.two.kernel` is [8, 8] in `Second`, and the run has none" in message
    assert "`head.kernel` is [8, 5] in `Second`, and [8, 3] in the run" in message
    assert "fresh = [body.two, head]" in message and "body.one" not in message and not Path("a").exists()
    assert netc.train("third.net", out="a", set={"start": 'run("runs/first", fresh = [body.two, head])'}).step == 10


def test_no_file_is_opened_before_training(place: Path) -> None:
    text = FIRST.replace("loss =", 'start = run("nowhere")  loss =')
    Path("fourth.net").write_text(text)
    assert run_netc("check", "fourth.net").code == 0
    message = problem(lambda: netc.train("fourth.net", out="a"))
    assert message.startswith("error[not-a-run]: `nowhere` is not a run") and f"`{place}/nowhere`" in message
