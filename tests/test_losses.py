"""Losses and metrics: their values by hand and by NumPy's float64, their gradients, what they refuse, their source."""

import dataclasses
import inspect
from itertools import groupby, product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.test_util import check_grads

from netc.emit.recipe import emit_recipe
from netc.ir.network import Applied, Arithmetic, DataField, Output, Recipe, Term
from netc.kernels import losses, metrics
from netc.layers.base import Refusal
from netc.recipes.losses import (
    LOSSES,
    AbsoluteError,
    Contrastive,
    CrossEntropy,
    Ctc,
    Hinge,
    Huber,
    KlDivergence,
    Logistic,
    LogLikelihood,
    Loss,
    RbfMap,
    SquaredError,
    Triplet,
)
from netc.recipes.metrics import (
    METRICS,
    Accuracy,
    CharacterErrorRate,
    Confusion,
    ErrorRate,
    MeanAbsoluteError,
    MeanSquaredError,
    Metric,
    Perplexity,
    TopK,
)
from netc.types import F32, Element, Type

RNG = np.random.default_rng(0)
SCORES = RNG.normal(size=(6, 10))
PROBABILITIES = np.exp(SCORES) / np.exp(SCORES).sum(1, keepdims=True)
LABELS = np.array([3, 0, 9, 9, 1, 5])
SIGNS = np.array([1.0, -1, -1, 1, 1, -1])
SAME = (SIGNS + 1) / 2
A, B = SCORES[:, :2] / 4, SCORES[:, 2:4] / 4
C = SCORES[:, 4:6] / 4
DISTANCES = SCORES**2
STEPS = RNG.normal(size=(6, 4, 3))
"""Scores of two classes and, as class 0, the blank, at each of four steps."""
SAID = np.array([[1, 2, 0], [2, 2, 0], [1, 0, 0], [0, 0, 0], [1, 2, 1], [2, 1, 0]])


def at_label(scores: np.ndarray, label: np.ndarray) -> np.ndarray:
    return scores[np.arange(len(label)), label]


def softmax(scores: np.ndarray) -> np.ndarray:
    return np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)


def by_cross_entropy(logits: np.ndarray, label: np.ndarray) -> np.ndarray:
    return np.log(np.exp(logits).sum(1)) - at_label(logits, label)


def by_equation_9(distances: np.ndarray, label: np.ndarray, j: float = 1.0) -> np.ndarray:
    """LeCun et al. 1998, equation 9, for each example."""
    return at_label(distances, label) + np.log(np.exp(-j) + np.exp(-distances).sum(1))


def by_equation_4(a: np.ndarray, b: np.ndarray, same: np.ndarray, margin: float = 1.0) -> np.ndarray:
    """Hadsell, Chopra & LeCun 2006, equation 4, whose Y is 0 for pairs of one kind."""
    distance, y = np.sqrt(((a - b) ** 2).sum(1)), 1 - same
    return (1 - y) * 0.5 * distance**2 + y * 0.5 * np.maximum(0, margin - distance) ** 2


def said(path: tuple[int, ...], blank: int) -> list[int]:
    """Graves et al. 2006, section 3.1: repeats are one, then blanks are dropped."""
    return [k for k, _ in groupby(path) if k != blank]


def by_all_paths(logits: np.ndarray, label: np.ndarray, blank: int = 0) -> np.ndarray:
    """Graves et al. 2006, equation 3: the probability of a label is that of all paths that say it."""
    p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    paths = list(product(range(logits.shape[2]), repeat=logits.shape[1]))
    steps = range(logits.shape[1])
    wanted = [[k for k in row if k != blank] for row in label.tolist()]
    each = [
        sum(rows[steps, path].prod() for path in paths if said(path, blank) == w)
        for rows, w in zip(p, wanted, strict=True)
    ]
    return -np.log(each)


