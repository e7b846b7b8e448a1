"""What every loader of data gives: `Data`, arrays by field, split into a training and a test set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from netc.problems import RunError
from netc.recipes.data import DataSet
from netc.recipes.problems import DataMismatch
from netc.types import Type

Arrays = dict[str, Any]
"""By field a NumPy array or, of a set on disk, a `Stored` one; first axis the examples."""


@dataclass(frozen=True)
class Data:
    """Training and test arrays by field, first axis the examples, and the type of one example's fields; the arrays of a
    validation set, if a recipe asks for one.

    `stream` says whether a set of `Stored` arrays is read while a net trains (None: if it is too large), and `files`
    tells the files of such a set from others: their names and sizes. `names` are those of a field's classes, in order,
    where the data have any.
    """

    train: Arrays
    test: Arrays
    types: dict[str, Type]
    validation: Arrays | None = None
    stream: bool | None = None
    files: str = ""
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


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
