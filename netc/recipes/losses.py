"""Losses: what training makes small (or, of a likelihood, large), on outputs of the net and fields of the data."""

from dataclasses import dataclass
from typing import ClassVar

from netc.arguments import Entry, Real, argument
from netc.layers.base import Refusal
from netc.types import Type


@dataclass(frozen=True)
class Loss(Entry):
    """A row of the table: the operands that it takes, which types they may have, and its JAX function.

    Emitted as `losses.NAME(operands..., settings...)`, which gives a number for each example. `reading` is what
    `netc predict` makes of the output that is the first operand:

    - `logits`: probabilities are their softmax
    - `probabilities`: they are; one alone is that of class 1 of 0 and 1
    - `score`: the probability of class +1 of -1 and +1 is its sigmoid
    - `distances`: probabilities are the softmax of minus them
    - `numbers`: nothing more
    """

    operands: ClassVar[tuple[str, ...]]
    reading: ClassVar[str] = "numbers"

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        raise NotImplementedError


def refuse_classes(kind: str, scores: Type, label: Type) -> Refusal | None:
    """Scores of n classes go with a `class(n)` label, or with as many numbers as there are scores."""
    if scores.element.name in ("class", "token"):
        return Refusal(
            f"`{kind}` is given labels {scores} in the place of scores", "scores come first, and labels second"
        )
    if label.element.size == 1:
        return Refusal(f"`{kind}` is given labels {label}", "one class alone cannot be told from another")
    if label.element.name in ("class", "token"):
        if not scores.shape or scores.shape[:-1] != label.shape or scores.channels != label.element.size:
            return Refusal(f"`{kind}` is given {scores} and labels {label}", scores_help(scores, label))
        return None
    if label != scores:
        return Refusal(
            f"`{kind}` is given {scores} and labels {label}", "labels are `class(n)`, or as many numbers as scores"
        )
    return None


def scores_help(scores: Type, label: Type) -> str:
    """How scores come to fit labels of classes."""
    if scores.shape and scores.channels == label.element.size:
        return "`global_avgpool` or `flatten -> dense(...)` leaves one score for each class"
    return f"the last axis needs one number for each of the {label.element.size} classes"


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """`-log softmax(logits)[label]`, the usual loss for telling classes apart: small where the right class has a high
    probability. The softmax is part of it, so the net ends in plain scores, the logits.

    Labels are `class(n)` for n logits, or n numbers that say how likely each class is. Over positions it is averaged.
    """

    operands = ("logits", "label")
    reading = "logits"

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        return refuse_classes(self.kind, *types)


@dataclass(frozen=True)
class LogLikelihood(Loss):
    """`log probabilities[label]` for a net that ends in `softmax` or `sigmoid`: how likely the net takes the right
    answer to be. It is made large, so it stands behind `likelihood =`.

    A net that gives one probability gives that of class 1, for labels `class(2)`.
    """

    operands = ("probabilities", "label")
    reading = "probabilities"

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        probabilities, label = types
        if probabilities.size == 1 and label.element.name == "class" and label.element.size == 2 and not label.shape:
            return None
        return refuse_classes(self.kind, probabilities, label)


@dataclass(frozen=True)
class Logistic(Loss):
    """`log(1 + exp(-sign * score))` for one score and signs of -1 and +1: small where the score is far on the right
    side of 0 (Cox 1958). `data = binary(...)` has such signs."""

    operands = ("score", "sign")
    reading = "score"

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        score, sign = types
        if score.size != 1 or sign.size != 1 or sign.element.name != "f32":
            return Refusal(
                f"`logistic` takes one score and a label of -1 or +1, and is given {score} and {sign}",
                "`data = binary(...)` has such labels in its field `sign`",
            )
        return None


@dataclass(frozen=True)
class SquaredError(Loss):
    """Half the squared distance, summed over all numbers of an example: `1/2 sum_i (target_i - prediction_i)^2`. For
    numbers rather than classes, and for reconstruction: `squared_error(y, image)`."""

    operands = ("prediction", "target")

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        return refuse_unequal(self.kind, *types)


def refuse_unequal(kind: str, prediction: Type, target: Type) -> Refusal | None:
    if prediction != target or prediction.element.name != "f32":
        way_out = "both must have the same shape, of f32 numbers"
        if prediction.element == target.element and prediction.size == target.size:
            way_out = f"both must have the same shape: `reshape({target})` at the end of the net gives it that one"
        return Refusal(f"`{kind}` is given {prediction} and {target}", way_out)
    return None


@dataclass(frozen=True)
class Contrastive(Loss):
    """Pulls pairs of one kind together and pushes others apart, up to a margin: with D the distance of `a` and `b`,
    `same 1/2 D^2 + (1 - same) 1/2 max(0, margin - D)^2` (Hadsell, Chopra & LeCun 2006, equation 4). For two outputs
    of a siamese net and the field `same` of `pairs(...)`."""

    operands = ("a", "b", "same")

    margin: float = argument("the distance beyond which different pairs cost nothing", Real(0, above=True), 1.0)

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        a, b, same = types
        if a != b or len(a.shape) != 1 or same.size != 1 or same.element.size not in (None, 2):
            return Refusal(
                f"`contrastive` takes two vectors of one length and a number, and is given {a}, {b} and {same}",
                "the number is 1 for a pair of one kind and 0 for others, as the field `same` of `pairs(...)`",
            )
        return None


@dataclass(frozen=True)
class RbfMap(Loss):
    """LeNet-5's loss, on the distances `y` of `rbf`: `y_label + log(exp(-j) + sum_i exp(-y_i))` (LeCun et al. 1998,
    equation 9).

    The first term pulls the right class near; the second pushes the others away, and `j` keeps it from pushing those
    that are far already. `netc predict` takes the softmax of minus the distances for probabilities: the model behind
    the criterion, without the rubbish class.
    """

    operands = ("distances", "label")
    reading = "distances"

    j: float = argument("from which distance on a wrong class is far enough", Real(0, above=True), 1.0)

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        distances, label = types
        if label.element.name != "class":
            return Refusal(
                f"`rbf_map` takes class labels, and is given {label}", "as the field `label` of `mnist` and `digits`"
            )
        return refuse_classes(self.kind, distances, label)


LOSSES: tuple[type[Loss], ...] = (CrossEntropy, LogLikelihood, Logistic, SquaredError, Contrastive, RbfMap)