def by_equation_3(a: np.ndarray, p: np.ndarray, n: np.ndarray, margin: float = 0.2) -> np.ndarray:
    """Schroff, Kalenichenko & Philbin 2015, equation 3."""
    return np.maximum(((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + margin, 0)


def by_huber(p: np.ndarray, t: np.ndarray, delta: float = 1.0) -> np.ndarray:
    far = np.abs(p - t)
    return np.where(far <= delta, far**2 / 2, delta * (far - delta / 2)).sum(1)


# Of each loss: operands that have a gradient, the others, and its formula in NumPy.
EXAMPLES = {
    "cross_entropy": ((SCORES,), (LABELS,), by_cross_entropy),
    "kl_divergence": ((SCORES,), (PROBABILITIES[::-1].copy(),), lambda s, t: (t * np.log(t / softmax(s))).sum(1)),
    "log_likelihood": ((PROBABILITIES,), (LABELS,), lambda p, k: np.log(at_label(p, k))),
    "logistic": ((SCORES[:, :1],), (SIGNS,), lambda s, y: np.log(1 + np.exp(-y * s[:, 0]))),
    "hinge": ((SCORES[:, :1],), (SIGNS,), lambda s, y: np.maximum(0, 1 - y * s[:, 0])),
    "squared_error": ((SCORES, SCORES[::-1].copy()), (), lambda p, t: 0.5 * ((t - p) ** 2).sum(1)),
    "absolute_error": ((SCORES, SCORES[::-1].copy()), (), lambda p, t: np.abs(t - p).sum(1)),
    "huber": ((SCORES, SCORES[::-1].copy()), (), by_huber),
    "contrastive": ((A, B), (SAME,), by_equation_4),
    "triplet": ((A, B, C), (), by_equation_3),
    "ctc": ((STEPS,), (SAID,), by_all_paths),
    "rbf_map": ((DISTANCES,), (LABELS,), by_equation_9),
}


def test_every_loss_has_an_example():
    assert set(EXAMPLES) == {loss.kind for loss in LOSSES}


@pytest.mark.parametrize("entry", [*LOSSES, *METRICS], ids=lambda entry: entry.kind)
def test_a_kernel_takes_what_its_row_says(entry: type[Loss] | type[Metric]):
    module = losses if issubclass(entry, Loss) else metrics
    parameters = inspect.signature(getattr(module, entry.kind)).parameters.values()
    settings = {a.name: a.default for a in entry.arguments()}
    assert [p.name for p in parameters] == [*entry.operands, *settings]
    assert {p.name: p.default for p in parameters if p.name in settings} == settings


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_loss_is_its_formula_for_each_example(name: str):
    floats, others, formula = EXAMPLES[name]
    found = getattr(losses, name)(*(jnp.asarray(x, jnp.float32) for x in floats), *map(jnp.asarray, others))
    assert found.shape == (6,)
    np.testing.assert_allclose(found, formula(*floats, *others), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_loss_has_the_gradient_of_finite_differences(name: str):
    floats, others, _ = EXAMPLES[name]
    with jax.enable_x64(True):

        def total(*xs: jax.Array) -> jax.Array:
            return getattr(losses, name)(*xs, *map(jnp.asarray, others)).sum()

        check_grads(
            jax.jit(total), tuple(map(jnp.asarray, floats)), order=1, modes=["rev"], atol=1e-5, rtol=1e-5, eps=1e-6
        )


def test_settings_of_losses():
    far = losses.rbf_map(jnp.asarray(DISTANCES), jnp.asarray(LABELS), j=0.1)
    np.testing.assert_allclose(far, by_equation_9(DISTANCES, LABELS, 0.1), rtol=1e-5)
    wide = losses.contrastive(jnp.asarray(A), jnp.asarray(B), jnp.asarray(SAME), margin=2.0)
    np.testing.assert_allclose(wide, by_equation_4(A, B, SAME, 2.0), rtol=1e-5)
    a, b, c = map(jnp.asarray, (A, B, C))
    np.testing.assert_allclose(losses.triplet(a, b, c, margin=1.0), by_equation_3(A, B, C, 1.0), rtol=1e-5)
    np.testing.assert_allclose(losses.huber(a, b, delta=0.1), by_huber(A, B, 0.1), rtol=1e-5)
    last = losses.ctc(jnp.asarray(STEPS), 2 - jnp.asarray(SAID), blank=2)
    np.testing.assert_allclose(last, by_all_paths(STEPS, 2 - SAID, 2), rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.1, 1.0])
def test_a_smoothed_label_is_a_distribution(smoothing: float):
    spread = np.eye(10)[LABELS] * (1 - smoothing) + smoothing / 10
    for label in (jnp.asarray(LABELS), jnp.eye(10)[LABELS]):
        found = losses.cross_entropy(jnp.asarray(SCORES), label, smoothing=smoothing)
        np.testing.assert_allclose(found, -(spread * np.log(softmax(SCORES))).sum(1), rtol=1e-5)
        again = optax.softmax_cross_entropy(jnp.asarray(SCORES), optax.smooth_labels(jnp.eye(10)[LABELS], smoothing))
        np.testing.assert_allclose(found, again, rtol=1e-5)


BY_HAND = [
    (losses.cross_entropy, ([[0.0, 0.0]], [1]), np.log(2)),
    (losses.squared_error, ([[1.0, 2.0]], [[4.0, 6.0]]), 12.5),
    (losses.logistic, ([[0.0]], [1.0]), np.log(2)),
    (losses.contrastive, ([[0.0, 0.0]], [[0.3, 0.4]], [1.0]), 0.5 * 0.25),
    (losses.contrastive, ([[0.0, 0.0]], [[0.3, 0.4]], [0.0]), 0.5 * 0.25),
    (losses.contrastive, ([[0.0, 0.0]], [[3.0, 4.0]], [0.0]), 0.0),
    (losses.log_likelihood, ([[0.25]], [0]), np.log(0.75)),
    (losses.log_likelihood, ([0.25], [1]), np.log(0.25)),
    (losses.log_likelihood, ([[0.25, 0.75]], [1]), np.log(0.75)),
    (losses.rbf_map, ([[0.0, 0.0]], [0]), np.log(np.exp(-1) + 2)),
    (losses.cross_entropy, ([[0.0, 0.0, 0.0]], [1], 0.3), np.log(3)),
    (losses.kl_divergence, ([[0.0, 0.0]], [[1.0, 0.0]]), np.log(2)),
    (losses.kl_divergence, ([[3.0, 3.0]], [[0.5, 0.5]]), 0.0),
    (losses.hinge, ([[0.25]], [-1.0]), 1.25),
    (losses.hinge, ([[2.0]], [1.0]), 0.0),
    (losses.absolute_error, ([[1.0, 2.0]], [[4.0, 0.0]]), 5.0),
    (losses.huber, ([[0.0, 0.0]], [[0.5, 3.0]]), 0.125 + 2.5),
    (losses.triplet, ([[0.0, 0.0]], [[0.3, 0.4]], [[0.0, 0.6]]), 0.25 - 0.36 + 0.2),
    (losses.triplet, ([[0.0, 0.0]], [[0.3, 0.4]], [[3.0, 4.0]]), 0.0),
    (losses.ctc, ([[[0.0, 0.0], [0.0, 0.0]]], [[1, 0]]), np.log(4 / 3)),
    (losses.ctc, ([[[0.0, 0.0]] * 3], [[1, 1]]), np.log(8)),
    (losses.ctc, ([[[0.0, 0.0]] * 3], [[0, 0]]), np.log(8)),
]


@pytest.mark.parametrize(("loss", "operands", "value"), BY_HAND)
def test_losses_by_hand(loss: Any, operands: tuple, value: float):
    assert loss(*map(jnp.array, operands)).tolist() == pytest.approx([value], abs=1e-6)


def test_a_distribution_as_label_is_the_class_that_it_points_at():
    scores, label = jnp.asarray(SCORES, jnp.float32), jnp.asarray(LABELS)
    hot, p = jnp.eye(10)[LABELS], jax.nn.softmax(scores)
    np.testing.assert_allclose(losses.cross_entropy(scores, hot), losses.cross_entropy(scores, label), rtol=1e-6)
    np.testing.assert_allclose(losses.log_likelihood(p, hot), losses.log_likelihood(p, label), rtol=1e-6)
    for metric in (metrics.accuracy, metrics.error_rate, metrics.top_k):
        np.testing.assert_array_equal(metric(scores, hot), metric(scores, label))


def test_over_positions_a_loss_is_averaged():
    scores, labels = jnp.asarray(SCORES.reshape(2, 3, 10), jnp.float32), jnp.asarray(LABELS.reshape(2, 3))
    each = by_cross_entropy(SCORES, LABELS).reshape(2, 3).mean(1)
    np.testing.assert_allclose(losses.cross_entropy(scores, labels), each, rtol=1e-5)
    assert metrics.accuracy(scores, labels).shape == metrics.top_k(scores, labels).shape == (2,)


EXTREMES = [
    (losses.cross_entropy, ([[1e4, -1e4, 0.0]], [1]), 2e4),
    (losses.logistic, ([[1e4]], [-1.0]), 1e4),
    (losses.logistic, ([[1e4]], [1.0]), 0.0),
    (losses.rbf_map, ([[1e4, 2e4]], [0]), 1e4 - 1),
    (losses.contrastive, ([[1.0, 1.0]], [[1.0, 1.0]], [0.0]), 0.5),
    (losses.contrastive, ([[1.0, 1.0]], [[1.0, 1.0]], [1.0]), 0.0),
    (losses.log_likelihood, ([[0.0, 1.0]], [0]), np.log(np.finfo(np.float32).tiny)),
    (losses.log_likelihood, ([[1.0]], [0]), np.log(np.finfo(np.float32).tiny)),
    (losses.kl_divergence, ([[1e4, 0.0]], [[0.0, 1.0]]), 1e4),
    (losses.triplet, ([[1.0]], [[1.0]], [[1.0]]), 0.2),
    (losses.absolute_error, ([[1e4]], [[1e4]]), 0.0),
    (losses.ctc, ([[[1e3, 0.0], [1e3, 0.0]]], [[1, 0]]), 1e3 - np.log(2)),
]


@pytest.mark.parametrize(("loss", "operands", "value"), EXTREMES)
def test_extreme_operands_give_a_finite_loss_and_gradient(loss: Any, operands: tuple, value: float):
    first, *others = map(jnp.array, operands)
    found, gradient = jax.value_and_grad(lambda x: loss(x, *others).sum())(first)
    assert float(found) == pytest.approx(value)
    assert bool(jnp.isfinite(gradient).all())


def vector(n: int) -> Type:
    return Type((n,))


def a_class(n: int) -> Type:
    return Type((), Element("class", n))


def steps(time: int, n: int) -> Type:
    return Type((time, n))


def a_label(n: int, length: int) -> Type:
    return Type((length,), Element("class", n))


NUMBER = Type(())
ACCEPTED = [
    (CrossEntropy(0.1), (vector(10), a_class(10))),
    (CrossEntropy(), (Type((7, 256)), Type((7,), Element("class", 256)))),
    (Accuracy(), (Type((7, 256)), Type((7,), Element("class", 256)))),
    (KlDivergence(), (vector(10), vector(10))),
    (KlDivergence(), (Type((7, 10)), Type((7, 10)))),
    (Hinge(), (vector(1), NUMBER)),
    (AbsoluteError(), (Type((8, 8, 1)), Type((8, 8, 1)))),
    (Huber(0.5), (vector(3), vector(3))),
    (Triplet(), (vector(2), vector(2), vector(2))),
    (Ctc(10), (steps(8, 11), a_label(11, 5))),
    (Ctc(), (steps(5, 11), a_label(11, 5))),
    (CrossEntropy(), (vector(10), a_class(10))),
    (CrossEntropy(), (vector(10), vector(10))),
    (CrossEntropy(), (Type((7, 10)), Type((7,), Element("token", 10)))),
    (LogLikelihood(), (vector(1), a_class(2))),
    (LogLikelihood(), (NUMBER, a_class(2))),
    (LogLikelihood(), (vector(3), a_class(3))),
    (Logistic(), (vector(1), NUMBER)),
    (SquaredError(), (Type((8, 8, 1)), Type((8, 8, 1)))),
    (Contrastive(), (vector(2), vector(2), NUMBER)),
    (Contrastive(), (vector(2), vector(2), a_class(2))),
    (RbfMap(), (vector(10), a_class(10))),
    (Accuracy(), (vector(10), a_class(10))),
    (Accuracy(), (vector(1), a_class(2))),
    (ErrorRate(), (vector(1), NUMBER)),
    (TopK(5), (vector(10), a_class(10))),
    (MeanSquaredError(), (vector(3), vector(3))),
    (MeanAbsoluteError(), (vector(3), vector(3))),
    (Perplexity(), (Type((7, 10)), a_label(10, 7))),
    (Confusion(), (vector(3), a_class(3))),
    (Confusion(), (vector(1), a_class(2))),
    (CharacterErrorRate(10), (steps(8, 11), a_label(11, 5))),
]
REFUSED = [
    (CrossEntropy(), (vector(9), a_class(10)), ("[9]", "class(10)")),
    (CrossEntropy(), (NUMBER, a_class(10)), ("[]", "class(10)")),
    (CrossEntropy(), (vector(1), a_class(1)), ("class(1)",)),
    (CrossEntropy(), (vector(10), vector(9)), ("[10]", "[9]")),
    (CrossEntropy(), (Type((7, 10)), a_class(10)), ("[7, 10]", "class(10)")),
    (CrossEntropy(), (Type((7, 255)), a_label(256, 7)), ("[7, 255]", "class(256)[7]")),
    (CrossEntropy(), (Type((8, 256)), a_label(256, 7)), ("[8, 256]", "class(256)[7]")),
    (Accuracy(), (Type((8, 256)), a_label(256, 7)), ("[8, 256]", "class(256)[7]")),
    (KlDivergence(), (vector(10), vector(9)), ("[10]", "[9]")),
    (KlDivergence(), (vector(10), a_class(10)), ("[10]", "class(10)")),
    (KlDivergence(), (vector(1), vector(1)), ("[1]",)),
    (Hinge(), (vector(2), NUMBER), ("[2]", "[]")),
    (AbsoluteError(), (vector(2), vector(3)), ("[2]", "[3]")),
    (Huber(), (vector(3), a_class(3)), ("[3]", "class(3)")),
    (Triplet(), (vector(2), vector(2), vector(3)), ("[2]", "[3]")),
    (Triplet(), (steps(2, 2), steps(2, 2), steps(2, 2)), ("[2, 2]",)),
    (Ctc(), (vector(11), a_label(11, 5)), ("[11]", "class(11)[5]")),
    (Ctc(), (steps(8, 10), a_label(11, 5)), ("[8, 10]", "class(11)[5]")),
    (Ctc(), (steps(8, 11), a_class(11)), ("[8, 11]", "class(11)")),
    (Ctc(), (steps(8, 11), vector(5)), ("[8, 11]", "[5]")),
    (Ctc(), (steps(4, 11), a_label(11, 5)), ("[4, 11]", "class(11)[5]", "longer")),
    (Ctc(11), (steps(8, 11), a_label(11, 5)), ("[8, 11]", "11")),
    (CharacterErrorRate(), (steps(8, 10), a_label(11, 5)), ("[8, 10]", "class(11)[5]")),
    (Confusion(), (vector(101), a_class(101)), ("[101]", "class(101)")),
    (Confusion(), (vector(9), a_class(10)), ("[9]", "class(10)")),
    (Perplexity(), (vector(9), a_class(10)), ("[9]", "class(10)")),
    (MeanAbsoluteError(), (vector(3), a_class(3)), ("[3]", "class(3)")),
    (LogLikelihood(), (vector(1), a_class(3)), ("[1]", "class(3)")),
    (Logistic(), (vector(1), a_class(2)), ("[1]", "class(2)")),
    (Logistic(), (vector(2), NUMBER), ("[2]", "[]")),
    (SquaredError(), (Type((28, 28, 1)), vector(784)), ("[28, 28, 1]", "[784]")),
    (SquaredError(), (NUMBER, a_class(10)), ("[]", "class(10)")),
    (Contrastive(), (vector(2), vector(3), NUMBER), ("[2]", "[3]")),
    (Contrastive(), (vector(2), vector(2), a_class(10)), ("class(10)",)),
    (RbfMap(), (vector(10), vector(10)), ("[10]",)),
    (Accuracy(), (vector(10), NUMBER), ("[10]", "[]")),
    (TopK(11), (vector(10), a_class(10)), ("11", "10")),
    (MeanSquaredError(), (vector(3), a_class(3)), ("[3]", "class(3)")),
]


@pytest.mark.parametrize(("entry", "types"), ACCEPTED)
def test_types_that_are_taken_also_run(entry: Loss | Metric, types: tuple[Type, ...]):
    assert entry.refuse(types) is None
    module = losses if isinstance(entry, Loss) else metrics
    operands = [jnp.zeros((4, *t.shape), jnp.float32 if t.element == F32 else jnp.int32) for t in types]
    found = getattr(module, entry.kind)(*operands, **entry.given())
    assert found.shape == (4,) or (isinstance(entry, Metric) and entry.of_all and len(found) == 4)


@pytest.mark.parametrize(("entry", "types", "named"), REFUSED)
def test_a_refusal_names_what_it_is_given(entry: Loss | Metric, types: tuple[Type, ...], named: tuple[str, ...]):
    refusal = entry.refuse(types)
    assert isinstance(refusal, Refusal)
    assert all(name in refusal.message for name in (entry.kind, *named)), refusal.message


def test_metrics_by_hand():
    scores, label = jnp.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]]), jnp.array([1, 2])
    np.testing.assert_array_equal(metrics.accuracy(scores, label), [1, 0])
    np.testing.assert_array_equal(metrics.error_rate(scores, label), [0, 1])
    np.testing.assert_array_equal(metrics.accuracy(scores, jnp.array([0, 1]), smallest=True), [1, 1])
    np.testing.assert_array_equal(metrics.top_k(scores, label, k=1), [1, 0])
    np.testing.assert_array_equal(metrics.top_k(scores, label, k=2), [1, 1])
    np.testing.assert_array_equal(metrics.top_k(scores, label, k=2, smallest=True), [0, 1])
    np.testing.assert_allclose(metrics.mean_squared_error(scores, scores + 2), [4, 4], rtol=1e-6)


