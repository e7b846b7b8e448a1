"""Writing files whole or not at all; a disk that will not take them is a problem with the path and a way out."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from netc.problems import RunError
from netc.recipes.problems import CannotWrite

T = TypeVar("T")
CHOOSE = "make room, or choose another folder with `--out`"


def write(path: Path, content: bytes, way_out: str = CHOOSE) -> None:
    """Writes a file beside its place, in a folder that is made if need be, and moves it there."""
    partial = path.with_name(path.name + ".part")

    def replace() -> None:
        if path.parent.exists() and not path.parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"`{path.parent}` is no folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        os.replace(partial, path)

    def clean() -> None:
        with suppress(OSError):
            partial.unlink()

    guarded(path, replace, way_out, clean)


def append(path: Path, line: str) -> None:
    def add() -> None:
        with path.open("a") as file:
            file.write(line + "\n")

    guarded(path, add)


def guarded(path: Path, action: Callable[[], T], way_out: str = CHOOSE, clean: Callable[[], None] = lambda: None) -> T:
    """Does something with the disk; raises `RunError` with `cannot-write` if that fails, and cleans up."""
    try:
        return action()
    except OSError as failure:
        clean()
        reason = failure.strerror or str(failure)
        raise RunError([CannotWrite(path=str(path), reason=reason, way_out=way_out)]) from failure
