"""Asserts on symmetry: what follows from how a net is built, and that it is true when it is measured."""

import jax
import numpy as np
import pytest

from netc.compiler import check_text
from netc.ir.symmetry import Claim, is_fixed, motions
from netc.layers.symmetry import SHIFT, SYMMETRIES, Motion, Sight, composed
from netc.rendering import render_all
from netc.verification.subject import make_subject
from netc.verification.symmetries import measure_claim, turned

IMAGE = "input image: [20, 20, 2]"
KERNEL = "weight K: [3, 3, 2, 4] = normal(1)"


def claims_of(body: str, blocks: str = "") -> tuple[Claim, ...]:
    checked = check_text(f"{blocks} net N {{ {body} }}")
    assert not checked.errors, render_all(checked.problems)
    return checked.claims["N"]


# Nets, what is proved of them, and what holds without being proved or does not hold.
NETS: dict[str, tuple[str, str, str, str]] = {
    "convolution": (
        f"{IMAGE} output y = image -> conv(4, 3x3, pad = same) -> relu -> maxpool(2x2) -> conv(2, 3x3, dilation = 2)",
        "equivariant(image, shift)",
        "",
        "equivariant(image, rot90); equivariant(image, flip); invariant(image, shift)",
    ),
    "pointwise": (
        f"{IMAGE} output y = image -> dense(3) -> batchnorm -> tanh -> dropout(0.2) -> softmax",
        "; ".join(f"equivariant(image, {name})" for name in ("shift", "rot90", "rot180", "flip", "flipud")),
        "",
        "invariant(image, rot180)",
    ),
    "pooled": (
        f"{IMAGE} output y = image -> conv(4, 3x3, stride = 2) -> relu -> global_avgpool -> dense(3)",
        "invariant(image, shift)",
        "",
        "invariant(image, flip); invariant(image, rot90)",
    ),
    "bag of pixels": (
        f"{IMAGE} output y = image -> conv(4, 1x1) -> relu -> global_maxpool -> dense(3)",
        "; ".join(f"invariant(image, {name})" for name in ("shift", "rot90", "rot180", "flip", "flipud")),
        "",
        "",
    ),
    "fully connected": (
        f"{IMAGE} output y = image -> flatten -> dense(3)",
        "",
        "",
        "; ".join(f"invariant(image, {name})" for name in ("shift", "rot90", "rot180", "flip", "flipud")),
    ),
    "gate": (
        f"{IMAGE} h = image -> conv(4, 3x3, pad = 1) -> relu "
        "output y = h * (h -> global_avgpool -> dense(4) -> sigmoid) -> conv(2, 3x3, pad = same) "
        "output z = y -> global_maxpool",
        "equivariant(image, shift, y); invariant(image, shift, z)",
        "",
        "equivariant(image, flip, y)",
    ),
    "a weight for each place": (
        f"{IMAGE} weight W: [20, 20, 2] output y = image * W",
        "",
        "",
        "equivariant(image, shift); equivariant(image, flip)",
    ),
    "mirrored kernel": (
        f"{IMAGE} {KERNEL} output y = image -> conv(4, 3x3, kernel = (K + flip(K, 1)) / 2, pad = same)",
        "equivariant(image, flip); equivariant(image, shift)",
        "",
        "equivariant(image, flipud); equivariant(image, rot180)",
    ),
    "turned kernel": (
        f"{IMAGE} {KERNEL} "
        "h = image -> conv(4, 3x3, kernel = K + rot90(K) + rot90(K, 2) + rot90(K, 3)) -> avgpool(2x2)"
        " output y = h -> global_avgpool -> dense(3)",
        "invariant(image, rot90); invariant(image, rot180); invariant(image, shift)",
        # A 3x3 kernel that quarter turns leave as it is is its own mirror image.
        "invariant(image, flip)",
        "",
    ),
    "stride that leaves out an end": (
        f"{IMAGE} {KERNEL} output y = image -> conv(4, 3x3, kernel = K + flip(K, 1), stride = 2)",
        "equivariant(image, shift)",
        "",
        "equivariant(image, flip)",
    ),
    "mirrored block": (
        "input image: [16, 16, 4] weight K: [3, 3, 4, 4] "
        "output y = image -> body(K + flip(K, 1)) -> repeat 3 { body(K + flip(K, 1)) }",
        "equivariant(image, flip); equivariant(image, shift)",
        "",
        "equivariant(image, rot180)",
    ),
    "many layers": (
        "input sound: [900, 1] output y = sound -> conv(1, 1) -> repeat 90 { conv(1, 3, pad = same) -> tanh }",
        "equivariant(sound, shift)",
        "",
        "",
    ),
    "tiled": (
        f"{IMAGE} output y = image -> conv(4, 3x3, tile = 2) -> relu -> conv(2, 3x3, stride = 2) "
        "output z = y -> global_avgpool",
        "equivariant(image, shift, y); invariant(image, shift, z)",
        "",
        "",
    ),
    "padded, cut and resized": (
        f"{IMAGE} output y = image -> pad([[1, 1], [2, 2]], mode = reflect) -> crop(1) -> lrn -> upsample(2)"
        " -> prelu -> upsample(2, mode = bilinear) -> adaptive_maxpool(7) -> channel_shuffle(2)",
        "equivariant(image, rot180); equivariant(image, flip); equivariant(image, flipud)",
        "",
        "equivariant(image, rot90)",
    ),
    "padded with zeros": (
        f"{IMAGE} output y = image -> pad(2) -> conv(3, 3x3) -> maxout(3) -> adaptive_avgpool(11)"
        " output z = y -> global_maxpool",
        "equivariant(image, shift, y); invariant(image, shift, z)",
        "",
        "equivariant(image, flip, y)",
    ),
    "cut unevenly": (
        f"{IMAGE} output y = image -> slice(1, -1, axis = 0) -> crop([[0, 0], [0, 1]]) output z = y -> global_avgpool",
        "equivariant(image, flipud, y); invariant(image, flipud, z)",
        # Of what stands near the borders more or less is cut off when it moves.
        "equivariant(image, shift, y); invariant(image, shift, z)",
        "equivariant(image, flip, y)",
    ),
    "local": (f"{IMAGE} output y = image -> local(3, 3x3)", "", "", "equivariant(image, shift)"),
    "recurrent": ("input sound: [12, 3] output y = sound -> rnn(4)", "", "", "equivariant(sound, flip)"),
    "time": (
        "input sound: [16, 3] output y = sound -> conv(4, 3) -> relu -> maxpool(2) output z = y -> global_maxpool",
        "equivariant(sound, shift, y); invariant(sound, shift, z)",
        "",
        "equivariant(sound, flip, y)",
    ),
    "attention": (
        "input x: [12, 8] output y = x -> attention(2) -> layernorm -> dense(3) output z = y -> global_avgpool",
        "equivariant(x, flip, y); invariant(x, flip, z)",
        "equivariant(x, shift, y)",
        "invariant(x, flip, y)",
    ),
    "attention that knows places": (
        "input x: [12, 8] output a = x -> attention(2, causal = true) output b = x -> attention(2, rotary = true) "
        "output c = x -> position(12) -> attention(2) output d = x -> position(12, encoding = sinusoidal)",
        "",
        "",
        "; ".join(f"equivariant(x, flip, {name})" for name in "abcd") + "; equivariant(x, shift, c)",
    ),
    "attention to a memory": (
        "input x: [12, 8] input memory: [9, 4] output y = (x, memory) -> attention(2, kv_heads = 1)",
        "equivariant(x, flip); equivariant(x, shift); invariant(memory, flip)",
        "invariant(memory, shift)",
        "equivariant(memory, flip); invariant(x, flip)",
    ),
    "norms": (
        f"{IMAGE} output y = image -> dense(4) -> groupnorm(2) -> dense(3) -> rmsnorm -> layernorm",
        "equivariant(image, rot90); equivariant(image, flip); equivariant(image, rot180)",
        "equivariant(image, shift)",
        "invariant(image, flip)",
    ),
    "twins": (
        "input left, right: [8] layer tower = dense(4) -> relu output a = left -> tower output b = right -> tower "
        "output d = (a, b) -> mul -> dense(1) output e = (a - b) ^ 2",
        "equivariant((left, right), swap, (a, b)); invariant((left, right), swap, d)",
        "invariant((left, right), swap, e)",
        "",
    ),
    "two nets": (
        "input left, right: [8] output a = left -> dense(4) output b = right -> dense(4) output c = a + b",
        "",
        "",
        "equivariant((left, right), swap, (a, b)); invariant((left, right), swap, c)",
    ),
    "two images together": (
        "input image, mask: [9, 9, 1] output y = (image, mask) -> concat -> conv(3, 3x3)",
        "equivariant((image, mask), shift)",
        "",
        "equivariant(image, shift)",
    ),
}
BLOCKS = "block body(w) { input x output x -> conv(4, 3x3, pad = same, kernel = w) -> relu }"


