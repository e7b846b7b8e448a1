"""Strips of digits: every image in one strip, classes from left to right, gaps and overlaps as they are asked for."""

from pathlib import Path

import numpy as np
import pytest
from small_runs import problem

from netc.compiler import check_text
from netc.recipes import data as rows
from netc.rendering import render_all
from netc.training.data import load
from netc.training.data.strips import dealt
from netc.training.data.values import check_values
from netc.types import Element, Type

N = 60
MARKED = {"image": np.zeros((N, 3, 6, 1), np.float32), "label": np.arange(N) % 4}
MARKED["image"][:, :, 2:4, 0] = np.arange(1, N + 1)[:, None, None]
"""Images of two columns of ink, whose number says which image it is."""
INNER = {"image": Type((3, 6, 1)), "label": Type((), Element("class", 4))}


def strips_of(entry: rows.Strips, seed: int = 0) -> dict[str, np.ndarray]:
    types = entry.fields_of(INNER)
    assert types is not None
    found = dealt(MARKED, entry, types, seed)
    assert all(array.shape[1:] == types[name].shape for name, array in found.items())
    return found


def runs(line: np.ndarray) -> list[tuple[int, int]]:
    """The numbers along a line, each with the column where it starts."""
    starts = np.flatnonzero((line != 0) & (line != np.concatenate([[0], line[:-1]])))
    return [(int(line[at]), int(at)) for at in starts]


def test_each_image_is_in_one_strip_and_its_class_in_its_place() -> None:
    found = strips_of(rows.Strips(rows.Mnist(), (2, 3), overlap=0))
    seen = []
    for strip, label in zip(found["image"], found["label"], strict=True):
        images = [number - 1 for number, _ in runs(strip[0, :, 0])]
        assert label.tolist() == [i % 4 for i in images] + [4] * (3 - len(images))
        seen += images
    assert len(seen) == len(set(seen)) >= N - 2
    assert {int((row != 4).sum()) for row in found["label"]} == {2, 3}


def test_gaps_are_of_all_sizes_asked_for() -> None:
    found = strips_of(rows.Strips(rows.Mnist(), (5,), overlap=3, gap=4))
    steps = {b - a for strip in found["image"] for (_, a), (_, b) in zip(*two(runs(strip[0, :, 0])), strict=True)}
    # Columns of ink are two wide, and at most one of them is shared.
    assert steps == {1, 2, 3, 4, 5, 6}
    starts = {runs(strip[0, :, 0])[0][1] for strip in found["image"]}
    assert len(starts) > 5


def two(items: list) -> tuple[list, list]:
    return items[:-1], items[1:]


def test_strips_are_the_same_every_time_and_others_for_testing() -> None:
    entry = rows.Strips(rows.Mnist())
    first, again, other = strips_of(entry), strips_of(entry), strips_of(entry, 1)
    np.testing.assert_array_equal(first["image"], again["image"])
    assert first["label"].tolist() == again["label"].tolist() != other["label"].tolist()


def test_strips_of_digits_are_checked_for_ctc() -> None:
    found = load(rows.Strips(rows.Digits()), None, Path())
    check_values(found)
    assert found.types == rows.Strips(rows.Digits()).fields()
    assert found.types == {"image": Type((8, 80, 1)), "label": Type((5,), Element("class", 11))}
    assert found.train["image"].max() == 1 and 330 < len(found.train["label"]) < 390
    assert 80 < len(found.test["label"]) < 100


NET = """
net Reader { input image: [8, 80, 1]
  output digits: [76, 11] = image -> conv(8, 8x5) -> relu -> reshape([76, 8]) -> dense(11) }
train Reader { data = strips(digits, %s)  loss = ctc(digits, label, blank = 10)  optimizer = adam(rate = 0.01) }
"""


def test_strips_fit_a_net_that_reads_along_the_width() -> None:
    checked = check_text(NET % "digits = [3, 4, 5]")
    assert checked.problems == () and checked.recipes[0].feeds == (("image", "image"),)


@pytest.mark.parametrize("given", ["digits = []", "digits = 0", "digits = [3, 21]", 'digits = "3"', "gap = -1"])
def test_arguments_of_strips_are_checked(given: str) -> None:
    (found,) = check_text(NET % given).problems
    assert f"`{given.split()[0]}` of `strips` must be" in render_all([found])


def test_too_few_images_for_a_strip_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=np.ones((11, 3, 3, 1)), label=np.arange(11) % 2)
    assert "`strips` needs 5 images for one strip, and the set has 1" in problem(
        lambda: load(rows.Strips(rows.Arrays("x.npz")), None, tmp_path)
    )
