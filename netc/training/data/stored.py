"""Fields that lie on disk: the shape and type of all examples, and how to read some of them."""

import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from netc.problems import RunError
from netc.recipes.problems import MissingExtra

PIECE = 2**22
"""About how many numbers of a field are looked at together: 16 MB of float32."""
WORKERS = min(8, os.cpu_count() or 1)
"""How many threads read ahead. What they read does not depend on it."""


class Stored:
    """A field [examples, ...] of which nothing is read before it is asked for: `read` gives the examples at some
    places, [places, ...], and `dtype` is what it gives. Several threads may read at once."""

    def __init__(self, shape: tuple[int, ...], dtype: Any, read: Callable[[np.ndarray], np.ndarray]) -> None:
        self.shape, self.dtype, self.read = shape, np.dtype(dtype), read
        self.ndim, self.size = len(shape), math.prod(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, chosen: Any) -> "Stored":
        """Some examples, by a slice, a mask or their places; still on disk."""
        places = np.arange(len(self))[chosen]
        return Stored((len(places), *self.shape[1:]), self.dtype, lambda wanted: self.read(places[wanted]))

    def changed(self, change: Callable[[np.ndarray], np.ndarray]) -> "Stored":
        """The field after a change that looks at each example by itself."""
        made = change(self.read(np.zeros(1, np.int64)))
        return Stored((len(self), *made.shape[1:]), made.dtype, lambda places: change(self.read(places)))

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
    return Stored(array.shape, array.dtype, lambda places: np.asarray(array[places]))


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
    parts = read_ahead(lambda i: array.read(np.arange(firsts[i], min(firsts[i] + length, len(array)))), 0, len(firsts))
    yield from zip(firsts, parts, strict=True)


def piece_length(array: Any) -> int:
    return max(1, PIECE // max(1, math.prod(array.shape[1:])))


def starts(array: Any) -> range:
    return range(0, len(array), piece_length(array))


def extremes(array: Any) -> tuple[float, float]:
    """The smallest and largest number."""
    found = [(float(part.min()), float(part.max())) for _, part in pieces(array)]
    return min(low for low, _ in found), max(high for _, high in found)


def read_ahead(read: Callable[[int], Any], first: int, count: int) -> Iterator[Any]:
    """`read(i)` for i from `first` to below `count`, in order; Grain's threads read what comes next."""
    grain = grain_package()
    options = grain.ReadOptions(num_threads=WORKERS, prefetch_buffer_size=WORKERS + 2)
    iterator = iter(grain.MapDataset.source(Numbered(read, count)).slice(slice(first, None)).to_iter_dataset(options))
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
