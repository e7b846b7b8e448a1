"""Losses: what training makes small (or, of a likelihood, large), on outputs of the net and fields of the data."""

from dataclasses import dataclass
from typing import Any, ClassVar

from netc.arguments import Entry, Integer, ListOf, OneOf, Real, argument
from netc.layers.base import Refusal
from netc.types import Type

BALANCED = "balanced"
"""Weights of classes by how often the training set has them."""


@dataclass(frozen=True)
class Loss(Entry):
    """A row of the table: the operands that it takes, which types they may have, and its JAX function.

    Emitted as `losses.NAME(operands..., settings...)`, which gives a number for each example. `reading` is what
    `netc predict` makes of the output that is the first operand:

    - `logits`: probabilities are their softmax
    - `probabilities`: they are; one alone is that of class 1 of 0 and 1
    - `score`: the probability of class +1 of -1 and +1 is its sigmoid
    - `distances`: probabilities are the softmax of minus them
    - `transcription`: the classes that the best path through the logits of all steps says
    - `numbers`: nothing more

    `read_with` are the arguments that this takes besides the output.
    """

    operands: ClassVar[tuple[str, ...]]
    reading: ClassVar[str] = "numbers"
    read_with: ClassVar[tuple[str, ...]] = ()

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
class ClassWeights:
    """Accepts a list of factors, none below 0, or `balanced`."""

    words: tuple[str, ...] = (BALANCED,)

    def read(self, value: object) -> Any:
        return ListOf(Real(0)).read(value) if isinstance(value, tuple) else OneOf(self.words).read(value)

    def describe(self) -> str:
        return f"a list of numbers of at least 0, or `{BALANCED}`"


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """`-log softmax(logits)[label]`, the usual loss for telling classes apart: small where the right class has a high
    probability. The softmax is part of it, so the net ends in plain scores, the logits.

    Labels are `class(n)` for n logits, or n numbers that say how likely each class is. Over positions it is averaged.
    With `smoothing`, that part of each label's probability is spread evenly over all n classes, which keeps the net
    from being too sure (Szegedy et al. 2016, section 7).

    `weights` are factors of the classes, for classes that are rare or matter more: `-sum_c weights_c q_c log p_c` for
    labels q. `balanced` takes n / (k count) for a class that has `count` of the n labels of the training set, of k
    classes (King & Zeng 2001), so that a training set's weights are 1 in the mean. Losses of a batch are averaged over
    its examples, not over their weights. The run keeps the numbers; the test set's loss has the same weights.
    """

    elsewhere = (
        "crossentropyloss",
        "nll",
        "nllloss",
        "softmaxcrossentropy",
        "categoricalcrossentropy",
        "sparsecategoricalcrossentropy",
    )
    operands = ("logits", "label")
    reading = "logits"

    smoothing: float = argument("the part of a label that is spread over all classes", Real(0, 1), 0.0)
    weights: tuple[float, ...] | str | None = argument("a factor for each class, or `balanced`", ClassWeights(), None)

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        scores, _ = types
        return refuse_classes(self.kind, *types) or self.refuse_weights(scores.channels)

    def refuse_weights(self, classes: int) -> Refusal | None:
        """Why the weights are not those of so many classes."""
        if not isinstance(self.weights, tuple):
            return None
        if len(self.weights) != classes:
            return Refusal(
                f"`{self.kind}` is given {len(self.weights)} weights for {classes} classes", "give one for each class"
            )
        if not any(self.weights):
            return Refusal(f"`{self.kind}` is given weights that are all 0", "a weight of 0 leaves its class out")
        return None


@dataclass(frozen=True)
class KlDivergence(Loss):
    """How far the net's distribution, the softmax of its logits, is from another: `sum_i t_i log(t_i / p_i)` (Kullback
    & Leibler 1951). It is `cross_entropy` less what no net can save, so 0 is reached where both agree. Over positions
    it is averaged.

    The target holds as many numbers as there are logits, of sum 1: a field of the data, or another output of the net.
    """

    operands = ("logits", "target")
    reading = "logits"

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        logits, target = types
        if target != logits or target.element.name != "f32" or not target.shape or target.channels < 2:
            return Refusal(
                f"`kl_divergence` is given {logits} and the target {target}",
                "the target has one probability for each logit; of labels that are classes take `cross_entropy`",
            )
        return None


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
        return refuse_signs(self.kind, *types)


@dataclass(frozen=True)
class Hinge(Loss):
    """`max(0, 1 - sign * score)` for one score and signs of -1 and +1: nothing once the score is 1 or more on the right
    side of 0, as in a support vector machine (Cortes & Vapnik 1995). `data = binary(...)` has such signs. The score is
    no probability; its sign is the answer."""

    operands = ("score", "sign")

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        return refuse_signs(self.kind, *types)


