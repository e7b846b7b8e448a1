"""Ctrl-C during training: the first one asks for a stop after the steps under way, the second stops at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def interrupts(notice: str = "", then: signal.Handlers | None = None) -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether Ctrl-C was pressed. `notice` is written to stderr when it is.

    A second Ctrl-C does what it did before or, if that is given, `then`.
    Where signals cannot be taken (another thread than the main one) or are ignored, nothing changes.
    """
    previous = signal.getsignal(signal.SIGINT)
    taken = threading.current_thread() is threading.main_thread() and previous not in (None, signal.SIG_IGN)
    pressed = threading.Event()

    def press(number: int, frame: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, previous if then is None else then)
        # Not through sys.stderr, which may be in the middle of a write.
        os.write(2, notice.encode())

    if taken:
        signal.signal(signal.SIGINT, press)
    try:
        yield pressed.is_set
    finally:
        if taken:
            signal.signal(signal.SIGINT, previous)
