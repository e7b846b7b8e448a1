"""Processes that read ahead, started by Grain: for examples whose reading keeps Python busy, of which threads do one at
a time."""

import gc
import os
import re
import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from multiprocessing import current_process, parent_process, resource_tracker
from typing import Any

import jax
import numpy as np

from netc.problems import RunError
from netc.recipes.problems import WorkerEnded
from netc.training.data.examples import mismatch

FEWEST = 64
"""Workers take seconds to begin: what has fewer parts than this is read by threads."""
MOST = 128
AHEAD = 2
"""How many parts each worker keeps ready."""
ENDED = re.compile(r"Worker process was terminated unexpectedly with exit code (-?\d+)")
"""What Grain says of a worker that is gone."""
RANDOM = ("jax_default_prng_impl", "jax_threefry_partitionable", "jax_enable_x64")
"""The settings of JAX that the order of the examples hangs on."""


def refuse_workers(workers: object) -> None:
    """Raises `RunError` for what is no number of workers, and in a worker that runs the script which began it."""
    if not isinstance(workers, int) or isinstance(workers, bool) or not 0 <= workers <= MOST:
        text = f"`workers` is {workers!r}, and is how many processes read data from disk"
        raise mismatch(text, f"give a whole number from 0, for threads alone, to {MOST}")
    # Nothing public says that a process is still importing the script that started it.
    if workers and getattr(current_process(), "_inheriting", False):
        raise mismatch("each worker process imports the script that starts it, which would train again", GUARD)


GUARD = 'put the training under `if __name__ == "__main__":`'


def by_workers(grain: Any, source: Any, workers: int) -> Generator[Any, None, None]:
    """The parts of a source of Grain's, in order."""
    mark_flags()
    settings = {name: getattr(jax.config, name) for name in RANDOM}
    dataset = source.to_iter_dataset(grain.ReadOptions(num_threads=1, prefetch_buffer_size=1)).mp_prefetch(
        grain.MultiprocessingOptions(num_workers=workers, per_worker_buffer_size=AHEAD), partial(begin, settings)
    )
    iterator = iter(dataset)
    try:
        # A worker begins with the first part that is its own.
        with uninterrupted():
            first = list(islice(iterator, workers))
        yield from map(own, chain(first, iterator))
    except RuntimeError as failure:
        ended = ENDED.match(str(failure))
        if ended is None:
            raise
        raise RunError([WorkerEnded(exit_code=int(ended[1]))]) from failure
    finally:
        iterator.close()
        # What Grain has in shared memory is freed with its iterators, which hold each other.
        del iterator
        gc.collect()


def mark_flags() -> None:
    """Grain asks for flags of absl, which are parsed where a program has any."""
    from absl import flags

    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()


def begin(settings: dict[str, Any], index: int, count: int) -> None:
    """What a worker does first: it leaves accelerators alone, and ends when the process that trains does, also where
    that is killed."""
    jax.config.update("jax_platforms", "cpu")
    for name, value in settings.items():
        jax.config.update(name, value)
    threading.Thread(target=follow, daemon=True).start()


def follow() -> None:
    training = parent_process()
    assert training is not None
    training.join()
    os._exit(1)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Threads and processes that begin here never get a Ctrl-C, which a terminal sends to all processes: the one that
    trains decides when they end. It gets its own afterwards."""
    # What multiprocessing begins once and for all would unblock the signal in the thread that begins it.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def own(part: Any) -> Any:
    """A part as plain arrays: those of shared memory are NumPy's with more to them."""
    return jax.tree.map(np.asarray, part)
