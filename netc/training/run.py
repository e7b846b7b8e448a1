"""Run folders: everything that a result came from, written whole or not at all."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from netc.problems import Problem, RunError
from netc.recipes.problems import CannotWrite, FolderExists, NotARun

CONFIG, SOURCE, WEIGHTS, METRICS = "run.yaml", "net.net", "weights.safetensors", "metrics.jsonl"


@dataclass
class Run:
    """A training that has been done: its folder, the metrics of each epoch, and the trained model."""

    folder: Path
    model: Any
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def test(self) -> dict[str, float]:
        """The metrics of the test set after the last epoch."""
        return self.history[-1]["test"] if self.history else {}


def create(folder: Path) -> None:
    """Makes the folder of a run; one that is there already is never touched."""
    if folder.exists():
        raise RunError([FolderExists(path=str(folder))])
    try:
        folder.mkdir(parents=True)
    except OSError as failure:
        raise cannot_write(folder, failure) from failure


def free_folder(name: str) -> Path:
    """`runs/NAME`, or the first `runs/NAME-2`, `-3` ... that is not there yet."""
    folder, i = Path("runs") / name, 2
    while folder.exists():
        folder, i = Path("runs") / f"{name}-{i}", i + 1
    return folder


def write(path: Path, content: bytes) -> None:
    """Writes a file beside its place and moves it there."""
    partial = path.with_name(path.name + ".part")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as failure:
        raise cannot_write(path, failure) from failure


def write_weights(folder: Path, weights: dict[str, np.ndarray]) -> None:
    """Every weight once, under its canonical name."""
    partial = folder / f"{WEIGHTS}.part"
    try:
        save_file({name: np.ascontiguousarray(w) for name, w in weights.items()}, partial)
        os.replace(partial, folder / WEIGHTS)
    except OSError as failure:
        raise cannot_write(folder / WEIGHTS, failure) from failure


def append(path: Path, line: str) -> None:
    try:
        with path.open("a") as file:
            file.write(line + "\n")
    except OSError as failure:
        raise cannot_write(path, failure) from failure


def cannot_write(path: Path, failure: OSError) -> RunError:
    return RunError([CannotWrite(path=str(path), reason=failure.strerror or str(failure))])


def read(folder: Path) -> tuple[dict[str, Any], str, dict[str, np.ndarray]]:
    """The configuration, .net text and weights of a run."""
    try:
        config = yaml.safe_load((folder / CONFIG).read_text())
        text = (folder / SOURCE).read_text()
        weights = load_file(folder / WEIGHTS)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, SafetensorError) as failure:
        raise RunError([not_a_run(folder, str(failure))]) from failure
    if not isinstance(config, dict) or not {"net", "recipe", "settings", "preparation", "source"} <= config.keys():
        raise RunError([not_a_run(folder, f"its {CONFIG} is not one that netc wrote")])
    return config, text, weights


def not_a_run(folder: Path, reason: str) -> Problem:
    return NotARun(path=str(folder), reason=" ".join(reason.split()))
