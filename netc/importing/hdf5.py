"""Keras 3's .weights.h5 as safetensors: a program of its own, because HDF5's library can crash on a damaged file.

    python -m netc.importing.hdf5 FILE OUT

Tensors are called by their layer's name and number, `conv1.0`, where the file says each layer's name and no two are the
same, and by their path otherwise: `layers/conv2d/vars/0`. What is wrong with FILE goes to stdout, with exit code 1.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np
from safetensors.numpy import save_file

DEEPEST = 100
MOST_PACKED = 1100
"""Deflate makes nothing smaller than by 1032 times."""


class Refused(Exception):
    """What is wrong with a file."""


def main(path: str, out: str) -> int:
    try:
        with h5py.File(path, "r") as file:
            kept = dict(datasets(file, "", ()))
            names = layer_names(file, kept)
            save_file({names.get(p, p): np.asarray(d[()], order="C") for p, d in kept.items()}, out)
    except Refused as refused:
        print(refused)
    except (OSError, LookupError, RuntimeError, ValueError, TypeError, MemoryError) as failure:
        print(f"it is no HDF5 file that can be read: {failure}")
    else:
        return 0
    return 1


def datasets(group: Any, prefix: str, above: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """The arrays of numbers in a group and in those inside it. What lies in other files is refused, and what never
    ends."""
    if len(above) > DEEPEST or group.id in above:
        raise Refused(f"the group `{prefix}` holds itself, or too many in one another")
    for name in group:
        place = f"{prefix}/{name}" if prefix else name
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise Refused(f"`{place}` is a link to somewhere else")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from datasets(item, place, (*above, group.id))
        elif isinstance(item, h5py.Dataset) and item.shape is not None and item.dtype.kind in "fiub":
            refuse_empty(item, place)
            yield place, item


def refuse_empty(data: Any, place: str) -> None:
    """Refuses arrays whose numbers are not in the file."""
    if data.external or data.is_virtual:
        raise Refused(f"the numbers of `{place}` lie in another file")
    if data.nbytes > MOST_PACKED * data.id.get_storage_size():
        raise Refused(f"`{place}` says that it has {data.size:,} numbers, and they are not there")


def layer_names(file: Any, places: Mapping[str, Any]) -> dict[str, str]:
    """For each array's path its layer's name and its number in the layer, if all have one and no two the same."""
    named: dict[str, str] = {}
    for place in places:
        group, _, number = place.rpartition("/")
        name = file[group].attrs.get("name") if group else None
        if not isinstance(name, str):
            return {}
        named[place] = f"{name}.{number}"
    return named if len(set(named.values())) == len(named) else {}


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    # A damaged file can crash the library once more when it is closed.
    os._exit(code)
