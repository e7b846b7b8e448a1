"""Where data lie while a net trains: a small set in memory and on the device, a large one on disk."""

import math
import os
from dataclasses import replace

import jax
import numpy as np

from netc.training.data.examples import Arrays, Data
from netc.training.data.stored import Stored, grain_package, whole

SHARE = 4
"""A set that takes more than one part in so many of the memory stays on disk."""


def placed(data: Data, workers: int = 0) -> Data:
    """The data as they are trained on: fields on disk are read into memory, if the set is to be there, and else by so
    many processes."""
    if not any(isinstance(array, Stored) for part in (data.train, data.test) for array in part.values()):
        return data
    if data.stream or (data.stream is None and bytes_of(data) > memory_limit()):
        grain_package()
        return replace(data, train=read_by(workers, data.train), test=read_by(workers, data.test))
    return in_memory(data)


def read_by(workers: int, arrays: Arrays) -> Arrays:
    return {name: a.read_by(workers) if isinstance(a, Stored) else a for name, a in arrays.items()}


def in_memory(data: Data) -> Data:
    return replace(data, train=read_whole(data.train), test=read_whole(data.test))


def read_whole(arrays: Arrays) -> Arrays:
    return {name: whole(array) for name, array in arrays.items()}


def bytes_of(data: Data) -> int:
    """What both sets take as numbers of 4 bytes."""
    return 4 * sum(math.prod(np.shape(array)) for part in (data.train, data.test) for array in part.values())


def memory_limit() -> int:
    """Bytes that a set may take: a part of the memory of the machine or, if that is less, of the device."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    device = (jax.local_devices()[0].memory_stats() or {}).get("bytes_limit", machine)
    return min(machine, device) // SHARE
