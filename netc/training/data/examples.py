"""What every loader of data gives: `Data`, arrays by field, split into a training and a test set."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netc.problems import RunError
from netc.recipes.data import DataSet
from netc.recipes.problems import DataMismatch
from netc.types import Type

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Data:
    """Training and test arrays by field, first axis the examples, and the type of one example's fields; the arrays of a
    validation set, if a recipe asks for one."""

    train: Arrays
    test: Arrays
    types: dict[str, Type]
    validation: Arrays | None = None


@dataclass(frozen=True)
class Where:
    """Where a loader looks: `folder` is what `--data` says, `base` the folder of the .net file.

    `load` is for data sets made of another one.
    """

    folder: Path | None
    base: Path
    load: Callable[[DataSet], Data]

    def path(self, name: str) -> Path:
        """A file or folder that a recipe names."""
        return (self.folder or self.base) / name


def mismatch(text: str, way_out: str = "") -> RunError:
    return RunError([DataMismatch(text=text, way_out=way_out)])
