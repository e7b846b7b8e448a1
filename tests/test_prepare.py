"""Preparation: the shape rule says what really comes out, and the numbers are the training set's."""

import numpy as np
import pytest

from netc.ir.network import Applied
from netc.layers.base import Refusal
from netc.recipes.prepare import PREPARATIONS, Crop, Pad, Preparation, Scale, Standardize
from netc.training.prepare import apply_preparation, fit_preparation
from netc.types import Type

RNG = np.random.default_rng(0)
IMAGES = (RNG.random((20, 6, 5, 3)) * np.array([1, 5, 0.1]) + np.array([0, 3, -1])).astype(np.float32)
SHAPED = [
    (Pad(0), Type((6, 5, 3))),
    (Pad(2), Type((10, 9, 3))),
    (Crop((4,)), Type((4, 4, 3))),
    (Crop((3, 5)), Type((3, 5, 3))),
    (Standardize(), Type((6, 5, 3))),
    (Standardize(True), Type((6, 5, 3))),
    (Scale(), Type((6, 5, 3))),
    (Scale(-1, 1), Type((6, 5, 3))),
]
REFUSED = [
    (Pad(2), Type((784,))),
    (Crop((4,)), Type((28, 28))),
    (Crop((4, 4, 4)), Type((28, 28, 1))),
    (Crop((29, 28)), Type((28, 28, 1))),
]


def prepared(*steps: Preparation, train: np.ndarray = IMAGES, images: np.ndarray | None = None) -> np.ndarray:
    """Images as they come out after steps that were fitted on a training set."""
    terms = tuple(Applied(step.kind, (), tuple(step.given().items())) for step in steps)
    return apply_preparation(fit_preparation(terms, train), train if images is None else images)


def test_every_preparation_has_a_case():
    assert {type(entry) for entry, _ in SHAPED} == set(PREPARATIONS)


@pytest.mark.parametrize(("entry", "type_"), SHAPED)
def test_the_shape_rule_is_what_comes_out(entry: Preparation, type_: Type):
    assert entry.output(Type((6, 5, 3))) == type_
    found = prepared(entry)
    assert (found.shape[1:], found.dtype) == (type_.shape, np.float32)


@pytest.mark.parametrize(("entry", "type_"), REFUSED)
def test_a_refusal_names_the_shape(entry: Preparation, type_: Type):
    refusal = entry.output(type_)
    assert isinstance(refusal, Refusal) and str(type_) in refusal.message


def test_pad_adds_zeros_and_crop_keeps_the_middle():
    padded = prepared(Pad(2))
    np.testing.assert_array_equal(padded[:, 2:-2, 2:-2], IMAGES)
    assert padded.sum() == pytest.approx(IMAGES.sum(), rel=1e-5)
    np.testing.assert_array_equal(prepared(Pad(2), Crop((6, 5))), IMAGES)
    np.testing.assert_array_equal(prepared(Crop((2, 5))), IMAGES[:, 2:4])


def test_standardize_gives_mean_0_and_variance_1():
    whole, channels = prepared(Standardize()), prepared(Standardize(per_channel=True))
    assert (whole.mean(), whole.std()) == pytest.approx((0, 1), abs=1e-5)
    np.testing.assert_allclose(channels.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(channels.std((0, 1, 2)), 1, atol=1e-5)


def test_statistics_are_those_of_the_training_set_after_the_steps_before():
    test = IMAGES[:3] + 1
    np.testing.assert_allclose(prepared(Standardize(), images=test), (test - IMAGES.mean()) / IMAGES.std(), rtol=1e-4)
    assert prepared(Pad(2), Standardize()).mean() == pytest.approx(0, abs=1e-5)


def test_scale_maps_the_range_of_the_training_set():
    found = prepared(Scale(-1, 1))
    assert (found.min(), found.max()) == pytest.approx((-1, 1))
    bytes_ = np.arange(256, dtype=np.float32).reshape(16, 4, 4, 1)
    np.testing.assert_allclose(prepared(Scale(), train=bytes_), bytes_ / 255, rtol=1e-6)


def test_numbers_that_are_all_the_same_stay_finite():
    same = np.full((4, 2, 2, 1), 7, np.float32)
    np.testing.assert_array_equal(prepared(Standardize(), train=same), np.zeros_like(same))
    np.testing.assert_array_equal(prepared(Scale(0.25, 1), train=same), np.full_like(same, 0.25))
