"""IDX files such as MNIST's, small: what tests of data sets read and serve."""

import gzip
import struct
from pathlib import Path

import numpy as np

from netc.training.data.published import WANTED

RNG = np.random.default_rng(0)


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    """An array in IDX format."""
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def contents(side: int = 4) -> dict[str, bytes]:
    """MNIST's four files, with 20 and 10 images."""
    found = {}
    for images, labels, count in ((WANTED[0], WANTED[1], 20), (WANTED[2], WANTED[3], 10)):
        found[images] = idx(RNG.integers(0, 256, (count, side, side)).astype(np.uint8))
        found[labels] = idx((np.arange(count) % 10).astype(np.uint8))
    return found


def write_mnist(folder: Path, zipped: bool = True, **changes: bytes) -> Path:
    """A folder with MNIST's files; `changes` replace files by the first letters of their names."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, content in contents().items():
        changed = next((c for key, c in changes.items() if name.startswith(key.replace("_", "-"))), content)
        (folder / (name + ".gz" * zipped)).write_bytes(gzip.compress(changed) if zipped else changed)
    return folder
