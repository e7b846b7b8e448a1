"""A text as a data set: its windows, the byte after each byte, where training ends, and files that are none."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from small_runs import problem

from netc.check.recipe import feeding_field
from netc.compiler import SPECS
from netc.recipes import data as rows
from netc.training.data import load, text
from netc.training.data.values import check_values
from netc.types import Element, Type

WINDOW = {"text": Type((10,), Element("token", 256)), "next": Type((10,), Element("class", 256))}
HELP = "\n   = help: `text(...)` names a file, from the .net file's folder or that of `--data`"


def test_windows_follow_each_other_and_know_the_byte_after_each(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(bytes(range(256)) + "é".encode())
    found = load(rows.TextFile("x.txt", 10), None, tmp_path)
    check_values(found)
    assert found.types == WINDOW == rows.TextFile("x.txt", 10).fields()
    # 258 bytes, of which 25 are for testing: 23 windows in the first 233, 2 in the rest.
    assert found.train["text"].dtype == found.train["next"].dtype == np.int32
    np.testing.assert_array_equal(found.train["text"], np.arange(230).reshape(23, 10))
    np.testing.assert_array_equal(found.train["next"], np.arange(1, 231).reshape(23, 10))
    np.testing.assert_array_equal(found.test["text"], 233 + np.arange(20).reshape(2, 10))
    np.testing.assert_array_equal(found.test["next"], 234 + np.arange(20).reshape(2, 10))


def test_the_last_byte_may_end_a_window(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"abcdefgh")
    found = load(rows.TextFile("x.txt", 3), tmp_path, Path("elsewhere"))
    assert [bytes(a.astype(np.uint8).ravel()) for a in found.train.values()] == [b"abc", b"bcd"]
    assert [bytes(a.astype(np.uint8).ravel()) for a in found.test.values()] == [b"efg", b"fgh"]


def test_the_window_feeds_an_input_of_any_name() -> None:
    assert feeding_field("x", ("x",), WINDOW) == feeding_field("text", ("text",), WINDOW) == "text"


def test_the_shipped_sonnets_are_a_text() -> None:
    found = load(rows.TextFile("text/sonnets.txt"), None, SPECS)
    assert len(found.train["text"]) > 150 and len(found.test["text"]) > 15
    assert bytes(found.train["text"][0, :43].astype(np.uint8)) == b"From fairest creatures we desire increase,\n"
    assert {*np.unique(found.train["text"])} <= {10, *range(32, 127)}


BAD_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (
        lambda p: None,
        "error[missing-data]: the data set `text` cannot be read: there is no file `x.txt`" + HELP,
    ),
    "folder": (
        lambda p: p.mkdir(),
        "error[missing-data]: the data set `text` cannot be read: `x.txt` is a folder" + HELP,
    ),
    "pipe": (
        lambda p: os.mkfifo(p),
        "error[missing-data]: the data set `text` cannot be read: there is no file `x.txt`" + HELP,
    ),
    "empty": (
        lambda p: p.write_bytes(b""),
        "error[data-mismatch]: `x.txt` has 0 bytes, and a window of 10 with the byte after it 11\n",
    ),
    "short": (
        lambda p: p.write_bytes(b"x" * 21),
        "error[data-mismatch]: `x.txt` has 21 bytes, and a window of 10 with the byte after it 11\n   = help: "
        "`context = ...` makes it shorter; 22 bytes are a window to train on and one to test",
    ),
    "huge": (
        lambda p: (p.write_bytes(b""), os.truncate(p, text.MOST_BYTES + 1)),
        "error[data-mismatch]: `x.txt` is larger than 134,217,728 bytes, the most that `text` reads\n"
        "   = help: use a part of it",
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_gives_no_windows_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    make, expected = BAD_FILES[case]
    make(Path("x.txt"))
    assert problem(lambda: load(rows.TextFile("x.txt", 10), None, Path())).startswith(expected)