def test_of_equal_scores_the_first_class_is_the_answer():
    """So a net that gives one score to all classes is no better than chance, in `top_k` too."""
    same, labels = jnp.zeros((4, 4)), jnp.arange(4)
    np.testing.assert_array_equal(metrics.accuracy(same, labels), [1, 0, 0, 0])
    np.testing.assert_array_equal(metrics.accuracy(same, labels, smallest=True), [1, 0, 0, 0])
    np.testing.assert_array_equal(metrics.top_k(same, labels, k=1), [1, 0, 0, 0])
    np.testing.assert_array_equal(metrics.top_k(same, labels, k=2, smallest=True), [1, 1, 0, 0])
    np.testing.assert_array_equal(metrics.top_k(same * jnp.nan, labels, k=2), [1, 1, 0, 0])


def test_one_score_is_compared_with_the_threshold_of_its_labels():
    scores = jnp.array([[0.7], [0.3], [-0.2]])
    np.testing.assert_array_equal(metrics.accuracy(scores, jnp.array([1, 0, 1])), [1, 1, 0])
    np.testing.assert_array_equal(metrics.accuracy(scores, jnp.array([1.0, 1.0, -1.0])), [1, 1, 1])
    np.testing.assert_array_equal(metrics.accuracy(scores, jnp.array([1, 1, 0]), threshold=0.0), [1, 1, 1])
    np.testing.assert_array_equal(metrics.error_rate(scores[:, 0], jnp.array([1.0, 1, -1]), threshold=0.5), [0, 1, 0])