@pytest.mark.parametrize("case", NETS)
def test_what_is_proved_is_true_and_what_is_not_is_measured(case: str) -> None:
    body, *kinds = NETS[case]
    kinds = [[text for text in texts.split("; ") if text] for texts in kinds]
    written = [text for texts in kinds for text in texts]
    checked = check_text(f"{BLOCKS} net N {{ {body} {' '.join(f'assert {text}' for text in written)} }}")
    assert not checked.errors, render_all(checked.problems)
    claims = {claim.text: claim for claim in checked.claims["N"]}
    assert [text for text, claim in claims.items() if claim.proved] == kinds[0]
    with jax.enable_x64(True):
        subject = make_subject(checked.programs[0])
        for text, claim in claims.items():
            found = measure_claim(subject, claim, seed=0)
            assert found.difference is not None, f"{text} was not measured"
            assert found.holds(1e-9) == (text not in kinds[2]), f"{text}: {found.difference} at {found.where}"


def test_reach_steps_and_margins_add_up() -> None:
    (program,) = check_text(f"""net N {{ {IMAGE}
        output y = image -> conv(4, 3x3, pad = same) -> maxpool(2x2) -> conv(4, 5x3, stride = (2x1))
        output z = y -> global_avgpool }}""").programs
    found = motions(program.by_name, program.root, ("image",), SHIFT)
    # A position of y sees 2 * (5 - 1) + 2 rows of the first layer, and one more on either side.
    sights = (Sight(4, -1, 10), Sight(2, -1, 6))
    assert found["y"] == Motion(True, sights, (4, 2), (0, 0))
    assert found["z"] == Motion(False, (), (4, 2), (11, 7))


