"""Metrics that are no means over examples: against scikit-learn, formulas by hand, and over sets of several parts."""

import json
from itertools import groupby
from pathlib import Path
from unittest.mock import patch

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import confusion_matrix
from small_runs import SMALL, blobs, run_netc

import netc
from netc.cli.measures import brief, measured
from netc.compiler import check_text
from netc.kernels import metrics
from netc.kernels.metrics import FROM_SUMS
from netc.recipes.metrics import METRICS
from netc.rendering import render_all
from netc.training import evaluation

RNG = np.random.default_rng(0)


def test_each_metric_of_all_has_its_formula() -> None:
    assert {entry.kind for entry in METRICS if entry.of_all} == FROM_SUMS.keys()


def of_all(name: str, *operands: np.ndarray, **settings: object) -> object:
    each = getattr(metrics, name)(*map(jnp.asarray, operands), **settings)
    return FROM_SUMS[name](np.asarray(each, np.float64).sum(0), len(operands[0]))


def test_a_confusion_is_scikit_learns() -> None:
    scores, label = RNG.normal(size=(50, 4)).astype("f"), RNG.integers(0, 4, 50)
    expected = confusion_matrix(label, scores.argmax(1), labels=range(4)).tolist()
    assert of_all("confusion", scores, label) == expected
    assert of_all("confusion", -scores, label, smallest=True) == expected
    assert of_all("confusion", scores, np.eye(4)[label].astype("f")) == expected
    assert of_all("confusion", scores.reshape(10, 5, 4), label.reshape(10, 5)) == expected
    score, sign = scores[:, :1], np.where(label > 1, 1.0, -1.0).astype("f")
    assert of_all("confusion", score, sign) == confusion_matrix(sign > 0, score[:, 0] > 0).tolist()
    assert of_all("confusion", np.array([[0.4], [0.6], [0.9]]), np.array([0, 0, 1])) == [[1, 1], [0, 1]]


def test_perplexity_is_of_the_mean_over_all() -> None:
    scores, label = 3 * RNG.normal(size=(7, 5, 4)), RNG.integers(0, 4, (7, 5))
    p = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    each = np.take_along_axis(p, label[..., None], -1)
    assert of_all("perplexity", scores, label) == pytest.approx(np.exp(-np.log(each).mean()), rel=1e-5)
    assert of_all("perplexity", np.zeros((3, 256)), np.arange(3)) == pytest.approx(256, rel=1e-5)


def edits(a: list[int], b: list[int]) -> int:
    """Levenshtein 1966, as it is defined."""
    if not a or not b:
        return len(a) + len(b)
    return min(edits(a[1:], b) + 1, edits(a, b[1:]) + 1, edits(a[1:], b[1:]) + (a[0] != b[0]))


@pytest.mark.parametrize("blank", [0, 3])
def test_a_character_error_rate_is_all_edits_by_all_classes(blank: int) -> None:
    logits = RNG.normal(size=(40, 6, 4))
    others = [k for k in range(4) if k != blank]
    label = np.where(np.arange(5) < RNG.integers(0, 6, (40, 1)), RNG.choice(others, (40, 5)), blank)
    paths = [[k for k, _ in groupby(path) if k != blank] for path in logits.argmax(-1).tolist()]
    wanted = [[k for k in row if k != blank] for row in label.tolist()]
    each = [edits(a, b) for a, b in zip(paths, wanted, strict=True)]
    assert {len(w) for w in wanted} == {0, 1, 2, 3, 4, 5} and len(set(each)) > 3
    found = np.asarray(metrics.character_error_rate(jnp.asarray(logits), jnp.asarray(label), blank=blank))
    np.testing.assert_array_equal(found, np.stack([each, [len(w) for w in wanted]], axis=1))
    assert of_all("character_error_rate", logits, label, blank=blank) == sum(each) / sum(map(len, wanted))


def test_of_labels_without_a_class_every_edit_counts() -> None:
    logits = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    assert of_all("character_error_rate", logits, np.zeros((1, 2), int)) == 1.0


MEASURED = "[accuracy(y, label), confusion(y, label), perplexity(y, label)]"


def test_an_odd_last_part_counts_its_own_examples_alone(tmp_path: Path) -> None:
    """203 examples in parts of 50: the last is filled up with examples that do not count."""
    arrays = blobs()
    np.savez(tmp_path / "x.npz", x=arrays["x"], label=arrays["label"], test_x=arrays["x"], test_label=arrays["label"])
    (tmp_path / "small.net").write_text(SMALL.replace("accuracy(y, label)", MEASURED))
    run = netc.train(tmp_path / "small.net", out=tmp_path / "run", set={"epochs": 1})
    with patch.object(evaluation, "LARGEST_BATCH", 50):
        found = netc.evaluate(tmp_path / "run")
    scores, label = run.model.predict(arrays["x"]), arrays["label"]
    assert found["confusion"] == confusion_matrix(label, scores.argmax(1)).tolist() == run.test["confusion"]
    assert found["accuracy"] == pytest.approx(np.trace(found["confusion"]) / 203)
    assert found["perplexity"] == pytest.approx(np.exp(found["loss"]), rel=1e-5)
    line = json.loads((tmp_path / "run" / "metrics.jsonl").read_text())
    assert line["test"] == run.test
    assert measured("confusion", found["confusion"]) in run_netc("eval", tmp_path / "run").out
    assert json.loads(run_netc("eval", tmp_path / "run", "--format", "json").out)["confusion"] == found["confusion"]


def test_measures_as_text() -> None:
    assert measured("accuracy", 0.98765) == "accuracy: 0.9877"
    assert measured("confusion", [[100, 2], [0, 7]]) == "confusion:\n       0    1\n  0  100    2\n  1    0    7"
    test = {"loss": 0.5, "confusion": [[1, 0], [0, 1]], "accuracy": 1.0}
    assert brief(test) == "  test loss 0.5000  test accuracy 1.0000"


def test_what_is_of_all_examples_is_no_part_of_arithmetic() -> None:
    checked = check_text(SMALL.replace("accuracy(y, label)", "accuracy(y, label) + perplexity(y, label)"))
    assert render_all(checked.problems, False).startswith(
        "error[recipe-mismatch]: `perplexity` is of all examples together, and no part of arithmetic on those of each"
    )
