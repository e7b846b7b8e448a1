"""netc train, eval and predict as a user runs them: what is printed where, exit codes, Ctrl-C, and bad input."""

import datetime
import gc
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

import netc
from netc.cli.main import main
from netc.recipes.losses import LOSSES
from netc.training.answers import READINGS, Answer, as_data, as_text, of_numbers

ROOT = Path(__file__).parents[1]
SMALL = """
net Small { input x: [4]  output y = x -> dense(8) -> relu -> dense(3) }
train Small { data = arrays("x.npz")  loss = cross_entropy(y, label)  metric = accuracy(y, label)
  optimizer = adam(rate = 0.01)  batch = 16  epochs = 2 }
"""
PICTURES = """
net Pictures { input image: [6, 5, 3]  output kind = image -> flatten -> dense(4) }
train Pictures { data = arrays("p.npz")  prepare = standardize(per_channel = true)
  loss = cross_entropy(kind, label)  metric = accuracy(kind, label)  optimizer = sgd(rate = 0.01)  epochs = 1 }
"""
RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Netc = Callable[..., Result]


@pytest.fixture
def run_netc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Netc:
    """Runs the command line in this process."""

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["netc", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            main()
        gc.enable()
        out, err = capsys.readouterr()
        return Result(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two nets, their data, and a run of each."""
    folder = tmp_path_factory.mktemp("place")
    label = RNG.integers(0, 3, 80)
    np.savez(folder / "x.npz", x=RNG.normal(size=(80, 4)) + 3 * np.eye(4)[label], label=label)
    np.savez(folder / "p.npz", image=RNG.random((40, 6, 5, 3)), label=RNG.integers(0, 4, 40))
    for name, text in (("small", SMALL), ("pictures", PICTURES)):
        (folder / f"{name}.net").write_text(text)
        netc.train(folder / f"{name}.net", out=folder / name)
    return folder


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


# train


def test_train_says_what_it_came_to_and_what_to_do_next(run_netc: Netc, place: Path, tmp_path: Path) -> None:
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


def test_quiet_is_quiet_while_training(run_netc: Netc, place: Path, tmp_path: Path) -> None:
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


def test_warnings_about_the_file_are_shown(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    (place / "unused.net").write_text(SMALL.replace("output y", "unused = x -> relu  output y"))
    found = run_netc("train", place / "unused.net", "--out", tmp_path / "a", "--set", "steps=1")
    assert found.code == 0 and "warning[unused]" in found.err


BAD_TRAIN: dict[str, tuple[list[str], int, str]] = {
    "nothing": ([], 2, "Error: Give a .net file, or a run to repeat with --config."),
    "no-file": (["nowhere.net"], 1, "error[unreadable]: "),
    "recipe": (
        ["small.net", "Smal"],
        1,
        "error[unknown-name]: there is no recipe `Smal`\n   = help: did you mean `Small`?",
    ),
    "recipes": (
        ["several.net"],
        1,
        "error[no-recipe]: there are several recipes\n   = help: choose one: Small, Quick",
    ),
    "no-recipe": (["none.net"], 1, "error[no-recipe]: the file has no recipe\n   = help: add one: `train Net {"),
    "setting": (["small.net", "--set", "epoch=3"], 1, "error[unknown-name]: there is no setting `epoch`"),
    "value": (["small.net", "--set", "epochs=many"], 1, "error[unknown-name]: "),
    "pair": (["small.net", "--set", "epochs"], 2, "Invalid value for --set"),
    "out": (["small.net", "--out", "small"], 1, "error[folder-exists]: `small` exists already"),
    "data": (["small.net", "--data", "nowhere"], 1, "error[missing-data]: the data set `arrays` cannot be read: "),
}


@pytest.mark.parametrize("case", BAD_TRAIN)
def test_what_train_cannot_do_is_named(run_netc: Netc, place: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    arguments, code, message = BAD_TRAIN[case]
    (place / "several.net").write_text(
        SMALL + SMALL[SMALL.index("train") :].replace("train Small", "train Quick for Small")
    )
    (place / "none.net").write_text(SMALL[: SMALL.index("train")])
    monkeypatch.chdir(place)
    before = sorted(place.rglob("*"))
    found = run_netc("train", *arguments)
    assert found.code == code and message in found.err and found.out == ""
    assert sorted(place.rglob("*")) == before


def test_one_of_several_recipes_is_trained_whatever_is_set_for_it(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    second = "train Quick for Small { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 1) }"
    (place / "two.net").write_text(SMALL + second.replace("digits", 'arrays("x.npz")').replace("loss", "likelihood"))
    settings = ["--set", "loss=cross_entropy(y, label)", "--set", "steps=1", "--set", "rate=cosine(0.1)"]
    found = run_netc("train", place / "two.net", "Quick", "--out", tmp_path / "a", *settings)
    assert found.code == 0, found.err
    config = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())
    assert config["train"]["loss"] == "cross_entropy(y, label)" and "likelihood" not in config["train"]
    assert config["train"]["optimizer"].startswith("sgd(rate = cosine(init = 0.1, ")
    assert netc.evaluate(tmp_path / "a").keys() == {"loss"}


# Ctrl-C


def interrupted(arguments: list[str], times: int, wait_for: str) -> tuple[int, str]:
    """A training that gets SIGINT once it has shown a text: its exit code and all that it wrote to stderr."""
    command = [sys.executable, "-m", "netc", "train", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
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


def test_ctrl_c_saves_and_says_how_to_go_on(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    out = tmp_path / "stopped run"
    code, err = interrupted([str(place / "small.net"), "--out", str(out), "--set", "epochs=1000000"], 1, "epoch 2 ")
    assert code == 130
    config = yaml.safe_load((out / "run.yaml").read_text())
    assert config["status"] == "interrupted" and config["step"] > 9
    assert "Finishing the step, then the weights are saved; Ctrl-C again stops at once.\n" in err
    assert err.endswith(
        f"\nStopped after step {config['step']:,}. The weights of that step are in '{out}'/. Next:\n"
        f"  netc eval '{out}'\n"
        f"  netc train --config '{out}/run.yaml' --out NEW  # from the beginning\n"
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


def test_a_second_ctrl_c_stops_at_once(run_netc: Netc, tmp_path: Path) -> None:
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
    run_netc: Netc, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("netc.cli.back.plan_file", stopped)
    found = run_netc("train", place / "small.net", "--out", tmp_path / "a")
    assert (found.code, found.err) == (130, "Stopped before the training began; nothing was written.\n")
    assert list(tmp_path.iterdir()) == []


# --config


def test_a_run_is_repeated_from_its_folder_alone_to_the_bit(
    run_netc: Netc, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL.replace("dense(8)", "body(8)").replace("adam(rate = 0.01)", "clip(1.0) -> adam(rate = cosine(0.01))")
    (place / "blocks.net").write_text("block body(n) = dense(n)")
    (place / "moving.net").write_text('use "blocks.net"\n' + text.replace("net Small", "net Small(unit = 3)"))
    monkeypatch.chdir(place)
    run_netc("train", "moving.net", "--out", tmp_path / "a", "--set", "unit=[1, 2]", "--set", "prepare=scale(-1, 1)")
    (place / "moving.net").unlink()
    (place / "blocks.net").unlink()
    monkeypatch.chdir(tmp_path)
    found = run_netc("train", "--config", "a/run.yaml", "--out", "b")
    assert found.code == 0, found.err
    assert weights(Path("a")) == weights(Path("b"))
    assert Path("a/run.yaml").read_text() == Path("b/run.yaml").read_text()
    assert "netc show b/net.net" in found.err
    run_netc("train", "--config", "b", "--out", "c", "--set", "seed=7")
    assert weights(Path("c")) != weights(Path("a"))
    seeds = [yaml.safe_load(Path(run, "run.yaml").read_text())["train"]["seed"] for run in "abc"]
    assert seeds == [0, 0, 7]


def test_a_run_yaml_that_was_changed_is_followed(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", place / "small", tmp_path / "a"], check=True)
    config = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())
    config["train"] |= {"batch": 8, "optimizer": "sgd(rate = 0.1)", "metric": {"own name": "accuracy(y, label)"}}
    (tmp_path / "a" / "run.yaml").write_text(yaml.safe_dump(config))
    found = run_netc("train", "--config", tmp_path / "a", "--out", tmp_path / "b", "--set", "epochs=1")
    assert found.code == 0 and "test own name: " in found.out
    train = yaml.safe_load((tmp_path / "b" / "run.yaml").read_text())["train"]
    assert (train["batch"], train["epochs"]) == (8, 1) and train["optimizer"].startswith("sgd(rate = 0.1, ")


def test_the_same_file_may_be_named_again(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    arguments = ["--config", place / "small", "--out", tmp_path / "b", "--set", "steps=1", "--net", "Small"]
    assert run_netc("train", place / "small.net", "Small", *arguments).code == 0


CONTRADICTIONS = {
    "file": (["pictures.net"], "`files`: the run keeps its own source, and `pictures.net` is another"),
    "no-file": (["nowhere.net"], "`files`: the run keeps its own source, and `nowhere.net` is another"),
    "recipe": (["small.net", "Quick"], "`recipe`: it is of `Small`, and `Quick` is asked for"),
    "net": (["--net", "Other"], "`net`: it is of `Small`, and `Other` is asked for"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_what_contradicts_a_run_is_named(
    run_netc: Netc, place: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    arguments, reason = CONTRADICTIONS[case]
    monkeypatch.chdir(place)
    found = run_netc("train", *arguments, "--config", "small/run.yaml", "--out", "new")
    assert found.code == 1 and not Path("new").exists()
    assert found.err.startswith(f"error[bad-config]: `small/run.yaml` cannot be used as configuration: {reason}")
    assert "   = help: leave " in found.err


def test_a_run_from_python_cannot_be_repeated_here(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    arrays = dict(np.load(place / "x.npz"))
    netc.train(place / "small.net", data=arrays, out=tmp_path / "a", set={"steps": 1})
    found = run_netc("train", "--config", tmp_path / "a", "--out", tmp_path / "b")
    assert found.code == 1
    assert found.err == (
        f"error[bad-config]: `{tmp_path}/a/run.yaml` cannot be used as configuration: `from_python`: the run's data "
        "were given from Python, and are not kept\n"
        "   = help: repeat it from Python: `netc.train(..., data=...)`, or name a folder with `--data`\n"
    )
    found = run_netc("eval", tmp_path / "a")
    assert found.code == 1 and "error[data-mismatch]: the run's data were given from Python" in found.err
    assert run_netc("eval", tmp_path / "a", "--data", place).code == 0


def changed(**changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda config: config.update(changes)


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda config: config.pop(key)


def inside(key: str, **changes: object) -> Callable[[dict[str, Any]], object]:
    return lambda config: config[key].update(changes)


BAD_VALUES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "unknown-key": (changed(epoch=3), "`epoch`: there is no such key"),
    "near-key": (changed(fiels={}), "`fiels`: there is no such key\n   = help: did you mean `fields`?"),
    "missing": (without("train"), "`train`: it is missing"),
    "no-main": (changed(files={}), "`files`: `net.net` is missing"),
    "outside": (inside("files", **{"../x.net": "x.net"}), "`files.../x.net`: kept files stand in the run's folder"),
    "files": (changed(files=["net.net"]), "`files`: keys with values is needed, and a list is given"),
    "net": (changed(net=3), "`net`: a text is needed, and a number is given"),
    "other-net": (changed(net="Other"), "`net`: there is no net `Other`"),
    "other-recipe": (changed(recipe="Smal"), "`recipe`: there is no recipe `Smal`\n   = help: did you mean `Small`?"),
    "status": (changed(status="done"), "`status`: `done` is none of running, finished, interrupted, failed"),
    "step": (changed(step=-1), "`step`: a whole number is needed"),
    "python": (changed(from_python="no"), "`from_python`: true or false is needed, and a text is given"),
    "data": (changed(data=["x"]), "`data`: a text is needed, and a list is given"),
    "train": (changed(train="adam"), "`train`: keys with values is needed, and a text is given"),
    "field": (
        inside("train", batchsize=3),
        "`train.batchsize`: a recipe has no such field\n   = help: did you mean `batch`?",
    ),
    "planned": (inside("train", augment="shift(2)"), "`train.augment`: a recipe has no such field"),
    "batch": (inside("train", batch=0), "`train.batch`: "),
    "batch-list": (inside("train", batch=[1]), "`train.batch`: a text is needed, and a list is given"),
    "batch-nothing": (inside("train", batch=None), "`train.batch`: a text is needed, and nothing is given"),
    "date": (
        inside("train", seed=datetime.date(2020, 1, 1)),
        "`train.seed`: a text is needed, and date is given",
    ),
    "infinite": (inside("train", batch=float("inf")), "`train.batch`: "),
    "syntax": (inside("train", optimizer="adam(rate = 0.1"), "`train.optimizer`: "),
    "name": (inside("train", loss="cross_entropi(y, label)"), "`train.loss`: there is no loss `cross_entropi`"),
    "parameter": (changed(parameters={"wide": "3"}), "`parameters.wide`: there is no setting"),
    "shape": (
        lambda c: c["fields"]["x"].update(shape="[4]"),
        "`fields.x.shape`: a list of whole numbers is needed, and a text is given",
    ),
    "steps": (lambda c: c["fields"]["x"].update(steps=[{"kind": "blur"}]), "`fields.x.steps`: "),
    "numbers": (
        lambda c: c["fields"]["x"].update(steps=[{"kind": "standardize", "mean": "0", "std": 1}]),
        "`fields.x.steps.mean`: a number is needed, and a text is given",
    ),
    "keys": (lambda c: c["fields"]["x"].pop("element"), "`fields.x`: it has "),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_a_wrong_value_in_a_run_yaml_is_named_by_its_key(
    run_netc: Netc, place: Path, tmp_path: Path, case: str
) -> None:
    spoil, reason = BAD_VALUES[case]
    path = copied_config(place, tmp_path)
    config = yaml.safe_load(path.read_text())
    spoil(config)
    path.write_text(yaml.safe_dump(config))
    assert_bad_config(run_netc, path, reason)


BAD_FILES = {
    "empty": (b"", "it holds nothing, and keys with values are needed"),
    "list": (b"- 1\n- 2\n", "it holds a list, and keys with values are needed"),
    "text": (b"hello", "it holds a text, and keys with values are needed"),
    "syntax": (b"net: [1, 2\ntrain: 3\n", "it is not plain YAML: "),
    "tag": (
        b"net: !!python/object/apply:os.system ['touch hacked']\n",
        "it is not plain YAML: could not determine a constructor",
    ),
    "binary": (b"\x89PNG\r\n\x1a\n\0", "it is not UTF-8 text"),
    "control": (b"net: a\x00b\n", "it is not plain YAML: "),
    "deep": (b"[" * 5000, "it is not plain YAML: "),
    "large": (b"# " + b"x" * 2**20, "it is larger than 1 MB"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_no_run_yaml_is_named(
    run_netc: Netc, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    content, reason = BAD_FILES[case]
    monkeypatch.chdir(tmp_path)
    path = copied_config(place, tmp_path)
    path.write_bytes(content)
    assert_bad_config(run_netc, path, reason)
    assert not Path("hacked").exists()


def test_a_run_yaml_that_is_not_there_is_named(run_netc: Netc, tmp_path: Path) -> None:
    assert_bad_config(run_netc, tmp_path / "nowhere.yaml", "No such file or directory")


def copied_config(place: Path, folder: Path) -> Path:
    subprocess.run(["cp", "-r", place / "small", folder / "a"], check=True)
    return folder / "a" / "run.yaml"


def assert_bad_config(run_netc: Netc, path: Path, reason: str) -> None:
    found = run_netc("train", "--config", path, "--out", path.parent / "b")
    assert found.code == 1 and found.out == ""
    assert found.err.startswith(f"error[bad-config]: `{path}` cannot be used as configuration: {reason}")
    assert "\n   = help: " in found.err
    assert not (path.parent / "b").exists()


# eval


def test_eval_measures_the_test_set(run_netc: Netc, place: Path) -> None:
    found = run_netc("eval", place / "small")
    history = json.loads((place / "small" / "metrics.jsonl").read_text().splitlines()[-1])
    assert (found.code, found.err) == (0, "")
    assert found.out == "".join(f"{name}: {value:.4f}\n" for name, value in history["test"].items())
    found = run_netc("eval", place / "small", "--format", "json")
    assert json.loads(found.out) == history["test"]


def test_eval_on_other_data_uses_the_run_s_preparation(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    arrays = dict(np.load(place / "p.npz"))
    np.savez(tmp_path / "p.npz", image=arrays["image"] * 0.5, label=arrays["label"])
    found = json.loads(run_netc("eval", place / "pictures", "--data", tmp_path, "--format", "json").out)
    images, label = (arrays["image"] * 0.5)[36:], arrays["label"][36:]
    answers = netc.load(place / "pictures").predict(images)
    assert found["accuracy"] == pytest.approx((answers.argmax(1) == label).mean())


@pytest.mark.parametrize("command", ["eval", "predict"])
def test_a_folder_that_is_no_run_is_named(run_netc: Netc, tmp_path: Path, command: str) -> None:
    found = run_netc(command, tmp_path, *(["x.npy"] if command == "predict" else []))
    assert found.code == 1
    assert found.err.startswith(f"error[not-a-run]: `{tmp_path}` is not a run that can be read: it has no run.yaml")


# predict


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x.astype(np.float64))
    return e / e.sum(-1, keepdims=True)


def probabilities(row: dict[str, Any], output: str) -> list[float]:
    """Those of an answer in JSON, by class."""
    return [entry["probability"] for entry in sorted(row["outputs"][output]["classes"], key=lambda e: e["class"])]


def test_predict_gives_the_softmax_of_the_logits(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    x = RNG.normal(size=(7, 4)) + 2
    np.save(tmp_path / "one.npy", x[0])
    np.save(tmp_path / "six.npy", x[1:])
    files = [tmp_path / "one.npy", tmp_path / "six.npy"]
    expected = softmax(netc.load(place / "small").predict(x))
    rows = json.loads(run_netc("predict", place / "small", *files, "--format", "json").out)
    assert [row["input"] for row in rows] == [str(files[0]), *(f"{files[1]}[{i}]" for i in range(6))]
    np.testing.assert_allclose([probabilities(row, "y") for row in rows], expected, rtol=1e-6)
    first = rows[0]["outputs"]["y"]["classes"]
    assert [e["probability"] for e in first] == sorted((e["probability"] for e in first), reverse=True)
    found = run_netc("predict", place / "small", *files, "--top", 2)
    best = np.argsort(-expected[0])[:2]
    shown = ", ".join(f"{i} ({expected[0, i]:.1%})" for i in best)
    assert found.out.splitlines()[0] == f"{files[0]}: {shown}" and len(found.out.splitlines()) == 7
    assert (
        len(
            json.loads(run_netc("predict", place / "small", *files, "--top", 2, "--format", "json").out)[0]["outputs"][
                "y"
            ]["classes"]
        )
        == 2
    )


def test_all_files_go_through_in_one_batch(
    run_netc: Netc, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from netc.model import Model

    sizes: list[int] = []
    predict = Model.predict
    monkeypatch.setattr(Model, "predict", lambda self, x: sizes.append(len(x)) or predict(self, x))
    for i in range(5):
        np.save(tmp_path / f"{i}.npy", RNG.normal(size=4))
    assert run_netc("predict", place / "small", *sorted(tmp_path.glob("*.npy"))).code == 0
    assert sizes == [5]


def picture(mode: str, size: tuple[int, int] = (5, 6)) -> Image.Image:
    colours = RNG.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray(RNG.integers(0, 65536, (size[1], size[0])).astype(np.uint16))
    return Image.fromarray(colours).convert(mode)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        ("RGB", "png"),
        ("RGBA", "png"),
        ("L", "png"),
        ("LA", "png"),
        ("P", "png"),
        ("1", "png"),
        ("I;16", "png"),
        ("RGB", "jpg"),
        ("L", "jpg"),
        ("CMYK", "jpg"),
    ],
)
def test_pictures_of_any_mode_become_the_net_s_channels(
    run_netc: Netc, place: Path, tmp_path: Path, mode: str, ending: str
) -> None:
    path = tmp_path / f"x.{ending}"
    made = picture(mode)
    made.save(path)
    if mode == "I;16":
        pixels = np.repeat(np.round(np.asarray(made) / 257.0)[..., None], 3, axis=-1)
    else:
        with Image.open(path) as opened:
            pixels = np.asarray(opened.convert("RGB"), np.float64)
    expected = softmax(netc.load(place / "pictures").predict(pixels[None] / 255))
    for given, stdin in ((path, b""), ("-", path.read_bytes())):
        (row,) = json.loads(run_netc("predict", place / "pictures", given, "--format", "json", stdin=stdin).out)
        np.testing.assert_allclose(probabilities(row, "kind"), expected[0], rtol=1e-5)


def test_other_sizes_need_resize(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    picture("RGB", (10, 12)).save(tmp_path / "x.png")
    found = run_netc("predict", place / "pictures", tmp_path / "x.png")
    assert found.code == 1
    assert found.err == (
        f"error[bad-input]: `{tmp_path}/x.png` cannot be predicted: it is 12x10 pixels, and `image` takes 6x5\n"
        "   = help: `--resize` makes it fit\n"
    )
    assert run_netc("predict", place / "pictures", tmp_path / "x.png", "--resize").code == 0


def saved(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def png(mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    picture(mode).save(buffer, "png")
    return buffer.getvalue()


BAD_INPUTS: dict[str, tuple[str, bytes | None, str]] = {
    "missing": ("small", None, "No such file or directory"),
    "empty": ("small", b"", "it is empty"),
    "picture-for-vector": ("small", png(), "`x` takes [4], which is no picture\n   = help: give it as .npy"),
    "shape": ("small", saved(np.zeros(5)), "it is [5], and `x` takes [4] or a batch of those"),
    "no-examples": ("small", saved(np.zeros((0, 4))), "it is [0, 4], and `x` takes [4] or a batch of those"),
    "nan": ("small", saved(np.full(4, np.nan)), "it holds NaN or infinite numbers"),
    "texts": ("small", saved(np.array(["a"])), "it holds <U1, and numbers are needed"),
    "pickled": ("small", saved(np.array([{}], dtype=object)), "it is a damaged .npy file, or not of plain numbers ("),
    "cut-off": ("small", saved(np.zeros(4))[:-8], "it is a damaged .npy file, or not of plain numbers ("),
    "archive": ("small", b"PK\x03\x04", "it is an .npz or other archive\n   = help: give one of its arrays as .npy"),
    "no-picture": ("pictures", b"hello", "it is no picture that can be read ("),
    "cut-off-picture": ("pictures", png()[:60], "it is no picture that can be read ("),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_what_cannot_be_predicted_is_named(run_netc: Netc, place: Path, tmp_path: Path, case: str) -> None:
    run, content, reason = BAD_INPUTS[case]
    path = tmp_path / "given"
    if content is not None:
        path.write_bytes(content)
    found = run_netc("predict", place / run, path)
    assert found.code == 1 and found.out == ""
    assert found.err.startswith(f"error[bad-input]: `{path}` cannot be predicted: {reason}")


def test_pictures_have_the_range_of_the_training_data(run_netc: Netc, place: Path, tmp_path: Path) -> None:
    picture("RGB").save(tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as opened:
        pixels = np.asarray(opened, np.float64)
    images = RNG.integers(0, 256, (30, 6, 5, 3))
    arrays = {"image": images.astype(np.uint8), "label": RNG.integers(0, 4, 30)}
    netc.train(place / "pictures.net", data=arrays, out=tmp_path / "bytes", set={"steps": 1})
    (row,) = json.loads(run_netc("predict", tmp_path / "bytes", tmp_path / "x.png", "--format", "json").out)
    expected = softmax(netc.load(tmp_path / "bytes").predict(pixels[None]))
    np.testing.assert_allclose(probabilities(row, "kind"), expected[0], rtol=1e-5)
    arrays["image"] = images / 127.5 - 1
    netc.train(place / "pictures.net", data=arrays, out=tmp_path / "signed", set={"steps": 1})
    found = run_netc("predict", tmp_path / "signed", tmp_path / "x.png")
    assert found.code == 1
    assert "pictures have pixels from 0 to 1 or 255, and the run was trained on numbers from -1 to 1" in found.err


TWO = """
net Two { input left, right: [2]
  output sum: [2] = (left, right) -> add
  output p: [1] = left -> dense(1) -> sigmoid
  output wide: [20] = left -> dense(20) }
train Two { data = arrays("two.npz")  likelihood = log_likelihood(p, label)  optimizer = sgd(rate = 0.1)  epochs = 1 }
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a net with two inputs and three outputs."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "two.net").write_text(TWO)
    a, b = (RNG.normal(size=(20, 2)) for _ in range(2))
    np.savez(folder / "two.npz", left=a, right=b, label=np.arange(20) % 2)
    netc.train(folder / "two.net", out=folder / "run")
    np.save(folder / "a.npy", a[0])
    np.save(folder / "b.npy", b[0])
    np.save(folder / "some.npy", a[:3])
    return folder


def test_several_inputs_take_files_in_order_or_by_name(run_netc: Netc, two: Path) -> None:
    run, a, b = two / "run", two / "a.npy", two / "b.npy"
    first = run_netc("predict", run, a, b, "--format", "json")
    named = run_netc("predict", run, "--input", f"right={b}", "--input", f"left={a}", "--format", "json")
    assert first.code == 0 and first.out == named.out
    (row,) = json.loads(first.out)
    assert row["input"] == f"{a}, {b}" and list(row["outputs"]) == ["sum", "p", "wide"]
    assert row["outputs"]["sum"]["numbers"] == pytest.approx(np.load(a) + np.load(b))
    p = float(netc.load(run).predict(np.load(a)[None], np.load(b)[None])[1][0, 0])
    assert probabilities(row, "p") == pytest.approx([1 - p, p])
    text = run_netc("predict", run, a, b).out
    assert text.startswith(f"{a}, {b}: sum ") and "; p " in text
    assert "; wide 20 numbers [20]; `--format json` prints them, `--out FILE.npy` keeps them" in text


BAD_PAIRS: dict[str, tuple[list[str], int, str]] = {
    "none": ([], 2, "Give files to predict, or --input NAME=FILE."),
    "one": (["a.npy"], 1, "the net has the inputs `left`, `right`, and 1 file is given"),
    "both": (["a.npy", "b.npy", "--input", "left=a.npy"], 2, "or all of them with --input"),
    "form": (["--input", "a.npy"], 2, "'a.npy' is not of the form name=file"),
    "name": (["--input", "lef=a.npy"], 1, "the net has no input `lef`\n   = help: did you mean `left`?"),
    "half": (["--input", "left=a.npy"], 1, "the input `right` has no file\n   = help: add `--input right=FILE`"),
    "lengths": (["some.npy", "b.npy"], 1, "its inputs have different numbers of examples: `left` 3, `right` 1"),
}


@pytest.mark.parametrize("case", BAD_PAIRS)
def test_files_that_do_not_fit_the_inputs_are_named(
    run_netc: Netc, two: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    arguments, code, message = BAD_PAIRS[case]
    monkeypatch.chdir(two)
    found = run_netc("predict", "run", *arguments)
    assert (found.code, found.out) == (code, "") and message in found.err


def test_out_keeps_the_numbers(run_netc: Netc, two: Path, place: Path, tmp_path: Path) -> None:
    files = (two / "some.npy", two / "some.npy")
    found = run_netc("predict", two / "run", *files, "--out", tmp_path / "y.npz")
    assert (found.code, found.out) == (0, "")
    assert found.err == f"{tmp_path}/y.npz holds sum [3, 2], p [3, 2], wide [3, 20]\n"
    with np.load(tmp_path / "y.npz") as archive:
        np.testing.assert_allclose(archive["sum"], 2 * np.load(files[0]), rtol=1e-6)
        np.testing.assert_allclose(archive["p"].sum(axis=1), 1)
    for name, reason in (
        ("y.npz", "it exists already"),
        ("y.npy", "the net has the outputs sum, p, wide"),
        ("y.csv", "its name ends otherwise"),
    ):
        found = run_netc("predict", two / "run", *files, "--out", tmp_path / name)
        assert found.code == 1 and f"error[cannot-write]: cannot write `{tmp_path}/{name}`: {reason}" in found.err
    np.save(tmp_path / "x.npy", RNG.normal(size=(5, 4)))
    assert run_netc("predict", place / "small", tmp_path / "x.npy", "--out", tmp_path / "y.npy").code == 0
    assert np.load(tmp_path / "y.npy").shape == (5, 3)


# What outputs mean.


def test_every_loss_says_how_its_output_is_read() -> None:
    assert {loss.reading for loss in LOSSES} <= READINGS.keys()
    assert {loss.kind: loss.reading for loss in LOSSES} == {
        "cross_entropy": "logits",
        "log_likelihood": "probabilities",
        "logistic": "score",
        "squared_error": "numbers",
        "contrastive": "numbers",
        "rbf_map": "distances",
    }


X = RNG.normal(size=(5, 4)).astype(np.float32)
P = RNG.random((5, 1)).astype(np.float32)
READ: dict[str, tuple[str, np.ndarray, tuple[int, ...] | None, np.ndarray]] = {
    "logits": ("logits", X, (0, 1, 2, 3), softmax(X)),
    "large-logits": ("logits", 1000 * X, (0, 1, 2, 3), np.eye(4)[X.argmax(1)]),
    "positions": ("logits", X[:, None], (0, 1, 2, 3), softmax(X[:, None])),
    "distances": ("distances", X**2, (0, 1, 2, 3), softmax(-(X**2))),
    "probabilities": ("probabilities", softmax(X), (0, 1, 2, 3), softmax(X)),
    "one-probability": ("probabilities", P, (0, 1), np.concatenate([1 - P, P], axis=1)),
    "bare-probability": ("probabilities", P[:, 0], (0, 1), np.concatenate([1 - P, P], axis=1)),
    "score": ("score", X[:, :1], (-1, 1), np.stack([1 / (1 + np.exp(X[:, 0])), 1 / (1 + np.exp(-X[:, 0]))], axis=1)),
    "large-score": ("score", np.array([[-2000.0], [2000.0]]), (-1, 1), np.eye(2)),
    "numbers": ("numbers", X, None, X),
}


@pytest.mark.parametrize("case", READ)
def test_outputs_are_read_as_their_loss_means_them(case: str) -> None:
    reading, output, classes, values = READ[case]
    found = READINGS[reading](output)
    assert found.classes == classes
    np.testing.assert_allclose(found.values, values, rtol=1e-5, atol=1e-12)


def test_answers_as_text_and_data() -> None:
    answer = Answer((-1, 1), np.array([[0.25, 0.75]]))
    assert as_text(answer, 0, None) == "1 (75.0%)"
    assert as_text(answer, 0, 2) == "1 (75.0%), -1 (25.0%)"
    assert as_data(answer, 0, 1) == {"classes": [{"class": 1, "probability": 0.75}]}
    assert as_text(of_numbers(np.array([[1.5, -2.0]])), 0, None) == "1.5 -2"
    positions = READINGS["logits"](np.array([[[0.0, 9.0], [9.0, 0.0]]]))
    assert as_text(positions, 0, None) == "1 0"
    assert np.shape(as_data(positions, 0, None)["probabilities"]) == (2, 2)


def test_help_has_examples(run_netc: Netc) -> None:
    for command in ("train", "eval", "predict"):
        found = run_netc(command, "--help")
        example = "specs/digits.net" if command == "train" else "runs/digits"
        assert found.code == 0 and f"  netc {command} {example}" in found.out
