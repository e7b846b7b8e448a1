"""The values of data: every number finite, every label a whole number within its classes."""

from typing import Any

import numpy as np

from netc.training.data.examples import Data, mismatch
from netc.training.data.stored import pieces
from netc.types import Type


def check_values(data: Data) -> None:
    """Raises `RunError` for the first value that is not of its field's type."""
    for part, arrays in (("training", data.train), ("test", data.test)):
        for name, array in arrays.items():
            type_ = data.types[name]
            where = f"the field `{name}` of the {part} set"
            if array.shape[1:] != type_.shape:
                raise mismatch(f"{where} is {Type(array.shape[1:])}, and {type_} is needed")
            if type_.element.size is not None:
                check_whole(array, type_, where)
            else:
                check_finite(array, where)


def check_finite(array: Any, where: str) -> None:
    for start, part in pieces(array):
        if not np.isfinite(part).all():
            first = start + first_example(~np.isfinite(part))
            text = f"{where} holds NaN or infinite numbers, first in example {first}"
            raise mismatch(text, "mend or leave out such examples: a single one makes every weight NaN")


CALLED = {"token": "tokens", "class": "labels", "i32": "numbers of i32"}
"""What whole numbers of an element are called."""


def check_whole(array: Any, type_: Type, where: str) -> None:
    """Raises `RunError` for the first number [examples, ...] that is no whole number within its element."""
    size = type_.element.size
    low, high = (-(2**31), 2**31 - 1) if size is None else (0, size - 1)
    for start, part in pieces(array):
        wrong = (part < low) | (part > high)
        if part.dtype.kind == "f":
            wrong |= part != np.floor(part)
        if wrong.any():
            text = f"{where} holds {part[wrong][0]} in example {start + first_example(wrong)}, outside {type_}"
            raise mismatch(text, f"{CALLED[type_.element.name]} are whole numbers from {low} to {high}")


def first_example(wrong: np.ndarray) -> int:
    return int(np.argwhere(wrong.reshape(len(wrong), -1).any(axis=1))[0, 0])