def test_too_long_a_row_is_left_open() -> None:
    (claim,) = claims_of(
        "input x: [9, 1] output y = x -> repeat 300 { conv(1, 3, pad = same) } assert equivariant(x, shift)"
    )
    assert not claim.proved
    (claim,) = claims_of("input x: [9, 1] output y = x -> repeat 300 { dense(1) } assert equivariant(x, shift)")
    assert claim.proved


@pytest.mark.parametrize("name", ["rot90", "rot180", "flip", "flipud"])
def test_turns_are_those_of_numpy(name: str) -> None:
    image = np.random.default_rng(0).normal(size=(2, 5, 5, 3))
    by_numpy = {
        "rot90": lambda x: np.rot90(x, 1, (1, 2)),
        "rot180": lambda x: np.rot90(x, 2, (1, 2)),
        "flip": lambda x: x[:, :, ::-1],
        "flipud": lambda x: x[:, ::-1],
    }
    turn = SYMMETRIES[name].turn
    assert turn is not None
    once = turned(image, turn(2))
    np.testing.assert_array_equal(once, by_numpy[name](image))
    np.testing.assert_array_equal(turned(once, turn(2)), turned(image, composed(turn(2), turn(2))))


SUMS = {
    "K + flip(K, 1)": ("flip",),
    "K - flip(K, 1)": (),
    "flip(flip(K, 1), 1)": (),
    "(K + rot90(K, 2)) / 4": ("rot180",),
    "K + flip(K, 0) + flip(K, 1) + rot90(K, 2)": ("rot180", "flip", "flipud"),
    "K - K + (L + flip(L, 0)) * 3": ("flipud",),
    "K + flip(L, 1)": (),
    "K + flip(K, 2)": (),
    "K + flip(K, 3) + flip(K, 1)": (),
    "-(K + rot90(K, 1) + rot90(K, -1) + rot90(K, 2))": ("rot90", "rot180"),
}


@pytest.mark.parametrize("text", SUMS)
def test_sums_of_turned_kernels(text: str) -> None:
    weights = "weight K: [3, 3, 2, 4] weight L: [3, 3, 2, 4]"
    checked = check_text(f"net N {{ {IMAGE} {weights} output y = image -> conv(4, 3x3, kernel = {text}) }}")
    assert not checked.errors
    ((_, view),) = [pair for i in checked.programs[0].root.instances for pair in i.views]
    turns = {name: s.turn for name, s in SYMMETRIES.items() if s.turn is not None}
    assert tuple(name for name, turn in turns.items() if is_fixed(view, turn(2))) == SUMS[text]
