"""Sweeps: every combination of settings into a run folder, tables of them, and what goes wrong with some or all."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small_runs import SMALL, blobs, problem, run_netc, weights

import netc
from netc.training import Sweep
from netc.training.grid import members, split_values
from netc.training.run import Interrupted
from netc.training.sweeping import Prepared, prepare

SHORT = SMALL.replace("epochs = 3", "epochs = 1")
VALUES = {
    "0.1,0.03": ["0.1", "0.03"],
    " 0.1 , 0.03": ["0.1", "0.03"],
    "0..4": ["0", "1", "2", "3", "4"],
    "-1..1": ["-1", "0", "1"],
    "7": ["7"],
    "adam(rate = 0.1),sgd(rate = 0.1, momentum = 0.9)": ["adam(rate = 0.1)", "sgd(rate = 0.1, momentum = 0.9)"],
    "[1, [2, 3]],[]": ["[1, [2, 3]]", "[]"],
    'arrays("a,b.npz"),mnist': ['arrays("a,b.npz")', "mnist"],
    "1,,2": ["1", "", "2"],
    "4..0": ["4..0"],
    ")1,2": [")1", "2"],
}


@pytest.mark.parametrize("text", VALUES)
def test_values_stand_between_commas(text: str) -> None:
    assert split_values(text) == VALUES[text]


def test_members_are_named_by_what_is_swept() -> None:
    found = members({"rate": ["0.1", "0.03"], "epochs": ["2"], "optimizer": ["adam(rate = 1)", "adam( rate=1 )"]})
    assert [member.name for member in found] == [
        "rate=0.1,optimizer=adam_rate=1",
        "rate=0.1,optimizer=adam_rate=1-2",
        "rate=0.03,optimizer=adam_rate=1",
        "rate=0.03,optimizer=adam_rate=1-2",
    ]
    assert found[1].settings == {"rate": "0.1", "epochs": "2", "optimizer": "adam( rate=1 )"}
    assert found[1].swept == {"rate": "0.1", "optimizer": "adam( rate=1 )"}
    (first, _) = members({"data": ['arrays("../../x.npz")', "a" * 300]})
    assert first.name == "data=arrays_.._.._x.npz" and "/" not in first.name


REFUSED = {
    "one": ({"rate": ["0.1"]}, "no setting has several values"),
    "nothing": ({"rate": []}, "`rate` has no values"),
    "empty": ({"rate": ["0.1", ""]}, "`rate` has an empty value"),
    "twice": ({"rate": ["0.1", "0.2", "0.1"]}, "`rate` has 0.1 twice"),
    "downwards": ({"seed": ["4..0"]}, "`seed` goes from 4 to 0, which are no values"),
    "many": ({name: list("0123456789") for name in "abcde"}, "there are 100,000 combinations, and 10,000 are the most"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sweep_is_named(case: str) -> None:
    values, reason = REFUSED[case]
    assert f"error[bad-sweep]: this is no sweep: {reason}" in problem(lambda: members(values))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a net, its data, and a sweep in which one of two rates is too large."""
    folder = tmp_path_factory.mktemp("place")
    arrays = blobs()
    np.savez(folder / "x.npz", x=arrays["x"], label=arrays["label"])
    (folder / "small.net").write_text(SHORT)
    found = run_netc("sweep", folder / "small.net", *SETTINGS, "--out", folder / "s", "--format", "json")
    assert found.code == 1
    (folder / "found.json").write_text(found.out)
    (folder / "said.txt").write_text(found.err)
    return folder


SETTINGS = ("--set", "optimizer=adam(rate = 0.01),sgd(rate = 1e14, momentum = 0.9)", "--set", "seed=0..1")
GOOD, BAD = "optimizer=adam_rate=0.01,seed={}", "optimizer=sgd_rate=1e14_momentum=0.9,seed={}"


