"""IDX files, the format of MNIST: a strict reader. Paths in, arrays out, or a `RunError` that says what is wrong."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from netc.problems import RunError
from netc.recipes.problems import CorruptData

KINDS = {
    0x08: np.dtype(np.uint8),
    0x09: np.dtype(np.int8),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
}


def read_idx(path: Path, rank: int) -> np.ndarray:
    """The array in an IDX file (http://yann.lecun.com/exdb/mnist), gzipped or not, of a given rank."""
    raw = read_bytes(path)
    if len(raw) < 4 or raw[0] or raw[1] or raw[2] not in KINDS:
        raise broken(path, "it is empty" if not raw else "it does not start as an IDX file does")
    if raw[3] != rank:
        raise broken(path, f"it holds an array of {raw[3]} axes, and {rank} are needed")
    if len(raw) < 4 + 4 * rank:
        raise broken(path, "it ends within its header")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", rank, 4))
    kind = KINDS[raw[2]]
    wanted = int(np.prod([int(n) for n in shape], dtype=object)) * kind.itemsize
    found = len(raw) - 4 - 4 * rank
    if found != wanted:
        raise broken(path, f"its header promises {wanted:,} bytes of {list(shape)}, and {found:,} follow")
    if 0 in shape:
        raise broken(path, "it holds no examples")
    return np.frombuffer(raw, kind, offset=4 + 4 * rank).reshape(shape)


def read_bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (gzip.BadGzipFile, zlib.error, EOFError) as failure:
        raise broken(path, f"its compression is damaged ({failure})") from failure
    except OSError as failure:
        raise broken(path, failure.strerror or str(failure)) from failure


def broken(path: Path, reason: str) -> RunError:
    return RunError([CorruptData(path=str(path), reason=reason)])
