"""Run folders: everything that a result came from, written whole or not at all."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from netc.model import Model
from netc.problems import RunError
from netc.recipes.problems import FolderExists, NotARun
from netc.training.files import guarded, write

CONFIG, SOURCE, WEIGHTS, METRICS = "run.yaml", "net.net", "weights.safetensors", "metrics.jsonl"


@dataclass
class Run:
    """A training that has been done: its folder, what each epoch came to, and the trained model.

    An entry of `history` is a line of metrics.jsonl: epoch, step, loss (of the training set) and test (loss and
    metrics of the test set). `status` is "finished", "interrupted" or "failed", as in run.yaml.
    """

    folder: Path
    model: Model
    history: list[dict[str, Any]] = field(default_factory=list)
    status: str = "running"
    step: int = 0

    @property
    def test(self) -> dict[str, float]:
        """The loss and metrics of the test set after the last epoch."""
        return self.history[-1]["test"] if self.history else {}


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a training whose weights have been written: `run` is what there is."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"interrupted at step {run.step}; everything is in {run.folder}")
        self.run = run


def refuse_existing(folder: Path) -> None:
    """A run is never overwritten."""
    if os.path.lexists(folder):
        raise RunError([FolderExists(path=str(folder))])


def create(folder: Path) -> None:
    """Makes the folder of a run; one that is there already is never touched."""
    refuse_existing(folder)
    guarded(folder, lambda: folder.mkdir(parents=True))


def free_folder(name: str) -> Path:
    """`runs/NAME`, or the first `runs/NAME-2`, `-3` ... that is not there yet."""
    folder, i = Path("runs") / name, 2
    while os.path.lexists(folder):
        folder, i = Path("runs") / f"{name}-{i}", i + 1
    return folder


def write_weights(folder: Path, weights: Mapping[str, np.ndarray]) -> None:
    """Every weight once, under its canonical name."""
    write(folder / WEIGHTS, save({name: np.ascontiguousarray(w) for name, w in weights.items()}))


def read_weights(folder: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The weights of a run, which must be those of its net."""
    path = folder / WEIGHTS
    if not path.is_file():
        raise not_a_run(folder, f"it has no {WEIGHTS}")
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as failure:
        raise not_a_run(folder, f"its {WEIGHTS} is damaged ({failure})") from failure
    found = {name: array.shape for name, array in weights.items()}
    for name in (*shapes, *found):
        if found.get(name) != shapes.get(name):
            theirs, ours = (str(list(s[name])) if name in s else "missing" for s in (found, shapes))
            reason = f"its weights are of another net: `{name}` is {theirs} in {WEIGHTS}, and {ours} in {SOURCE}"
            raise not_a_run(folder, reason)
    return weights


def not_a_run(folder: Path, reason: str) -> RunError:
    return RunError([NotARun(path=str(folder), reason=" ".join(reason.split()))])