def refuse_signs(kind: str, score: Type, sign: Type) -> Refusal | None:
    if score.size != 1 or sign.size != 1 or sign.element.name != "f32":
        return Refusal(
            f"`{kind}` takes one score and a label of -1 or +1, and is given {score} and {sign}",
            "`data = binary(...)` has such labels in its field `sign`",
        )
    return None


@dataclass(frozen=True)
class SquaredError(Loss):
    """Half the squared distance, summed over all numbers of an example: `1/2 sum_i (target_i - prediction_i)^2`. For
    numbers rather than classes, and for reconstruction: `squared_error(y, image)`."""

    elsewhere = ("mse", "mseloss", "meansquarederror", "l2loss")
    operands = ("prediction", "target")

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        return refuse_unequal(self.kind, *types)


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """The difference without its sign, summed over all numbers of an example: `sum_i |target_i - prediction_i|`.
    Examples that are far off count less than by `squared_error`."""

    elsewhere = ("mae", "l1loss", "meanabsoluteerror")
    operands = ("prediction", "target")

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        return refuse_unequal(self.kind, *types)


@dataclass(frozen=True)
class Huber(Loss):
    """Of each difference d half its square up to `delta`, and `delta (|d| - delta / 2)` beyond, summed over all numbers
    of an example (Huber 1964): `squared_error` near the target, and a multiple of `absolute_error` far from it."""

    operands = ("prediction", "target")

    delta: float = argument("the difference from which on the loss is a straight line", Real(0, above=True), 1.0)

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
class Triplet(Loss):
    """Brings an example nearer to another of its class than to one of another class, by a margin: `max(0, |anchor -
    positive|^2 - |anchor - negative|^2 + margin)`, with squared distances (Schroff, Kalenichenko & Philbin 2015,
    equation 3, with margin 0.2 and vectors of length 1). For three outputs of one net, on `triplets(...)`."""

    operands = ("anchor", "positive", "negative")

    margin: float = argument("by how much the negative has to be farther away", Real(0, above=True), 0.2)

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        anchor, positive, negative = types
        if not anchor == positive == negative or len(anchor.shape) != 1 or anchor.element.name != "f32":
            return Refusal(
                f"`triplet` takes three vectors of one length, and is given {anchor}, {positive} and {negative}",
                "call one tower on all three inputs: its outputs are of one length",
            )
        return None


@dataclass(frozen=True)
class Transcribing(Entry):
    """What a loss and a metric of transcriptions share: logits [time, n] and a label `class(n)[length]`.

    One of the n classes is the blank: in the logits it says nothing, and in labels it fills up those that are shorter.
    """

    operands: ClassVar[tuple[str, ...]] = ("logits", "label")

    blank: int = argument("the class that says nothing, and fills up labels", Integer(0), 0)

    def refuse(self, types: tuple[Type, ...]) -> Refusal | None:
        logits, label = types
        given = f"`{self.kind}` is given {logits} and labels {label}"
        if len(logits.shape) != 2 or logits.element.name != "f32":
            return Refusal(given, "logits are `[time, n]`: a score for each class and the blank, at each step")
        if len(label.shape) != 1 or label.element.name != "class":
            way_out = f"labels are `class({logits.channels})[length]`, shorter ones filled up with the blank"
            return Refusal(given, way_out)
        if label.element.size != logits.channels:
            classes = f"each of the {label.element.size} classes, the blank among them"
            return Refusal(given, f"the last axis of the logits needs one number for {classes}")
        if self.blank >= logits.channels:
            message = f"{given}, and the blank is class {self.blank}"
            return Refusal(message, f"classes go from 0 to {logits.channels - 1}, and the blank is one of them")
        if label.shape[0] > logits.shape[0]:
            way_out = "a step says one class at most, so the net needs as many steps as the longest label has classes"
            return Refusal(f"{given}, which are longer than the time", way_out)
        return None


@dataclass(frozen=True)
class Ctc(Transcribing, Loss):
    """`-log p(label)`, where p sums over all ways in which the steps of time can say the label: connectionist temporal
    classification (Graves et al. 2006), for sequences whose places in time nobody marked.

    A path says a class or the blank at each step; repeats of a class count once, unless a blank is between them, and
    blanks are dropped. Labels are `class(n)[length]` for n logits at each step, one of them the `blank`; a shorter
    label is filled up with blanks. `netc predict` says what the best path says.
    """

    reading = "transcription"
    read_with = ("blank",)


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


LOSSES: tuple[type[Loss], ...] = (
    CrossEntropy,
    KlDivergence,
    LogLikelihood,
    Logistic,
    Hinge,
    SquaredError,
    AbsoluteError,
    Huber,
    Contrastive,
    Triplet,
    Ctc,
    RbfMap,
)
