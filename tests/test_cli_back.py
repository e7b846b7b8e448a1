"""netc train as a user runs it: what is printed where, exit codes, and Ctrl-C."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_runs import SMALL, make_place, run_netc, weights

import netc

ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_place(tmp_path_factory.mktemp("place"))


def test_train_says_what_it_came_to_and_what_to_do_next(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "my run"
    found = run_netc("train", place / "small.net", "--out", out, "--set", "epochs=3")
    assert found.code == 0
    history = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert found.out == "".join(f"test {name}: {value:.4f}\n" for name, value in history[-1]["test"].items())
    lines = found.err.splitlines()
    assert [line.split("  ")[:2] for line in lines[:3]] == [[f"epoch {i}", f"step {5 * i}"] for i in (1, 2, 3)]
    assert lines[3:] == [
        "",
        f"Everything is in '{out}'/. Next:",
        f"  netc eval '{out}'",
        f"  netc predict '{out}' X.npy",
        f"  netc show {place}/small.net",
    ]


def test_quiet_is_quiet_while_training(place: Path, tmp_path: Path) -> None:
    found = run_netc("train", place / "small.net", "--out", tmp_path / "a", "--quiet", "--set", "steps=1")
    assert found.code == 0 and found.out.startswith("test loss: ")
    assert found.err.startswith("\nEverything is in ")


def test_on_a_terminal_there_is_a_bar(place: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "netc", "train", str(place / "small.net"), "--out", str(tmp_path / "a")]
    seen = on_terminal([*command, "--set", "epochs=3"])
    for text in (
        "compiling",
        "epoch 3/3",
        "━",
        "step 15/15",
        "loss 0.",
        "test accuracy 0.",
        "ex/s",
        "Everything is in",
    ):
        assert text in seen, seen


def on_terminal(command: list[str]) -> str:
    """What a command shows on a terminal of 120 columns."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 120)[0]:
        try:
            shown += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    assert process.wait() == 0, shown.decode()
    return shown.decode()


def test_warnings_about_the_file_are_shown(place: Path, tmp_path: Path) -> None:
    (place / "unused.net").write_text(SMALL.replace("output y", "unused = x -> relu  output y"))
    found = run_netc("train", place / "unused.net", "--out", tmp_path / "a", "--set", "steps=1")
    assert found.code == 0 and "warning[unused]" in found.err


BAD_TRAIN: dict[str, tuple[list[str], int, str]] = {
    "nothing": ([], 2, "Error: Give a .net file, a run to repeat with --config, or one to go on with: --resume"),
    "no-run": (["--resume", "--out", "nowhere"], 1, "`nowhere` is not a run that can be read: there is no such folder"),
    "values": (["small.net", "--set", "seed=0..4"], 1, "note: `seed=0..4` may be several values: `netc sweep` trains"),
    "no-file": (["nowhere.net"], 1, "error[unreadable]: "),
    "recipe": (
        ["small.net", "Smal"],
        1,
        "error[unknown-name]: there is no recipe `Smal`\n   = help: did you mean `Small`?",
    ),
    "recipes": (
        ["several.net"],
        1,
        "error[no-recipe]: there are several recipes\n   = help: choose one: Slow, Quick",
    ),
    "no-recipe": (["none.net"], 1, "error[no-recipe]: the file has no recipe\n   = help: add one: `train Net {"),
    "setting": (["small.net", "--set", "epoch=3"], 1, "error[unknown-name]: there is no setting `epoch`"),
    "value": (["small.net", "--set", "epochs=many"], 1, "error[unknown-name]: "),
    "pair": (["small.net", "--set", "epochs"], 2, "Invalid value for --set"),
    "out": (["small.net", "--out", "small"], 1, "error[folder-exists]: `small` exists already"),
    "data": (["small.net", "--data", "nowhere"], 1, "error[missing-data]: the data set `arrays` cannot be read: "),
}


