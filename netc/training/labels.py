"""Labels that are transcriptions: sequences of classes, filled up with the blank, that a net says in so many steps."""

from collections.abc import Sequence

import numpy as np

from netc.ir.network import Applied, DataField, Output, Program
from netc.recipes.losses import LOSSES, Loss, Transcribing
from netc.recipes.metrics import METRICS, Metric
from netc.training.data.examples import Data, mismatch
from netc.training.data.stored import pieces

ROWS: dict[str, type[Loss] | type[Metric]] = {entry.kind: entry for entry in (*LOSSES, *METRICS)}


def row_of(term: Applied) -> Loss | Metric:
    return ROWS[term.name](**dict(term.named))


def is_transcribed(term: Applied) -> bool:
    """Whether a term takes its label for a transcription, of a length of its own."""
    return issubclass(ROWS[term.name], Transcribing)


def check_transcriptions(program: Program, terms: Sequence[Applied], data: Data) -> None:
    """Raises `RunError` for the first label that no path through the steps of its logits can say."""
    outputs = dict(program.root.outputs)
    for term in terms:
        row, (logits, label) = row_of(term), term.positional[:2]
        if isinstance(row, Transcribing) and isinstance(label, DataField) and isinstance(logits, Output):
            time = program.root.types[outputs[logits.name]].shape[0]
            for part, arrays in (("training", data.train), ("test", data.test)):
                where = f"the field `{label.name}` of the {part} set"
                for start, labels in pieces(arrays[label.name]):
                    check_transcription(labels, row.blank, time, where, start)


def check_transcription(label: np.ndarray, blank: int, time: int, where: str, start: int) -> None:
    """Labels [examples, length] from the example `start` on, filled up with the blank behind."""
    filled = label == blank
    broken = (filled[:, :-1] & ~filled[:, 1:]).any(axis=1)
    if broken.any():
        first = start + np.flatnonzero(broken)[0]
        text = f"{where} has the blank, class {blank}, before other classes in example {first}"
        raise mismatch(text, "the blank fills up labels from behind; `blank = ...` says which class it is")
    lengths = (~filled).sum(axis=1)
    repeats = ((label[:, :-1] == label[:, 1:]) & ~filled[:, 1:]).sum(axis=1)
    if (lengths + repeats > time).any():
        first = int(np.flatnonzero(lengths + repeats > time)[0])
        needed = f"{lengths[first] + repeats[first]} steps in example {start + first}"
        text = f"{where} needs {needed}, and the logits have {time}"
        counted = f"{lengths[first]} for its classes and {repeats[first]} for blanks between equal ones"
        raise mismatch(f"{text}: {counted}", "the net needs more steps: smaller strides, or a larger input")
