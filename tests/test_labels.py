"""Labels that are sequences of classes: from arrays, trained with `ctc`, predicted, and those that no net can say."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_runs import problem, run_netc

import netc
from netc.api import check_any
from netc.training.matching import match
from netc.types import Element, Type

NET = """
net Reader { input x: [6, 4]  output y = x -> dense(3) }
train Reader { data = arrays("x.npz")  loss = ctc(y, label, blank = 2)  optimizer = adam(rate = 0.05)  epochs = 40
  metric = character_error_rate(y, label, blank = 2)  batch = 16 }
"""
POSITIONS = NET.replace("ctc(y, label, blank = 2)", "cross_entropy(y, label)").replace(
    "character_error_rate(y, label, blank = 2)", "[accuracy(y, label), perplexity(y, label)]"
)


def spoken(n: int = 64) -> dict[str, np.ndarray]:
    """Six steps of four numbers, the largest of which tells the class of a step, or that it says nothing."""
    rng = np.random.default_rng(0)
    label = np.where(np.arange(3) < rng.integers(0, 4, (n, 1)), rng.integers(0, 2, (n, 3)), 2)
    steps = np.stack([label, np.full_like(label, 2)], axis=2).reshape(n, 6)
    return {"x": (3 * np.eye(4)[steps] + rng.normal(size=(n, 6, 4)) / 4).astype("f"), "label": label}


def matched(text: str, arrays: dict[str, Any]) -> Any:
    checked = check_any(text, None, {}, None)
    return match(checked.recipes[0], checked.programs[0], arrays, Path())


def test_labels_of_several_classes_train_and_predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arrays = spoken()
    np.savez("x.npz", x=arrays["x"], label=arrays["label"])
    Path("reader.net").write_text(NET)
    run = netc.train("reader.net", out="run")
    assert run.test["character_error_rate"] < 0.1 and run.test["loss"] < 0.7 * run.history[0]["test"]["loss"]
    assert netc.evaluate("run") == run.test
    np.save("x.npy", arrays["x"][-6:])
    said = ["".join(str(k) for k in row if k != 2) or "nothing" for row in arrays["label"][-6:]]
    assert run_netc("predict", "run", "x.npy").out.splitlines() == [f"x.npy[{i}]: {s}" for i, s in enumerate(said)]


def test_a_picture_of_a_string_is_read_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arrays = spoken()
    images = np.clip(arrays["x"] / 3, 0, 1).transpose(0, 2, 1)[..., None]
    text = NET.replace("x: [6, 4]  output y = x", "x: [4, 6, 1]  output y = x -> conv(8, 4x1) -> reshape([6, 8])")
    run = netc.train(text, data={"x": images, "label": arrays["label"]}, out="run", set={"epochs": 60})
    assert run.test["character_error_rate"] < 0.1
    Image.fromarray((images[2, :, :, 0] * 255).round().astype(np.uint8)).save("strip.png")
    said = [k for k in arrays["label"][2].tolist() if k != 2]
    string = "".join(map(str, said))
    assert run_netc("predict", "run", "strip.png").out == f"strip.png: {string}\n" and string
    (row,) = json.loads(run_netc("predict", "run", "strip.png", "--format", "json").out)
    found = row["outputs"]["y"]
    assert (found["string"], found["sequence"]) == (string, said)
    assert len(found["probabilities"]) == len(said) and all(0.5 < p <= 1 for p in found["probabilities"])


@pytest.mark.parametrize("width", [np.uint8, np.int32, np.int64])
def test_whole_numbers_are_classes_where_a_loss_takes_nothing_else(width: Any) -> None:
    arrays = spoken()
    found = matched(POSITIONS, {"x": arrays["x"], "label": np.zeros((64, 6), width)})
    assert found.data.types["label"] == Type((6,), Element("class", 3))
    assert found.data.train["label"].dtype == np.int32
    # Six numbers for each of three scores are distributions, as they are.
    found = matched(POSITIONS, {"x": arrays["x"], "label": np.ones((64, 6, 3)) / 3})
    assert found.data.types["label"] == Type((6, 3))


BAD_LABELS: dict[str, tuple[list[int], str]] = {
    "blank-before": (
        [2, 1, 2],
        "error[data-mismatch]: the field `label` of the training set has the blank, class 2, before other classes in "
        "example 5\n   = help: the blank fills up labels from behind; `blank = ...` says which class it is",
    ),
    "too-large": (
        [0, 3, 2],
        "error[data-mismatch]: the field `label` of the training set holds 3 in example 5, outside class(3)[3]\n"
        "   = help: labels are whole numbers from 0 to 2",
    ),
    "no-class": (
        [0, -1, -1],
        "error[data-mismatch]: the field `label` of the training set holds -1 in example 5, outside class(3)[3]\n"
        "   = help: labels are whole numbers from 0 to 2",
    ),
}


@pytest.mark.parametrize("case", BAD_LABELS)
def test_labels_that_are_no_transcriptions_are_named(case: str) -> None:
    arrays = spoken()
    arrays["label"][5], expected = BAD_LABELS[case]
    assert problem(lambda: matched(NET, arrays)) == expected


def test_a_label_that_needs_more_steps_than_there_are_is_named() -> None:
    short = NET.replace("[6, 4]", "[3, 4]")
    arrays = {"x": spoken(40)["x"][:, :3], "label": np.array([[0, 1, 0], [0, 2, 2]] * 20)}
    assert matched(short, arrays).data.types["label"] == Type((3,), Element("class", 3))
    arrays["label"][39] = [0, 1, 1]
    assert problem(lambda: matched(short, arrays)) == (
        "error[data-mismatch]: the field `label` of the test set needs 4 steps in example 3, and the logits have 3: 3 "
        "for its classes and 1 for blanks between equal ones\n"
        "   = help: the net needs more steps: smaller strides, or a larger input"
    )


def test_a_label_longer_than_the_time_is_named_with_both_shapes() -> None:
    arrays = spoken() | {"label": np.zeros((64, 7), int)}
    found = problem(lambda: matched(NET, arrays))
    assert "`ctc` is given [6, 3] and labels class(3)[7], which are longer than the time" in found
