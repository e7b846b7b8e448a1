"""Data sets: a row of the table `netc.recipes.data` in, its arrays out. Each row has one loader in `LOADERS`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from netc.recipes import data as rows
from netc.training.data.arrays import load_arrays
from netc.training.data.cifar import load_cifar
from netc.training.data.derived import load_binary, load_pairs, load_triplets
from netc.training.data.digits import load_digits
from netc.training.data.examples import Data, Where
from netc.training.data.huggingface import load_huggingface
from netc.training.data.images import load_images
from netc.training.data.published import load_idx, load_published
from netc.training.data.strips import load_strips
from netc.training.data.table import load_csv
from netc.training.data.text import load_text

LOADERS: dict[type[rows.DataSet], Callable[[Any, Where], Data]] = {
    rows.Digits: load_digits,
    rows.Mnist: load_published,
    rows.FashionMnist: load_published,
    rows.Cifar10: load_cifar,
    rows.Cifar100: load_cifar,
    rows.Idx: load_idx,
    rows.Images: load_images,
    rows.Arrays: load_arrays,
    rows.Csv: load_csv,
    rows.Huggingface: load_huggingface,
    rows.TextFile: load_text,
    rows.Pairs: load_pairs,
    rows.Triplets: load_triplets,
    rows.Binary: load_binary,
    rows.Strips: load_strips,
}


def load(entry: rows.DataSet, folder: Path | None, base: Path) -> Data:
    """A data set by its row of the table. `folder` is `--data`, `base` the folder of the .net file."""
    where = Where(folder, base, lambda inner: load(inner, folder, base))
    return LOADERS[type(entry)](entry, where)
