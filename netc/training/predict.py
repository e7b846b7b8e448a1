"""Files in, answers out: what `netc predict` does."""

import io
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from netc.files import write
from netc.problems import RunError, did_you_mean
from netc.recipes.problems import BadInput, CannotWrite
from netc.training.answers import Answer, following, read_outputs
from netc.training.inputs import Examples, Wanted, read_examples
from netc.training.saved import Saved, open_run

Named = Sequence[tuple[str, str]]


def predict_files(
    folder: str | os.PathLike[str],
    files: Sequence[str],
    named: Named,
    resize: bool = False,
    slide: bool = False,
    best: bool = False,
) -> tuple[list[str], dict[str, Answer]]:
    """A label for each example, and an answer for each output to all of them.

    `files` are examples of the net's one input, or one file for each of its inputs; `named` are files by input. All
    of them go through the net in batches. To `slide` reads the net over inputs that are larger than its own. Of texts,
    the answer of each position is about the byte after it, and that after the last one is given.
    """
    run = open_run(folder, best)
    by_input = arranged(run, files, named)
    root = run.program.root
    read: dict[str, list[Examples]] = {}
    for name, field in run.recipe.feeds:
        wanted = Wanted(name, run.config.fields[field], resize, root.types[name].element, slide)
        read[name] = [read_examples(file, wanted) for file in by_input[name]]
    refuse_uneven(run, by_input, read)
    batches = [np.concatenate([part.values for part in parts]) for parts in read.values()]
    model = run.model.at(*batches[0].shape[1:-1]) if slide else run.model
    made = model.predict(*batches)
    outputs = dict(zip([name for name, _ in root.outputs], made if isinstance(made, tuple) else (made,), strict=True))
    answers = read_outputs(run.recipe, outputs, run.config.classes)
    lengths = [part.length for parts in read.values() for part in parts for _ in part.values]
    if len(root.inputs) == 1 and None not in lengths:
        answers = {name: following(answer, lengths) for name, answer in answers.items()}
    labels = (
        [label for pair in zip(by_input[name], parts, strict=True) for label in each(*pair)]
        for name, parts in read.items()
    )
    return [", ".join(parts) for parts in zip(*labels, strict=True)], answers


def refuse_uneven(run: Saved, files: dict[str, list[str]], read: dict[str, list[Examples]]) -> None:
    """Examples of an input are of one size, and there are as many for each input."""
    for name, parts in read.items():
        if len({part.values.shape[1:] for part in parts}) > 1:
            shapes = (list(part.values.shape[1:]) for part in parts)
            sizes = ", ".join(f"`{file}` {shape}" for file, shape in zip(files[name], shapes, strict=True))
            reason, way_out = f"its inputs are of different sizes: {sizes}", "give those of one size together"
            raise RunError([BadInput(path=str(run.folder), reason=reason, way_out=way_out)])
    counts = {name: sum(len(part.values) for part in parts) for name, parts in read.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"`{name}` {count:,}" for name, count in counts.items())
        raise RunError(
            [BadInput(path=str(run.folder), reason=f"its inputs have different numbers of examples: {listed}")]
        )


def each(file: str, part: Examples) -> list[str]:
    """What the examples of a file are called."""
    count = len(part.values)
    return [file] if count == 1 else [f"{file}[{i}]" for i in range(count)]


def arranged(run: Saved, files: Sequence[str], named: Named) -> dict[str, list[str]]:
    """The files of each input."""
    inputs = [name for name, _ in run.recipe.feeds]
    listed = ", ".join(f"`{name}`" for name in inputs)
    if files and len(inputs) == 1:
        return {inputs[0]: list(files)}
    if files and len(files) != len(inputs):
        reason = (
            f"the net has the inputs {listed}, and {len(files)} {'file is' if len(files) == 1 else 'files are'} given"
        )
        raise RunError([BadInput(path=str(run.folder), reason=reason, way_out="give one file for each, in this order")])
    found: dict[str, list[str]] = {name: [] for name in inputs}
    for name, file in named or zip(inputs, files, strict=True):
        if name not in found:
            reason, way_out = f"the net has no input `{name}`", did_you_mean(name, inputs, f"it has {listed}")
            raise RunError([BadInput(path=file, reason=reason, way_out=way_out)])
        found[name].append(file)
    for name, given in found.items():
        if not given:
            way_out = f"add `--input {name}=FILE`"
            raise RunError([BadInput(path=str(run.folder), reason=f"the input `{name}` has no file", way_out=way_out)])
    return found


def write_values(path: Path, answers: dict[str, Answer]) -> str:
    """Writes the values of one output as .npy, or those of all as .npz; says what was written."""
    arrays = {name: answer.values for name, answer in answers.items()}
    if path.suffix not in (".npy", ".npz") or (path.suffix == ".npy" and len(arrays) > 1):
        reason = f"the net has the outputs {', '.join(arrays)}" if path.suffix == ".npy" else "its name ends otherwise"
        way_out = "name an .npz file, which takes any number of outputs, or an .npy file for one"
        raise RunError([CannotWrite(path=str(path), reason=reason, way_out=way_out)])
    if path.exists():
        raise RunError([CannotWrite(path=str(path), reason="it exists already", way_out="choose another name")])
    write(path, npy(next(iter(arrays.values()))) if path.suffix == ".npy" else npz(arrays))
    listed = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
    return f"{path} holds {listed}"


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(arrays: dict[str, np.ndarray]) -> bytes:
    """As `np.savez` writes it, which some names of outputs would confuse."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", npy(array))
    return buffer.getvalue()
