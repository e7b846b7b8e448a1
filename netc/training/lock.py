"""One process at a time in a run's folder. The lock is the system's: it ends with the process, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from netc.files import guarded
from netc.problems import RunError
from netc.recipes.problems import RunInUse

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds a run's folder; raises `RunError` with `run-in-use` if another process does. The file stays behind."""
    path = folder / LOCK
    descriptor = guarded(path, lambda: os.open(path, os.O_RDWR | os.O_CREAT, 0o644))
    try:
        take(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as failure:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        raise RunError([RunInUse(path=str(folder), process=holder)]) from failure
    with suppress(OSError):  # Who holds it is good to know, and a full disk is found by what matters.
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
