"""What a recipe takes the fields of its data for: whole numbers as tokens and classes, labels as transcriptions."""

from dataclasses import replace

import numpy as np

from netc.ir.network import Applied, DataField, Output, Program, Recipe, Term
from netc.recipes.losses import LOSSES, Loss, Transcribing
from netc.recipes.metrics import METRICS, Metric
from netc.training.data.examples import Data, mismatch
from netc.training.data.values import check_whole
from netc.types import F32, Element, Type

ROWS: dict[str, type[Loss] | type[Metric]] = {entry.kind: entry for entry in (*LOSSES, *METRICS)}


def as_used(recipe: Recipe, program: Program, terms: list[Applied], loaded: Data) -> Data:
    """Fields of whole numbers as what they are used for: int32 where they feed an input of tokens, classes or i32, or
    where no loss or metric takes anything but classes; float32 elsewhere. Arrays with several numbers an example do not
    say themselves what they hold. Raises `RunError` for numbers that are none, or none of the input's or output's.
    """
    root = program.root
    meant: dict[str, Element] = {}
    for term in terms:
        meant = label_elements(program, term, loaded) | meant
    meant |= {field: root.types[name].element for name, field in recipe.feeds if root.types[name].element != F32}
    types, parts = dict(loaded.types), (dict(loaded.train), dict(loaded.test))
    for field, element in meant.items():
        if types[field].element == element:
            continue
        types[field] = Type(types[field].shape, element)
        for part, arrays in zip(("training", "test"), parts, strict=True):
            check_whole(arrays[field], types[field], f"the field `{field}` of the {part} set")
            arrays[field] = arrays[field].astype(np.int32)
    for arrays in parts:
        floats = (name for name, type_ in types.items() if type_.element == F32)
        arrays |= {name: arrays[name].astype(np.float32, copy=False) for name in floats}
    return replace(loaded, train=parts[0], test=parts[1], types=types)


def label_elements(program: Program, term: Applied, loaded: Data) -> dict[str, Element]:
    """The fields of plain numbers that a loss or metric takes as classes alone, as many as its scores tell apart."""
    types = operand_types(program, term, loaded)
    if not types or not types[0].shape:
        return {}
    classes = Element("class", types[0].channels)
    meant = {
        operand.name: classes
        for operand, type_ in zip(term.positional, types, strict=True)
        if isinstance(operand, DataField) and type_.element == F32 and type_.shape and is_whole(operand, loaded)
    }
    names = [operand.name if isinstance(operand, DataField) else "" for operand in term.positional]
    changed = tuple(Type(t.shape, meant.get(name, t.element)) for name, t in zip(names, types, strict=True))
    row = row_of(term)
    only = isinstance(row, Transcribing) or (row.refuse(types) and not row.refuse(changed))
    return meant if only else {}


def is_whole(field: DataField, loaded: Data) -> bool:
    return loaded.train[field.name].dtype.kind in "iu"


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
