"""What goes wrong with data: each function makes it in a folder and gives the problems.

As in tests/situations.py, a function's docstring stands in its golden file above what is shown. What can be done by
a command is done by a command.
"""

import gzip
import os
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from click.testing import CliRunner
from situations import Situation

import netc
from netc.cli.main import group
from netc.problems import NetcError, Problem

NET = """net Small {
  input x: [4]
  output y: [3] = x -> dense(3)
}
"""
RECIPE = """train Small {
  data      = arrays("x.npz")
  loss      = cross_entropy(y, label)
  optimizer = sgd(rate = 0.1)
  batch     = 8
  epochs    = 1
}
"""
IDX = {"train-images": 3, "train-labels": 1, "t10k-images": 3, "t10k-labels": 1}


def command(*words: str) -> tuple[Problem, ...]:
    """The problems with which a command ends."""
    result = CliRunner().invoke(group, list(words))
    assert isinstance(result.exception, NetcError), result.output
    return result.exception.problems


def trained(**change: Any) -> tuple[Problem, ...]:
    """`netc train small.net` on an x.npz with other arrays."""
    arrays = {"x": np.ones((40, 4), "f"), "label": np.arange(40) % 3} | change
    np.savez("x.npz", **{name: array for name, array in arrays.items() if array is not None})
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "run", "--quiet")


def idx(rank: int, *shape: int) -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, rank, *shape) + bytes(int(np.prod(shape)))


def idx_folder(folder: Path, change: Mapping[str, bytes | None]) -> tuple[Problem, ...]:
    """`netc train` on MNIST's four files in a folder, some of them changed or left out."""
    (folder / "mnist").mkdir()
    for name, rank in IDX.items():
        raw = change.get(name, idx(rank, *(6, 28, 28)[:rank]))
        if raw is not None:
            (folder / "mnist" / f"{name}-idx{rank}-ubyte").write_bytes(raw)
    text = "net N { input image: [28, 28, 1]  output y: [10] = image -> flatten -> dense(10) }\n"
    recipe = "train N { data = mnist  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1)  epochs = 1 }\n"
    Path("mnist.net").write_text(text + recipe)
    return command("train", "mnist.net", "--data", "mnist", "--out", "run", "--quiet")


def data_folder_without_files(folder: Path) -> tuple[Problem, ...]:
    """netc train mnist.net --data mnist, and the folder has no test labels"""
    return idx_folder(folder, {"t10k-labels": None})


def empty_idx(folder: Path) -> tuple[Problem, ...]:
    """netc train mnist.net --data mnist, and the training images are an empty file"""
    return idx_folder(folder, {"train-images": b""})


def truncated_idx(folder: Path) -> tuple[Problem, ...]:
    """netc train mnist.net --data mnist, and the training images end early"""
    return idx_folder(folder, {"train-images": idx(3, 6, 28, 28)[:-100]})


def idx_of_labels(folder: Path) -> tuple[Problem, ...]:
    """netc train mnist.net --data mnist, and labels stand where images should"""
    return idx_folder(folder, {"train-images": idx(1, 6)})


def picture_for_idx(folder: Path) -> tuple[Problem, ...]:
    """netc train mnist.net --data mnist, and the training images are a PNG picture"""
    return idx_folder(folder, {"train-images": b"\x89PNG\r\n\x1a\n"})


def damaged_gzip(folder: Path) -> tuple[Problem, ...]:
    """netc train mnist.net --data mnist, and the compression of the training images is damaged"""
    return idx_folder(folder, {"train-images": gzip.compress(idx(3, 6, 28, 28), mtime=0)[:-20]})


def idx_counts(folder: Path) -> tuple[Problem, ...]:
    """netc train mnist.net --data mnist, with 6 images and 7 labels for training"""
    return idx_folder(folder, {"train-labels": idx(1, 7)})


def npz_missing(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, and there is no x.npz"""
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "run", "--quiet")


def npz_broken(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, and x.npz is no archive"""
    Path("x.npz").write_bytes(b"PK\x03\x04 and so on")
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "run", "--quiet")


