"""What a recipe takes the fields of its data for: whole numbers as tokens and classes, labels as transcriptions."""

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from netc.ir.network import Applied, DataField, Output, Program, Recipe, Term
from netc.recipes.losses import LOSSES, Loss, Transcribing
from netc.recipes.metrics import METRICS, Metric
from netc.training.data.examples import Arrays, Data, mismatch
from netc.training.data.values import check_values
from netc.types import F32, Element, Type

ROWS: dict[str, type[Loss] | type[Metric]] = {entry.kind: entry for entry in (*LOSSES, *METRICS)}


def with_classes(recipe: Recipe, program: Program, terms: list[Applied], loaded: Data) -> Data:
    """The data with those fields as tokens and classes, int32, that feed such inputs or that no loss or metric takes
    otherwise: arrays with several numbers an example do not say whether they hold these.

    Raises `RunError` for numbers that are none, or none of the input's or output's.
    """
    meant = dict(fed_elements(recipe, program, loaded))
    for term in terms:
        meant = label_elements(program, term, loaded) | meant
    if not meant:
        return loaded
    types = {name: Type(t.shape, meant.get(name, t.element)) for name, t in loaded.types.items()}
    found = replace(loaded, types=types)
    check_values(found)
    return replace(found, train=as_whole(found.train, meant.keys()), test=as_whole(found.test, meant.keys()))


def fed_elements(recipe: Recipe, program: Program, loaded: Data) -> Iterator[tuple[str, Element]]:
    """The fields that feed inputs of tokens or classes, and what these hold."""
    for name, field in recipe.feeds:
        element = program.root.types[name].element
        if element.size is not None and loaded.types[field].element != element:
            yield field, element


def label_elements(program: Program, term: Applied, loaded: Data) -> dict[str, Element]:
    """The fields of plain numbers that a loss or metric takes as classes alone, as many as its scores tell apart."""
    types = operand_types(program, term, loaded)
    if not types or not types[0].shape:
        return {}
    classes = Element("class", types[0].channels)
    meant = {
        operand.name: classes
        for operand, type_ in zip(term.positional, types, strict=True)
        if isinstance(operand, DataField) and type_.element == F32 and type_.shape
    }
    names = [operand.name if isinstance(operand, DataField) else "" for operand in term.positional]
    changed = tuple(Type(t.shape, meant.get(name, t.element)) for name, t in zip(names, types, strict=True))
    row = row_of(term)
    only = isinstance(row, Transcribing) or (row.refuse(types) and not row.refuse(changed))
    return meant if only else {}


def row_of(term: Applied) -> Loss | Metric:
    return ROWS[term.name](**dict(term.named))


def operand_types(program: Program, term: Applied, loaded: Data) -> tuple[Type, ...]:
    outputs = dict(program.root.outputs)
    return tuple(operand_type(program, outputs, operand, loaded) for operand in term.positional)


def operand_type(program: Program, outputs: dict[str, str], operand: Term, loaded: Data) -> Type:
    if isinstance(operand, Output):
        return program.root.types[outputs[operand.name]]
    assert isinstance(operand, DataField)
    return loaded.types[operand.name]


def as_whole(arrays: Arrays, names: Collection[str]) -> Arrays:
    return {name: array.astype(np.int32) if name in names else array for name, array in arrays.items()}


def check_transcriptions(program: Program, terms: list[Applied], data: Data) -> None:
    """Raises `RunError` for the first label that no path through the steps of its logits can say."""
    for term in terms:
        row, label = row_of(term), term.positional[-1]
        if isinstance(row, Transcribing) and isinstance(label, DataField):
            time = operand_types(program, term, data)[0].shape[0]
            for part, arrays in (("training", data.train), ("test", data.test)):
                check_transcription(arrays[label.name], row.blank, time, f"the field `{label.name}` of the {part} set")


def check_transcription(label: np.ndarray, blank: int, time: int, where: str) -> None:
    """Labels [examples, length], filled up with the blank behind."""
    filled = label == blank
    broken = (filled[:, :-1] & ~filled[:, 1:]).any(axis=1)
    if broken.any():
        text = f"{where} has the blank, class {blank}, before other classes in example {np.flatnonzero(broken)[0]}"
        raise mismatch(text, "the blank fills up labels from behind; `blank = ...` says which class it is")
    lengths = (~filled).sum(axis=1)
    repeats = ((label[:, :-1] == label[:, 1:]) & ~filled[:, 1:]).sum(axis=1)
    if (lengths + repeats > time).any():
        first = int(np.flatnonzero(lengths + repeats > time)[0])
        text = f"{where} needs {lengths[first] + repeats[first]} steps in example {first}, and the logits have {time}"
        counted = f"{lengths[first]} for its classes and {repeats[first]} for blanks between equal ones"
        raise mismatch(f"{text}: {counted}", "the net needs more steps: smaller strides, or a larger input")
