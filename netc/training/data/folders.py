"""What data sets in folders share: their files told from others, and a test set where none is given."""

import os
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np


def files_text(folder: Path, files: Iterable[Path]) -> str:
    """How many files there are, their bytes, and a checksum of their names and sizes."""
    sizes = [(path.relative_to(folder).as_posix(), os.path.getsize(path)) for path in files]
    checksum = zlib.crc32(repr(sizes).encode())
    return f"{len(sizes):,} of {sum(size for _, size in sizes):,} bytes, names and sizes crc32 {checksum:08x}"


def last_of_each(labels: np.ndarray) -> np.ndarray:
    """Which examples are for testing: the last tenth of each class, at least one where a class has two."""
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        count = max(1, len(own) // 10) if len(own) > 1 else 0
        test[own[len(own) - count :]] = True
    return test
