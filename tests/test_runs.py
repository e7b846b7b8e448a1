"""Run folders: what they keep, what they give back, and disks and interrupts that get in the way."""

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from small_runs import SMALL, blobs, problem, weights

import netc
from netc.training import Chunk, Epoch
from netc.training.data.arrays import from_arrays
from netc.training.run import Interrupted


def test_a_run_keeps_the_files_that_its_source_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    (source / "parts").mkdir(parents=True)
    (source / "parts" / "inner.net").write_text("block inner(n) = dense(n) -> relu")
    (source / "parts" / "blocks.net").write_text('use "inner.net"\nblock body(n) = inner(n) -> inner(n)')
    text = SMALL.replace("dense(8) -> relu", "body(8)")
    (source / "small.net").write_text('use "parts/blocks.net"\nuse mlp\n' + text)
    monkeypatch.chdir(tmp_path)
    run = netc.train("source/small.net", data=blobs(), out=tmp_path / "a", set={"steps": 3}, net="Small")
    shutil.rmtree(source)
    monkeypatch.chdir("/")
    x = blobs()["x"][:5]
    np.testing.assert_array_equal(netc.load(tmp_path / "a").predict(x), run.model.predict(x))
    files = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())["files"]
    assert files == {
        "net.net": "source/small.net",
        "use/1-blocks.net": "source/parts/blocks.net",
        "use/2-inner.net": "source/parts/inner.net",
        "use/3-mlp.net": "specs:mlp.net",
    }


def test_a_net_s_parameters_are_kept(tmp_path: Path) -> None:
    text = SMALL.replace("net Small {", "wide = 8\nnet Small(hidden = wide, seed = [1, 2]) {").replace(
        "dense(8)", "dense(hidden)"
    )
    run = netc.train(text, data=blobs(), out=tmp_path / "a", set={"hidden": 5, "steps": 1})
    config = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())
    assert config["parameters"] == {"hidden": "5", "seed": "[1, 2]"}
    assert config["train"]["seed"] == 0
    assert netc.load(run.folder).predict(np.zeros((1, 4))).shape == (1, 3)


def test_metrics_keep_their_names(tmp_path: Path) -> None:
    metric = "[top_k(y, label, 1), top_k(y, label, 2), 100 * error_rate(y, label)]"
    run = netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"metric": metric, "steps": 1})
    assert list(run.test) == ["loss", "top_k", "top_k(y, label, 2)", "100 * error_rate(y, label)"]
    split = from_arrays(blobs())
    assert netc.evaluate(run.folder, split.test) == run.test


RUNS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no-folder": (shutil.rmtree, "there is no such folder"),
    "no-config": (lambda run: (run / "run.yaml").unlink(), "it has no run.yaml"),
    "no-weights": (lambda run: (run / "weights.safetensors").unlink(), "it has no weights.safetensors"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one step."""
    folder = tmp_path_factory.mktemp("runs") / "made"
    netc.train(SMALL, data=blobs(), out=folder, set={"steps": 1})
    return folder


@pytest.mark.parametrize("case", RUNS)
def test_a_folder_that_is_no_run_is_named(made: Path, tmp_path: Path, case: str) -> None:
    spoil, reason = RUNS[case]
    run = shutil.copytree(made, tmp_path / "run")
    spoil(run)
    for action in (lambda: netc.load(run), lambda: netc.evaluate(run, blobs())):
        text = problem(action)
        assert text.startswith(f"error[not-a-run]: `{run}` is not a run that can be read: {reason}")
        assert text.endswith("   = help: train one: `netc train specs/digits.net --out runs/digits`")


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut-off": (
        lambda run: (run / "weights.safetensors").write_bytes(weights(run)[:200]),
        "error[corrupt-weights]: `RUN/weights.safetensors` has no weights that can be read: ",
    ),
    "empty": (
        lambda run: (run / "weights.safetensors").write_bytes(b""),
        "error[corrupt-weights]: `RUN/weights.safetensors` has no weights that can be read: ",
    ),
    "another net": (
        lambda run: (run / "net.net").write_text(SMALL.replace("dense(8)", "dense(9)")),
        "error[weights-mismatch]: `RUN/weights.safetensors` does not fit: `y.dense1.kernel` is [4, 8], and [4, 9] in ",
    ),
    "fewer layers": (
        lambda run: (run / "net.net").write_text(SMALL.replace("dense(8) -> relu -> ", "")),
        "error[weights-mismatch]: `RUN/weights.safetensors` does not fit: `y.dense1.kernel` is [4, 8], and [4, 3] in ",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_weights_that_cannot_be_the_run_s_are_named(made: Path, tmp_path: Path, case: str) -> None:
    spoil, message = SPOILT[case]
    run = shutil.copytree(made, tmp_path / "run")
    spoil(run)
    for action in (lambda: netc.load(run), lambda: netc.evaluate(run, blobs())):
        assert problem(action).startswith(message.replace("RUN", str(run)))


def test_a_kept_source_that_is_missing_is_named(made: Path, tmp_path: Path) -> None:
    run = shutil.copytree(made, tmp_path / "run")
    (run / "net.net").unlink()
    assert "`files`: the kept source `net.net` cannot be read" in problem(lambda: netc.load(run))


def test_data_from_python_are_asked_for_again(made: Path) -> None:
    assert problem(lambda: netc.evaluate(made)).startswith(
        "error[data-mismatch]: the run's data were given from Python, and are not kept\n"
        "   = help: measure it from Python"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": np.full(203, 7)}, "labels class(8)"),
        ({"label": np.full(203, -1)}, "holds -1 in example 0"),
        ({"x": np.full((203, 4), np.nan, "f")}, "holds NaN"),
        ({"x": np.zeros((203, 5), "f")}, "the input `x` of `Small` is [4], and the data's `x` is [5]"),
        ({"label": np.zeros(10, int)}, "different numbers of examples"),
        ({"x": np.zeros((0, 4), "f")}, "is empty"),
    ],
)
def test_a_start_that_fails_leaves_no_folder(tmp_path: Path, change: dict, message: str) -> None:
    assert message in problem(lambda: netc.train(SMALL, data={**blobs(), **change}, out=tmp_path / "b"))
    assert list(tmp_path.iterdir()) == []


def test_a_schedule_that_does_not_fit_the_run_is_refused_before_it(tmp_path: Path) -> None:
    settings = {"optimizer": "sgd(rate = warmup_cosine(0.1, warmup = 36))"}
    text = problem(lambda: netc.train(SMALL, data=blobs(), out=tmp_path / "b", set=settings))
    assert "error[recipe-mismatch]: the rate warms up for 36 steps, and the whole run has 36" in text
    assert list(tmp_path.iterdir()) == []


# Disks.


class Disk:
    """A place to write to, that can be made full or read-only: a small file system where root may mount one, else
    the calls that write fail as they would there."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place, self.monkeypatch = place, monkeypatch
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(place)]
        self.mounted = subprocess.run(command, capture_output=True).returncode == 0

    def fill(self) -> None:
        if self.mounted:
            with (self.place / "filler").open("wb", buffering=0) as file:
                while self.wrote(file):
                    pass
        else:
            self.monkeypatch.setattr(Path, "write_bytes", failing(errno.ENOSPC))

    @staticmethod
    def wrote(file: Any) -> bool:
        try:
            return file.write(b"x" * 1024) == 1024
        except OSError:
            return False

    def make_read_only(self) -> None:
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,ro", str(self.place)], check=True)
        else:
            self.monkeypatch.setattr(Path, "mkdir", failing(errno.EROFS))

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.place)], check=True)


