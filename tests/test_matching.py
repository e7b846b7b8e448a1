"""A recipe and its data brought together: feeds, shapes, labels, and which fields are prepared."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import problem

import netc
from netc.compiler import check_text
from netc.ir.network import Applied
from netc.rendering import render_all
from netc.training.matching import match

RNG = np.random.default_rng(0)


IMAGES, LABELS = np.zeros((10, 4), np.float32), np.arange(10) % 3


def matched(inputs: str, outputs: str, recipe: str, arrays: dict[str, Any]):
    text = f'net X {{ {inputs} {outputs} }}\ntrain X {{ data = arrays("x.npz")  optimizer = sgd(rate = 1)  {recipe} }}'
    checked = check_text(text)
    assert not checked.errors, render_all(checked.errors)
    return match(checked.recipes[0], checked.programs[-1], arrays, Path())


CLASSIFIER = ("input x: [4]", "output y = x -> dense(3)", "loss = cross_entropy(y, label)")
MISMATCHES: dict[str, tuple[tuple[str, str, str], dict[str, Any], str]] = {
    "shape": (
        CLASSIFIER,
        {"x": np.zeros((10, 5)), "label": LABELS},
        "error[data-mismatch]: the input `x` of `X` is [4], and the data's `x` is [5]\n"
        "   = help: `prepare = pad(n)` or `crop(n)` changes the data, `input` the net",
    ),
    "field": (
        CLASSIFIER,
        {"x": IMAGES, "y": LABELS},
        "error[data-mismatch]: the recipe uses the field `label`, and the data have `x`, `y`",
    ),
    "input": (
        ("input x, z: [4]", "output y = (x, z) -> add", "loss = squared_error(y, x)"),
        {"x": IMAGES, "w": IMAGES},
        "error[data-mismatch]: no field of the data goes into the input `z`; the data have `x` [4], `w` [4]\n"
        "   = help: name the field as the input",
    ),
    "classes": (
        CLASSIFIER,
        {"x": IMAGES, "label": np.arange(10)},
        "error[data-mismatch]: `cross_entropy` is given [3] and labels class(10)\n",
    ),
    "float-labels": (
        CLASSIFIER,
        {"x": IMAGES, "label": LABELS + 0.5},
        "error[data-mismatch]: `cross_entropy` is given [3] and labels []\n",
    ),
    "pad": (
        (CLASSIFIER[0], CLASSIFIER[1], CLASSIFIER[2] + " prepare = pad(2)"),
        {"x": IMAGES, "label": LABELS},
        "error[data-mismatch]: `pad` prepares images `[height, width, channels]`, and is given [4]\n",
    ),
}


TOKENS = np.arange(80).reshape(10, 8) % 6
WRITER = (
    "input text: token(6)[8]",
    "output logits = text -> embedding(6, 4) -> dense(6)",
    "loss = cross_entropy(logits, next)  metric = [accuracy(logits, next), top_k(logits, next, 2)]",
)
MISMATCHES |= {
    "token": (
        WRITER,
        {"text": np.where(TOKENS == 5, 6, TOKENS), "next": TOKENS},
        "error[data-mismatch]: the field `text` of the training set holds 6 in example 0, outside token(6)[8]\n"
        "   = help: tokens are whole numbers from 0 to 5",
    ),
    "negative-token": (
        WRITER,
        {"text": TOKENS, "test_text": TOKENS - 1, "next": TOKENS, "test_next": TOKENS},
        "error[data-mismatch]: the field `text` of the test set holds -1 in example 0, outside token(6)[8]\n",
    ),
    "broken-token": (
        WRITER,
        {"text": TOKENS / 2, "next": TOKENS},
        "error[data-mismatch]: the field `text` of the training set holds 0.5 in example 0, outside token(6)[8]\n",
    ),
    "next-token": (
        WRITER,
        {"text": TOKENS, "next": TOKENS + 1},
        "error[data-mismatch]: the field `next` of the training set holds 6 in example 0, outside class(6)[8]\n"
        "   = help: labels are whole numbers from 0 to 5",
    ),
    "next-float": (
        WRITER,
        {"text": TOKENS, "next": TOKENS * 1.0},
        "error[data-mismatch]: `cross_entropy` is given [8, 6] and labels [8]\n",
    ),
    "i32": (
        ("input n: i32[8]  input x: [4]", "output y = x -> dense(3)", "loss = cross_entropy(y, label)"),
        {"n": TOKENS + 2**31, "x": IMAGES, "label": LABELS},
        "error[data-mismatch]: the field `n` of the training set holds 2147483648 in example 0, outside i32[8]\n",
    ),
}


@pytest.mark.parametrize("case", MISMATCHES)
def test_data_that_do_not_fit_the_recipe_are_named(case: str) -> None:
    (inputs, outputs, recipe), arrays, expected = MISMATCHES[case]
    assert problem(lambda: matched(inputs, outputs, recipe, arrays)).startswith(expected)


def test_labels_that_miss_the_last_class_fit() -> None:
    assert matched(*CLASSIFIER, {"x": IMAGES, "label": LABELS % 2}).recipe.feeds == (("x", "x"),)


def test_what_feeds_an_input_is_prepared_and_targets_keep_their_units() -> None:
    x, t = RNG.normal(3, 2, (100, 4)), RNG.normal(5, 7, (100, 4))
    found = matched(
        "input x: [4]", "output y = x -> dense(4)", "loss = squared_error(y, t) prepare = standardize", {"x": x, "t": t}
    )
    assert (found.data.train["x"].mean(), found.data.train["x"].std()) == pytest.approx((0, 1), abs=1e-5)
    np.testing.assert_allclose(found.data.train["t"], t[:90], rtol=1e-6)


def test_an_autoencoder_s_target_is_its_prepared_input() -> None:
    x = RNG.random((100, 4))
    found = matched(
        "input x: [4]", "output y = x -> dense(4)", "loss = squared_error(y, x) prepare = scale(-1, 1)", {"x": x}
    )
    assert (found.data.train["x"].min(), found.data.train["x"].max()) == pytest.approx((-1, 1))


def test_two_inputs_are_prepared_each_by_its_own_numbers() -> None:
    arrays = {"a": RNG.normal(3, 2, (100, 4)), "b": RNG.normal(-9, 5, (100, 4))}
    recipe = "loss = squared_error(y, a) prepare = standardize"
    found = matched("input a, b: [4]", "output y = (a, b) -> add", recipe, arrays)
    for name in ("a", "b"):
        assert found.data.train[name].mean() == pytest.approx(0, abs=1e-5)


def test_the_images_of_a_pair_are_prepared_by_the_same_numbers(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", image=RNG.normal(3, 2, (60, 4)), label=np.arange(60) % 3)
    text = """net X { input left, right: [4]  layer t = dense(2)  output a = left -> t  output b = right -> t }
    train X { data = pairs(arrays("x.npz"))  loss = contrastive(a, b, same)  optimizer = sgd(rate = 1)
      prepare = standardize }"""
    checked = check_text(text)
    found = match(checked.recipes[0], checked.programs[-1], None, tmp_path)
    assert found.fields["left"].steps == found.fields["right"].steps
    assert found.fields["same"].steps == ()


def test_the_check_promises_what_is_prepared() -> None:
    """A field that feeds nothing is not padded, neither in the check nor in the data."""
    text = """net X { input image: [12, 12, 1]  output y: [8, 8, 1] = image -> conv(1, 5x5) }
    train X { data = digits  prepare = pad(2)  loss = squared_error(y, image)  optimizer = sgd(rate = 1) }"""
    assert [p.code for p in check_text(text).errors] == ["recipe-mismatch"]
    fine = text.replace("squared_error(y, image)", "squared_error(z, image)").replace("conv(1, 5x5)", "conv(1, 5x5)")
    fine = fine.replace(" }\n", "  output z = image -> relu }\n", 1)
    checked = check_text(fine)
    assert not checked.errors
    found = match(checked.recipes[0], checked.programs[-1], None, Path())
    assert found.data.train["image"].shape[1:] == (12, 12, 1)
    assert found.recipe.prepare == (Applied("pad", (), (("width", 2),)),)


def test_whole_numbers_are_what_they_are_used_for() -> None:
    """Tokens and the labels at positions stay whole, exactly; pixels become float32."""
    found = matched(*WRITER, {"text": TOKENS.astype(np.uint8), "next": TOKENS, "pixels": TOKENS}).data
    assert {name: array.dtype for name, array in found.train.items()} == {
        "text": np.int32,
        "next": np.int32,
        "pixels": np.float32,
    }
    assert str(found.types["text"]) == "token(6)[8]" and str(found.types["next"]) == "class(6)[8]"
    np.testing.assert_array_equal(found.train["text"], TOKENS[:9])
    recipe = "loss = cross_entropy(y, label)"
    for made in ("input n: i32[8]  input x: [8]", "input x: [8]  input n: i32[8]"):
        data = {"n": TOKENS + 2**24 + 1, "x": TOKENS, "label": LABELS}
        found = matched(made, "output y = x -> dense(3)", recipe, data).data
        np.testing.assert_array_equal(found.train["n"], TOKENS[:9] + 2**24 + 1)
        assert found.train["x"].dtype == np.float32


def test_a_field_of_another_size_than_the_scores_positions_is_no_label_of_them() -> None:
    message = problem(lambda: matched(*WRITER, {"text": TOKENS, "next": TOKENS[:, :5]}))
    assert message.startswith("error[data-mismatch]: `cross_entropy` is given [8, 6] and labels [5]")


def test_predict_refuses_what_is_no_token() -> None:
    model = netc.compile(f"net X {{ {WRITER[0]}  {WRITER[1]} }}").init()
    assert model.predict(TOKENS).shape == (10, 8, 6)
    for given, said in (
        (TOKENS + 1, "holds 6 in example 0\n   = help: they are whole numbers from 0 to 5"),
        (-TOKENS, "holds -1 in example 0\n"),
        (TOKENS * 1.0, "holds float64"),
    ):
        message = problem(lambda given=given: model.predict(given))
        assert message.startswith("error[data-mismatch]: a batch of `text` token(6)[8] is needed") and said in message
