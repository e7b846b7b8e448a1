"""Data sets by name: folders, and sets made of others; what is wrong with files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from broken_files import change, cut
from idx_files import idx, write_mnist
from small_runs import problem

from netc.recipes import data as rows
from netc.recipes.data import DATASETS
from netc.training.data import LOADERS, load
from netc.training.data.published import WANTED
from netc.training.data.values import check_values
from netc.types import Element, Type

RNG = np.random.default_rng(0)


def test_every_data_set_has_a_loader() -> None:
    assert LOADERS.keys() == set(DATASETS)


def test_digits_are_split_by_class_and_always_the_same_way() -> None:
    first, second = (load(rows.Digits(), None, Path()) for _ in range(2))
    assert (len(first.train["label"]), len(first.test["label"])) == (1437, 360)
    assert np.bincount(first.test["label"]).tolist() == [36, 36, 35, 37, 36, 37, 36, 36, 35, 36]
    np.testing.assert_array_equal(first.test["image"], second.test["image"])
    assert (first.train["image"].min(), first.train["image"].max()) == (0, 1)
    assert problem(lambda: load(rows.Digits(), Path("x"), Path())) == (
        "error[data-mismatch]: `digits` come with scikit-learn, and are not read from a folder\n"
        "   = help: leave `--data` out"
    )


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("inner", ["", "mnist"])
def test_mnist_is_read_from_a_folder(tmp_path: Path, zipped: bool, inner: str) -> None:
    write_mnist(tmp_path / inner, zipped)
    found = load(rows.Mnist(), tmp_path, Path())
    assert found.types == {"image": Type((4, 4, 1)), "label": Type((), Element("class", 10))}
    assert found.train["image"].shape == (20, 4, 4, 1) and found.train["image"].dtype == np.float32
    assert 0.9 < found.train["image"].max() <= 1
    assert found.test["label"].tolist() == list(range(10))


def test_mnist_at_hand_is_whole() -> None:
    folder = Path(__file__).parents[2] / "shared" / "data" / "mnist"
    if folder.is_dir():
        found = load(rows.Mnist(), folder, Path())
        assert (len(found.train["image"]), len(found.test["image"])) == (60_000, 10_000)
        assert np.bincount(found.train["label"])[:3].tolist() == [5923, 6742, 5958]


def test_an_idx_folder_has_any_size_and_classes_from_its_labels(tmp_path: Path) -> None:
    write_mnist(tmp_path / "own", train_labels=idx((np.arange(20) % 3).astype(np.uint8)))
    found = load(rows.Idx("own"), None, tmp_path)
    assert found.types["label"] == Type((), Element("class", 10))
    floats = RNG.random((20, 4, 4)).astype(">f4")
    write_mnist(tmp_path / "floats", train_images=idx(floats, 0x0D))
    np.testing.assert_array_equal(load(rows.Idx("floats"), None, tmp_path).train["image"][..., 0], floats)


HELP = f"\n   = help: it needs {', '.join(WANTED)}, each as it is or with .gz"
FETCH = "\n   = help: fetch the file again, or name another with `--data`"
BAD_FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (
        lambda d: None,
        "error[missing-data]: the data set `mnist` cannot be read: there is no folder `D`" + HELP,
    ),
    "empty": (
        lambda d: d.mkdir(),
        "error[missing-data]: the data set `mnist` cannot be read: `D` has no `train-images-idx3-ubyte`" + HELP,
    ),
    "partly-there": (
        lambda d: (write_mnist(d) / "t10k-labels-idx1-ubyte.gz").unlink(),
        "error[missing-data]: the data set `mnist` cannot be read: `D` has no `t10k-labels-idx1-ubyte`" + HELP,
    ),
    "cut-off-gzip": (
        lambda d: cut(write_mnist(d) / "train-images-idx3-ubyte.gz", 100),
        "error[corrupt-data]: `D/train-images-idx3-ubyte.gz` is not usable: its compression is damaged "
        "(Compressed file ended before the end-of-stream marker was reached)" + FETCH,
    ),
    "changed-gzip": (
        lambda d: change(write_mnist(d) / "train-images-idx3-ubyte.gz", 40),
        "error[corrupt-data]: `D/train-images-idx3-ubyte.gz` is not usable: its compression is damaged",
    ),
    "cut-off-idx": (
        lambda d: cut(write_mnist(d, zipped=False) / "train-images-idx3-ubyte", 100),
        "error[corrupt-data]: `D/train-images-idx3-ubyte` is not usable: its header promises 320 bytes of "
        "[20, 4, 4], and 84 follow" + FETCH,
    ),
    "cut-off-header": (
        lambda d: cut(write_mnist(d, zipped=False) / "train-labels-idx1-ubyte", 6),
        "error[corrupt-data]: `D/train-labels-idx1-ubyte` is not usable: it ends within its header" + FETCH,
    ),
    "no-bytes": (
        lambda d: cut(write_mnist(d, zipped=False) / "train-labels-idx1-ubyte", 0),
        "error[corrupt-data]: `D/train-labels-idx1-ubyte` is not usable: it is empty" + FETCH,
    ),
    "no-idx": (
        lambda d: write_mnist(d, train_images=b"<html>not found</html>"),
        "error[corrupt-data]: `D/train-images-idx3-ubyte.gz` is not usable: it does not start as an IDX file does"
        + FETCH,
    ),
    "labels-for-images": (
        lambda d: write_mnist(d, train_images=idx(np.zeros(20, np.uint8))),
        "error[corrupt-data]: `D/train-images-idx3-ubyte.gz` is not usable: it holds an array of 1 axes, and 3 are "
        "needed" + FETCH,
    ),
    "no-examples": (
        lambda d: write_mnist(d, train_images=idx(np.zeros((0, 4, 4), np.uint8))),
        "error[corrupt-data]: `D/train-images-idx3-ubyte.gz` is not usable: it holds no examples" + FETCH,
    ),
    "lengths": (
        lambda d: write_mnist(d, train_labels=idx(np.zeros(19, np.uint8))),
        "error[data-mismatch]: `D/train-images-idx3-ubyte.gz` has 20 images, and `D/train-labels-idx1-ubyte.gz` 19 "
        "labels",
    ),
    "sizes": (
        lambda d: write_mnist(d, t10k_images=idx(np.zeros((10, 5, 4), np.uint8))),
        "error[data-mismatch]: the images of `D` for training are [4, 4, 1], and those for testing [5, 4, 1]",
    ),
    "broken-labels": (
        lambda d: write_mnist(d, train_labels=idx(np.full(20, 0.5, ">f4"), 0x0D)),
        "error[corrupt-data]: `D/train-labels-idx1-ubyte.gz` is not usable: it holds broken numbers, and labels are "
        "whole ones" + FETCH,
    ),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_a_folder_that_is_not_the_data_set_s_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make, expected = BAD_FOLDERS[case]
    make(Path("D"))
    assert problem(lambda: load(rows.Mnist(), Path("D"), Path())).startswith(expected)


def test_labels_beyond_mnist_s_classes_are_named(tmp_path: Path) -> None:
    labels = (np.arange(20) % 10).astype(np.uint8)
    labels[7] = 10
    found = load(rows.Mnist(), write_mnist(tmp_path, train_labels=idx(labels)), Path())
    assert problem(lambda: check_values(found)) == (
        "error[data-mismatch]: the field `label` of the training set holds 10 in example 7, outside class(10)\n"
        "   = help: labels are whole numbers from 0 to 9"
    )


def test_pairs_are_half_of_one_class(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=np.arange(400.0).reshape(400, 1), label=np.arange(400) % 4)
    found = load(rows.Pairs(rows.Arrays("x.npz")), None, tmp_path)
    left, right, same = (found.train[name].reshape(-1) for name in ("left", "right", "same"))
    assert same.mean() == 0.5
    np.testing.assert_array_equal(left % 4 == right % 4, same == 1)
    assert found.types == {"left": Type((1,)), "right": Type((1,)), "same": Type(())}


def test_binary_asks_for_some_classes(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((40, 1)), label=np.arange(40) % 4)
    found = load(rows.Binary(rows.Arrays("x.npz"), (1, 3)), None, tmp_path)
    assert found.train["label"][:4].tolist() == [0, 1, 0, 1]
    assert found.train["sign"][:4].tolist() == [-1, 1, -1, 1]
    assert found.types["label"] == Type((), Element("class", 2))


def test_derived_sets_need_their_fields(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((40, 1)))
    np.savez(tmp_path / "one.npz", image=np.zeros((40, 1)), label=np.zeros(40, int))
    pairs, one = rows.Pairs(rows.Arrays("x.npz")), rows.Pairs(rows.Arrays("one.npz"))
    for outer, wanted in (
        (pairs, "image and label"),
        (rows.Triplets(pairs.of), "image and label"),
        (rows.Strips(pairs.of), "image [height, width, channels] and label"),
        (rows.Binary(pairs.of, (1,)), "label"),
    ):
        expected = (
            f"`{outer.kind}` takes a data set with {wanted}, one class for each example, and this one has `x` [1]"
        )
        assert expected in problem(lambda outer=outer: load(outer, None, tmp_path))
    assert "at least two classes, and all are of class 0" in problem(lambda: load(one, None, tmp_path))
    assert "at least two classes, and all are of class 0" in problem(
        lambda: load(rows.Triplets(rows.Arrays("one.npz")), None, tmp_path)
    )


@pytest.mark.parametrize(
    "outer",
    [rows.Pairs, rows.Triplets, rows.Strips, lambda inner: rows.Binary(inner, (1,))],
    ids=lambda row: row.__name__,
)
def test_sets_are_not_made_of_labels_of_several_classes(tmp_path: Path, outer: Callable[..., rows.DataSet]) -> None:
    write_mnist(tmp_path)
    found = problem(lambda: load(outer(rows.Strips(rows.Mnist())), tmp_path, Path()))
    assert "one class for each example, and this one has `image` [4, 60, 1], `label` class(11)[5]" in found


def test_triplets_are_of_two_classes(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=np.arange(400.0).reshape(400, 1), label=np.arange(400) % 4)
    found = load(rows.Triplets(rows.Arrays("x.npz")), None, tmp_path)
    anchor, positive, negative = (found.train[name].reshape(-1) for name in rows.Triplets.alike)
    assert (anchor % 4 == positive % 4).all() and (anchor % 4 != negative % 4).all()
    assert (anchor != positive).all() and sorted(anchor) == list(range(360))
    assert len(np.unique(positive)) > 200 and len(np.unique(negative)) > 200
    again = load(rows.Triplets(rows.Arrays("x.npz")), None, tmp_path)
    np.testing.assert_array_equal(found.test["negative"], again.test["negative"])


LONG = "x" * 300


@pytest.mark.parametrize("row", [rows.TextFile(LONG), rows.Arrays(LONG), rows.Idx(LONG)], ids=lambda row: row.kind)
def test_a_name_that_no_file_can_have_is_that_of_a_missing_one(row: rows.DataSet) -> None:
    assert f"error[missing-data]: the data set `{row.kind}` cannot be read: there is no f" in problem(
        lambda: load(row, None, Path())
    )
