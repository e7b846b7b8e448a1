"""Arrays by field, from an .npz file, a folder of .npy files or from Python, in; a training and a test set out."""

import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from netc.problems import RunError
from netc.recipes.data import Arrays as Row
from netc.recipes.problems import CorruptData, MissingData
from netc.training.data.examples import Arrays, Data, Where, mismatch
from netc.training.data.folders import files_text
from netc.training.data.place import memory_limit
from netc.training.data.stored import Stored, stored, whole
from netc.types import Element, Type

TEST = "test_"
BROKEN = (OSError, ValueError, EOFError, RuntimeError, MemoryError, zlib.error, zipfile.BadZipFile, tokenize.TokenError)
"""What NumPy raises for archives that are damaged, encrypted or of another format."""
LARGEST_RATIO = 4
"""A number takes 4 bytes in memory, and one at least in an archive."""
HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
"""By version of the .npy format."""
ENCRYPTED, MEMBER_LENGTHS = 1, 26
"""A bit of the flags of an archive's member, and where in its header the lengths of its name and extra field stand
(APPNOTE.TXT of PKWARE, section 4.3.7)."""


def load_arrays(entry: Row, where: Where) -> Data:
    """The arrays of an .npz file or, memory-mapped, those of the .npy files in a folder. Of a file that may be larger
    than the memory they are memory-mapped, too, if they are not compressed there."""
    path = where.path(entry.file)
    if os.path.isdir(path):
        return replace(load_folder(path), stream=entry.stream)
    if not os.path.isfile(path):
        reason = f"there is no file or folder `{path}`"
        way_out = "`arrays(...)` names an .npz file or a folder of .npy files, from the .net file's folder or `--data`"
        raise RunError([MissingData(name=entry.kind, reason=reason, way_out=way_out)])
    if entry.stream or (entry.stream is None and os.path.getsize(path) > memory_limit() // LARGEST_RATIO):
        arrays = mapped_archive(path)
        if arrays is not None:
            return replace(from_arrays(arrays, f"`{path}`"), stream=entry.stream)
    if entry.stream:
        text = f"`{path}` is compressed, or damaged, and `stream = true` reads from disk while a net trains"
        way_out = "stream what `numpy.savez` writes, or a folder with an .npy file for each field"
        raise mismatch(text, way_out)
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


def mapped_archive(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of an archive, memory-mapped; None if one is compressed, or not as `numpy.savez` writes it."""
    if not zipfile.is_zipfile(path):
        return None
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            found = {one.filename.removesuffix(".npy"): mapped_member(path, file, one) for one in archive.infolist()}
    except BROKEN:
        return None
    mapped = {name: array for name, array in found.items() if array is not None}
    return mapped if len(mapped) == len(found) else None


def mapped_member(path: Path, file: BinaryIO, member: zipfile.ZipInfo) -> np.ndarray | None:
    """An array of an archive. Its bytes stand behind a header of the archive's, with two fields of any length, and one
    of NumPy's."""
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & ENCRYPTED:
        return None
    file.seek(member.header_offset + MEMBER_LENGTHS)
    file.seek(sum(struct.unpack("<HH", file.read(4))), os.SEEK_CUR)
    start = file.tell()
    read_header = HEADERS.get(np.lib.format.read_magic(file))
    if read_header is None:
        return None
    shape, by_columns, dtype = read_header(file)
    offset, size = file.tell(), math.prod(shape) * dtype.itemsize
    if dtype.hasobject or size == 0 or offset + size != start + member.file_size:
        return None
    return np.memmap(path, dtype, "r", offset, shape, "F" if by_columns else "C")


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
