"""What is shown and kept of a training while it runs: rates, speeds, seconds, and TensorBoard's event files."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from small_runs import SMALL, blobs, problem, run_netc, training

import netc
from netc.training import Chunk, Epoch, tensorboard

SCHEDULED = SMALL.replace("adam(rate = 0.01)", "clip(1.0) -> adam(rate = cosine(0.01))").replace(
    "batch = 16", "batch = 16  validation = 0.2"
)
ONE_CYCLE = "sgd(rate = onecycle(0.1), momentum = 0.9)"
RATES = {
    "adam(rate = 0.25)": [0.25] * 3,
    "clip(1.0) -> sgd(rate = linear(init = 0.3, steps = 36))": [0.3 * (1 - step / 36) for step in (11, 23, 35)],
    ONE_CYCLE: [float(jnp.asarray(optax.cosine_onecycle_schedule(36, 0.1)(step))) for step in (11, 23, 35)],
    "scale_by_adam() -> scale(-0.1)": [None] * 3,
}


@pytest.mark.parametrize("optimizer", RATES)
def test_the_rate_of_an_epoch_is_that_of_its_last_step(optimizer: str) -> None:
    events = list(training(optimizer).run())
    found = [event.rate for event in events if isinstance(event, Epoch)]
    assert [event.step for event in events if isinstance(event, Epoch)] == [12, 24, 36]
    assert found == pytest.approx(RATES[optimizer]) if None not in RATES[optimizer] else found == RATES[optimizer]
    last = [event for event in events if isinstance(event, Chunk)][-1]
    assert last.rate == found[-1]


def test_lines_have_rate_speed_and_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arrays = blobs()
    np.savez("x.npz", x=arrays["x"], label=arrays["label"])
    Path("small.net").write_text(SCHEDULED)
    found = run_netc("train", "small.net", "--out", "a")
    names = ["epoch", "step", "loss", "validation loss", "validation accuracy", "test loss", "test accuracy", "rate"]
    for line in found.err.splitlines()[:3]:
        *parts, speed, seconds = line.split("  ")
        assert [part.rpartition(" ")[0] for part in parts] == names
        assert speed.endswith(" ex/s") and seconds.endswith(" s") and float(seconds[:-2]) >= 0
    assert "rate 0.00" in found.err.splitlines()[1]
    lines = [json.loads(line) for line in Path("a/times.jsonl").read_text().splitlines()]
    assert [(line["epoch"], line["step"]) for line in lines] == [(1, 10), (2, 20), (3, 30)]
    assert all(line["seconds"] > 0 and line["speed"] > 0 for line in lines)
    metrics = [json.loads(line) for line in Path("a/metrics.jsonl").read_text().splitlines()]
    assert [list(line) for line in metrics] == [["epoch", "step", "loss", "test", "validation"]] * 3


def test_a_run_that_goes_on_keeps_the_times_of_the_epochs_it_keeps(tmp_path: Path) -> None:
    netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"epochs": 2})
    times = tmp_path / "a" / "times.jsonl"
    before = times.read_text()
    times.write_text(before + '{"epoch": 3, "st')
    netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"epochs": 3}, resume=True)
    assert times.read_text().startswith(before)
    assert [json.loads(line)["epoch"] for line in times.read_text().splitlines()] == [1, 2, 3]


def test_event_files_hold_what_the_run_came_to(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    run = netc.train(SCHEDULED, data=blobs(), out=tmp_path / "a", tensorboard=True, set={"epochs": 2})
    netc.train(SCHEDULED, data=blobs(), out=tmp_path / "a", tensorboard=True, set={"epochs": 3}, resume=True)
    first, second = sorted((tmp_path / "a").glob("events.out.tfevents.*"))
    found = list(written(first))
    assert [(step, value) for step, name, value in found if name == "test/accuracy"] == [
        (line["step"], pytest.approx(line["test"]["accuracy"])) for line in run.history
    ]
    names = {"train/loss", "test/loss", "test/accuracy", "validation/loss", "validation/accuracy", "rate"}
    assert {name for _, name, _ in found} == {*names, "examples_per_second"}
    assert {step for step, _, _ in written(second)} == {30}


def written(path: Path) -> Iterator[tuple[int, str, float]]:
    """The steps, names and values in an event file: records with their length before, and checksums around them."""
    from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportMissingImports, reportAttributeAccessIssue]

    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        event = Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]
        yield from ((event.step, value.tag, value.simple_value) for value in event.summary.value)


def test_what_writes_event_files_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    text = problem(lambda: netc.train(SMALL, data=blobs(), out=tmp_path / "a", tensorboard=True))
    assert text == (
        "error[missing-extra]: writing files for TensorBoard needs tensorboardX, which is not installed\n"
        "   = help: pip install 'netc[tensorboard]'"
    )
    assert list(tmp_path.iterdir()) == []
