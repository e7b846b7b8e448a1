"""What the outputs of a net mean: classes with probabilities, as the recipe's loss reads them, sequences of classes, or
plain numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from netc.ir.network import DataField, Output, Recipe
from netc.recipes.data import BYTES
from netc.recipes.losses import LOSSES, Loss
from netc.training.matching import applied_terms


@dataclass(frozen=True)
class Answer:
    """What one output says of a batch.

    `values` are probabilities [examples, ..., classes] of `classes`, or, where those are None, the output itself. With
    a `blank`, they are sequences of `classes` [examples, time], filled up with it, and `sure` are the probabilities
    with which each is said. Classes may be `bytes` of a text, or have `names`, from class 0 on.
    """

    classes: tuple[int, ...] | None
    values: np.ndarray
    blank: int | None = None
    bytes: bool = False
    sure: np.ndarray | None = None
    names: Sequence[str] = ()

    def best(self, example: int, count: int | None) -> list[tuple[int, float]]:
        """The most probable classes of an example, best first, with their probabilities."""
        assert self.classes is not None and self.values.ndim == 2
        row = self.values[example]
        order = np.argsort(-row, kind="stable")[:count]
        return [(self.classes[i], float(row[i])) for i in order]

    def called(self, class_: int) -> str:
        """A class as people read it: by its name, or a byte as its character, as Python would write it."""
        return repr(bytes([class_]))[1:] if self.bytes else self.named(class_).get("name", str(class_))

    def named(self, class_: int) -> dict[str, str]:
        """The `name` of a class, if it has one."""
        return {"name": self.names[class_]} if 0 <= class_ < len(self.names) else {}

    def said(self, example: int) -> tuple[list[int], list[float]]:
        """The classes of an example's sequence, without blanks, and their probabilities."""
        assert self.sure is not None
        row = self.values[example]
        return row[row != self.blank].tolist(), self.sure[example][row != self.blank].tolist()

    def string(self, example: int) -> str:
        """The sequence of an example as people read it: digits as a number, classes from 10 on with spaces between."""
        assert self.classes is not None
        classes, _ = self.said(example)
        return ("" if max(self.classes, default=0) < 10 else " ").join(map(str, classes))


def read_outputs(
    recipe: Recipe, outputs: dict[str, np.ndarray], classes: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Answer]:
    """An answer for each output, read as the first loss on it says; its classes have the names of those of the label
    there."""
    readings = {name: reading_of(loss) for name, loss in losses_read(recipe).items()}
    answers = {name: readings.get(name, of_numbers)(np.asarray(a)) for name, a in outputs.items()}
    names = names_of(recipe, classes or {})
    return {name: replace(answer, names=names.get(name, ())) for name, answer in answers.items()}


