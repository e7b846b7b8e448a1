"""The values of data: every number finite, every label a whole number within its classes."""

import numpy as np

from netc.training.data.examples import Data, mismatch
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
                check_labels(array, type_, where)
            elif not np.isfinite(array).all():
                first = first_example(~np.isfinite(array))
                text = f"{where} holds NaN or infinite numbers, first in example {first}"
                raise mismatch(text, "mend or leave out such examples: a single one makes every weight NaN")


def check_labels(array: np.ndarray, type_: Type, where: str) -> None:
    assert type_.element.size is not None
    wrong = (array < 0) | (array >= type_.element.size)
    if array.dtype.kind == "f":
        wrong |= array != np.floor(array)
    if wrong.any():
        first = first_example(wrong)
        way_out = f"labels are whole numbers from 0 to {type_.element.size - 1}"
        raise mismatch(f"{where} holds {array[wrong][0]} in example {first}, outside {type_}", way_out)


def first_example(wrong: np.ndarray) -> int:
    return int(np.argwhere(wrong.reshape(len(wrong), -1).any(axis=1))[0, 0])
