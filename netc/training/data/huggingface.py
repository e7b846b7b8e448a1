"""Data sets of the Hugging Face hub, or saved in a folder by its library `datasets`: a field for each column."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from netc.problems import RunError, did_you_mean
from netc.recipes.data import Huggingface
from netc.recipes.problems import CorruptData, MissingData, MissingExtra
from netc.training.data.arrays import TEST, from_arrays
from netc.training.data.examples import Data, Where, mismatch
from netc.training.data.folders import files_text
from netc.training.data.stored import Stored
from netc.training.pictures import Pictures
from netc.types import Element, Type

SAVED = ("dataset_dict.json", "dataset_info.json")
"""What `save_to_disk` leaves in a folder of several parts, and of one."""


def load_huggingface(entry: Huggingface, where: Where) -> Data:
    """Its two parts; with `test = ""` the last tenth of the first is the test set."""
    library = package()
    parts = opened(entry, where, library)
    wanted = [part for part in (entry.train, entry.test) if part]
    for part in wanted:
        if part not in parts:
            way_out = f'name two of them: `huggingface("{entry.name}", train = "...", test = "...")`'
            raise mismatch(f"`{entry.name}` has no part `{part}`, and has {', '.join(parts)}", way_out)
    columns = chosen_columns(entry, list(parts[entry.train].features))
    arrays: dict[str, Stored] = {}
    for prefix, part in zip(("", TEST), wanted, strict=False):
        arrays |= {prefix + name: field_of(parts[part], part, name, entry, library) for name in columns}
    data = from_arrays(arrays, f"`{entry.name}`")
    types = {name: labelled(parts[entry.train].features[name], type_, library) for name, type_ in data.types.items()}
    files = [Path(file["filename"]) for part in wanted for file in parts[part].cache_files]
    features = {name: parts[entry.train].features[name] for name in types}
    names = {name: tuple(f.names) for name, f in features.items() if isinstance(f, library.ClassLabel) and f.names}
    return replace(data, types=types, stream=entry.stream, files=told(files), names=names)


def package() -> Any:
    try:
        import datasets
    except ImportError as failure:
        missing = MissingExtra(package="datasets", extra="huggingface", purpose="the data set `huggingface`")
        raise RunError([missing]) from failure
    return datasets


def opened(entry: Huggingface, where: Where, library: Any) -> Any:
    """The parts by name: of a folder, or of the hub or what the library has kept of it."""
    folder = where.path(entry.name)
    failures = (OSError, ValueError, library.exceptions.DatasetsError)
    if os.path.isdir(folder) and any((folder / name).is_file() for name in SAVED):
        try:
            found = library.load_from_disk(str(folder))
        except (*failures, KeyError, TypeError) as failure:
            reason = f"`datasets` cannot read it ({one_line(failure)})"
            raise RunError([CorruptData(path=str(folder), reason=reason)]) from failure
        return found if isinstance(found, dict) else {str(found.split or entry.train): found}
    try:
        return library.load_dataset(entry.name, entry.config or None)
    except failures as failure:
        reason = f"it is no folder that `save_to_disk` wrote, and cannot be fetched ({one_line(failure)})"
        way_out = "`datasets` keeps what it has fetched once; or save it where there is a network, and name the folder"
        raise RunError([MissingData(name=entry.name, reason=reason, way_out=way_out)]) from failure


def one_line(failure: Exception) -> str:
    return " ".join(str(failure).split()) or type(failure).__name__


def chosen_columns(entry: Huggingface, columns: list[str]) -> list[str]:
    for name in entry.columns:
        if name not in columns:
            listed = ", ".join(f"`{column}`" for column in columns)
            way_out = did_you_mean(name, columns, f"it has {listed}")
            raise mismatch(f"`{entry.name}` has no column `{name}`", way_out)
    return list(entry.columns) or columns


def field_of(part: Any, called: str, column: str, entry: Huggingface, library: Any) -> Stored:
    """A column of a part, read example by example."""
    if column not in part.features:
        raise mismatch(f"the part `{called}` of `{entry.name}` has no column `{column}`, and `{entry.train}` has one")
    if len(part) == 0:
        raise mismatch(f"the part `{called}` of `{entry.name}` has no examples")
    if isinstance(part.features[column], library.Image):
        raw = part.select_columns([column]).cast_column(column, library.Image(decode=False))
        name: Callable[[int], str] = partial("{}: {} {}, example {}".format, entry.name, called, column)
        return Pictures(len(part), lambda i: bytes_of(raw[int(i)][column]), name, entry.size, entry.channels).field()
    numbers = part.select_columns([column]).with_format("numpy")
    first = np.asarray(numbers[:1][column])
    if first.dtype.kind not in "fiub":
        kept = ", ".join(f'"{name}"' for name in part.features if name != column)
        what = f"the column `{column}` of `{entry.name}` is {part.features[column]}, and numbers or pictures are needed"
        raise mismatch(what, f"leave it out: `columns = [{kept}]`")

    def read(places: np.ndarray) -> np.ndarray:
        found = numbers[places][column]
        if (
            not isinstance(found, np.ndarray)
            or found.shape[1:] != first.shape[1:]
            or found.dtype.kind != first.dtype.kind
        ):
            where = f"the column `{column}` of `{entry.name}`, part `{called}`"
            raise mismatch(f"{where}: {difference(found, first[0])}", "leave such examples or the column out")
        return found

    return Stored((len(part), *first.shape[1:]), first.dtype, read)


def difference(found: Any, first: np.ndarray) -> str:
    """In what examples are unlike the first one."""
    shapes = {np.shape(one) for one in found} - {first.shape}
    if shapes:
        return f"examples are {list(first.shape)} and {list(min(shapes))}, and must be alike"
    return "values are missing"


def bytes_of(picture: dict[str, Any]) -> bytes:
    """The file of a picture, which stands in the table or beside it."""
    return picture["bytes"] if picture["bytes"] is not None else Path(picture["path"]).read_bytes()


def labelled(feature: Any, type_: Type, library: Any) -> Type:
    """The type of a field; what is declared as classes has as many as are declared."""
    declared = isinstance(feature, library.ClassLabel) and type_.element.name == "class"
    return Type(type_.shape, Element("class", feature.num_classes)) if declared else type_


def told(files: list[Path]) -> str:
    return files_text(Path(os.path.commonpath([file.parent for file in files])), files) if files else ""