def names_of(recipe: Recipe, classes: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """The names of classes by output, from those by field."""
    found: dict[str, Sequence[str]] = {}
    for term in applied_terms((recipe.loss,)):
        match term.positional:
            case (Output(name=output), DataField(name=label), *_):
                found.setdefault(output, classes.get(label, ()))
            case _:
                pass
    return found


def losses_read(recipe: Recipe) -> dict[str, Loss]:
    """The first loss on each output that has one."""
    rows = {row.kind: row for row in LOSSES}
    found: dict[str, Loss] = {}
    for term in applied_terms((recipe.loss,)):
        operand = term.positional[0]
        if isinstance(operand, Output):
            found.setdefault(operand.name, rows[term.name](**dict(term.named)))
    return found


def reading_of(loss: Loss) -> Callable[[np.ndarray], Answer]:
    """How a loss reads an output."""
    return partial(READINGS[loss.reading], **{name: getattr(loss, name) for name in loss.read_with})


def following(answer: Answer, lengths: Sequence[int | None]) -> Answer:
    """What an answer of bytes at each position of texts says of the byte after each text; others stay as they are."""
    if answer.classes is None or answer.values.ndim != 3 or len(answer.classes) != BYTES:
        return answer
    last = [length - 1 for length in lengths if length is not None]
    return replace(answer, values=answer.values[np.arange(len(last)), last], bytes=True)


def softmax(x: np.ndarray) -> np.ndarray:
    """Over the last axis, in float64."""
    shifted = np.exp(x.astype(np.float64) - x.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def of_classes(probabilities: np.ndarray) -> Answer:
    return Answer(tuple(range(probabilities.shape[-1])), probabilities)


def of_logits(logits: np.ndarray) -> Answer:
    return of_classes(softmax(logits))


def of_distances(distances: np.ndarray) -> Answer:
    return of_classes(softmax(-distances))


def of_probabilities(probabilities: np.ndarray) -> Answer:
    """Of one number, that of class 1; of several, each class's."""
    if probabilities.size == len(probabilities):
        return of_classes(both(probabilities))
    return of_classes(probabilities.astype(np.float64))


def of_score(score: np.ndarray) -> Answer:
    """The sigmoid, for classes -1 and +1."""
    return Answer((-1, 1), softmax(np.stack([np.zeros(len(score)), score.reshape(-1)], axis=-1)))


def both(p: np.ndarray) -> np.ndarray:
    flat = p.reshape(-1).astype(np.float64)
    return np.stack([1 - flat, flat], axis=-1)


def of_transcription(logits: np.ndarray, blank: int = 0) -> Answer:
    """What the best path says: the best class of each step, repeats once, without blanks (Graves et al. 2006, section
    3.2); logits [examples, time, classes]. Its probability is that of the step that is surest of it."""
    path = logits.argmax(axis=-1)
    before = np.pad(path[:, :-1], ((0, 0), (1, 0)), constant_values=blank)
    classes = tuple(k for k in range(logits.shape[-1]) if k != blank)
    sure = surest(path, softmax(logits).max(axis=-1))
    return Answer(classes, np.where(path == before, blank, path), blank, sure=sure)


def surest(path: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """For each step of a path [examples, time], the largest probability from there on within the run of its class."""
    best = probabilities.copy()
    for t in reversed(range(path.shape[1] - 1)):
        ahead = np.where(path[:, t] == path[:, t + 1], best[:, t + 1], 0)
        best[:, t] = np.maximum(best[:, t], ahead)
    return best


def of_numbers(values: np.ndarray) -> Answer:
    return Answer(None, values)


READINGS: dict[str, Callable[..., Answer]] = {
    "logits": of_logits,
    "probabilities": of_probabilities,
    "score": of_score,
    "distances": of_distances,
    "transcription": of_transcription,
    "numbers": of_numbers,
}


def as_data(answer: Answer, example: int, top: int | None) -> dict[str, Any]:
    """An answer to one example for JSON: classes with probabilities, best first, a string of classes, or numbers."""
    if answer.blank is not None:
        classes, sure = answer.said(example)
        return {"string": answer.string(example), "sequence": classes, "probabilities": sure}
    if answer.classes is None:
        return {"numbers": answer.values[example].tolist()}
    if answer.values.ndim != 2:
        return {"probabilities": answer.values[example].tolist()}
    return {"classes": [{"class": c, **answer.named(c), "probability": p} for c, p in answer.best(example, top)]}


MOST_NUMBERS, MOST_CLASSES = 10, 200


def as_text(answer: Answer, example: int, top: int | None) -> str:
    """An answer to one example on one line; of many numbers only their shape."""
    if answer.blank is not None:
        return answer.string(example) or "nothing"
    values = answer.values[example]
    if answer.classes is not None and answer.values.ndim == 2:
        return ", ".join(f"{answer.called(c)} ({p:.1%})" for c, p in answer.best(example, top or 1))
    if answer.classes is not None:
        values = values.argmax(axis=-1)
    if answer.classes is not None and values.size <= MOST_CLASSES:
        return " ".join(map(str, values.reshape(-1)))
    if values.size > MOST_NUMBERS:
        return f"{values.size:,} numbers {list(values.shape)}; `--format json` prints them, `--out FILE.npy` keeps them"
    return " ".join(f"{number:.6g}" for number in values.reshape(-1))
