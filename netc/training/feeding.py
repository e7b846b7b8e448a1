"""What a step and an evaluation get of the data: sets on the device whole, sets on disk batch by batch.

Both give the same examples in the same order, and what is computed with them is compiled in the same way.
"""

import math
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from netc.training.data.stored import Stored, read, read_ahead

Arrays = Mapping[str, Any]


class Feed(Protocol):
    """Where the examples of a step come from. `feed(step)` is handed to the compiled step, which calls `pick` with it
    and the places of its examples in the training set; `arrays` are all of them."""

    arrays: Any

    def __call__(self, step: int) -> Arrays: ...
    def pick(self, arrays: Arrays, places: Any) -> dict[str, Any]: ...
    def close(self) -> None: ...


class OnDevice:
    """A training set that lies on the device."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = on_device(arrays)

    def __call__(self, step: int) -> Arrays:
        return self.arrays

    def pick(self, arrays: Arrays, places: Any) -> dict[str, Any]:
        return picked(arrays, places)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True)
class Batches:
    """Reads the batch of a step, here or in a worker process."""

    arrays: Arrays
    seed: int
    batch: int

    def __call__(self, step: int) -> Arrays:
        examples = len(next(iter(self.arrays.values())))
        per_epoch = math.ceil(examples / self.batch)
        epoch, i = divmod(step, per_epoch)
        places = order_on_host(self.seed, epoch, examples, per_epoch * self.batch)
        chosen = places[i * self.batch : (i + 1) * self.batch]
        return {name: read(array, chosen) for name, array in self.arrays.items()}


class Streamed:
    """A training set on disk, of whose batches, for `steps` in all, the next ones are read while a step is computed.

    Steps usually come in turn; at any other, reading begins anew there.
    """

    def __init__(self, batches: Batches, steps: int) -> None:
        self.arrays, self.batches, self.steps = batches.arrays, batches, steps
        self.reading: Generator[Arrays, None, None] | None = None
        self.ahead = -1

    def __call__(self, step: int) -> Arrays:
        if self.reading is None or step != self.ahead:
            self.close()
            self.reading = read_ahead(self.batches, step, self.steps, workers_of(self.arrays))
        self.ahead = step + 1
        return next(self.reading)

    def pick(self, arrays: Arrays, places: Any) -> dict[str, Any]:
        return fenced(arrays)

    def close(self) -> None:
        """Ends what reads ahead; it begins anew when it is asked."""
        if self.reading is not None:
            self.reading.close()
        self.reading = None


def make_feed(arrays: Arrays, seed: int, batch: int, steps: int) -> Feed:
    """The feed of a training set, for steps of so many examples."""
    if not is_streamed(arrays):
        return OnDevice(arrays)
    return Streamed(Batches(arrays, seed, batch), steps)


def make_passes(arrays: Any, size: int) -> tuple[Callable[[], Iterator[tuple[int, Any]]], Callable[..., Any]]:
    """For an evaluation: what goes once through a tree of arrays in parts of `size` examples, with the place of the
    first of each; and what picks, inside the compiled function, the examples from a place on. The last example fills up
    a last part.
    """
    examples = len(jax.tree.leaves(arrays)[0])
    starts = range(0, examples, size)
    if not is_streamed(arrays):
        held = on_device(arrays)
        return lambda: ((start, held) for start in starts), picked

    def part(i: int) -> Any:
        places = np.minimum(starts[i] + np.arange(size), examples - 1)
        return jax.tree.map(lambda array: read(array, places), arrays)

    def passes() -> Iterator[tuple[int, Any]]:
        return zip(starts, read_ahead(part, 0, len(starts), workers_of(arrays)), strict=True)

    return passes, lambda arrays, places: fenced(arrays)


def is_streamed(arrays: Any) -> bool:
    return any(isinstance(array, Stored) for array in jax.tree.leaves(arrays))


def workers_of(arrays: Any) -> int:
    """How many processes read a tree of arrays."""
    return max(array.workers for array in jax.tree.leaves(arrays) if isinstance(array, Stored))


def on_device(arrays: Any) -> Any:
    return jax.tree.map(jnp.asarray, arrays)


def picked(arrays: Any, places: Any) -> Any:
    """The examples at some places, those beyond the end being the last."""
    return fenced(jax.tree.map(lambda a: jnp.take(a, places, axis=0, mode="clip"), arrays))


def fenced(arrays: Any) -> Any:
    """A batch that XLA does not look behind: what follows is compiled alike, wherever the batch comes from."""
    return jax.lax.optimization_barrier(arrays)


@partial(jax.jit, static_argnums=(2, 3))
def shuffled(seed: int, epoch: int, examples: int, places: int) -> Any:
    """The order of the examples in an epoch, filled up to so many places with its first ones."""
    order = jax.random.permutation(jax.random.fold_in(jax.random.key(seed), epoch), examples)
    return jnp.resize(order, (places,))


@lru_cache(maxsize=2)
def order_on_host(seed: int, epoch: int, examples: int, places: int) -> np.ndarray:
    """The same for reading; batches of two epochs are read in turn."""
    return np.asarray(shuffled(seed, epoch, examples, places))
