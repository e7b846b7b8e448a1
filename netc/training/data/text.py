"""A text file as windows of bytes, each with the byte after every one of its own."""

import os
from pathlib import Path

import numpy as np

from netc.problems import RunError
from netc.recipes.data import TextFile
from netc.recipes.problems import CorruptData, MissingData
from netc.training.data.examples import Arrays, Data, Where, mismatch

MOST_BYTES = 2**27
"""A larger file would fill the memory: its windows lie there as two arrays of int32."""


def load_text(entry: TextFile, where: Where) -> Data:
    """Windows of the first nine tenths for training and of the last for testing, each part at least one window."""
    path = where.path(entry.file)
    text, needed = np.frombuffer(read_text(path), np.uint8), entry.context + 1
    test = max(len(text) // 10, needed)
    if len(text) < test + needed:
        what = f"`{path}` has {len(text):,} bytes, and a window of {entry.context:,} with the byte after it {needed:,}"
        way_out = f"`context = ...` makes it shorter; {2 * needed:,} bytes are a window to train on and one to test"
        raise mismatch(what, way_out)
    types = entry.fields()
    assert types is not None
    return Data(windows(text[:-test], entry.context), windows(text[-test:], entry.context), types)


def read_text(path: Path) -> bytes:
    """The bytes of a regular file; what is none, as a device or pipe, may have no end."""
    if not os.path.isfile(path):
        reason = f"`{path}` is a folder" if os.path.isdir(path) else f"there is no file `{path}`"
        way_out = "`text(...)` names a file, from the .net file's folder or that of `--data`"
        raise RunError([MissingData(name=TextFile.kind, reason=reason, way_out=way_out)])
    try:
        if path.stat().st_size > MOST_BYTES:
            what = f"`{path}` is larger than {MOST_BYTES:,} bytes, the most that `text` reads"
            raise mismatch(what, "use a part of it")
        return path.read_bytes()
    except OSError as failure:
        raise RunError([CorruptData(path=str(path), reason=failure.strerror or str(failure))]) from failure


def windows(text: np.ndarray, context: int) -> Arrays:
    """Each window's bytes and the byte after each, int32 [windows, context]."""
    count = (len(text) - 1) // context
    used = text[: count * context + 1].astype(np.int32)
    return {"text": used[:-1].reshape(count, context), "next": used[1:].reshape(count, context)}