def test_a_run_that_fails_is_a_row_and_the_others_go_on(place: Path) -> None:
    found = json.loads((place / "found.json").read_text())
    assert (found["metric"], found["part"], found["more_is_better"]) == ("accuracy", "test", True)
    good, bad = found["runs"][:2], found["runs"][2:]
    assert {run["name"] for run in good} == {GOOD.format(0), GOOD.format(1)}
    assert [run["name"] for run in bad] == [BAD.format(0), BAD.format(1)]
    values = [run["measures"]["accuracy"] for run in good]
    assert values == sorted(values, reverse=True) and all(run["status"] == "finished" for run in good)
    assert all(run["status"] == "failed" and "the loss is " in run["problem"] for run in bad)
    first, second = found["groups"]
    assert first["settings"] == {"optimizer": "adam(rate = 0.01)"}
    assert (first["seeds"], first["finished"], first["worst"]) == (2, 2, min(values))
    assert first["mean"] == pytest.approx(sum(values) / 2)
    assert (second["finished"], second["mean"], second["worst"]) == (0, None, None)
    said = (place / "said.txt").read_text().splitlines()
    assert said[0].startswith(f"[1/4] {GOOD.format(0)}: accuracy 0.")
    assert said[2].startswith(f"[3/4] {BAD.format(0)}: failed: the loss is ")
    assert said[-2:] == [
        f"Everything is in {place}/s/. The best:",
        f"  netc eval {place}/s/{good[0]['name']}",
    ]


def test_a_member_is_the_run_that_train_makes(place: Path, tmp_path: Path) -> None:
    settings = ("--set", "optimizer=adam(rate = 0.01)", "--set", "seed=1")
    assert run_netc("train", place / "small.net", *settings, "--out", tmp_path / "a", "--quiet").code == 0
    for name in ("weights.safetensors", "metrics.jsonl", "run.yaml"):
        assert (tmp_path / "a" / name).read_bytes() == (place / "s" / GOOD.format(1) / name).read_bytes(), name


def test_finished_runs_are_left_as_they_are(place: Path) -> None:
    kept = {path: path.stat().st_mtime_ns for seed in (0, 1) for path in (place / "s" / GOOD.format(seed)).rglob("*")}
    arguments = (place / "small.net", *SETTINGS, "--out", place / "s")
    assert "already\n   = help: choose another with `--out`, go on" in run_netc("sweep", *arguments).err
    found = run_netc("sweep", *arguments, "--resume", "--quiet")
    assert found.code == 1
    assert kept == {path: path.stat().st_mtime_ns for path in kept}
    groups, runs = found.out.split("\n\n")
    assert groups.splitlines()[0].split("  ")[0] == "optimizer" and "worst test accuracy" in groups
    lines = runs.splitlines()
    assert " ".join(lines[0].split()) == "optimizer seed test accuracy test loss train loss seconds status"
    assert "finished" in lines[2] and "failed: the loss is " in lines[-1] and " - " in lines[-1]


def test_tables_are_csv_too(place: Path) -> None:
    found = run_netc("sweep", place / "small.net", *SETTINGS, "--out", place / "s", "--resume", "--format", "csv")
    rows = list(csv.DictReader(found.out.splitlines()))
    assert [row["status"] for row in rows] == ["finished", "finished", "failed", "failed"]
    assert rows[0]["optimizer"] == "adam(rate = 0.01)" and float(rows[0]["test accuracy"]) > 0.3
    assert rows[0]["mean accuracy"] == rows[1]["mean accuracy"] and rows[3]["mean accuracy"] == ""


def test_all_settings_are_checked_before_the_first_run(place: Path) -> None:
    settings = ("--set", "rate=0.1,fast", "--set", "epoch=3,4", "--set", "batch=8,0")
    found = run_netc("sweep", place / "small.net", *settings, "--out", place / "new")
    assert found.code == 1 and not (place / "new").exists()
    assert "there is no setting `epoch`" in found.err and "`batch` of `train` must be" in found.err
    assert found.err.count("error[") == 3
    found = run_netc("sweep", place / "small.net", "--set", "rate=0.1,1", "--metric", "acuracy", "--out", place / "new")
    assert "there is no metric of the recipe `acuracy`\n   = help: did you mean `accuracy`?" in found.err
    assert run_netc("sweep", place / "small.net", "--set", "rate=1", "--set", "rate=2").code == 2
    assert run_netc("sweep", place / "small.net", "--set", "rate").code == 2
    found = run_netc("sweep", place / "small.net", "--set", "rate=0.1,1", "--out", place / "s" / GOOD.format(0))
    assert "already" in found.err
    run = place / "s" / GOOD.format(0)
    found = run_netc("sweep", place / "small.net", "--set", "rate=0.1,1", "--out", run, "--resume")
    assert f"`{run}` is the folder of one run" in found.err


