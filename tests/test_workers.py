"""Worker processes that read data on disk: the same bits as without, and an end whenever the training ends."""

import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import current_process
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import SMALL, blobs, chunks_of, problem, run_netc, save_blobs, weights

import netc
from netc.problems import RunError
from netc.recipes.problems import CorruptData
from netc.training import Chunk, Epoch, loop
from netc.training.data.stored import Mapped, read_ahead
from netc.training.data.workers import FEWEST, MOST
from netc.training.run import Interrupted

STREAMED = {"data": 'arrays("points", stream = true)', "batch": 2, "epochs": 1}


@pytest.fixture
def points(tmp_path: Path) -> Path:
    """The net `SMALL` beside its data in a folder, with batches of which an epoch has more than threads would read."""
    (tmp_path / "points").mkdir()
    for name, array in blobs().items():
        np.save(tmp_path / "points" / f"{name}.npy", array)
    (tmp_path / "small.net").write_text(SMALL)
    return tmp_path


def test_workers_give_the_same_bits_also_after_a_stop(points: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netc.train(points / "small.net", out=points / "memory", set=STREAMED | {"data": 'arrays("points")'})
    monkeypatch.setattr(loop, "next_length", chunks_of(1))

    def watch(event: Chunk | Epoch) -> None:
        if isinstance(event, Chunk) and event.step == 7:
            signal.raise_signal(signal.SIGINT)

    one, run = points / "small.net", points / "run"
    with pytest.raises(Interrupted):
        netc.train(one, out=run, set=STREAMED, watch=watch, workers=2)
    resumed = netc.train(one, out=run, set=STREAMED, resume=True, workers=3)
    assert resumed.step == 92 and resumed.step - 7 > FEWEST
    assert weights(run) == weights(points / "memory")
    assert (run / "metrics.jsonl").read_bytes() == (points / "memory" / "metrics.jsonl").read_bytes()


def test_what_a_worker_raises_is_raised() -> None:
    def read(i: int) -> np.ndarray:
        if i == 5:
            raise RunError([CorruptData(path="a.png", reason="it is gone")])
        return np.full(3, i)

    parts = read_ahead(read, 2, 2 + FEWEST, workers=2)
    assert [next(parts).tolist() for _ in range(3)] == [[2] * 3, [3] * 3, [4] * 3]
    with pytest.raises(RunError, match="it is gone"):
        next(parts)


def test_workers_outlive_a_ctrl_c_and_no_training(tmp_path: Path) -> None:
    """The first is for the process that trains to answer; where that is killed, its workers end."""
    script = (
        "import multiprocessing, os, signal, sys\n"
        "from netc.training.data.stored import read_ahead\n"
        "parts = read_ahead(lambda i: i, 0, 10000, workers=2)\n"
        "next(parts)\n"
        "workers = multiprocessing.active_children()\n"
        "for worker in workers: os.kill(worker.pid, signal.SIGINT)\n"
        "assert [next(parts) for _ in range(50)] == list(range(1, 51))\n"
        "print(*(worker.pid for worker in workers), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    workers = [int(pid) for pid in done.stdout.split()]
    assert len(workers) == 2
    ends = time.monotonic() + 20
    while any(map(is_alive, workers)) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not any(map(is_alive, workers))


def is_alive(pid: int) -> bool:
    """Whether there is such a process, which has not ended."""
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("workers", [-1, True, 1.0, "2", MOST + 1])
def test_what_is_no_number_of_workers_is_refused(workers: Any, tmp_path: Path) -> None:
    text = problem(lambda: netc.train(SMALL, out=tmp_path / "run", workers=workers))
    assert f"`workers` is {workers!r}, and is how many processes read data from disk" in text
    assert f"a whole number from 0, for threads alone, to {MOST}" in text


def test_the_command_line_takes_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_blobs(tmp_path)
    (tmp_path / "small.net").write_text(SMALL)
    done = run_netc("train", "small.net", "--workers", "-1")
    assert done.code == 2 and "-1 is not in the range" in done.err
    done = run_netc("train", "small.net", "--workers", "2", "--quiet")
    assert done.code == 0 and "note: the data lie in memory: workers have nothing to read" in done.err


def test_a_script_that_each_worker_would_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_process(), "_inheriting", True, raising=False)
    text = problem(lambda: netc.train(SMALL, workers=1))
    assert "imports the script that starts it" in text and 'if __name__ == "__main__":' in text


VIEWS: dict[str, Callable[[Any], Any]] = {
    "whole": lambda a: a,
    "part": lambda a: a[5:40:3],
    "of a part": lambda a: a[5:][2:30],
    "backwards": lambda a: a[::-2],
    "turned": lambda a: a.transpose(0, 2, 1)[3:],
    "of some columns": lambda a: a[1:, :, 2:],
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("order", "CF")
def test_a_mapped_array_is_sent_as_the_place_in_its_file(tmp_path: Path, view: str, order: Any) -> None:
    whole = np.arange(50 * 300 * 7, dtype=">i4").reshape(50, 300, 7)
    np.save(tmp_path / "x.npy", np.asarray(whole, order=order))
    array = VIEWS[view](np.load(tmp_path / "x.npy", mmap_mode="r"))
    sent = pickle.dumps(Mapped(array))
    assert len(sent) < 1000
    places = np.array([0, len(array) - 1, 3])
    assert np.array_equal(pickle.loads(sent)(places), VIEWS[view](whole)[places])


def test_a_part_of_a_file_behind_its_first_pages_is_found_again(tmp_path: Path) -> None:
    np.arange(10000, dtype="f").tofile(tmp_path / "x.raw")
    array = np.memmap(tmp_path / "x.raw", "f", "r", offset=4 * 5001, shape=(100, 3))
    assert np.array_equal(pickle.loads(pickle.dumps(Mapped(array[7:])))(np.array([0, 1])), array[7:9])


def test_an_array_that_is_not_as_in_its_file_is_not_sent(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((4, 2)))
    array = np.load(tmp_path / "x.npy", mmap_mode="c")
    array[1] = 1
    text = problem(lambda: pickle.dumps(Mapped(array)))
    assert "this one has numbers of its own" in text and 'mmap_mode="r"' in text
    picked = array[np.array([1, 2])]
    assert np.array_equal(pickle.loads(pickle.dumps(Mapped(picked)))(np.array([0])), [[1, 1]])
