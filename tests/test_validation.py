"""The validation set: chosen by the seed, out of all that training looks at, and measured after each epoch."""

import json
from pathlib import Path

import numpy as np
import pytest
from small_runs import SMALL, blobs, problem, run_netc

import netc
from netc.compiler import check_text
from netc.training.matching import Matched, match

PREPARED = SMALL.replace("loss =", "prepare = standardize  validation = 0.1  loss =")


def matched(arrays: dict[str, np.ndarray], **settings: object) -> Matched:
    checked = check_text(PREPARED, settings={name: str(value) for name, value in settings.items()})
    return match(checked.recipes[0], checked.programs[0], arrays, Path())


def test_the_parts_are_the_training_set_and_the_seed_chooses() -> None:
    arrays = blobs()
    one, again, other, counted = (
        matched(arrays, **s) for s in ({}, {}, {"seed": 1}, {"validation": 30, "prepare": "scale"})
    )
    assert one.data.validation and again.data.validation and other.data.validation and counted.data.validation
    assert [len(m.data.validation["x"]) for m in (one, other, counted) if m.data.validation] == [18, 18, 30]
    np.testing.assert_array_equal(one.data.validation["x"], again.data.validation["x"])
    assert not np.array_equal(one.data.validation["label"], other.data.validation["label"])
    steps = one.fields["x"].steps
    both = np.concatenate([one.data.train["x"], one.data.validation["x"]]) * steps[0]["std"] + steps[0]["mean"]
    rows = {tuple(np.round(row, 3)) for row in both}
    assert len(both) == 183 and rows == {tuple(np.round(row, 3)) for row in arrays["x"][:183]}


def test_nothing_is_taken_from_it() -> None:
    """The numbers of `prepare` are those of what is trained on."""
    arrays = blobs()
    one = matched(arrays)
    assert one.data.train["x"].mean() == pytest.approx(0, abs=1e-6)
    assert one.data.train["x"].std() == pytest.approx(1, abs=1e-5)
    assert one.data.validation is not None and abs(one.data.validation["x"].mean()) > 1e-4


def test_changed_validation_examples_change_its_measure_alone(tmp_path: Path) -> None:
    arrays = blobs()
    validation = matched(arrays).data.validation
    assert validation is not None
    plain = SMALL.replace("loss =", "validation = 0.1  loss =")
    checked = check_text(plain)
    chosen = match(checked.recipes[0], checked.programs[0], arrays, Path()).data.validation
    assert chosen is not None
    changed = arrays["x"].copy()
    at = [int(np.flatnonzero((arrays["x"] == row).all(axis=1))[0]) for row in chosen["x"]]
    changed[at] += 100
    runs = [
        netc.train(plain, data={**arrays, "x": x}, out=tmp_path / n) for n, x in (("a", arrays["x"]), ("b", changed))
    ]
    assert (tmp_path / "a/weights.safetensors").read_bytes() == (tmp_path / "b/weights.safetensors").read_bytes()
    lines = [json.loads(line) for line in (tmp_path / "a/metrics.jsonl").read_text().splitlines()]
    assert lines == runs[0].history and [sorted(line["validation"]) for line in lines] == [["accuracy", "loss"]] * 3
    measured = netc.evaluate(tmp_path / "a", {"x": chosen["x"], "label": chosen["label"]})
    assert measured["loss"] == pytest.approx(lines[-1]["validation"]["loss"], rel=1e-5)
    assert [h["test"] for h in runs[0].history] == [h["test"] for h in runs[1].history]
    assert runs[0].history[0]["validation"] != runs[1].history[0]["validation"]


def test_it_is_shown_and_kept_in_run_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arrays = blobs(80)
    np.savez("x.npz", x=arrays["x"], label=arrays["label"])
    Path("s.net").write_text(SMALL)
    first = run_netc("train", "s.net", "--out", "a", "--set", "validation=0.25", "--set", "epochs=1")
    assert "  validation loss " in first.err and "  test loss " in first.err, first.err
    assert "validation: '0.25'" in Path("a/run.yaml").read_text()
    run_netc("train", "--config", "a/run.yaml", "--out", "b", "--quiet")
    assert Path("a/metrics.jsonl").read_text() == Path("b/metrics.jsonl").read_text()


def test_what_leaves_nothing_is_a_mistake() -> None:
    for validation, count in ((183, "183"), (5000, "5,000"), (0.001, "0")):
        assert f"would have {count} of the training set's 183 examples" in problem(
            lambda v=validation: matched(blobs(), validation=v)
        )