def test_what_no_run_can_do_without_ends_the_sweep(place: Path) -> None:
    found = run_netc(
        "sweep", place / "small.net", "--set", "rate=0.1,1", "--data", place / "no", "--out", place / "new"
    )
    assert found.code == 1 and found.err.startswith("error[missing-data]: ")
    assert not (place / "new").exists()


def test_a_run_that_cannot_begin_is_a_row(tmp_path: Path) -> None:
    rates = ["adam(rate = 0.01)", "adam(rate = warmup_cosine(0.01, warmup = 100))"]
    found = netc.sweep(SHORT, {"optimizer": rates}, data=blobs(), out=tmp_path / "s", metric="loss")
    assert [trial.status for trial in found.trials] == ["finished", "failed"]
    assert found.failed[0].problem == "the rate warms up for 100 steps, and the whole run has 12"
    assert found.groups == () and not found.failed[0].folder.exists()


def test_ctrl_c_ends_a_sweep_that_then_goes_on(tmp_path: Path) -> None:
    values = {"rate": ["0.01", "0.003"], "epochs": ["3"]}

    def ready(out: str, resume: bool = False) -> Prepared:
        return prepare(SMALL, values, blobs(), tmp_path / out, resume=resume)

    first, second = [], []
    with pytest.raises(Interrupted):
        ready("a").train(watch=first.append, stop=lambda: len(first) > 3)
    assert [trial.status for trial in ready("a", True).result().trials] == ["interrupted", "missing"]
    ready("a", True).train(watch=second.append)
    ready("b").train()
    assert [trial.status for trial in ready("a", True).result().trials] == ["finished", "finished"]
    for name in ("rate=0.01", "rate=0.003"):
        assert weights(tmp_path / "a" / name) == weights(tmp_path / "b" / name)


def test_the_command_says_how_to_go_on(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("netc.training.sweeping.train_member", stopped)
    monkeypatch.chdir(tmp_path)
    found = run_netc("sweep", place / "small.net", "--set", "rate=0.1, 1")
    assert (found.code, found.out) == (130, "")
    assert found.err == (
        "\nStopped: 0 of 2 runs are finished, in runs/Small-sweep/. Next:\n"
        f"  netc sweep {place}/small.net --set 'rate=0.1, 1' --out runs/Small-sweep --resume  # goes on\n"
    )


def test_sweeps_from_python(tmp_path: Path) -> None:
    """Over the values of lists and ranges, and on data that can be gone through once."""

    def batches() -> Iterator[dict[str, np.ndarray]]:
        yield {name: array[:100] for name, array in blobs().items()}
        yield {name: array[100:] for name, array in blobs().items()}

    found = netc.sweep(SHORT, {"batch": [16, 64], "seed": range(1, 2)}, data=batches(), out=tmp_path / "s")
    assert isinstance(found, Sweep) and not found.failed
    assert [set(trial.settings) for trial in found.trials] == [{"batch"}] * 2
    assert found.trials[0].measures["accuracy"] >= found.trials[1].measures["accuracy"]
    assert "there is no engine `rya`\n   = help: did you mean `ray`?" in problem(
        lambda: netc.sweep(SHORT, {"seed": [0, 1]}, engine="rya")
    )


def test_an_engine_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netc.training.sweeping.find_spec", lambda name: None)
    text = problem(lambda: netc.sweep(SHORT, {"seed": [0, 1]}, engine="ray"))
    assert text == (
        "error[missing-extra]: a sweep by Ray Tune needs ray, which is not installed\n"
        "   = help: pip install 'netc[ray]'"
    )


def test_ray_trains_the_same_runs(place: Path, tmp_path: Path) -> None:
    """Takes half a minute: Ray is not among what the tests install."""
    pytest.importorskip("ray")
    words = ("sweep", "small.net", *SETTINGS, "--out", str(tmp_path / "s"), "--engine", "ray", "--format", "json")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "netc", *words]
    found = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, env=environment)
    assert found.returncode == 1, found.stderr
    expected = json.loads((place / "found.json").read_text())
    for run, other in zip(json.loads(found.stdout)["runs"], expected["runs"], strict=True):
        assert (run["name"], run["status"], run["problem"]) == (other["name"], other["status"], other["problem"])
        assert run["measures"] == pytest.approx(other["measures"], rel=1e-4)
