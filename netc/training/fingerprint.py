"""Short texts that are equal for the same thing: of data by field, and of a net."""

import hashlib
import zlib
from typing import Any

import numpy as np

from netc.ir.data import from_data, to_data
from netc.ir.network import Program
from netc.ir.text import print_program
from netc.training.data.examples import Data
from netc.training.data.stored import pieces, read

LARGEST, SAMPLE = 2**30, 256


def data_fingerprint(data: Data) -> dict[str, str]:
    """The number, shape and type of the examples of each field, and a checksum of their numbers, in order."""
    named = {**data.train, **{f"test_{name}": array for name, array in data.test.items()}}
    files = {"files": data.files} if data.files else {}
    return {**{name: array_text(array, bool(files)) for name, array in named.items()}, **files}


def array_text(array: Any, sampled: bool = False) -> str:
    """It is the same in memory and on disk. Where it may be `sampled`, `SAMPLE` examples stand for all of more than
    `LARGEST` bytes, which are not read once more."""
    of, what = array, ""
    if sampled and array.size * array.dtype.itemsize > LARGEST:
        places = np.linspace(0, len(array) - 1, min(len(array), SAMPLE)).astype(np.int64)
        of, what = read(array, places), f" of {len(places):,} examples"
    checksum = 0
    for _, part in pieces(of):
        checksum = zlib.crc32(np.ascontiguousarray(part).data.cast("B"), checksum)
    return f"{len(array)} x {list(array.shape[1:])} {array.dtype}, crc32{what} {checksum:08x}"


def canonical(program: Program) -> str:
    """The text of a program without places in files: comments and layout of the .net file make no difference."""
    return print_program(from_data(to_data(program)))


def net_hash(program: Program) -> str:
    return hashlib.sha256(canonical(program).encode()).hexdigest()
