"""Arrays as data, from .npz files and from Python, and what is wrong with them."""

import contextlib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from broken_files import change, cut
from small_runs import problem

import netc
from netc.recipes import data as rows
from netc.training.data import load
from netc.training.data.arrays import from_arrays
from netc.training.data.python import from_python
from netc.training.data.values import check_values
from netc.types import Element, Type

RNG = np.random.default_rng(0)
FETCH = "\n   = help: fetch the file again, or name another with `--data`"


def test_an_archive_gives_its_arrays(tmp_path: Path) -> None:
    x, label = RNG.random((30, 4)), np.arange(30) % 3
    np.savez(tmp_path / "x.npz", x=x, label=label)
    found = load(rows.Arrays("x.npz"), None, tmp_path)
    assert found.types == {"x": Type((4,)), "label": Type((), Element("class", 3))}
    assert (len(found.train["x"]), len(found.test["x"])) == (27, 3)
    np.testing.assert_allclose(found.test["x"], x[27:], rtol=1e-6)
    np.savez(tmp_path / "y.npz", x=x, test_x=x[:5])
    found = load(rows.Arrays("y.npz"), tmp_path, Path("elsewhere"))
    assert (len(found.train["x"]), len(found.test["x"])) == (30, 5)


def no_array(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.txt", "hello")


def pickled(path: Path) -> None:
    np.savez(path, x=np.array([{"a": 1}], dtype=object), allow_pickle=True)


BAD_ARCHIVES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (
        lambda p: None,
        "error[missing-data]: the data set `arrays` cannot be read: there is no file or folder `x.npz`\n"
        "   = help: `arrays(...)` names an .npz file or a folder of .npy files, from the .net file's folder or "
        "`--data`",
    ),
    "no-archive": (
        lambda p: p.write_bytes(b"hello"),
        "error[corrupt-data]: `x.npz` is not usable: it is no .npz archive, or one that was cut off" + FETCH,
    ),
    "cut-off": (
        lambda p: (np.savez(p, x=np.zeros((50, 4))), cut(p, 900)),
        "error[corrupt-data]: `x.npz` is not usable: it is no .npz archive, or one that was cut off" + FETCH,
    ),
    "changed": (
        lambda p: (np.savez_compressed(p, x=RNG.random((50, 4))), change(p, 300)),
        "error[corrupt-data]: `x.npz` is not usable: it is no .npz archive of plain arrays (",
    ),
    "pickled": (
        pickled,
        "error[corrupt-data]: `x.npz` is not usable: it is no .npz archive of plain arrays (Object arrays cannot be "
        "loaded when allow_pickle=False)" + FETCH,
    ),
    "empty": (
        lambda p: np.savez(p),
        "error[data-mismatch]: `x.npz` have no field for training\n   = help: give arrays such as `image` and `label`",
    ),
    "no-array": (
        no_array,
        "error[data-mismatch]: the field `x.txt` holds texts, and numbers are needed",
    ),
}


@pytest.mark.parametrize("case", BAD_ARCHIVES)
def test_an_archive_that_is_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    make, expected = BAD_ARCHIVES[case]
    make(Path("x.npz"))
    assert problem(lambda: load(rows.Arrays("x.npz"), None, Path())).startswith(expected)


def test_no_damage_to_an_archive_crashes_the_reader(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x=RNG.random((6, 4)), label=np.arange(6))
    whole = path.read_bytes()
    for place in range(0, len(whole), 3):
        raw = bytearray(whole)
        raw[place] ^= int(RNG.integers(1, 256))
        path.write_bytes(raw)
        with contextlib.suppress(netc.RunError):
            check_values(load(rows.Arrays("x.npz"), None, tmp_path))


