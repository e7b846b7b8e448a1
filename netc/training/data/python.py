"""What `netc.train(data=...)` is given from Python, as `Data`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from netc.training.data.arrays import from_arrays
from netc.training.data.examples import Data, mismatch

WAY_OUT = "give a dict or tuple of arrays, or an iterable of batches of them"


def from_python(data: Any, fields: Sequence[str], split: bool = True) -> Data:
    """A dict of arrays, a tuple of arrays in the order of the recipe's fields, or a finite iterable of batches of
    either. Without `test_NAME` fields the last tenth is the test set; all examples are, if nothing is split off."""
    if isinstance(data, Data):
        return data
    if isinstance(data, Mapping) or is_arrays(data):
        return from_arrays(by_field(data, fields), split=split)
    if not isinstance(data, Iterable) or hasattr(data, "shape"):
        raise mismatch(f"data of type {type(data).__name__} cannot be used", WAY_OUT)
    batches = [by_field(batch, fields) for batch in data]
    if not batches:
        raise mismatch("the iterable of batches is empty")
    return from_arrays(joined(batches), split=split)


def is_arrays(data: Any) -> bool:
    """A tuple is one of arrays; a list is one if nothing else can be meant, and else a list of batches."""
    return isinstance(data, tuple) or (isinstance(data, list) and bool(data) and all(hasattr(a, "shape") for a in data))


def by_field(arrays: Any, fields: Sequence[str]) -> Mapping[str, Any]:
    if isinstance(arrays, Mapping):
        return arrays
    if not isinstance(arrays, tuple | list):
        raise mismatch(f"a batch of type {type(arrays).__name__} cannot be used", WAY_OUT)
    if len(arrays) != len(fields):
        text = f"{len(arrays)} arrays are given, and the recipe uses {len(fields)} fields: {', '.join(fields)}"
        raise mismatch(text, "give a dict of arrays by field")
    return dict(zip(fields, arrays, strict=True))


def joined(batches: list[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """All batches as one array a field."""
    for number, batch in enumerate(batches):
        if batch.keys() != batches[0].keys():
            text = f"batch 0 has the fields {', '.join(batches[0])}, and batch {number} {', '.join(batch)}"
            raise mismatch(text)
    found = {}
    for name in batches[0]:
        parts = [np.asarray(batch[name]) for batch in batches]
        shapes = {part.shape[1:] for part in parts}
        if len(shapes) > 1 or not all(part.ndim for part in parts):
            listed = ", ".join(str(list(shape)) for shape in sorted(shapes))
            raise mismatch(f"the batches have examples of different shapes in the field `{name}`: {listed}")
        found[name] = np.concatenate(parts)
    return found
