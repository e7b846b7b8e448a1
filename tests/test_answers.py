"""What the outputs of a net mean, by the loss that it was trained with."""

from dataclasses import replace

import numpy as np
import pytest

from netc.recipes.losses import LOSSES, Ctc
from netc.training.answers import READINGS, Answer, as_data, as_text, of_numbers, reading_of

RNG = np.random.default_rng(0)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x.astype(np.float64))
    return e / e.sum(-1, keepdims=True)


def test_every_loss_says_how_its_output_is_read() -> None:
    assert {loss.reading for loss in LOSSES} <= READINGS.keys()
    assert {loss.kind: loss.reading for loss in LOSSES} == {
        "cross_entropy": "logits",
        "kl_divergence": "logits",
        "log_likelihood": "probabilities",
        "logistic": "score",
        "hinge": "numbers",
        "squared_error": "numbers",
        "absolute_error": "numbers",
        "huber": "numbers",
        "contrastive": "numbers",
        "triplet": "numbers",
        "ctc": "transcription",
        "rbf_map": "distances",
    }


X = RNG.normal(size=(5, 4)).astype(np.float32)
P = RNG.random((5, 1)).astype(np.float32)
READ: dict[str, tuple[str, np.ndarray, tuple[int, ...] | None, np.ndarray]] = {
    "logits": ("logits", X, (0, 1, 2, 3), softmax(X)),
    "large-logits": ("logits", 1000 * X, (0, 1, 2, 3), np.eye(4)[X.argmax(1)]),
    "positions": ("logits", X[:, None], (0, 1, 2, 3), softmax(X[:, None])),
    "distances": ("distances", X**2, (0, 1, 2, 3), softmax(-(X**2))),
    "probabilities": ("probabilities", softmax(X), (0, 1, 2, 3), softmax(X)),
    "one-probability": ("probabilities", P, (0, 1), np.concatenate([1 - P, P], axis=1)),
    "bare-probability": ("probabilities", P[:, 0], (0, 1), np.concatenate([1 - P, P], axis=1)),
    "score": ("score", X[:, :1], (-1, 1), np.stack([1 / (1 + np.exp(X[:, 0])), 1 / (1 + np.exp(-X[:, 0]))], axis=1)),
    "large-score": ("score", np.array([[-2000.0], [2000.0]]), (-1, 1), np.eye(2)),
    "numbers": ("numbers", X, None, X),
}


@pytest.mark.parametrize("case", READ)
def test_outputs_are_read_as_their_loss_means_them(case: str) -> None:
    reading, output, classes, values = READ[case]
    found = READINGS[reading](output)
    assert found.classes == classes
    np.testing.assert_allclose(found.values, values, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("blank", [0, 3])
def test_a_transcription_is_what_the_best_path_says(blank: int) -> None:
    paths = np.array([[1, 1, blank, 1, 2], [blank] * 5, [2, 2, 2, 1, blank]])
    found = reading_of(Ctc(blank))(np.eye(4)[paths])
    assert [as_text(found, i, None) for i in range(3)] == ["112", "nothing", "21"]
    one = np.e / (np.e + 3)
    assert as_data(found, 0, None) == {
        "string": "112",
        "sequence": [1, 1, 2],
        "probabilities": pytest.approx([one, one, one]),
    }
    assert as_data(found, 1, None) == {"string": "", "sequence": [], "probabilities": []}


def test_a_class_of_a_transcription_is_as_probable_as_at_its_surest_step() -> None:
    p = np.array([[[0.3, 0.7, 0.0], [0.1, 0.9, 0.0], [0.2, 0.8, 0.0], [0.6, 0.4, 0.0], [0.4, 0.6, 0.0]]])
    found = READINGS["transcription"](np.log(p + 1e-12))
    assert as_data(found, 0, None) == {
        "string": "11",
        "sequence": [1, 1],
        "probabilities": pytest.approx([0.9, 0.6]),
    }


def test_a_transcription_of_more_than_ten_classes_has_spaces() -> None:
    path = np.array([[1, 0, 10, 0, 7]])
    eleven, ten = (reading_of(Ctc(blank))(np.eye(11)[path]) for blank in (0, 10))
    assert as_text(eleven, 0, None) == "1 10 7"
    assert as_text(ten, 0, None) == "1007"


def test_answers_as_text_and_data() -> None:
    answer = Answer((-1, 1), np.array([[0.25, 0.75]]))
    assert as_text(answer, 0, None) == "1 (75.0%)"
    assert as_text(answer, 0, 2) == "1 (75.0%), -1 (25.0%)"
    assert as_data(answer, 0, 1) == {"classes": [{"class": 1, "probability": 0.75}]}
    named = replace(answer, names=("cat", "dog"))
    assert as_data(named, 0, 2)["classes"] == [
        {"class": 1, "name": "dog", "probability": 0.75},
        {"class": -1, "probability": 0.25},
    ]
    assert as_text(named, 0, 2) == "dog (75.0%), -1 (25.0%)", "a class that the data do not have has no name"
    assert as_text(of_numbers(np.array([[1.5, -2.0]])), 0, None) == "1.5 -2"
    positions = READINGS["logits"](np.array([[[0.0, 9.0], [9.0, 0.0]]]))
    assert as_text(positions, 0, None) == "1 0"
    assert np.shape(as_data(positions, 0, None)["probabilities"]) == (2, 2)
