"""MNIST and sets in its form: four IDX files from a folder, the cache, or their publisher."""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np

from netc.files import write
from netc.problems import RunError
from netc.recipes.data import FashionMnist, Idx, Mnist
from netc.recipes.problems import CorruptData, MissingData
from netc.training.data.examples import Arrays, Data, Where, mismatch
from netc.training.data.idx import broken, read_idx
from netc.types import Element, Type

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
WANTED = tuple(file for files in FILES.values() for file in files)
CLASSES = 10
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
TIMEOUT = 30.0
"""Seconds without an answer after which a publisher counts as out of reach."""


def load_published(entry: Mnist | FashionMnist, where: Where) -> Data:
    """From what `--data` says, else from the cache, filled from the publisher if need be."""
    if where.folder is None:
        return read_folder(filled_cache(entry.kind), entry.kind, CLASSES)
    own = where.folder / entry.kind
    return read_folder(own if os.path.isdir(own) else where.folder, entry.kind, CLASSES)


def load_idx(entry: Idx, where: Where) -> Data:
    return read_folder(where.path(entry.folder), entry.kind, None)


def read_folder(folder: Path, name: str, classes: int | None) -> Data:
    """MNIST's four files: images as float32 from 0 to 1 with a channel axis, labels as int32."""
    if not os.path.isdir(folder):
        raise missing(name, f"there is no folder `{folder}`")
    for file in WANTED:
        if find_file(folder, file) is None:
            raise missing(name, f"`{folder}` has no `{file}`")
    parts = {part: read_part(folder, *files) for part, files in FILES.items()}
    shapes = {part: arrays["image"].shape[1:] for part, arrays in parts.items()}
    if shapes["train"] != shapes["test"]:
        text = f"the images of `{folder}` for training are {Type(shapes['train'])}, and those for testing "
        raise mismatch(text + str(Type(shapes["test"])))
    top = max(int(arrays["label"].max()) for arrays in parts.values()) + 1
    types = {"image": Type(shapes["train"]), "label": Type((), Element("class", classes or max(top, 1)))}
    return Data(parts["train"], parts["test"], types)


def missing(name: str, reason: str) -> RunError:
    way_out = f"it needs {', '.join(WANTED)}, each as it is or with .gz"
    return RunError([MissingData(name=name, reason=reason, way_out=way_out)])


def find_file(folder: Path, name: str) -> Path | None:
    """A file of that name, gzipped or not; some copies have a dot for the dash before `idx`."""
    spellings = (name, name.replace("-idx", ".idx"))
    return next((p for n in spellings for p in (folder / n, folder / f"{n}.gz") if p.is_file()), None)


def read_part(folder: Path, images_name: str, labels_name: str) -> Arrays:
    images_path, labels_path = find_file(folder, images_name), find_file(folder, labels_name)
    assert images_path and labels_path
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        text = f"`{images_path}` has {len(images):,} images, and `{labels_path}` {len(labels):,} labels"
        raise mismatch(text)
    if labels.dtype.kind == "f":
        raise broken(labels_path, "it holds broken numbers, and labels are whole ones")
    scale = np.float32(255 if images.dtype == np.uint8 else 1)
    return {"image": images[..., None].astype(np.float32) / scale, "label": labels.astype(np.int32)}


def filled_cache(name: str) -> Path:
    """The folder of the cache that holds a published set, whole."""
    cache = cache_folder() / name
    for file in WANTED:
        if not find_file(cache, file):
            fetch(name, file, cache)
    return cache


def cache_folder() -> Path:
    if own := os.environ.get("NETC_DATA"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netc"


def fetch(name: str, file: str, cache: Path) -> None:
    """Gets a file from its publisher into the cache, whole and with the right checksum, or not at all."""
    address, sums = PUBLISHERS[name]
    way_out = f"put the files {', '.join(f'{f}.gz' for f in WANTED)} into a folder, and give it with `--data DIR`"
    keep(cache / f"{file}.gz", fetched(name, f"{address}{file}.gz", sums[file], cache, way_out))


def fetched(name: str, address: str, checksum: str, cache: Path, way_out: str) -> bytes:
    """What a publisher sends for an address, whole and with the right MD5."""
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
            raw = response.read()
    except (OSError, http.client.HTTPException) as failure:
        if isinstance(failure, urllib.error.HTTPError):
            failure.close()
        reason = f"it is not in `{cache}`, and {address} cannot be fetched ({failure})"
        raise RunError([MissingData(name=name, reason=reason, way_out=way_out)]) from failure
    if hashlib.md5(raw).hexdigest() != checksum:
        reason = "what the publisher sent has another checksum than was published"
        raise RunError([CorruptData(path=address, reason=reason)])
    return raw


def keep(path: Path, raw: bytes) -> None:
    """Writes a file of the cache."""
    write(path, raw, "make room, or name another cache with `NETC_DATA=DIR`")
