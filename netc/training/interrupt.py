"""Ctrl-C during training: the first one asks for a stop after the steps under way, the second stops at once."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_CODE = 130
"""Of a program that Ctrl-C ends: 128 and the signal's number."""


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether Ctrl-C was pressed; a second Ctrl-C does what it did before.

    Where signals cannot be taken (another thread than the main one) or are ignored, nothing changes.
    """
    pressed = threading.Event()

    def press(number: int, frame: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, previous)

    previous = signal.getsignal(signal.SIGINT)
    if not takes_signals():
        yield pressed.is_set
        return
    signal.signal(signal.SIGINT, press)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def interrupts_of_command(notice: str) -> Iterator[Callable[[], bool]]:
    """The same for the command line: `notice` goes to stderr at the first Ctrl-C, the second ends the process.

    Both also while the main thread is inside XLA, where Python's handlers would wait until it comes back.
    """
    pressed = threading.Event()
    if not takes_signals():
        yield pressed.is_set
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    listener = threading.Thread(target=listen, args=(reading, pressed, notice.encode()))
    listener.start()
    previous = signal.signal(signal.SIGINT, lambda number, frame: None)
    other = signal.set_wakeup_fd(writing)
    try:
        yield pressed.is_set
    finally:
        signal.set_wakeup_fd(other)
        signal.signal(signal.SIGINT, previous)
        os.close(writing)
        listener.join()
        os.close(reading)


def listen(pipe: int, pressed: threading.Event, notice: bytes) -> None:
    """Counts the signals whose numbers come through a pipe, until it is closed."""
    while number := os.read(pipe, 1):
        if number[0] != signal.SIGINT:
            continue
        if pressed.is_set():
            os._exit(EXIT_CODE)
        pressed.set()
        os.write(2, notice)


def takes_signals() -> bool:
    known = signal.getsignal(signal.SIGINT)
    return threading.current_thread() is threading.main_thread() and known not in (None, signal.SIG_IGN)