ENTROPY = Applied("cross_entropy", (Output("digit"), DataField("label")))
RECIPE = Recipe(
    name="Quick",
    net="Net",
    data=Applied("digits"),
    prepare=(),
    augment=(),
    loss=ENTROPY,
    maximise=False,
    metrics=(("accuracy", Applied("accuracy", (Output("digit"), DataField("label")))),),
    optimizer=(Applied("sgd", (), (("learning_rate", 0.5),)),),
    batch=2,
    epochs=1,
    steps=None,
    seed=0,
    precision="f32",
    feeds=(("image", "image"),),
)
OUTPUTS, DATA = {"digit": jnp.asarray(SCORES, jnp.float32)}, {"label": jnp.asarray(LABELS)}


def run(recipe: Recipe) -> dict[str, Any]:
    """The functions of the emitted source."""
    names: dict[str, Any] = {}
    exec(compile(emit_recipe(recipe), "<recipe>", "exec"), names)
    return names


def test_emitted_source_reads_as_written():
    assert emit_recipe(RECIPE) == (
        "import optax\n\nfrom netc.kernels import losses\nfrom netc.kernels import metrics as measures\n\n\n"
        "def loss(outputs, data):\n    return losses.cross_entropy(outputs['digit'], data['label'])\n\n\n"
        "def metrics(outputs, data):\n    return {\n"
        "        'accuracy': measures.accuracy(outputs['digit'], data['label']),\n    }\n\n\n"
        "def optimizer(total_steps):\n    return optax.sgd(learning_rate=0.5)\n"
    )


