"""Data sets: names from a recipe, or arrays from Python, in; arrays by field, split into training and test, out."""

import hashlib
import os
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from netc.problems import RunError
from netc.recipes import data as sets
from netc.recipes.problems import CorruptData, DataMismatch, MissingData, MissingExtra
from netc.training.idx import read_bytes, read_idx
from netc.types import Element, Type

Arrays = dict[str, np.ndarray]

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
# Publishers and the MD5 of the gzipped files, as published with them.
PUBLISHERS = {
    "mnist": (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        {
            "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
            "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
            "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
        },
    ),
    "fashion_mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        {
            "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
            "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
            "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
        },
    ),
}
DIGITS_TEST, DIGITS_SEED = 360, 0


@dataclass(frozen=True)
class Data:
    """Training and test arrays by field, first axis the examples, and the type of one example's fields."""

    train: Arrays
    test: Arrays
    types: dict[str, Type]


def load(entry: sets.DataSet, folder: str | None, base: Path) -> Data:
    """A data set by its row of the table. `folder` is `--data`, `base` the folder of the .net file."""
    return LOADERS[type(entry)](entry, folder, base)


def load_digits(entry: sets.DataSet, folder: str | None, base: Path) -> Data:
    try:
        from sklearn.datasets import load_digits as bundled
        from sklearn.model_selection import train_test_split
    except ImportError as failure:
        raise missing_extra("scikit-learn", "the data set `digits`") from failure
    digits: Any = bundled()
    images = (digits.images[..., None] / 16).astype(np.float32)
    labels = digits.target.astype(np.int32)
    split = train_test_split(images, labels, test_size=DIGITS_TEST, random_state=DIGITS_SEED, stratify=labels)
    parts: list[Arrays] = [{"image": np.asarray(i), "label": np.asarray(k)} for i, k in (split[0::2], split[1::2])]
    return Data(parts[0], parts[1], sets.labelled(8))


def missing_extra(package: str, purpose: str) -> RunError:
    return RunError([MissingExtra(package=package, extra="data", purpose=purpose)])


def load_published(entry: sets.DataSet, folder: str | None, base: Path) -> Data:
    name = entry.kind
    return load_idx_folder(find_published(name, folder), 10)


def find_published(name: str, folder: str | None) -> Path:
    """The folder with a published set's files: what `--data` says, or the cache, filled if need be."""
    wanted = [file for files in FILES.values() for file in files]
    if folder is not None:
        places = [Path(folder), Path(folder) / name]
        for place in places:
            if all(find_file(place, file) for file in wanted):
                return place
        missing = next(file for file in wanted if not find_file(places[0], file))
        way_out = f"it needs {', '.join(wanted)}, gzipped or not, in that folder or in its `{name}`"
        raise RunError([MissingData(name=name, reason=f"`{folder}` has no `{missing}`", way_out=way_out)])
    cache = cache_folder() / name
    for file in wanted:
        if not find_file(cache, file):
            fetch(name, file, cache)
    return cache