IMAGES, LABELS = np.zeros((10, 4), np.float32), np.arange(10) % 3
BAD_ARRAYS: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({"x": IMAGES[:0], "label": LABELS[:0]}, "the field `x` is empty"),
    "no-axis": ({"x": 3.0}, "the field `x` is empty"),
    "lengths": (
        {"x": IMAGES, "label": LABELS[:9]},
        "the fields have different numbers of examples: `x` 10, `label` 9",
    ),
    "texts": ({"x": np.array(["a", "b"])}, "the field `x` holds texts, and numbers are needed"),
    "complex": ({"x": IMAGES.astype(complex)}, "the field `x` holds complex128, and numbers are needed"),
    "ragged": ({"x": [[1, 2], [3]]}, "the field `x` is no array: its rows have different lengths"),
    "test-alone": ({"test_x": IMAGES}, "the data have no field for training"),
    "test-fields": (
        {"x": IMAGES, "label": LABELS, "test_x": IMAGES},
        "the training set has the fields x, label, and the test set x",
    ),
    "test-shapes": (
        {"x": IMAGES, "test_x": IMAGES[:, :3]},
        "the field `x` of the test set is [3], and [4] is needed",
    ),
    "negative": (
        {"x": IMAGES, "label": LABELS - 1},
        "the field `label` of the training set holds -1 in example 0, outside class(2)",
    ),
    "huge-labels": ({"label": np.array([1, 2**40])}, "the field `label` holds 1099511627776, which is no class label"),
    "nan": (
        {"x": np.where(np.arange(10)[:, None] == 3, np.nan, IMAGES)},
        "the field `x` of the training set holds NaN or infinite numbers, first in example 3",
    ),
    "infinite": (
        {"x": [1.0, np.inf]},
        "the field `x` of the test set holds NaN or infinite numbers, first in example 0",
    ),
    "beyond-float32": (
        {"x": [1e300, 1.0]},
        "the field `x` of the training set holds NaN or infinite numbers, first in example 0",
    ),
}


@pytest.mark.parametrize("case", BAD_ARRAYS)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_arrays_that_cannot_be_used_are_named(case: str) -> None:
    arrays, message = BAD_ARRAYS[case]
    assert problem(lambda: check_values(from_arrays(arrays))).startswith(f"error[data-mismatch]: {message}")


def test_one_example_is_enough() -> None:
    found = from_arrays({"x": IMAGES[:1], "label": LABELS[:1]})
    assert (len(found.train["x"]), len(found.test["x"])) == (1, 1)


# From Python.


def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, 10, 4):
        yield IMAGES[start : start + 4], LABELS[start : start + 4]


@pytest.mark.parametrize(
    "given",
    [
        {"x": IMAGES, "label": LABELS},
        (IMAGES, LABELS),
        [IMAGES, LABELS],
        (IMAGES.tolist(), LABELS.tolist()),
        batches(),
        list(batches()),
        [{"x": IMAGES[:5], "label": LABELS[:5]}, {"x": IMAGES[5:], "label": LABELS[5:]}],
    ],
    ids=["dict", "tuple", "list", "lists", "generator", "batches", "dicts"],
)
def test_data_from_python_come_as_fields(given: Any) -> None:
    found = from_python(given, ("x", "label"))
    np.testing.assert_array_equal(np.concatenate([found.train["label"], found.test["label"]]), LABELS)
    assert found.types == {"x": Type((4,)), "label": Type((), Element("class", 3))}


BAD_GIVEN: dict[str, tuple[Any, str]] = {
    "number": (3, "data of type int cannot be used"),
    "one-array": (IMAGES, "data of type ndarray cannot be used"),
    "three": ((IMAGES, LABELS, LABELS), "3 arrays are given, and the recipe uses 2 fields: x, label"),
    "no-batches": (iter(()), "the iterable of batches is empty"),
    "numbers": ([1, 2], "a batch of type int cannot be used"),
    "fields": ([{"x": IMAGES}, {"y": IMAGES}], "batch 0 has the fields x, and batch 1 y"),
    "shapes": (
        [(IMAGES, LABELS), (IMAGES[:, :3], LABELS)],
        "the batches have examples of different shapes in the field `x`: [3], [4]",
    ),
}


@pytest.mark.parametrize("case", BAD_GIVEN)
def test_data_from_python_that_cannot_be_used_are_named(case: str) -> None:
    given, message = BAD_GIVEN[case]
    text = problem(lambda: from_python(given, ("x", "label")))
    assert text.startswith(f"error[data-mismatch]: {message}")
