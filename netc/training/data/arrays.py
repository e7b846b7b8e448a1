"""Arrays by field, from an .npz file, a folder of .npy files or from Python, in; a training and a test set out."""

import os
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from netc.problems import RunError
from netc.recipes.data import Arrays as Row
from netc.recipes.problems import CorruptData, MissingData
from netc.training.data.examples import Arrays, Data, Where, mismatch
from netc.training.data.folders import files_text
from netc.training.data.stored import Stored, stored, whole
from netc.types import Element, Type

TEST = "test_"
BROKEN = (OSError, ValueError, EOFError, RuntimeError, MemoryError, zlib.error, zipfile.BadZipFile, tokenize.TokenError)
"""What NumPy raises for archives that are damaged, encrypted or of another format."""


def load_arrays(entry: Row, where: Where) -> Data:
    """The arrays of an .npz file or, memory-mapped, those of the .npy files in a folder."""
    path = where.path(entry.file)
    if os.path.isdir(path):
        return replace(load_folder(path), stream=entry.stream)
    if not os.path.isfile(path):
        reason = f"there is no file or folder `{path}`"
        way_out = "`arrays(...)` names an .npz file or a folder of .npy files, from the .net file's folder or `--data`"
        raise RunError([MissingData(name=entry.kind, reason=reason, way_out=way_out)])
    if entry.stream:
        text, way_out = f"`{path}` is an archive, which is read at once", "a folder with an .npy file for each field"
        raise mismatch(f"{text}, and `stream = true` reads from disk while a net trains", f"{way_out} can be streamed")
    return from_arrays(read_archive(path), f"`{path}`")


def load_folder(folder: Path) -> Data:
    """A field for each .npy file."""
    files = sorted(path for path in folder.iterdir() if path.suffix == ".npy")
    if not files:
        reason, way_out = f"`{folder}` has no .npy file", "`numpy.save` writes them: x.npy, label.npy, test_x.npy ..."
        raise RunError([MissingData(name=Row.kind, reason=reason, way_out=way_out)])
    arrays = {path.stem: mapped(path) for path in files}
    return replace(from_arrays(arrays, f"`{folder}`"), files=files_text(folder, files))


def mapped(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except BROKEN as failure:
        reason = f"it is no .npy file of plain numbers ({failure or type(failure).__name__})"
        raise RunError([CorruptData(path=str(path), reason=reason)]) from failure


def read_archive(path: Path) -> dict[str, Any]:
    if not zipfile.is_zipfile(path):
        raise RunError([CorruptData(path=str(path), reason="it is no .npz archive, or one that was cut off")])
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except BROKEN as failure:
        reason = f"it is no .npz archive of plain arrays ({failure or type(failure).__name__})"
        raise RunError([CorruptData(path=str(path), reason=reason)]) from failure


def from_arrays(arrays: Mapping[str, Any], what: str = "the data", split: bool = True) -> Data:
    """Arrays by field; `test_NAME` belongs to the test set.

    Without such arrays the test set is the last tenth, or all examples where nothing is split off. Memory-mapped arrays
    stay on disk, but for labels.
    """
    given = {str(name): plain_array(str(name), array) for name, array in arrays.items()}
    train = {name: cleaned(name, a) for name, a in given.items() if not name.startswith(TEST)}
    test = {name.removeprefix(TEST): cleaned(name, a) for name, a in given.items() if name.startswith(TEST)}
    if not train:
        raise mismatch(f"{what} have no field for training", "give arrays such as `image` and `label`")
    if test and test.keys() != train.keys():
        raise mismatch(f"the training set has the fields {', '.join(train)}, and the test set {', '.join(test)}")
    for part in (train, test):
        refuse_lengths(part)
    if not test:
        train, test = split_off(train) if split else (train, train)
    return Data(train, test, {name: type_of(train[name], test[name]) for name in train})


def plain_array(name: str, given: Any) -> Any:
    """An array of numbers with at least one example; a memory-mapped one stays on disk."""
    try:
        array = given if isinstance(given, Stored) else np.asarray(given)
    except ValueError as failure:
        raise mismatch(f"the field `{name}` is no array: its rows have different lengths") from failure
    if array.dtype.kind not in "fiub":
        held = "texts" if array.dtype.kind in "SU" else array.dtype
        text = f"the field `{name}` holds {held}, and numbers are needed"
        raise mismatch(text, "write classes as whole numbers from 0")
    if array.ndim == 0 or array.size == 0:
        raise mismatch(f"the field `{name}` is empty")
    return stored(given) if isinstance(given, np.memmap) else array


def cleaned(name: str, array: Any) -> Any:
    """Whole numbers, one an example, are labels. What others are, tokens or pixels, shows when they are used; numbers
    that are not whole become float32."""
    if array.ndim == 1:
        array = whole(array)
    if array.dtype.kind not in "iub":
        return array.astype(np.float32)
    if array.ndim > 1:
        return array
    largest = np.iinfo(np.int32).max
    if array.max() > largest or array.min() < -largest:
        raise mismatch(f"the field `{name}` holds {array.max()}, which is no class label")
    return array.astype(np.int32)


def refuse_lengths(arrays: Arrays) -> None:
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"`{name}` {count:,}" for name, count in lengths.items())
        way_out = "the first axis of each array is that of the examples, in the same order"
        raise mismatch(f"the fields have different numbers of examples: {listed}", way_out)


def split_off(arrays: Arrays) -> tuple[Arrays, Arrays]:
    """The first nine tenths and the last tenth; one example alone is both."""
    count = len(next(iter(arrays.values())))
    cut = max(1, count // 10)
    test = {name: array[-cut:] for name, array in arrays.items()}
    return {name: array[:-cut] if count > cut else array for name, array in arrays.items()}, test


def type_of(*arrays: Any) -> Type:
    """Whole numbers, one an example, are classes."""
    if arrays[0].dtype == np.int32 and arrays[0].ndim == 1:
        return Type((), Element("class", max(*(int(a.max()) + 1 for a in arrays), 1)))
    return Type(arrays[0].shape[1:])
