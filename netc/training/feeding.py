"""What a step and an evaluation get of the data: sets on the device whole, sets on disk batch by batch.

Both give the same examples in the same order, and what is computed with them is compiled in the same way.
"""

import math
from collections.abc import Callable, Iterator, Mapping
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


class OnDevice:
    """A training set that lies on the device."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = on_device(arrays)

    def __call__(self, step: int) -> Arrays:
        return self.arrays

    def pick(self, arrays: Arrays, places: Any) -> dict[str, Any]:
        return picked(arrays, places)


class Streamed:
    """A training set on disk, of whose batches the next ones are read while a step is computed.

    `places` gives those of the examples of a step, of `steps` in all. Steps usually come in turn; at any other,
    reading begins anew there.
    """

    def __init__(self, arrays: Arrays, places: Callable[[int], np.ndarray], steps: int) -> None:
        self.arrays, self.places, self.steps = arrays, places, steps
        self.batches: Iterator[Arrays] = iter(())
        self.ahead = -1

    def __call__(self, step: int) -> Arrays:
        if step != self.ahead:
            self.batches = read_ahead(self.batch, step, self.steps)
        self.ahead = step + 1
        return next(self.batches)

    def batch(self, step: int) -> Arrays:
        places = self.places(step)
        return {name: read(array, places) for name, array in self.arrays.items()}

    def pick(self, arrays: Arrays, places: Any) -> dict[str, Any]:
        return fenced(arrays)


def make_feed(arrays: Arrays, seed: int, batch: int, steps: int) -> Feed:
    """The feed of a training set, for steps of so many examples."""
    if not is_streamed(arrays):
        return OnDevice(arrays)
    examples = len(next(iter(arrays.values())))
    per_epoch = math.ceil(examples / batch)

    @lru_cache(maxsize=2)
    def order(epoch: int) -> np.ndarray:
        return np.asarray(shuffled(seed, epoch, examples, per_epoch * batch))

    def places(step: int) -> np.ndarray:
        epoch, i = divmod(step, per_epoch)
        return order(epoch)[i * batch : (i + 1) * batch]

    return Streamed(arrays, places, steps)


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

    return lambda: zip(starts, read_ahead(part, 0, len(starts)), strict=True), lambda arrays, places: fenced(arrays)


def is_streamed(arrays: Any) -> bool:
    return any(isinstance(array, Stored) for array in jax.tree.leaves(arrays))


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