def of(left: Term, operator: str, right: Term) -> Arithmetic:
    return Arithmetic(operator, left, right)


LOSS = by_cross_entropy(SCORES, LABELS)
SUMS = [
    (of(ENTROPY, "+", of(0.3, "*", ENTROPY)), LOSS + 0.3 * LOSS),
    (of(1, "-", of(2, "-", ENTROPY)), 1 - (2 - LOSS)),
    (of(ENTROPY, "/", of(2, "/", of(ENTROPY, "+", 1))), LOSS / (2 / (LOSS + 1))),
    (of(of(ENTROPY, "-", 1), "-", -2), LOSS - 1 + 2),
    (of(of(ENTROPY, "+", 1), "*", of(ENTROPY, "/", 2)), (LOSS + 1) * (LOSS / 2)),
    (of(10**15, "*", ENTROPY), 1e15 * LOSS),
]


@pytest.mark.parametrize(("term", "value"), SUMS)
@pytest.mark.parametrize("maximise", [False, True])
def test_emitted_arithmetic_is_grouped_as_the_term_is(term: Term, value: np.ndarray, maximise: bool):
    found = run(dataclasses.replace(RECIPE, loss=term, maximise=maximise))["loss"](OUTPUTS, DATA)
    np.testing.assert_allclose(found, -value if maximise else value, rtol=1e-5, atol=1e-5)


def test_emitted_metrics_are_by_name():
    assert list(run(RECIPE)["metrics"](OUTPUTS, DATA)) == ["accuracy"]
    assert run(dataclasses.replace(RECIPE, metrics=()))["metrics"](OUTPUTS, DATA) == {}


def test_hostile_names_stay_strings():
    name = "']; import os; os.abort() # \"\n\\{0}"
    operands = (Output(name), DataField(name + "x"))
    recipe = dataclasses.replace(
        RECIPE, loss=Applied("cross_entropy", operands), metrics=((name, Applied("accuracy", operands)),)
    )
    outputs, data = {name: OUTPUTS["digit"]}, {name + "x": DATA["label"]}
    names = run(recipe)
    np.testing.assert_allclose(names["loss"](outputs, data), LOSS, rtol=1e-5)
    assert list(names["metrics"](outputs, data)) == [name]
