"""Metrics: what is reported of a net on data, as means over the examples or of all of them together."""

from dataclasses import dataclass
from typing import ClassVar

from netc.arguments import Entry, Integer, Real, Truth, argument
from netc.layers.base import Refusal
from netc.recipes.losses import Transcribing, refuse_classes, refuse_unequal
from netc.types import Type


@dataclass(frozen=True)
class Metric(Entry):
    """A row of the table; emitted as `metrics.NAME(operands..., settings...)`, a number for each example.

    One `of_all` gives an array for each example, and is made from their sum by `FROM_SUMS` of `netc.kernels.metrics`:
    it is no mean of what the examples come to, and so no part of arithmetic.
    """

    operands: ClassVar[tuple[str, ...]] = ("scores", "label")
    higher_is_better: ClassVar[bool | None] = True
    of_all: ClassVar[bool] = False

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        raise NotImplementedError


@dataclass(frozen=True)
class Classified(Metric):
    """What the metrics of classification share: the best score is the answer, of equal ones the first.

    Of one score, class 1 (or +1) is the answer above the threshold.
    """

    smallest: bool = argument(
        "whether the smallest score is the answer, as of `rbf` distances", Truth(), False, keyword_only=True
    )
    threshold: float | None = argument(
        "above which a single score means class 1; if left out, 0.5 for classes and 0 for labels of -1 and +1",
        Real(),
        None,
        keyword_only=True,
    )

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        scores, label = types
        signs = label.element.name == "f32" and label.size == 1
        if scores.size == 1 and (signs or label.element.size == 2):
            return None
        return refuse_classes(self.kind, scores, label)


@dataclass(frozen=True)
class Accuracy(Classified):
    """The share of examples whose best score is that of their label: 1 is all, 0 is none."""


@dataclass(frozen=True)
class ErrorRate(Classified):
    """The share of examples whose best score is not that of their label: 1 - accuracy."""

    higher_is_better = False


@dataclass(frozen=True)
class TopK(Metric):
    """The share of examples whose label is among the `k` best scores, of equal ones the first (Krizhevsky, Sutskever &
    Hinton 2012, with `k = 5`)."""

    k: int = argument("how many answers are allowed", Integer(1), 5)
    smallest: bool = argument(
        "whether the smallest scores are the best, as of `rbf` distances", Truth(), False, keyword_only=True
    )

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        if types[0].shape and self.k > types[0].channels:
            return Refusal(
                f"`top_k` asks for {self.k} of {types[0].channels} classes", f"`k` goes up to {types[0].channels}"
            )
        return refuse_classes(self.kind, *types)


@dataclass(frozen=True)
class MeanSquaredError(Metric):
    """The squared difference, averaged over all numbers of an example; for numbers rather than classes."""

    operands = ("prediction", "target")
    higher_is_better = False

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        return refuse_unequal(self.kind, *types)


@dataclass(frozen=True)
class MeanAbsoluteError(Metric):
    """The difference without its sign, averaged over all numbers of an example; for numbers rather than classes."""

    operands = ("prediction", "target")
    higher_is_better = False

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        return refuse_unequal(self.kind, *types)


MOST_CLASSES = 100


@dataclass(frozen=True)
class Confusion(Classified):
    """A table of what is taken for what: row i, column j counts the examples of class i whose answer is class j, so
    that the right ones stand on the diagonal. Over positions it counts positions. `netc eval RUN` prints it."""

    higher_is_better = None
    of_all = True

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        scores, label = types
        if scores.shape and scores.channels > MOST_CLASSES:
            message = f"`confusion` is given {scores} and labels {label}, too many classes for a table"
            return Refusal(message, f"it takes {MOST_CLASSES} at most")
        return super().refuse(types)


@dataclass(frozen=True)
class Perplexity(Metric):
    """`exp` of the mean cross-entropy, over all positions of all examples: among how many equally likely classes the
    net is still in doubt, for language models (Jelinek, Mercer, Bahl & Baker 1977)."""

    operands = ("logits", "label")
    higher_is_better = False
    of_all = True

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        return refuse_classes(self.kind, *types)


@dataclass(frozen=True)
class CharacterErrorRate(Transcribing, Metric):
    """How many insertions, deletions and replacements turn what the net says into the labels, of all examples together,
    divided by how many classes all labels have (Levenshtein 1966). What the net says is what its best path says, as
    of `ctc`: the best class of each step, repeats once, without blanks."""

    higher_is_better = False
    of_all = True


METRICS: tuple[type[Metric], ...] = (
    Accuracy,
    ErrorRate,
    TopK,
    Confusion,
    Perplexity,
    CharacterErrorRate,
    MeanSquaredError,
    MeanAbsoluteError,
)
