"""CIFAR-10 and CIFAR-100 in their binary version, from a folder, the cache, or their publisher.

Each example is one or two bytes of labels, then 3,072 of pixels: 32 rows of 32 of red, then of green and of blue.
"""

import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netc.problems import RunError
from netc.recipes.data import Cifar10, Cifar100
from netc.recipes.problems import CorruptData, MissingData
from netc.training.data.examples import Arrays, Data, Where
from netc.training.data.idx import broken
from netc.training.data.published import cache_folder, fetched, keep

SIDE = 32
PIXELS = 3 * SIDE * SIDE


@dataclass(frozen=True)
class Version:
    """A set as its publisher has it: its archive with the MD5 that stands on the page of
    https://www.cs.toronto.edu/~kriz/cifar.html, the folder within, its files, and the fields of the labels' bytes."""

    address: str
    checksum: str
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    labels: tuple[str, ...]


VERSIONS = {
    "cifar10": Version(
        "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        "c32a1d4ab5d03f1284b67883e8d87530",
        "cifar-10-batches-bin",
        tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
        ("test_batch.bin",),
        ("label",),
    ),
    "cifar100": Version(
        "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        "03b5dce01913d631647c71ecec9e9cb8",
        "cifar-100-binary",
        ("train.bin",),
        ("test.bin",),
        ("coarse", "label"),
    ),
}


def load_cifar(entry: Cifar10 | Cifar100, where: Where) -> Data:
    """From what `--data` says, else from the cache, filled from the publisher if need be."""
    version, types = VERSIONS[entry.kind], entry.fields()
    assert types is not None
    folder = filled_cache(entry.kind, version) if where.folder is None else given_folder(where.folder, entry.kind)
    for file in (*version.train, *version.test):
        if not (folder / file).is_file():
            raise missing(entry.kind, f"`{folder}` has no `{file}`")
    return Data(read_files(folder, version.train, version), read_files(folder, version.test, version), types)


def given_folder(folder: Path, name: str) -> Path:
    """The folder with the files, or one that holds it."""
    if not os.path.isdir(folder):
        raise missing(name, f"there is no folder `{folder}`")
    return next((folder / own for own in (name, VERSIONS[name].folder) if (folder / own).is_dir()), folder)


def missing(name: str, reason: str) -> RunError:
    return RunError([MissingData(name=name, reason=reason, way_out=way_out(name))])


def way_out(name: str) -> str:
    address = VERSIONS[name].address
    return f"unpack `{Path(address).name}` of {address} into a folder, and give it with `--data DIR`"


def read_files(folder: Path, files: tuple[str, ...], version: Version) -> Arrays:
    """Images as float32 from 0 to 1, [examples, 32, 32, 3], and labels as int32."""
    raw = np.concatenate([read_file(folder / file, len(version.labels)) for file in files])
    planes = raw[:, len(version.labels) :].reshape(-1, 3, SIDE, SIDE)
    images = np.ascontiguousarray(planes.transpose(0, 2, 3, 1)).astype(np.float32) / np.float32(255)
    return {"image": images, **{name: raw[:, i].astype(np.int32) for i, name in enumerate(version.labels)}}


def read_file(path: Path, labels: int) -> np.ndarray:
    """A file's examples, bytes [examples, labels + pixels]."""
    try:
        raw = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as failure:
        raise broken(path, failure.strerror or str(failure)) from failure
    if len(raw) == 0 or len(raw) % (labels + PIXELS):
        raise broken(path, f"it has {len(raw):,} bytes, and examples have {labels + PIXELS:,} each")
    return raw.reshape(-1, labels + PIXELS)


def filled_cache(name: str, version: Version) -> Path:
    """The folder of the cache that holds a set, whole."""
    cache = cache_folder() / name
    wanted = (*version.train, *version.test)
    if not all((cache / file).is_file() for file in wanted):
        raw = fetched(name, version.address, version.checksum, cache, way_out(name))
        for file, content in unpacked(raw, version, wanted).items():
            keep(cache / file, content)
    return cache


def unpacked(raw: bytes, version: Version, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The wanted files of an archive; nothing else of it is looked at."""
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:gz") as archive:
            members = [archive.extractfile(f"{version.folder}/{file}") for file in wanted]
            return {file: member.read() for file, member in zip(wanted, members, strict=True) if member}
    except (tarfile.TarError, KeyError, EOFError, OSError) as failure:
        raise RunError([CorruptData(path=version.address, reason=f"it is no such archive ({failure})")]) from failure
