"""Trainings that are killed and resumed, against one that never stopped: whether every bit is the same."""

import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.front import ROOT
from benchmarks.measure import Row, Table
from netc.training.checkpoints import latest

KILLS = 20
NET = """
net Killed {
  input image: [8, 8, 1]
  output digit: [10] = image -> conv(8, 3x3) -> batchnorm -> relu -> flatten -> dropout(0.3) -> dense(10)
}

train Killed {
  data       = digits
  prepare    = standardize
  loss       = cross_entropy(digit, label)
  metric     = accuracy(digit, label)
  optimizer  = adam(rate = warmup_cosine(0.005, warmup = 20))
  batch      = 50
  epochs     = EPOCHS
  checkpoint = every(minutes = 0, keep = 3, best = accuracy)
}
"""
"""What could go another way after a kill: dropout, running statistics, a schedule, the order of the data, smaller last
batches. It saves at every pause, so that it spends a good part of its time in saves."""
FILES = ("weights.safetensors", "best.safetensors", "metrics.jsonl")
LONGEST = 2.0
"""Seconds after a process could have saved its first checkpoint, within which it is killed."""


@dataclass
class Kills:
    """What kills hit."""

    count: int = 0
    early: int = 0
    in_saves: int = 0
    steps: list[int] = field(default_factory=list)


def tables(rounds: int) -> list[Table]:
    with tempfile.TemporaryDirectory() as folder:
        return [resumed(Path(folder), KILLS)]


def resumed(folder: Path, kills: int, epochs: int = 300) -> Table:
    """A run killed so often, against one that was left alone."""
    source = folder / "killed.net"
    source.write_text(NET.replace("EPOCHS", str(epochs)))
    whole, killed = folder / "whole", folder / "killed"
    startup = first_save(train(source, whole), whole)
    hit = kill_often(lambda: train(source, killed), killed, kills, startup)
    same = {name: (whole / name).read_bytes() == (killed / name).read_bytes() for name in FILES}
    same["optimizer's state, random keys and all else of the last checkpoint"] = same_state(whole, killed)
    text = (
        f"A training of {epochs} epochs, with dropout, batchnorm and a schedule, was killed (SIGKILL) {hit.count} "
        f"times at random instants and resumed each time: {hit.in_saves} kills left a checkpoint half saved or half "
        f"removed, {hit.early} came before the process had saved anything. It is compared with one that was left alone."
    )
    return Table("Killed and resumed", text, tuple(Row(n, words(s), "the same bits", s) for n, s in same.items()))


def words(same: bool) -> str:
    return "the same bits" if same else "other bits"


def train(source: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "netc", "train", str(source), "--out", str(out), "--resume", "--quiet"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def first_save(process: subprocess.Popen[bytes], folder: Path) -> float:
    """The seconds that a training takes to its first checkpoint; it is let to end."""
    started = time.monotonic()
    while process.poll() is None and not progress(folder):
        time.sleep(0.01)
    seconds = time.monotonic() - started
    process.wait()
    return seconds


def kill_often(start: Callable[[], subprocess.Popen[bytes]], folder: Path, kills: int, startup: float) -> Kills:
    """Starts a training again and again, and kills it so often; then it may end. Every other kill comes
    just after a checkpoint, where the next save begins."""
    chance, hit = random.Random(0), Kills()
    while hit.count < kills:
        before, left, process = progress(folder), half_saved(folder), start()
        if hit.count % 2:
            wait_for_a_save(folder, process)
            time.sleep(chance.uniform(0, 0.1))
        else:
            time.sleep(chance.uniform(0, startup + LONGEST))
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            shutil.rmtree(folder)  # It was faster than its death, and starts over.
            continue
        hit.count += 1
        hit.in_saves += bool(half_saved(folder) - left)
        hit.early += progress(folder) == before
        hit.steps.append(progress(folder))
    if start().wait():
        raise RuntimeError("the last training failed")
    return hit


def wait_for_a_save(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the process has begun to save one more checkpoint than it found."""
    before = progress(folder)
    while process.poll() is None and progress(folder) == before:
        time.sleep(0.002)


def half_saved(folder: Path) -> set[tuple[str, int]]:
    """What a save leaves behind only if it does not come to its end, with the time of its making: what a kill left is
    still there if the next process is killed before it cleans up, and is then no work of that kill."""
    root = folder / "checkpoints"
    saved = [path for path in root.glob("*") if path.name.isdecimal()]
    unhashed = [path for path in saved if not path.with_name(f"{path.name}.sha256").exists()]
    found = (*root.glob("*.orbax-checkpoint-tmp*"), *folder.glob("*.part"), *root.glob("*.part"), *unhashed)
    return {(str(path), path.stat().st_mtime_ns) for path in found}


def progress(folder: Path) -> int:
    """The latest step of which there is a checkpoint."""
    return max((int(path.name) for path in folder.glob("checkpoints/*") if path.name.isdecimal()), default=0)


def same_state(one: Path, other: Path) -> bool:
    first, second = latest(one)[0], latest(other)[0]
    if first is None or second is None or first.arrays.keys() != second.arrays.keys():
        return False
    arrays = all(first.arrays[name].tobytes() == second.arrays[name].tobytes() for name in first.arrays)
    return arrays and (first.position, first.history) == (second.position, second.history)
