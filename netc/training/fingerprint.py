"""Short texts that are equal for the same thing: of data by field, and of a net."""

import hashlib
import zlib

import numpy as np

from netc.ir.data import from_data, to_data
from netc.ir.network import Program
from netc.ir.text import print_program
from netc.training.data.examples import Data


def data_fingerprint(data: Data) -> dict[str, str]:
    """The number, shape and type of the examples of each field, and a checksum of their numbers, in order."""
    named = {**data.train, **{f"test_{name}": array for name, array in data.test.items()}}
    return {name: array_text(array) for name, array in named.items()}


def array_text(array: np.ndarray) -> str:
    checksum = zlib.crc32(np.ascontiguousarray(array).data.cast("B")) if array.size else 0
    return f"{len(array)} x {list(array.shape[1:])} {array.dtype}, crc32 {checksum:08x}"


def canonical(program: Program) -> str:
    """The text of a program without places in files: comments and layout of the .net file make no difference."""
    return print_program(from_data(to_data(program)))


def net_hash(program: Program) -> str:
    return hashlib.sha256(canonical(program).encode()).hexdigest()
