"""Weights as a safetensors file: each owner once under its canonical name, and the sharing in the metadata.

Files from elsewhere, without netc's metadata, load by the names and shapes of their tensors alone.
"""

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from netc.api import CompiledNet
from netc.export.fit import NUMBERS, Found, misfits
from netc.export.note import Note, read_note, write_note
from netc.files import write
from netc.ir.network import Program
from netc.model import Model, load_module, origin_of, set_weights, weights_of
from netc.problems import RunError
from netc.recipes.problems import CannotWrite, CorruptWeights

KEY = "netc"
"""Where the note stands in a file's metadata. One key alone: the order of several is not kept."""
ANOTHER_NAME = "make room, or choose another name"


def save_weights(model: Model, path: str | os.PathLike[str], way_out: str = ANOTHER_NAME) -> None:
    """Writes the weights of a model as a safetensors file, in place of one that is there.

    Raises `RunError` with `cannot-write` if the disk will not take it.
    """
    program, emitted = origin_of(model)
    write_weights(program, weights_of(model, emitted), Path(path), way_out)


def write_weights(program: Program, weights: Mapping[str, np.ndarray], path: Path, way_out: str = ANOTHER_NAME) -> None:
    """Writes the weights of a program with the note on their sharing."""
    whole = {name: np.ascontiguousarray(w) for name, w in weights.items()}
    write(path, save(whole, metadata={KEY: write_note(program)}), way_out)


def load_weights(net: CompiledNet | Model, path: str | os.PathLike[str]) -> Model:
    """A net's model with the weights of a safetensors file; a model gets them in place.

    Raises `RunError` for a file that is damaged, and for weights of another net: names, shapes and sharing must be
    the net's own.
    """
    program = net.program if isinstance(net, CompiledNet) else origin_of(net)[0]
    return with_weights(net, read_weights(Path(path), program))


def with_weights(net: CompiledNet | Model, weights: Mapping[str, np.ndarray]) -> Model:
    """A net's model with weights by their canonical names; a model gets them in place."""
    if isinstance(net, CompiledNet):
        return load_module(net.program, weights)
    set_weights(net, origin_of(net)[1], weights)
    return net


def refuse_taken(path: Path, force: bool) -> None:
    """What is there already is written over only if it is a file, and only by force."""
    if os.path.lexists(path) and not path.is_file():
        raise RunError([CannotWrite(path=str(path), reason="it is no file", way_out="choose another name")])
    if path.exists() and not force:
        way_out = "choose another name, or give `--force`"
        raise RunError([CannotWrite(path=str(path), reason="it exists already", way_out=way_out)])


def read_weights(path: Path, program: Program, members: Sequence[Mapping[str, str]] = ()) -> dict[str, np.ndarray]:
    """The weights of a file, which must be those of a program; nothing is loaded before all of it fits.

    In the file of an ensemble they must be those of each of its `members`, which say what theirs are called in it.
    """
    refuse_unreadable(path)
    try:
        with safe_open(path, framework="numpy") as file:
            names = sorted(file.keys())
            slices = {name: file.get_slice(name) for name in names}
            found = {name: Found(tuple(s.get_shape()), s.get_dtype()) for name, s in slices.items()}
            note = note_of(path, file.metadata())
            problems = [p for part in parts_of(found, members) for p in misfits(path, part, note, program)]
            if problems:
                raise RunError(problems)
            return {name: file.get_tensor(name).astype(np.float32) for name in found}
    except (OSError, SafetensorError) as failure:
        raise damaged(path, " ".join(str(failure).split())) from failure


def parts_of(found: Mapping[str, Found], members: Sequence[Mapping[str, str]]) -> list[dict[str, Found]]:
    """What a file holds for each member, by canonical names; what is nobody's counts as the first member's."""
    if len(members) < 2:
        return [dict(found)]
    parts = [{name: found[called] for name, called in member.items() if called in found} for member in members]
    known = {called for member in members for called in member.values()}
    return [parts[0] | {name: tensor for name, tensor in found.items() if name not in known}, *parts[1:]]


def read_fitting(
    path: Path, wanted: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, np.ndarray], dict[str, tuple[int, ...]]]:
    """The weights of a file that have the names and shapes that are wanted, and the shapes of all that it holds."""
    refuse_unreadable(path)
    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in sorted(file.keys())}
            shapes = {name: tuple(s.get_shape()) for name, s in slices.items()}
            fit = [n for n, s in slices.items() if wanted.get(n) == shapes[n] and s.get_dtype() in NUMBERS]
            return {name: file.get_tensor(name).astype(np.float32) for name in fit}, shapes
    except (OSError, SafetensorError) as failure:
        raise damaged(path, " ".join(str(failure).split())) from failure


def refuse_unreadable(path: Path) -> None:
    """Only a regular file has an end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else str(failure)
        raise damaged(path, reason or "it cannot be read") from failure
    if not stat.S_ISREG(mode):
        raise damaged(path, "it is a folder" if stat.S_ISDIR(mode) else "it is a device or a pipe")


def note_of(path: Path, metadata: Mapping[str, str] | None) -> Note | None:
    """netc's note in a file's metadata, if there is one."""
    text = (metadata or {}).get(KEY)
    if text is None:
        return None
    note = read_note(text)
    if note is None:
        raise damaged(path, f"what it says of its sharing (`{KEY}` in its metadata) is not as netc wrote it")
    return note


def damaged(path: Path, reason: str) -> RunError:
    return RunError([CorruptWeights(path=str(path), reason=reason)])
