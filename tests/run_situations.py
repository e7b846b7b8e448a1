"""What goes wrong with data, run folders and training: each function makes it in a folder and gives the problems.

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


def diverged(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --set rate=1e14"""
    x = np.random.default_rng(0).normal(size=(40, 4)).astype("f") * 1e20
    np.savez("x.npz", x=x, label=np.arange(40) % 3)
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "run", "--quiet", "--set", "rate=1e14", "--set", "epochs=3")


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


def folder_is_there(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --out run, and there is a folder `run`"""
    (folder / "run").mkdir()
    return trained()


def folder_below_a_file(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --out file/run, and `file` is a file"""
    (folder / "file").write_text("")
    np.savez("x.npz", x=np.ones((40, 4), "f"), label=np.arange(40) % 3)
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "file/run", "--quiet")


def no_run(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, and there is no such folder"""
    return command("eval", "run")


def empty_run(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, and the folder is empty"""
    (folder / "run").mkdir()
    return command("eval", "run")


def run_without_weights(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, whose weights are gone"""
    good_run()
    Path("run/weights.safetensors").unlink()
    return command("eval", "run")


def run_with_broken_yaml(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, whose run.yaml is a list"""
    good_run()
    Path("run/run.yaml").write_text("- 1\n- 2\n")
    return command("eval", "run")


def good_run() -> None:
    """A small run in the folder `run`."""
    np.savez("x.npz", x=np.random.default_rng(0).random((40, 4), "f"), label=np.arange(40) % 3)
    Path("small.net").write_text(NET + RECIPE)
    assert CliRunner().invoke(group, ["train", "small.net", "--out", "run", "--quiet"]).exit_code == 0


def no_scikit_learn(folder: Path) -> tuple[Problem, ...]:
    """netc train digits.net, and scikit-learn is not installed"""
    Path("digits.net").write_text(
        "net N { input image: [8, 8, 1]  output y: [10] = image -> flatten -> dense(10) }\n"
        "train N { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1) }\n"
    )
    with patch.dict(sys.modules, {"sklearn": None, "sklearn.datasets": None}):
        return command("train", "digits.net", "--out", "run", "--quiet")


def config_of_something_else(folder: Path) -> tuple[Problem, ...]:
    """netc train --config notes.yaml, which is no run.yaml"""
    Path("notes.yaml").write_text("hidden: 128\n")
    return command("train", "--config", "notes.yaml", "--out", "again", "--quiet")


def config_with_a_wrong_batch(folder: Path) -> tuple[Problem, ...]:
    """netc train --config run/run.yaml, after an edit: batch: many"""
    good_run()
    text = Path("run/run.yaml").read_text()
    assert "batch: 8" in text
    Path("run/run.yaml").write_text(text.replace("batch: 8", "batch: many"))
    return command("train", "--config", "run/run.yaml", "--out", "again", "--quiet")


def config_of_another_net(folder: Path) -> tuple[Problem, ...]:
    """netc train --config run/run.yaml --net Large, and the run is of Small"""
    good_run()
    return command("train", "--config", "run/run.yaml", "--net", "Large", "--out", "again", "--quiet")


def no_recipe(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, a file without a recipe"""
    Path("small.net").write_text(NET)
    return command("train", "small.net", "--out", "run")


def several_recipes(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, with the recipes `Small` and `Slow for Small`"""
    Path("small.net").write_text(NET + RECIPE + RECIPE.replace("Small", "Slow for Small"))
    return command("train", "small.net", "--out", "run")


def input_missing(folder: Path) -> tuple[Problem, ...]:
    """netc predict run digit.npy, and there is no such file"""
    good_run()
    return command("predict", "run", "digit.npy")


def input_of_another_shape(folder: Path) -> tuple[Problem, ...]:
    """netc predict run digit.npy, for a net on [4], with an array of [7]"""
    good_run()
    np.save("digit.npy", np.ones(7, "f"))
    return command("predict", "run", "digit.npy")


def input_that_is_no_picture(folder: Path) -> tuple[Problem, ...]:
    """netc predict run digit.png, which is a text"""
    good_run()
    Path("digit.png").write_text("a text\n")
    return command("predict", "run", "digit.png")


def strip_for_a_net_that_pads(folder: Path) -> tuple[Problem, ...]:
    """netc predict run strip.npy --slide, and the net's convolution pads"""
    text = "net N { input x: [8, 8, 1]  output y = x -> edges: conv(4, 3x3, pad = same) -> flatten -> dense(10) }"
    recipe = "train N { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1)  steps = 1 }"
    netc.train(f"{text}\n{recipe}", out="run")
    np.save("strip.npy", np.zeros((8, 30, 1), "f"))
    return command("predict", "run", "strip.npy", "--slide")


RUN_SITUATIONS: dict[str, Situation] = {
    "missing-data/folder": data_folder_without_files,
    "missing-data/publisher": no_publisher,
    "corrupt-data/empty-idx": empty_idx,
    "corrupt-data/truncated-idx": truncated_idx,
    "corrupt-data/labels-for-images": idx_of_labels,
    "corrupt-data/picture": picture_for_idx,
    "corrupt-data/gzip": damaged_gzip,
    "missing-data/npz": npz_missing,
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
    "not-finite/rate": diverged,
    "folder-exists/run": folder_is_there,
    "cannot-write/below-a-file": folder_below_a_file,
    "not-a-run/missing": no_run,
    "not-a-run/empty": empty_run,
    "not-a-run/no-weights": run_without_weights,
    "bad-config/broken-yaml": run_with_broken_yaml,
    "missing-extra/scikit-learn": no_scikit_learn,
    "bad-config/another-file": config_of_something_else,
    "bad-config/batch": config_with_a_wrong_batch,
    "bad-config/net": config_of_another_net,
    "no-recipe/none": no_recipe,
    "no-recipe/several": several_recipes,
    "bad-input/missing": input_missing,
    "bad-input/shape": input_of_another_shape,
    "bad-input/text": input_that_is_no_picture,
    "cannot-slide/padding": strip_for_a_net_that_pads,
}
