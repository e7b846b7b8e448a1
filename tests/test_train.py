"""Training end to end on embedded data, its run folder, and data that are wrong."""

from pathlib import Path

import numpy as np
import pytest

import netc

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


def test_digits_learn_and_the_run_folder_gives_them_back(tmp_path: Path) -> None:
    run = netc.train(SPECS / "digits.net", out=tmp_path / "run", set={"epochs": 8})
    assert run.test["accuracy"] > 0.95
    assert netc.evaluate(tmp_path / "run") == pytest.approx(run.test)
    images = np.random.default_rng(0).random((5, 8, 8, 1), "f")
    assert np.allclose(netc.load(tmp_path / "run").predict(images), run.model.predict(images), atol=1e-6)
    with pytest.raises(netc.RunError, match="exists already"):
        netc.train(SPECS / "digits.net", out=tmp_path / "run")


def test_one_s_own_arrays_train(tmp_path: Path) -> None:
    run = netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"epochs": 20})
    assert run.test["accuracy"] > 0.8
    assert (tmp_path / "a" / "metrics.jsonl").read_text().count("\n") == 20


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": np.full(203, 7)}, "outside|classes"),
        ({"x": np.full((203, 4), np.nan, "f")}, "NaN"),
        ({"x": np.zeros((203, 5), "f")}, r"\[4\]"),
        ({"label": np.zeros(10, int)}, "different numbers"),
        ({"x": np.zeros((0, 4), "f")}, "empty"),
    ],
)
def test_wrong_data_are_named(tmp_path: Path, change: dict, message: str) -> None:
    with pytest.raises(netc.RunError, match=message):
        netc.train(SMALL, data={**blobs(), **change}, out=tmp_path / "b")


def test_a_loss_that_is_not_finite_stops_and_keeps_the_weights(tmp_path: Path) -> None:
    text = SMALL.replace("adam(rate = 0.01)", "sgd(rate = 1e14)")
    with pytest.raises(netc.RunError, match="at step"):
        netc.train(text, data=blobs(), out=tmp_path / "c")
    assert (tmp_path / "c" / "weights.safetensors").exists()
