"""Runs that stopped go on to the same bits: killed, interrupted, with damaged checkpoints; or why they cannot."""

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from small_runs import SMALL, blobs, chunks_of, problem, run_netc, training, weights

import netc
from benchmarks.resume import resumed, same_state
from netc.training import Chunk, Epoch, checkpoints, loop
from netc.training.checkpoints import latest, saved_steps
from netc.training.run import Interrupted

TEXT = SMALL.replace("dense(8) -> relu", "dense(8) -> batchnorm -> relu -> dropout(0.2)").replace(
    "adam(rate = 0.01)", "adam(rate = cosine(0.01))"
)
OFTEN = {"checkpoint": "every(epochs = 1, keep = 3, best = loss)"}


def whole_run(folder: Path, **settings: object) -> Path:
    netc.train(TEXT, data=blobs(), out=folder, set={**OFTEN, **settings})
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that never stopped, of 3 epochs of 12 steps, with the checkpoints of all of them."""
    return whole_run(tmp_path_factory.mktemp("runs") / "whole")


def stopped_after(folder: Path, step: int) -> Path:
    """The same run, stopped by Ctrl-C in the chunk that ends with that step."""

    def watch(event: Chunk | Epoch) -> None:
        if isinstance(event, Chunk) and event.step >= step:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted):
        netc.train(TEXT, data=blobs(), out=folder, set=OFTEN, watch=watch)
    return folder


def go_on(folder: Path, **settings: object) -> netc.training.Run:
    return netc.train(TEXT, data=blobs(), out=folder, set={**OFTEN, **settings}, resume=True)


def same(one: Path, other: Path) -> None:
    for name in ("weights.safetensors", "best.safetensors", "metrics.jsonl", "net.net", "run.yaml"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    assert same_state(one, other)


def test_killed_trainings_go_on_to_the_same_bits(tmp_path: Path) -> None:
    table = resumed(tmp_path, kills=2, epochs=30)
    assert [row.met for row in table.rows] == [True] * 4, table
    assert "killed (SIGKILL) 2 times" in table.text


@pytest.mark.parametrize("length", [1, 7])
def test_a_run_stopped_anywhere_goes_on_to_the_same_bits(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    monkeypatch.setattr(loop, "next_length", chunks_of(length))
    folder = stopped_after(tmp_path / "a", 16)
    stopped = saved_steps(folder)[0]
    assert 16 <= stopped < 24
    with (folder / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2, "step": 24, "lo')
    run = go_on(folder)
    assert run.notes == [f"the run goes on after step {stopped} of 36"]
    same(folder, whole)
    assert [line["step"] for line in run.history] == [12, 24, 36]


def test_a_loss_that_is_not_finite_where_a_run_goes_on_is_blamed_on_the_same_step() -> None:
    one = training("sgd(rate = exponential(init = 1e-3, decay = 1e14, steps = 8, staircase = true))")
    message = problem(lambda: list(one.run()))
    bad = one.done + 1
    two, three = (
        training("sgd(rate = exponential(init = 1e-3, decay = 1e14, steps = 8, staircase = true))") for _ in "ab"
    )
    while two.done < bad:
        two.state, _ = two.step(two.state, two.feed(two.done), two.order(two.done))
        two.done += 1
    three.go_on(two.state, two.position())
    assert problem(lambda: list(three.run())) == message
    for first, second in zip(one.state, three.state, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_run_without_a_checkpoint_begins_anew(whole: Path, tmp_path: Path) -> None:
    new = go_on(tmp_path / "a")
    assert new.notes == []
    same(tmp_path / "a", whole)
    shutil.rmtree(tmp_path / "a" / "checkpoints")
    assert go_on(tmp_path / "a").notes == ["there is no checkpoint to go on from: the run begins anew"]
    same(tmp_path / "a", whole)


def test_a_run_killed_while_its_folder_was_made_begins_anew(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "net.net.part").write_text("net Sm")
    go_on(tmp_path / "a")
    same(tmp_path / "a", whole)


def test_a_finished_run_says_so_and_stays_as_it_is(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "a")
    run = go_on(folder)
    assert run.notes == ["the run is finished: all 36 steps are done"]
    assert (run.status, run.test) == (
        "finished",
        json.loads((whole / "metrics.jsonl").read_text().splitlines()[-1])["test"],
    )
    same(folder, whole)


def test_a_run_may_become_longer_but_not_shorter_than_it_is(tmp_path: Path) -> None:
    text = SMALL.replace("epochs = 3", "steps = 30")
    netc.train(text, data=blobs(), out=tmp_path / "a")
    longer = netc.train(text, data=blobs(), out=tmp_path / "a", set={"steps": 36}, resume=True)
    assert longer.notes == ["`steps` was `30`, and is `36`", "the run goes on after step 30 of 36"]
    netc.train(text, data=blobs(), out=tmp_path / "b", set={"steps": 36})
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    (last, other) = ((tmp_path / n / "metrics.jsonl").read_text().splitlines()[-1] for n in "ab")
    assert last == other
    message = problem(lambda: netc.train(text, data=blobs(), out=tmp_path / "a", set={"steps": 20}, resume=True))
    assert "it has done 36 steps, and would now end after 20" in message


def test_how_often_checkpoints_are_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "next_length", chunks_of(5))
    saved: list[int] = []
    save = checkpoints.save
    monkeypatch.setattr(checkpoints, "save", lambda *given: (saved.append(given[1].done), save(*given)))
    for setting, expected in {
        "every(steps = 8)": [11, 17, 24, 34, 36],
        "every(0.5)": [6, 12, 22, 24, 34, 36],
        "every(keep = 2)": [36],
    }.items():
        saved.clear()
        netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"checkpoint": setting})
        assert saved == expected, setting
        assert saved_steps(tmp_path / "a") == expected[-2:][::-1]
        shutil.rmtree(tmp_path / "a")


# What is damaged.


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(bytes(content))


def each_file(folder: Path, spoil: Callable[[Path], object]) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            spoil(path)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "flipped": lambda place: flip(max((p for p in place.rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)),
    "cut off": lambda place: each_file(place, lambda path: path.write_bytes(path.read_bytes()[:-1])),
    "a file gone": lambda place: next(p for p in sorted(place.rglob("*")) if p.is_file()).unlink(),
    "empty": lambda place: (shutil.rmtree(place), place.mkdir()),
    "one more file": lambda place: (place / "more").write_text(""),
    "its hashes": lambda place: place.with_name(f"{place.name}.sha256").write_bytes(b"\xff\0"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_every_damage_of_a_checkpoint_is_found(whole: Path, tmp_path: Path, damage: str) -> None:
    folder = shutil.copytree(whole, tmp_path / "a")
    DAMAGE[damage](folder / "checkpoints" / "36")
    found, notes = latest(folder)
    assert found is not None and found.step == 24
    assert notes == [f"the checkpoint {folder / 'checkpoints' / '36'} is damaged, and is not used"]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "a")
    place = folder / "checkpoints" / "36"
    DAMAGE["flipped"](place)
    run = go_on(folder)
    assert run.notes == [f"the checkpoint {place} is damaged, and is not used", "the run goes on after step 24 of 36"]
    same(folder, whole)


def test_an_unfinished_checkpoint_gives_way_to_the_one_before(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "a")
    (folder / "checkpoints" / "36.sha256").unlink()
    (folder / "checkpoints" / "24.orbax-checkpoint-tmp").mkdir()
    assert go_on(folder).notes == ["the run goes on after step 24 of 36"]
    same(folder, whole)


def test_damage_of_all_begins_anew_and_files_that_went_are_made_anew(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "a")
    each_file(folder / "checkpoints", lambda path: path.write_bytes(b""))
    (folder / "metrics.jsonl").unlink()
    (folder / "weights.safetensors").write_bytes(b"cut off")
    notes = go_on(folder).notes
    assert len(notes) == 4 and notes[-1] == "there is no checkpoint to go on from: the run begins anew"
    same(folder, whole)


# What is refused.


REFUSED: dict[str, tuple[str, dict[str, object], dict[str, np.ndarray], str]] = {
    "shape": (
        TEXT.replace("dense(8)", "dense(9)"),
        {},
        {},
        "its net has changed: `y.dense1.kernel` was [4, 8], and is [4, 9]; `y.dense1.bias` was [8], and is [9]; "
        "`y.batchnorm1.scale` was [8], and is [9]; and ",
    ),
    "layer": (TEXT.replace("relu", "tanh"), {}, {}, "is now `"),
    "gone": (TEXT.replace(" -> batchnorm", ""), {}, {}, "the weight `y.batchnorm1.scale` [8] is gone"),
    "batch": (
        TEXT,
        {"batch": 8, "seed": 3},
        {},
        "its recipe has changed: `batch` was `16`, and is `8`; `seed` was `0`, and",
    ),
    "metric": (TEXT.replace("metric = accuracy(y, label)", ""), {"checkpoint": "every(2)"}, {}, "`metric` was "),
    "data": (TEXT, {}, {"x": blobs()["x"] + 1}, "its data have changed: `x` was 183 x [4] float32, crc32 "),
    "length": (TEXT, {"epochs": 2}, {}, "it has done 36 steps, and would now end after 24"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_not_give_the_same_is_refused(whole: Path, tmp_path: Path, case: str) -> None:
    text, settings, data, expected = REFUSED[case]
    folder = shutil.copytree(whole, tmp_path / "a")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}
    message = problem(
        lambda: netc.train(text, data={**blobs(), **data}, out=folder, set={**OFTEN, **settings}, resume=True)
    )
    assert message.startswith(f"error[cannot-resume]: `{folder}` cannot go on: ")
    assert expected in message
    assert before == {path: path.read_bytes() for path in before}


def test_comments_and_layout_are_no_change(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "a")
    text = "# a comment\n" + TEXT.replace("->", "\n  ->")
    assert netc.train(text, data=blobs(), out=folder, set=OFTEN, resume=True).status == "finished"


def test_a_checkpoint_of_another_net_is_refused(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "a")
    other = TEXT.replace("dense(8)", "dense(9)")
    netc.train(other, data=blobs(), out=tmp_path / "b", set=OFTEN)
    shutil.rmtree(folder / "checkpoints")
    shutil.copytree(tmp_path / "b" / "checkpoints", folder / "checkpoints")
    message = problem(lambda: go_on(folder))
    assert "the checkpoint of step 36 is of another net: `y.dense1.kernel` was [4, 9], and is [4, 8]" in message


def test_folders_that_are_no_runs_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "notes.txt").write_text("mine")
    assert "`" + str(tmp_path / "a") + "` is not a run that can be read: it has no run.yaml" in problem(
        lambda: go_on(tmp_path / "a")
    )
    assert "it is a file" in problem(lambda: go_on(tmp_path / "a" / "notes.txt"))
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["notes.txt"]


HOLD = """
import sys, time
from pathlib import Path
from netc.training.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_at_a_time_and_a_killed_one_holds_nothing(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "a")
    environment = {**os.environ, "PYTHONPATH": str(Path(netc.__file__).parents[1])}
    command = [sys.executable, "-c", HOLD, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        text = problem(lambda: go_on(folder))
        assert text.startswith(
            f"error[run-in-use]: `{folder}` is in use: another training (process {other.pid}) writes"
        )
        other.send_signal(signal.SIGKILL)
    assert go_on(folder).status == "finished"


# Disks.


def test_a_run_whose_folder_vanishes_says_so(tmp_path: Path) -> None:
    def watch(event: Chunk | Epoch) -> None:
        shutil.rmtree(tmp_path / "a", ignore_errors=True)

    text = problem(lambda: netc.train(SMALL, data=blobs(), out=tmp_path / "a", watch=watch))
    assert "error[cannot-write]: cannot write " in text and "No such file or directory" in text


def test_a_read_only_folder_is_named(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def read_only(path: Path, flags: int, *more: int, **named: int) -> int:
        if flags & os.O_RDWR:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", read_only)
    text = problem(lambda: go_on(whole))
    assert text.startswith(f"error[cannot-write]: cannot write `{whole}/.lock`: Read-only file system")


def test_a_checkpoint_that_does_not_fit_on_the_disk_leaves_those_before_it(
    whole: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A limit on the size of files stands for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def watch(event: Chunk | Epoch) -> None:
        if isinstance(event, Epoch) and event.step == 24:
            resource.setrlimit(resource.RLIMIT_FSIZE, (256, before[1]))

    try:
        text = problem(lambda: netc.train(TEXT, data=blobs(), out=tmp_path / "a", set=OFTEN, watch=watch))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert text.startswith(f"error[cannot-write]: cannot write `{tmp_path}/a/") and "File too large" in text
    assert "Traceback" not in capfd.readouterr().err
    assert go_on(tmp_path / "a").notes == ["the run goes on after step 12 of 36"]
    same(tmp_path / "a", whole)


# The command line, and the best weights.


def test_the_command_line_goes_on_from_the_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arrays = blobs()
    np.savez("x.npz", x=arrays["x"], label=arrays["label"])
    Path("small.net").write_text(TEXT)
    assert run_netc("train", "small.net", "--quiet", "--set", "epochs=2").code == 0
    first = run_netc("train", "--resume", "--out", "runs/Small", "--quiet")
    assert (first.code, first.err.partition("\n\n")[0]) == (0, "note: the run is finished: all 24 steps are done")
    more = run_netc("train", "small.net", "--resume", "--set", "epochs=4", "--quiet")
    assert more.err.startswith("note: `epochs` was `2`, and is `4`\nnote: the run goes on after step 24 of 48\n")
    assert run_netc("train", "--resume", "--quiet").code == 2
    assert sorted(path.name for path in Path("runs").iterdir()) == ["Small"]


def test_the_best_weights_are_those_of_the_best_epoch(whole: Path, tmp_path: Path) -> None:
    losses = [json.loads(line)["test"]["loss"] for line in (whole / "metrics.jsonl").read_text().splitlines()]
    from netc.training.data.arrays import from_arrays

    test = from_arrays(blobs()).test
    assert netc.evaluate(whole, test, best=True)["loss"] == pytest.approx(min(losses), rel=1e-6)
    worse = whole_run(tmp_path / "worse", optimizer="sgd(rate = 3.0)", epochs=4)
    found = [json.loads(line)["test"]["loss"] for line in (worse / "metrics.jsonl").read_text().splitlines()]
    assert min(found) < found[-1]
    assert netc.evaluate(worse, test, best=True)["loss"] == pytest.approx(min(found), rel=1e-6)
    assert netc.evaluate(worse, test)["loss"] == pytest.approx(found[-1], rel=1e-6)


def test_a_run_that_keeps_no_best_weights_says_so(tmp_path: Path) -> None:
    netc.train(SMALL, data=blobs(), out=tmp_path / "a", set={"epochs": 1})
    assert "it has no best.safetensors: its recipe keeps no best weights" in problem(
        lambda: netc.load(tmp_path / "a", best=True)
    )


def test_a_run_records_its_net_and_data(whole: Path) -> None:
    config = yaml.safe_load((whole / "run.yaml").read_text())
    assert len(config["net_hash"]) == 64
    assert list(config["fingerprint"]) == ["x", "label", "test_x", "test_label"]
    assert latest(whole)[0] is not None
