"""Run folders: everything that a result came from, written whole or not at all."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from netc.export import weights
from netc.export.weights import save_weights
from netc.files import CHOOSE, guarded
from netc.model import Model, origin_of
from netc.problems import RunError
from netc.recipes.problems import FolderExists, NotARun
from netc.training.lock import LOCK
from netc.training.members import names_in_file

CONFIG, SOURCE, WEIGHTS, METRICS = "run.yaml", "net.net", "weights.safetensors", "metrics.jsonl"
TIMES = "times.jsonl"
"""A line for each of metrics.jsonl, with what is otherwise in another run of the same."""
SIGNALS = "signals.jsonl"
BEST = "best.safetensors"
MISSING = {BEST: f"it has no {BEST}: its recipe keeps no best weights, as `checkpoint = every(best = loss)` does"}
USED = "use"


@dataclass
class Run:
    """A training that has been done: its folder, what each epoch came to, and the trained model.

    An entry of `history` is a line of metrics.jsonl: epoch, step, loss (of the training set), test (loss and metrics of
    the test set) and, if there is a validation set, validation (those of it). `stopped` is why it ended before its last
    epoch, empty if it did not. `status` is "finished", "interrupted" or "failed", as in run.yaml. `notes` say what was
    otherwise than the run began, if it was resumed; `warnings` what looks wrong (docs/diagnosis.md).
    """

    folder: Path
    model: Model
    history: list[dict[str, Any]] = field(default_factory=list)
    status: str = "running"
    step: int = 0
    stopped: str = ""
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def test(self) -> dict[str, Any]:
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


def refuse_missing_run(folder: Path) -> None:
    """What goes on by its folder alone must have one, and its settings."""
    if not folder.is_dir():
        raise not_a_run(folder, "it is a file, and a run is a folder" if folder.exists() else "there is no such folder")
    if not (folder / CONFIG).is_file():
        raise not_a_run(folder, f"it has no {CONFIG}")


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


def latest_folder(name: str) -> Path:
    """The last of `runs/NAME`, `runs/NAME-2` ... that is there, or the first."""
    folder, i = Path("runs") / name, 2
    while os.path.lexists(later := Path("runs") / f"{name}-{i}"):
        folder, i = later, i + 1
    return folder


def holds_a_start(folder: Path) -> bool:
    """Whether a folder holds nothing but what a run begins with, and not all of that: it was killed while it began."""
    begun = {SOURCE, USED, WEIGHTS, LOCK, *(f"{name}.part" for name in (SOURCE, CONFIG, WEIGHTS))}
    return folder.is_dir() and all(path.name in begun for path in folder.iterdir())


def write_weights(folder: Path, model: Model, name: str = WEIGHTS) -> None:
    """Every weight once, under its canonical name, with what shares it."""
    save_weights(model, folder / name, CHOOSE)


def read_weights(folder: Path, model: Model, name: str = WEIGHTS) -> dict[str, np.ndarray]:
    """The weights of a run, which must be those of its net, or of each member of its ensemble."""
    if not (folder / name).is_file():
        raise not_a_run(folder, MISSING.get(name, f"it has no {name}"))
    return weights.read_weights(folder / name, origin_of(model)[0], names_in_file(model))


def not_a_run(folder: Path, reason: str) -> RunError:
    return RunError([NotARun(path=str(folder), reason=" ".join(reason.split()))])