def npz_of_objects(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, and x.npz holds pickled Python objects, which are never unpickled"""
    return trained(x=np.array([{}] * 40, object))


def strings(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, and the labels are strings"""
    return trained(label=np.array(["cat", "dog"] * 20))


def no_examples(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, and x.npz has no examples"""
    return trained(x=np.ones((0, 4), "f"), label=np.zeros(0, int))


def other_counts(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, with 40 examples and 10 labels"""
    return trained(label=np.zeros(10, int))


def other_shape(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, whose input is [4], on examples of 5 numbers"""
    return trained(x=np.ones((40, 5), "f"))


def no_labels(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, and x.npz has no labels"""
    return trained(label=None)


def labels_too_large(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, for 3 classes, with a label of 7"""
    return trained(label=np.where(np.arange(40) == 5, 7, 0))


def negative_labels(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, with a label of -1"""
    return trained(label=np.where(np.arange(40) == 5, -1, np.arange(40) % 3))


def not_a_number(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, and example 11 has a NaN"""
    x = np.ones((40, 4), "f")
    x[11, 2] = np.nan
    return trained(x=x)


def refused(action: Callable[[], object]) -> tuple[Problem, ...]:
    """The problems that a call of the Python API raises."""
    try:
        action()
    except NetcError as failure:
        return failure.problems
    raise AssertionError("nothing was raised")


def too_many_arrays(folder: Path) -> tuple[Problem, ...]:
    """netc.train(text, data=(x, label, weight)), for a recipe that uses two fields"""
    arrays = tuple(np.ones((40, 4), "f") for _ in range(3))
    return refused(lambda: netc.train(NET + RECIPE, data=arrays, out="run"))


def no_batches(folder: Path) -> tuple[Problem, ...]:
    """netc.train(text, data=iter([]))"""
    return refused(lambda: netc.train(NET + RECIPE, data=iter([]), out="run"))


def data_of_a_wrong_type(folder: Path) -> tuple[Problem, ...]:
    """netc.train(text, data=3)"""
    return refused(lambda: netc.train(NET + RECIPE, data=3, out="run"))


def no_publisher(folder: Path) -> tuple[Problem, ...]:
    """netc train mnist.net without --data, an empty cache, and no way to the publisher"""
    Path("mnist.net").write_text(
        "net N { input image: [28, 28, 1]  output y: [10] = image -> flatten -> dense(10) }\n"
        "train N { data = mnist  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1) }\n"
    )
    away = {"NETC_DATA": str(folder / "cache"), "https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    # The opener that urllib keeps has the proxies of its first use.
    with patch.dict(os.environ, away), patch("urllib.request._opener", None):
        return command("train", "mnist.net", "--out", "run", "--quiet")


def no_scikit_learn(folder: Path) -> tuple[Problem, ...]:
    """netc train digits.net, and scikit-learn is not installed"""
    Path("digits.net").write_text(
        "net N { input image: [8, 8, 1]  output y: [10] = image -> flatten -> dense(10) }\n"
        "train N { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1) }\n"
    )
    with patch.dict(sys.modules, {"sklearn": None, "sklearn.datasets": None}):
        return command("train", "digits.net", "--out", "run", "--quiet")


def too_large_a_validation_set(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --set validation=36, and the training set has 36 examples"""
    np.savez("x.npz", x=np.ones((40, 4), "f"), label=np.arange(40) % 3)
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "run", "--quiet", "--set", "validation=36")


def class_without_examples(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net with `weights = balanced`, and no example of class 2"""
    np.savez("x.npz", x=np.ones((40, 4), "f"), label=np.arange(40) % 2)
    Path("small.net").write_text(NET + RECIPE)
    balanced = "loss=cross_entropy(y, label, weights = balanced)"
    return command("train", "small.net", "--out", "run", "--quiet", "--set", balanced)


def trained_on(data: str) -> tuple[Problem, ...]:
    """`netc train small.net` on another data set."""
    Path("small.net").write_text(NET + RECIPE.replace('arrays("x.npz")', data))
    return command("train", "small.net", "--out", "run", "--quiet")


def text_in_a_table(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, on csv("t.csv", label = "kind"), with a text among the numbers"""
    Path("t.csv").write_text("a,b,c,d,kind\n1,2,3,4,fern\n1,2,three,4,aloe\n")
    return trained_on('csv("t.csv", label = "kind")')


def class_without_pictures(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, on images("plants"), and a class has no pictures"""
    (folder / "plants" / "aloe").mkdir(parents=True)
    return trained_on('images("plants")')


def no_picture(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, on images("plants"), with a text among the pictures"""
    (folder / "plants" / "fern").mkdir(parents=True)
    for name in ("a.png", "b.png"):
        (folder / "plants" / "fern" / name).write_text("a fern")
    return trained_on('images("plants")')


def no_such_metric(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --set "metric=accuracy(y, kind)", and x.npz has no field `kind`"""
    np.savez("x.npz", x=np.ones((40, 4), "f"), label=np.arange(40) % 3)
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "run", "--quiet", "--set", "metric=accuracy(y, kind)")


DATA_SITUATIONS: dict[str, Situation] = {
    "missing-data/folder": data_folder_without_files,
    "missing-data/publisher": no_publisher,
    "corrupt-data/empty-idx": empty_idx,
    "corrupt-data/truncated-idx": truncated_idx,
    "corrupt-data/labels-for-images": idx_of_labels,
    "corrupt-data/picture": picture_for_idx,
    "corrupt-data/gzip": damaged_gzip,
    "missing-data/npz": npz_missing,
    "data-mismatch/validation": too_large_a_validation_set,
    "data-mismatch/class-weights": class_without_examples,
    "corrupt-data/npz": npz_broken,
    "corrupt-data/objects": npz_of_objects,
    "data-mismatch/images-and-labels": idx_counts,
    "data-mismatch/strings": strings,
    "data-mismatch/no-examples": no_examples,
    "data-mismatch/counts": other_counts,
    "data-mismatch/shape": other_shape,
    "data-mismatch/no-labels": no_labels,
    "data-mismatch/label-too-large": labels_too_large,
    "data-mismatch/negative-label": negative_labels,
    "data-mismatch/nan": not_a_number,
    "data-mismatch/three-arrays": too_many_arrays,
    "data-mismatch/no-batches": no_batches,
    "data-mismatch/wrong-type": data_of_a_wrong_type,
    "missing-extra/scikit-learn": no_scikit_learn,
    "data-mismatch/table": text_in_a_table,
    "data-mismatch/empty-class": class_without_pictures,
    "data-mismatch/metric": no_such_metric,
    "corrupt-data/images": no_picture,
}
