"""Files of weights from other libraries: safetensors, PyTorch's state dicts, Keras's .weights.h5. None can run code.

Each reader gives the tensors by name, with their shapes before any is read. What kind a file is, its first bytes say.
"""

import os
import pickle
import struct
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from netc.export.fit import Found
from netc.export.weights import refuse_unreadable
from netc.problems import RunError
from netc.recipes.problems import CorruptWeights, MissingExtra

HDF5, ZIP, PICKLE = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04", b"\x80"
DEEPEST = 100
SECONDS, BYTES_A_SECOND = 60, 2_000_000
"""How long HDF5's library may take: it never ends with some damaged files."""
AGAIN = "save or fetch the file again"
STATE_DICT = "give a state dict: `torch.save(model.state_dict(), FILE)`, or save it as safetensors"


@dataclass(frozen=True)
class Tensors:
    """The tensors of a file: what they are, and how to read one."""

    found: Mapping[str, Found]
    read: Callable[[str], np.ndarray]


@contextmanager
def opened(path: Path) -> Iterator[Tensors]:
    """The tensors of a file, for as long as it is open. Raises `RunError` for one that is damaged or holds code."""
    refuse_unreadable(path)
    try:
        with path.open("rb") as file:
            start = file.read(len(HDF5))
    except OSError as failure:
        raise unusable(path, failure.strerror or str(failure), AGAIN) from failure
    readers = {HDF5: keras_file, ZIP: torch_file, PICKLE: torch_file, b"": safetensors_file}
    reader = next(reader for magic, reader in readers.items() if start.startswith(magic))
    with reader(path) as tensors:
        yield tensors


def unusable(path: Path, reason: object, way_out: str) -> RunError:
    return RunError([CorruptWeights(path=str(path), reason=" ".join(str(reason).split())[:300], way_out=way_out)])


@contextmanager
def safetensors_file(path: Path) -> Iterator[Tensors]:
    try:
        file = safe_open(path, framework="numpy")
    except (OSError, SafetensorError) as failure:
        kinds = "it is neither safetensors, nor a PyTorch state dict, nor Keras's .weights.h5"
        raise unusable(path, f"{kinds} ({failure})", AGAIN) from failure
    with file:
        slices = {name: file.get_slice(name) for name in sorted(file.keys())}
        found = {name: Found(tuple(s.get_shape()), s.get_dtype()) for name, s in slices.items()}
        yield Tensors(found, file.get_tensor)


@contextmanager
def torch_file(path: Path) -> Iterator[Tensors]:
    """A state dict, also one inside other dicts (`state_dict.conv1.weight`): tensors alone, nothing that could run."""
    try:
        import torch
    except ImportError as failure:
        raise RunError([MissingExtra(package="torch", extra="torch", purpose=f"reading `{path}`")]) from failure
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as failure:
        reason = (
            "it is a pickle that holds more than tensors, or is damaged; such a file can run code and is not opened"
        )
        raise unusable(path, reason, STATE_DICT) from failure
    except TORCH_FAILURES as failure:
        raise unusable(path, f"torch cannot load it: {failure}", STATE_DICT) from failure
    tensors = dict(leaves(data, "", torch.Tensor, 0))
    if not tensors:
        raise unusable(path, "it holds no tensors by name", STATE_DICT)
    numbers = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}

    def found(tensor: Any) -> Found:
        dense = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
        kind = numbers.get(tensor.dtype, str(tensor.dtype)) if dense else "numbers that are not dense"
        return Found(tuple(tensor.shape), kind)

    def read(name: str) -> np.ndarray:
        tensor = tensors[name].detach()
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()

    yield Tensors({name: found(tensor) for name, tensor in tensors.items()}, read)


TORCH_FAILURES = (
    *(OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, EOFError, AssertionError),
    *(struct.error, OverflowError, MemoryError),
)
"""What `torch.load` raises for files that are cut off or changed; its unpickler trusts the order of what it reads."""


def leaves(data: object, prefix: str, tensor: type, depth: int) -> Iterator[tuple[str, Any]]:
    """The tensors of dicts in dicts, by their names joined with dots."""
    if isinstance(data, tensor):
        yield prefix, data
    elif isinstance(data, Mapping) and depth < DEEPEST:
        for name, value in data.items():
            if isinstance(name, str):
                yield from leaves(value, f"{prefix}.{name}" if prefix else name, tensor, depth + 1)


@contextmanager
def keras_file(path: Path) -> Iterator[Tensors]:
    """Keras 3's .weights.h5, made safetensors by `netc.importing.hdf5` in a process of its own."""
    if find_spec("h5py") is None:
        raise RunError([MissingExtra(package="h5py", extra="keras", purpose=f"reading `{path}`")])
    with TemporaryDirectory() as folder:
        out = Path(folder) / "weights.safetensors"
        line = [sys.executable, "-m", "netc.importing.hdf5", str(path), str(out)]
        found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        patience = SECONDS + path.stat().st_size / BYTES_A_SECOND
        try:
            done = subprocess.run(line, env=found, capture_output=True, errors="replace", check=False, timeout=patience)
        except subprocess.TimeoutExpired as failure:
            raise unusable(path, "HDF5's library does not come to an end with it", AGAIN) from failure
        if done.returncode:
            raise unusable(path, done.stdout or "HDF5's library crashes on it", AGAIN)
        with safetensors_file(out) as tensors:
            yield tensors
