"""Fields that lie on disk: the shape and type of all examples, and how to read some of them."""

import math
import mmap
import os
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np

from netc.problems import RunError
from netc.recipes.problems import MissingExtra
from netc.training.data.examples import mismatch
from netc.training.data.workers import FEWEST, by_workers

PIECE = 2**22
"""About how many numbers of a field are looked at together: 16 MB of float32."""
THREADS = min(8, os.cpu_count() or 1)
"""How many threads read ahead. What they read does not depend on it."""


class Stored:
    """A field [examples, ...] of which nothing is read before it is asked for: `read` gives the examples at some
    places, [places, ...], and `dtype` is what it gives. Several threads may read at once, and with `workers` so many
    processes, to which the field is sent."""

    def __init__(
        self, shape: tuple[int, ...], dtype: Any, read: Callable[[np.ndarray], np.ndarray], workers: int = 0
    ) -> None:
        self.shape, self.dtype, self.read, self.workers = shape, np.dtype(dtype), read, workers
        self.ndim, self.size = len(shape), math.prod(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, chosen: Any) -> "Stored":
        """Some examples, by a slice, a mask or their places; still on disk."""
        places = np.arange(len(self))[chosen]
        shape = len(places), *self.shape[1:]
        return Stored(shape, self.dtype, lambda wanted: self.read(places[wanted]), self.workers)

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> "Stored":
        """The field after a change that looks at each example by itself."""
        made = change(self.read(np.zeros(1, np.int64)))
        shape = len(self), *made.shape[1:]
        return Stored(shape, made.dtype, lambda places: change(self.read(places)), self.workers)

    def read_by(self, workers: int) -> "Stored":
        """The same field, read by so many processes."""
        return Stored(self.shape, self.dtype, self.read, workers)

    def astype(self, dtype: Any, copy: bool = True) -> "Stored":
        return self if self.dtype == dtype else self.changed(lambda array: array.astype(dtype))

    def whole(self) -> np.ndarray:
        """All examples in memory."""
        made = np.empty(self.shape, self.dtype)
        for start in starts(self):
            places = np.arange(start, min(start + piece_length(self), len(self)))
            made[places[0] : places[-1] + 1] = self.read(places)
        return made


def stored(array: np.ndarray) -> Stored:
    """The field of a memory-mapped array."""
    return Stored(array.shape, array.dtype, Mapped(array))


class Mapped:
    """A memory-mapped array. Another process, to which it is sent, maps the same file."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __call__(self, places: np.ndarray) -> np.ndarray:
        return np.asarray(self.array[places])

    def __reduce__(self) -> Any:
        array = self.array
        held = array.base
        while isinstance(held, np.ndarray):
            held = held.base
        if not isinstance(array, np.memmap) or not isinstance(held, mmap.mmap):
            return Mapped, (np.asarray(array),)
        if array.filename is None or array.mode == "c":
            text = "worker processes read a memory-mapped array from its file, and this one has numbers of its own"
            raise mismatch(text, 'map a file with `mmap_mode="r"`, or leave `workers` out')
        # The file is mapped from a multiple of the page size on; of a part of an array NumPy keeps the whole's offset.
        start = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
        position = start + array.ctypes.data - np.frombuffer(held, np.uint8).ctypes.data
        return map_again, (str(array.filename), position, array.shape, array.strides, array.dtype)


def map_again(path: str, position: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: Any) -> Mapped:
    """An array whose first number stands at some byte of a file."""
    with open(path, "rb") as file:
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return Mapped(np.ndarray(shape, dtype, held, position, strides))


def changed(array: Any, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A field after a change that looks at each example by itself, on disk if it was."""
    return array.changed(change) if isinstance(array, Stored) else change(array)


def whole(array: Any) -> np.ndarray:
    return array.whole() if isinstance(array, Stored) else array


def read(array: Any, places: np.ndarray) -> np.ndarray:
    """The examples at some places."""
    return array.read(places) if isinstance(array, Stored) else array[places]


def pieces(array: Any) -> Iterator[tuple[int, np.ndarray]]:
    """The examples in parts, each with the place of its first. A field has the same parts on disk and in memory, so
    that sums over them have the same last bits."""
    length = piece_length(array)
    if not isinstance(array, Stored):
        yield from ((start, array[start : start + length]) for start in starts(array))
        return
    firsts = starts(array)

    def part(i: int) -> np.ndarray:
        return array.read(np.arange(firsts[i], min(firsts[i] + length, len(array))))

    parts = read_ahead(part, 0, len(firsts), array.workers)
    yield from zip(firsts, parts, strict=True)


def piece_length(array: Any) -> int:
    return max(1, PIECE // max(1, math.prod(array.shape[1:])))


def starts(array: Any) -> range:
    return range(0, len(array), piece_length(array))


def extremes(array: Any) -> tuple[float, float]:
    """The smallest and largest number."""
    found = [(float(part.min()), float(part.max())) for _, part in pieces(array)]
    return min(low for low, _ in found), max(high for _, high in found)


def read_ahead(read: Callable[[int], Any], first: int, count: int, workers: int = 0) -> Generator[Any, None, None]:
    """`read(i)` for i from `first` to below `count`, in order. What comes next is read by threads of Grain's, or by so
    many processes."""
    grain = grain_package()
    source = grain.MapDataset.source(Numbered(read, count)).slice(slice(first, None))
    if workers and count - first >= FEWEST:
        yield from by_workers(grain, source, workers)
        return
    options = grain.ReadOptions(num_threads=THREADS, prefetch_buffer_size=THREADS + 2)
    iterator = iter(source.to_iter_dataset(options))
    try:
        yield from iterator
    finally:
        iterator.close()


def grain_package() -> Any:
    try:
        import grain
    except ImportError as failure:
        purpose = "a data set that is read from disk while a net trains"
        raise RunError([MissingExtra(package="grain", extra="data", purpose=purpose)]) from failure
    return grain


class Numbered:
    """A source of Grain's with random access."""

    def __init__(self, read: Callable[[int], Any], count: int) -> None:
        self.read, self.count = read, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: Any) -> Any:
        return self.read(int(i))
