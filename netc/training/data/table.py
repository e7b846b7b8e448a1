"""A table of numbers in a CSV file as arrays: a field `x` of its columns, and `label` or `target`."""

import csv
import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netc.problems import RunError, did_you_mean
from netc.recipes.data import LABEL, TARGET, Csv
from netc.recipes.problems import CorruptData, MissingData
from netc.training.data.arrays import split_off
from netc.training.data.examples import Arrays, Data, Where, mismatch
from netc.training.data.folders import last_of_each
from netc.types import Element, Type


@dataclass(frozen=True)
class Table:
    """The rows of a CSV file as texts by column, and the line of each."""

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]

    def wrong(self, row: int, column: str, reason: str, way_out: str = "") -> RunError:
        return mismatch(f"`{self.path}`, line {self.lines[row]}, column `{column}`: {reason}", way_out)

    def numbers(self, column: str) -> np.ndarray:
        """A column of finite numbers, float32."""
        found = np.empty(len(self.lines), np.float32)
        for row, text in enumerate(self.columns[column]):
            number = number_in(text)
            if number is None or abs(number) > LARGEST:
                way_out = "only the column that `label` names may hold text" if text else MISSING
                raise self.wrong(row, column, f"`{text}` is no number" if text else "the value is missing", way_out)
            found[row] = number
        return found


MISSING = "fill it in, or leave the line out"
LARGEST = float(np.finfo(np.float32).max)


def load_csv(entry: Csv, where: Where) -> Data:
    """The last tenth is the test set unless it is named: of each class, if there are classes."""
    if entry.label and entry.target:
        raise mismatch(f"`csv` is given a `{LABEL}` and a `{TARGET}`", "give one of them: classes, or a number")
    table = read_table(where.path(entry.file))
    answer = entry.label or entry.target
    if answer and answer not in table.columns:
        listed = ", ".join(f"`{name}`" for name in table.columns)
        way_out = did_you_mean(answer, tuple(table.columns), f"it has {listed}")
        raise mismatch(f"`{table.path}` has no column `{answer}`", way_out)
    names = [name for name in table.columns if name != answer]
    if not names:
        raise mismatch(f"`{table.path}` has no column but `{answer}`")
    classes = class_names(table, entry.label) if entry.label else []
    train = arrays_of(table, names, entry, classes)
    if entry.test:
        other = read_table(where.path(entry.test))
        refuse_other_columns(table, other)
        test = arrays_of(other, names, entry, classes)
    else:
        train, test = divided(train)
    count = max(int(part[LABEL].max()) for part in (train, test)) + 1 if entry.label and not classes else len(classes)
    types = {name: Type(array.shape[1:]) for name, array in train.items()}
    types |= {LABEL: Type((), Element("class", count))} if entry.label else {}
    return Data(train, test, types, names={LABEL: tuple(classes)} if classes else {})


def arrays_of(table: Table, names: Sequence[str], entry: Csv, classes: Sequence[str]) -> Arrays:
    arrays: Arrays = {"x": np.stack([table.numbers(name) for name in names], axis=1)}
    if entry.label:
        arrays[LABEL] = labels_of(table, entry.label, classes)
    if entry.target:
        arrays[TARGET] = table.numbers(entry.target)
    return arrays


def class_names(table: Table, column: str) -> list[str]:
    """The texts of a column, sorted; none where all are whole numbers, which are classes as they stand."""
    texts = table.columns[column]
    for row, text in enumerate(texts):
        if not text:
            raise table.wrong(row, column, "the value is missing", MISSING)
    numbers = [number_in(text) for text in texts]
    if any(number is None for number in numbers):
        return sorted(set(texts))
    for row, number in enumerate(numbers):
        if number is None or not is_class(number):
            way_out = f'classes are whole numbers from 0, or texts; `{TARGET} = "{column}"` learns a number'
            raise table.wrong(row, column, f"`{texts[row]}` is no class", way_out)
    return []


def labels_of(table: Table, column: str, classes: Sequence[str]) -> np.ndarray:
    """The places of the texts among the classes or, without those, the numbers; int32 [rows]."""
    places = {name: i for i, name in enumerate(classes)}
    found = np.empty(len(table.lines), np.int32)
    for row, text in enumerate(table.columns[column]):
        number = places.get(text) if classes else number_in(text)
        if number is None or not is_class(number):
            reason = f"`{text}` is no class of the training set" if text else "the value is missing"
            way_out = f"it has {', '.join(classes)}" if classes else "its classes are whole numbers from 0"
            raise table.wrong(row, column, reason, way_out)
        found[row] = number
    return found


def is_class(number: float) -> bool:
    return number >= 0 and number == math.floor(number) and number < 2**31 - 1


def number_in(text: str) -> float | None:
    """The number that a text is; None for any other text, and for NaN and infinities."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def divided(arrays: Arrays) -> tuple[Arrays, Arrays]:
    if LABEL not in arrays:
        return split_off(arrays)
    test = last_of_each(arrays[LABEL])
    if not test.any():
        raise mismatch(
            "each class has one row, and none is left for testing", '`csv(..., test = "test.csv")` names some'
        )
    return {name: a[~test] for name, a in arrays.items()}, {name: a[test] for name, a in arrays.items()}


def refuse_other_columns(table: Table, other: Table) -> None:
    for one, two in ((table, other), (other, table)):
        for name in one.columns:
            if name not in two.columns:
                raise mismatch(f"`{one.path}` has a column `{name}`, and `{two.path}` has none")


def read_table(path: Path) -> Table:
    """The cells of a file with the names of its columns in the first line."""
    if not os.path.isfile(path):
        reason = f"`{path}` is a folder" if os.path.isdir(path) else f"there is no file `{path}`"
        way_out = "`csv(...)` names a file, from the .net file's folder or that of `--data`"
        raise RunError([MissingData(name=Csv.kind, reason=reason, way_out=way_out)])
    try:
        rows = csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), strict=True)
        numbered = [(rows.line_num, [cell.strip() for cell in row]) for row in rows if row]
    except (OSError, UnicodeDecodeError, csv.Error) as failure:
        reason = "it is not UTF-8 text" if isinstance(failure, UnicodeDecodeError) else str(failure)
        raise RunError([CorruptData(path=str(path), reason=reason)]) from failure
    if len(numbered) < 2:
        raise mismatch(f"`{path}` has no rows", "its first line has the names of the columns, and others the numbers")
    (first, names), *body = numbered
    refuse_header(path, first, names)
    for line, row in body:
        if len(row) != len(names):
            cells = f"{len(row)} value{'s' * (len(row) != 1)}"
            raise mismatch(f"`{path}`, line {line}: it has {cells}, and there are {len(names)} columns")
    columns = {name: [row[i] for _, row in body] for i, name in enumerate(names)}
    return Table(path, columns, [line for line, _ in body])


def refuse_header(path: Path, line: int, names: list[str]) -> None:
    """The first line must name each column once."""
    if all(number_in(name) is not None for name in names):
        raise mismatch(f"`{path}`, line {line}: it holds numbers, and the names of the columns are needed")
    for i, name in enumerate(names):
        if not name or name in names[:i]:
            what = f"column {i + 1} has no name" if not name else f"there are two columns `{name}`"
            raise mismatch(f"`{path}`, line {line}: {what}")