def failing(number: int) -> Callable[..., None]:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    made = Disk(tmp_path / "disk", monkeypatch)
    yield made
    made.close()


HELP = "\n   = help: make room, or choose another folder with `--out`"


def test_a_full_disk_is_found_before_the_training(disk: Disk) -> None:
    disk.fill()
    text = problem(lambda: netc.train(SMALL, data=blobs(), out=disk.place / "a"))
    assert text == f"error[cannot-write]: cannot write `{disk.place}/a/net.net`: No space left on device{HELP}"
    assert not (disk.place / "a").exists()


def test_a_disk_that_becomes_full_is_named(disk: Disk) -> None:
    def watch(event: object) -> None:
        if isinstance(event, Chunk) and event.step == 1:
            disk.fill()

    text = problem(lambda: netc.train(SMALL, data=blobs(), out=disk.place / "a", watch=watch))
    assert (
        text == f"error[cannot-write]: cannot write `{disk.place}/a/weights.safetensors`: No space left on device{HELP}"
    )
    assert netc.load(disk.place / "a").predict(np.zeros((1, 4))).shape == (1, 3)
    assert not list((disk.place / "a").glob("*.part"))


def test_a_read_only_disk_is_named(disk: Disk) -> None:
    disk.make_read_only()
    text = problem(lambda: netc.train(SMALL, data=blobs(), out=disk.place / "a"))
    assert text == f"error[cannot-write]: cannot write `{disk.place}/a`: Read-only file system{HELP}"


def test_a_parent_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = problem(lambda: netc.train(SMALL, data=blobs(), out=tmp_path / "file" / "a"))
    assert text == f"error[cannot-write]: cannot write `{tmp_path}/file/a`: Not a directory{HELP}"


# Ctrl-C.


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_finishes_the_steps_and_saves(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    events: list[Chunk | Epoch] = []

    def watch(event: Chunk | Epoch) -> None:
        events.append(event)
        if event.step == 12 and isinstance(event, Epoch):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as stopped:
        netc.train(SMALL, data=blobs(), out=tmp_path / "a", watch=watch)
    assert isinstance(stopped.value, Interrupted)
    run = stopped.value.run
    assert (run.status, run.step, events[-1].step) == ("interrupted", 12, 12)
    assert signal.getsignal(signal.SIGINT) is before
    config = yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())
    assert (config["status"], config["step"]) == ("interrupted", 12)
    netc.train(SMALL, data=blobs(), out=tmp_path / "b", set={"epochs": 1})
    assert weights(tmp_path / "a") == weights(tmp_path / "b")


def test_an_interrupt_that_is_raised_leaves_the_weights(tmp_path: Path) -> None:
    def watch(event: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        netc.train(SMALL, data=blobs(), out=tmp_path / "a", watch=watch)
    assert netc.load(tmp_path / "a").predict(np.zeros((1, 4))).shape == (1, 3)
    assert yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())["status"] == "interrupted"


def test_a_failure_of_the_watcher_leaves_the_weights(tmp_path: Path) -> None:
    def watch(event: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        netc.train(SMALL, data=blobs(), out=tmp_path / "a", watch=watch)
    assert yaml.safe_load((tmp_path / "a" / "run.yaml").read_text())["status"] == "failed"
    assert netc.load(tmp_path / "a")
