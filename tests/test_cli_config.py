"""netc train --config: a run repeated from its folder, and files that cannot be used for that."""

import datetime
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from small_runs import SMALL, make_place, run_netc, weights

import netc


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_place(tmp_path_factory.mktemp("place"))


def test_a_run_is_repeated_from_its_folder_alone_to_the_bit(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


def test_a_run_yaml_that_was_changed_is_followed(place: Path, tmp_path: Path) -> None:
    subprocess.run(["cp", "-r", place / "small", tmp_path / "a"], check=True)
    config = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())
    config["train"] |= {"batch": 8, "optimizer": "sgd(rate = 0.1)", "metric": {"own name": "accuracy(y, label)"}}
    (tmp_path / "a" / "run.yaml").write_text(yaml.safe_dump(config))
    found = run_netc("train", "--config", tmp_path / "a", "--out", tmp_path / "b", "--set", "epochs=1")
    assert found.code == 0 and "test own name: " in found.out
    train = yaml.safe_load((tmp_path / "b" / "run.yaml").read_text())["train"]
    assert (train["batch"], train["epochs"]) == (8, 1) and train["optimizer"].startswith("sgd(rate = 0.1, ")


def test_the_same_file_may_be_named_again(place: Path, tmp_path: Path) -> None:
    arguments = ["--config", place / "small", "--out", tmp_path / "b", "--set", "steps=1", "--net", "Small"]
    assert run_netc("train", place / "small.net", "Small", *arguments).code == 0


CONTRADICTIONS = {
    "file": (["pictures.net"], "`files`: the run keeps its own source, and `pictures.net` is another"),
    "no-file": (["nowhere.net"], "`files`: the run keeps its own source, and `nowhere.net` is another"),
    "recipe": (["small.net", "Quick"], "`recipe`: it is of `Small`, and `Quick` is asked for"),
    "net": (["--net", "Other"], "`net`: it is of `Small`, and `Other` is asked for"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_what_contradicts_a_run_is_named(place: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    arguments, reason = CONTRADICTIONS[case]
    monkeypatch.chdir(place)
    found = run_netc("train", *arguments, "--config", "small/run.yaml", "--out", "new")
    assert found.code == 1 and not Path("new").exists()
    assert found.err.startswith(f"error[bad-config]: `small/run.yaml` cannot be used as configuration: {reason}")
    assert "   = help: leave " in found.err


def test_a_run_from_python_cannot_be_repeated_here(place: Path, tmp_path: Path) -> None:
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
    "planned": (inside("train", mesh="[2]"), "`train.mesh`: a recipe has no such field"),
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
    "classes": (changed(classes={"label": "cat"}), "`classes.label`: a list of texts is needed, and a text is given"),
    "keys": (lambda c: c["fields"]["x"].pop("element"), "`fields.x`: it has "),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_a_wrong_value_in_a_run_yaml_is_named_by_its_key(place: Path, tmp_path: Path, case: str) -> None:
    spoil, reason = BAD_VALUES[case]
    path = copied_config(place, tmp_path)
    config = yaml.safe_load(path.read_text())
    spoil(config)
    path.write_text(yaml.safe_dump(config))
    assert_bad_config(path, reason)


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
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    content, reason = BAD_FILES[case]
    monkeypatch.chdir(tmp_path)
    path = copied_config(place, tmp_path)
    path.write_bytes(content)
    assert_bad_config(path, reason)
    assert not Path("hacked").exists()


def test_a_run_yaml_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert_bad_config(tmp_path / "nowhere.yaml", "No such file or directory")


def copied_config(place: Path, folder: Path) -> Path:
    subprocess.run(["cp", "-r", place / "small", folder / "a"], check=True)
    return folder / "a" / "run.yaml"


def assert_bad_config(path: Path, reason: str) -> None:
    found = run_netc("train", "--config", path, "--out", path.parent / "b")
    assert found.code == 1 and found.out == ""
    assert found.err.startswith(f"error[bad-config]: `{path}` cannot be used as configuration: {reason}")
    assert "\n   = help: " in found.err
    assert not (path.parent / "b").exists()