@pytest.mark.parametrize("case", BAD_TRAIN)
def test_what_train_cannot_do_is_named(place: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    arguments, code, message = BAD_TRAIN[case]
    (place / "several.net").write_text(
        SMALL.replace("train Small", "train Slow for Small")
        + SMALL[SMALL.index("train") :].replace("train Small", "train Quick for Small")
    )
    (place / "none.net").write_text(SMALL[: SMALL.index("train")])
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    found = run_netc("train", *arguments)
    assert found.code == code and message in found.err and found.out == ""
    assert sorted(place.rglob("*")) == before


def test_one_of_several_recipes_is_trained_whatever_is_set_for_it(place: Path, tmp_path: Path) -> None:
    second = "train Quick for Small { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 1) }"
    (place / "two.net").write_text(SMALL + second.replace("digits", 'arrays("x.npz")').replace("loss", "likelihood"))
    settings = ["--set", "loss=cross_entropy(y, label)", "--set", "steps=1", "--set", "rate=cosine(0.1)"]
    found = run_netc("train", place / "two.net", "Quick", "--out", tmp_path / "a", *settings)
    assert found.code == 0, found.err
    config = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())
    assert config["train"]["loss"] == "cross_entropy(y, label, smoothing = 0.0)" and "likelihood" not in config["train"]
    assert config["train"]["optimizer"].startswith("sgd(rate = cosine(init = 0.1, ")
    assert netc.evaluate(tmp_path / "a").keys() == {"loss"}
    assert run_netc("train", place / "two.net", "--out", tmp_path / "b", "--set", "steps=1").code == 0
    assert yaml.safe_load((tmp_path / "b" / "run.yaml").read_text())["recipe"] == "Small"


# Ctrl-C


def interrupted(arguments: list[str], times: int, wait_for: str) -> tuple[int, str]:
    """A training that gets SIGINT once it has shown a text: its exit code and all that it wrote to stderr."""
    command = [sys.executable, "-m", "netc", "train", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        return pressed(process, times, wait_for)
    finally:
        process.kill()


def pressed(process: subprocess.Popen[str], times: int, wait_for: str) -> tuple[int, str]:
    assert process.stderr is not None
    shown = ""
    for line in process.stderr:
        shown += line
        if wait_for in line:
            break
    for i in range(times):
        if i:
            shown += process.stderr.readline() + process.stderr.readline()
        process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert out == ""
    return process.returncode, shown + err


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_saves_and_says_how_to_go_on(place: Path, tmp_path: Path) -> None:
    out = tmp_path / "stopped run"
    code, err = interrupted([str(place / "small.net"), "--out", str(out), "--set", "epochs=1000000"], 1, "epoch 2 ")
    assert code == 130
    config = yaml.safe_load((out / "run.yaml").read_text())
    assert config["status"] == "interrupted" and config["step"] > 9
    assert "Finishing the step, then the weights are saved; Ctrl-C again stops at once.\n" in err
    assert err.endswith(
        f"\nStopped after step {config['step']:,}. The weights of that step are in '{out}'/. Next:\n"
        f"  netc eval '{out}'\n"
        f"  netc train --resume --out '{out}'  # goes on\n"
    )
    assert "Traceback" not in err
    assert run_netc("eval", out).code == 0
    # The weights are those of exactly that step.
    run_netc("train", "--config", out, "--out", tmp_path / "same", "--set", f"steps={config['step']}")
    assert weights(out) == weights(tmp_path / "same")


SLOW = """
net Slow { input x: [800]  output y = x -> repeat 20 { dense(800) -> relu } -> dense(3) }
train Slow { data = arrays("slow.npz")  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.001)
  batch = 1200  epochs = 1000 }
"""


@pytest.mark.usefixtures("heeded")
def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    """Also in the middle of a step, here one that takes a while."""
    (tmp_path / "slow.net").write_text(SLOW)
    x, label = np.zeros((1200, 800), "f"), RNG.integers(0, 3, 1200)
    np.savez(tmp_path / "slow.npz", x=x, label=label, test_x=x[:9], test_label=label[:9])
    out = tmp_path / "a"
    code, err = interrupted([str(tmp_path / "slow.net"), "--out", str(out)], 2, "epoch 1 ")
    assert code == 130
    assert "Ctrl-C again stops at once." in err and "Traceback" not in err
    assert "Stopped" not in err and "epoch 2" not in err
    assert yaml.safe_load((out / "run.yaml").read_text())["status"] == "running"
    assert run_netc("predict", out, tmp_path / "nowhere.npy").code == 1


def test_ctrl_c_before_the_training_leaves_nothing(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("netc.cli.back.plan_file", stopped)
    found = run_netc("train", place / "small.net", "--out", tmp_path / "a")
    assert (found.code, found.err) == (130, "Stopped before the training began; nothing was written.\n")
    assert list(tmp_path.iterdir()) == []
