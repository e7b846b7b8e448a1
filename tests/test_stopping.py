"""`stop`: the epoch at which training ends, from the lines of metrics.jsonl."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import SMALL, blobs, run_netc

import netc
from netc.compiler import check_text
from netc.ir.network import Recipe
from netc.training.stopping import why_stop


def recipe(stop: str) -> Recipe:
    checked = check_text(SMALL, settings={"stop": stop})
    assert not checked.errors, [p.message() for p in checked.errors]
    return checked.recipes[0]


def stops_after(stop: str, values: list[float], metric: str = "loss", part: str = "test") -> int | None:
    """After how many of some epochs with these values training ends."""
    history: list[dict[str, Any]] = []
    for epoch, value in enumerate(values, 1):
        others = {"test": {"loss": 1 / epoch, "accuracy": epoch}}
        history.append({"epoch": epoch, **others, part: {"loss": -epoch, "accuracy": epoch, metric: value}})
        if why_stop(recipe(stop), history):
            return epoch
    return None


@pytest.mark.parametrize(
    ("stop", "metric", "values", "after"),
    [
        ("patience(1)", "loss", [3, 2, 2, 1], 3),
        ("patience(2)", "loss", [3, 2, 2.5, 1, 1, 1, 0], 6),
        ("patience(3)", "loss", [3, 4, 5, 2, 1, 0], None),
        ("patience(2, by = 0.5)", "loss", [3, 2.7, 2.4, 2.2, 2.0, 1.8], 5),
        ("patience(2, metric = accuracy)", "accuracy", [0.1, 0.2, 0.2, 0.1, 0.9], 4),
    ],
)
@pytest.mark.parametrize("part", ["test", "validation"])
def test_patience(stop: str, metric: str, values: list[float], after: int | None, part: str) -> None:
    assert stops_after(stop, values, metric, part) == after


def test_a_metric_is_found_by_its_kind_whatever_it_is_called() -> None:
    one = recipe("patience(1, metric = accuracy)")
    named = replace(one, metrics=(("own name", one.metrics[0][1]),))
    history = [{"epoch": i, "test": {"loss": 1 / i, "own name": 0.5}} for i in (1, 2)]
    assert why_stop(named, history) == "the test set's accuracy has been no better since epoch 1"


def test_a_run_ends_there_and_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arrays = blobs(80)
    np.savez("x.npz", x=arrays["x"], label=arrays["label"])
    Path("s.net").write_text(SMALL.replace("epochs = 3", "epochs = 30  validation = 0.2  stop = patience(2)"))
    first = run_netc("train", "s.net", "--out", "a", "--set", "rate=0.5")
    lines = [json.loads(line) for line in Path("a/metrics.jsonl").read_text().splitlines()]
    losses = [line["validation"]["loss"] for line in lines]
    assert 3 <= len(losses) < 30 and min(losses) == losses[-3]
    assert f"the validation set's loss has been no better since epoch {len(losses) - 2}." in first.err
    assert f"step: {lines[-1]['step']}\n" in Path("a/run.yaml").read_text()
    run_netc("train", "--config", "a/run.yaml", "--out", "b", "--quiet")
    assert Path("a/weights.safetensors").read_bytes() == Path("b/weights.safetensors").read_bytes()
    shorter = netc.train("s.net", out="c", set={"rate": 0.5, "steps": lines[-1]["step"], "stop": "patience(50)"})
    assert shorter.stopped == "" and shorter.history == lines