def cache_folder() -> Path:
    if own := os.environ.get("NETC_DATA"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netc"


def find_file(folder: Path, name: str) -> Path | None:
    """A file of that name, gzipped or not; some copies have a dot for the dash before `idx`."""
    spellings = (name, name.replace("-idx", ".idx"))
    return next((p for n in spellings for p in (folder / n, folder / f"{n}.gz") if p.is_file()), None)


def fetch(name: str, file: str, cache: Path) -> None:
    """Gets a file from its publisher into the cache, whole and with the right checksum, or not at all."""
    address, sums = PUBLISHERS[name]
    try:
        with urllib.request.urlopen(f"{address}{file}.gz", timeout=30) as response:
            raw = response.read()
        if hashlib.md5(raw).hexdigest() != sums[file]:
            reason = "what the publisher sent has another checksum than was published"
            raise RunError([CorruptData(path=f"{address}{file}.gz", reason=reason)])
        cache.mkdir(parents=True, exist_ok=True)
        partial = cache / f"{file}.gz.part"
        partial.write_bytes(raw)
        partial.replace(cache / f"{file}.gz")
    except (urllib.error.URLError, OSError) as failure:
        way_out = f"put {file}.gz and its three siblings into a folder and give it with `--data DIR`"
        reason = f"it is not in `{cache}`, and {address} cannot be reached ({failure})"
        raise RunError([MissingData(name=name, reason=reason, way_out=way_out)]) from failure


def load_idx(entry: sets.DataSet, folder: str | None, base: Path) -> Data:
    assert isinstance(entry, sets.Idx)
    return load_idx_folder(base / entry.folder, None)


def load_idx_folder(folder: Path, classes: int | None) -> Data:
    """MNIST's four files: images to float32 from 0 to 1 with a channel axis, labels to int32."""
    parts: dict[str, Arrays] = {}
    for part, (images_name, labels_name) in FILES.items():
        paths = [find_file(folder, name) for name in (images_name, labels_name)]
        for path, name in zip(paths, (images_name, labels_name), strict=True):
            if path is None:
                way_out = "an IDX folder has MNIST's four files"
                raise RunError([MissingData(name="idx", reason=f"`{folder}` has no `{name}`", way_out=way_out)])
        assert paths[0] and paths[1]
        images, labels = read_idx(paths[0], 3), read_idx(paths[1], 1)
        if len(images) != len(labels):
            text = f"`{paths[0]}` has {len(images):,} images, and `{paths[1]}` {len(labels):,} labels"
            raise RunError([DataMismatch(text=text)])
        scale = 255 if images.dtype == np.uint8 else 1
        parts[part] = {
            "image": (images[..., None] / np.float32(scale)).astype(np.float32),
            "label": labels.astype(np.int32),
        }
    top = int(max(part["label"].max() for part in parts.values())) + 1
    types = {"image": Type(parts["train"]["image"].shape[1:]), "label": Type((), Element("class", classes or top))}
    return Data(parts["train"], parts["test"], types)


def load_arrays(entry: sets.DataSet, folder: str | None, base: Path) -> Data:
    assert isinstance(entry, sets.Arrays)
    path = base / entry.file
    read_bytes(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as failure:
        raise RunError(
            [CorruptData(path=str(path), reason=f"it is no .npz archive of plain arrays ({failure})")]
        ) from failure
    return from_arrays(arrays)


def from_arrays(arrays: Mapping[str, Any]) -> Data:
    """Arrays by field; `test_NAME` belongs to the test set, which is the last tenth if there is none."""
    given = {name: np.asarray(array) for name, array in arrays.items()}
    check_arrays(given)
    train = {name: clean(a) for name, a in given.items() if not name.startswith("test_")}
    test = {name.removeprefix("test_"): clean(a) for name, a in given.items() if name.startswith("test_")}
    if not train:
        raise RunError([DataMismatch(text="the data have no field for training")])
    if test and test.keys() != train.keys():
        text = f"the training set has the fields {', '.join(train)}, and the test set {', '.join(test)}"
        raise RunError([DataMismatch(text=text)])
    if not test:
        cut = max(1, len(next(iter(train.values()))) // 10)
        test = {name: a[-cut:] for name, a in train.items()}
        train = {name: a[:-cut] if len(a) > cut else a for name, a in train.items()}
    return Data(train, test, {name: type_of(train[name], test[name]) for name in train})


def check_arrays(arrays: Arrays) -> None:
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise RunError([DataMismatch(text=f"the field `{name}` holds {array.dtype}, and numbers are needed")])
        if array.ndim == 0 or len(array) == 0:
            raise RunError([DataMismatch(text=f"the field `{name}` is empty")])
    for prefix in ("test_", ""):
        lengths = {n: len(a) for n, a in arrays.items() if n.startswith("test_") == (prefix == "test_")}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"`{n}` {count:,}" for n, count in lengths.items())
            raise RunError([DataMismatch(text=f"the fields have different numbers of examples: {listed}")])


def clean(array: np.ndarray) -> np.ndarray:
    return array.astype(np.int32 if array.dtype.kind in "iub" and array.ndim == 1 else np.float32)


def type_of(*arrays: np.ndarray) -> Type:
    """Whole numbers, one an example, are classes."""
    if arrays[0].dtype == np.int32:
        return Type((), Element("class", max(int(max(a.max() for a in arrays)) + 1, 1)))
    return Type(arrays[0].shape[1:])


def load_pairs(entry: sets.DataSet, folder: str | None, base: Path) -> Data:
    assert isinstance(entry, sets.Pairs)
    inner = load(entry.of, folder, base)
    if "image" not in inner.types or "label" not in inner.types:
        raise RunError([DataMismatch(text="`pairs` takes a data set with the fields `image` and `label`")])
    types = {"left": inner.types["image"], "right": inner.types["image"], "same": Type(())}
    return Data(paired(inner.train, 0), paired(inner.test, 1), types)


def paired(arrays: Arrays, seed: int) -> Arrays:
    """Each image with another: of its own class in half of the pairs, of any other in the rest."""
    rng = np.random.default_rng(seed)
    images, labels = arrays["image"], arrays["label"]
    count = len(labels)
    same = rng.permutation(np.arange(count) % 2)
    partner = np.empty(count, np.int64)
    for label in np.unique(labels):
        own, others = np.flatnonzero(labels == label), np.flatnonzero(labels != label)
        here = labels == label
        if len(others) == 0:
            raise RunError([DataMismatch(text="`pairs` needs images of at least two classes")])
        partner[here & (same == 1)] = rng.choice(own, int((here & (same == 1)).sum()))
        partner[here & (same == 0)] = rng.choice(others, int((here & (same == 0)).sum()))
    return {"left": images, "right": images[partner], "same": same.astype(np.float32)}


def load_binary(entry: sets.DataSet, folder: str | None, base: Path) -> Data:
    assert isinstance(entry, sets.Binary)
    inner = load(entry.of, folder, base)
    if "label" not in inner.types:
        raise RunError([DataMismatch(text="`binary` takes a data set with the field `label`")])
    types = {**inner.types, "label": Type((), Element("class", 2)), "sign": Type(())}
    return replace(inner, train=halved(inner.train, entry), test=halved(inner.test, entry), types=types)


def halved(arrays: Arrays, entry: sets.Binary) -> Arrays:
    positive = np.isin(arrays["label"], entry.positive)
    sign = np.where(positive, 1, -1).astype(np.float32)
    return {**arrays, "label": positive.astype(np.int32), "sign": sign}


LOADERS: dict[type[sets.DataSet], Callable[[sets.DataSet, str | None, Path], Data]] = {
    sets.Digits: load_digits,
    sets.Mnist: load_published,
    sets.FashionMnist: load_published,
    sets.Idx: load_idx,
    sets.Arrays: load_arrays,
    sets.Pairs: load_pairs,
    sets.Binary: load_binary,
}


def from_python(data: Any, fields: tuple[str, ...]) -> Data:
    """What `netc.train(data=...)` is given: a dict of arrays, a tuple of arrays in the order of the recipe's
    fields, or an iterable of batches of either."""
    if isinstance(data, Data):
        return data
    if isinstance(data, Mapping):
        return from_arrays(data)
    if isinstance(data, tuple | list) and all(hasattr(a, "shape") for a in data):
        return from_arrays(named(data, fields))
    if not isinstance(data, Iterable):
        text = f"data of type {type(data).__name__} cannot be used"
        raise RunError(
            [DataMismatch(text=text, way_out="give a dict or tuple of arrays, or an iterable of batches of them")]
        )
    batches = [batch if isinstance(batch, Mapping) else named(batch, fields) for batch in data]
    if not batches:
        raise RunError([DataMismatch(text="the iterable of batches is empty")])
    return from_arrays({name: np.concatenate([np.asarray(b[name]) for b in batches]) for name in batches[0]})


def named(arrays: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    if len(arrays) != len(fields):
        text = f"{len(arrays)} arrays are given, and the recipe uses {len(fields)} fields: {', '.join(fields)}"
        raise RunError([DataMismatch(text=text, way_out="give a dict of arrays by field")])
    return dict(zip(fields, arrays, strict=True))


def check_values(data: Data, declared: Mapping[str, Type]) -> None:
    """Every number finite, every label within its classes, every field of the type that it was checked for."""
    for part, arrays in (("training", data.train), ("test", data.test)):
        for name, array in arrays.items():
            type_ = declared.get(name, data.types[name])
            where = f"the field `{name}` of the {part} set"
            if array.shape[1:] != type_.shape:
                text = f"{where} is {Type(array.shape[1:])}, and {type_} is needed"
                raise RunError([DataMismatch(text=text)])
            if type_.element.size is not None:
                check_labels(array, type_, where)
            elif not np.isfinite(array).all():
                first = int(np.argwhere(~np.isfinite(array).reshape(len(array), -1).all(axis=1))[0, 0])
                raise RunError([DataMismatch(text=f"{where} holds NaN or infinite numbers, first in example {first}")])


def check_labels(array: np.ndarray, type_: Type, where: str) -> None:
    assert type_.element.size is not None
    if array.dtype.kind == "f" and not (array == np.floor(array)).all():
        raise RunError([DataMismatch(text=f"{where} holds broken numbers, and {type_} needs whole ones")])
    wrong = (array < 0) | (array >= type_.element.size)
    if wrong.any():
        first = int(np.argwhere(wrong.reshape(len(array), -1).any(axis=1))[0, 0])
        text = f"{where} holds {array[first]} in example {first}, outside {type_}"
        raise RunError([DataMismatch(text=text, way_out=f"labels go from 0 to {type_.element.size - 1}")])
