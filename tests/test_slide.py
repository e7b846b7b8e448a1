"""A net that slides gives at each place of a larger input what it gives for that window alone."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import netc
from netc.cli.main import group
from netc.ir.counts import count
from netc.ir.verify import verify
from netc.layers.base import Refusal
from netc.model import origin_of
from netc.passes.slide import slide

SPECS = Path(__file__).parents[1] / "specs"
IMAGE = "input x: [9, 8, 2]"

# Nets, and how far their windows move from one place to the next.
SLIDING = {
    "dense": (f"{IMAGE} output y = x -> flatten -> dense(5) -> relu -> dense(3)", (1, 1)),
    "convolutions": (
        f"{IMAGE} output y = x -> conv(3, 3x2) -> relu -> maxpool(2x2) -> conv(4, 2x1) -> tanh -> flatten -> dense(3)",
        (2, 2),
    ),
    "strides": (f"{IMAGE} output y = x -> conv(3, 3x3, stride = 2x1) -> avgpool(2x2, stride = 1) -> flatten", (2, 1)),
    "cells left over": (f"{IMAGE} output y = x -> maxpool(2x3) -> conv(3, 3x2) -> flatten -> dense(2)", (2, 3)),
    "dilation": (f"{IMAGE} output y = x -> conv(3, 3x3, dilation = 2) -> flatten -> dense(4) -> softmax", (1, 1)),
    "pooled": (
        f"{IMAGE} output y = x -> conv(3, 2x2) -> [global_avgpool, global_maxpool] -> concat -> dense(2)",
        (1, 1),
    ),
    "batchnorm": (f"{IMAGE} output y = x -> conv(3, 3x3) -> batchnorm -> flatten -> dense(2) -> batchnorm", (1, 1)),
    "branches": (
        f"{IMAGE} h = x -> conv(3, 3x3) -> [conv(2, 3x3), conv(2, 3x3) -> relu] -> add "
        "output y = (h, h * 2 + 1) -> concat -> flatten -> dense(2)",
        (1, 1),
    ),
    "weights of its own": (
        f"{IMAGE} weight W: [4, 3] = normal(1) weight b: [3] = 0.5 output y = (x -> conv(4, 9x8) -> flatten) @ W + b",
        (1, 1),
    ),
    "tiled": (f"{IMAGE} output y = x -> conv(3, 2x2, tile = 2) -> maxpool(2x2) -> flatten -> dense(2)", (2, 2)),
    "shared": (
        f"{IMAGE} layer tower = conv(3, 3x3) -> flatten -> dense(4) "
        "output y = x -> tower output z = -x -> tower -> dense(2)",
        (1, 1),
    ),
    "blocks": (
        f"{IMAGE} output y = x -> conv(3, 3x3) -> repeat 3 {{ mix }} -> flatten -> dense(2) -> repeat 2 {{ dense(2) }}",
        (1, 1),
    ),
    "codes": (f"{IMAGE} output y = x -> flatten -> dense(2) -> rbf(codes = [[1, 2], [-1, 0.5], [0, 0]])", (1, 1)),
    "sequence": ("input x: [12, 3] output y = x -> conv(4, 3) -> maxpool(2) -> flatten -> dense(2)", (2,)),
}
# How many cells at the end of its input a net does not look at: so far its last windows reach over the end.
UNSEEN = {"convolutions": (1, 1), "cells left over": (1, 2), "tiled": (0, 1)}
BLOCKS = "block mix = [identity, conv(3, 1x1) -> relu] -> add\n"
LARGER = {2: (14, 21), 1: (31,)}


@pytest.mark.parametrize("name", SLIDING)
def test_every_place_of_a_larger_input_is_a_window(name: str) -> None:
    body, steps = SLIDING[name]
    net = netc.compile(f"{BLOCKS} net N {{ {body} }}")
    model = net.init(seed=3)
    own = net.program.root.types["x"].shape
    extents = LARGER[len(own) - 1]
    large = np.random.default_rng(0).normal(size=(2, *extents, own[-1])).astype(np.float32)
    wide = model.at(*extents)
    verify(origin_of(wide)[0])
    assert count(origin_of(wide)[0]).params == count(net.program).params
    made = wide.predict(large)
    places = tuple((e - o) // s + 1 for e, o, s in zip(extents, own, steps, strict=False))
    outputs = made if isinstance(made, tuple) else (made,)
    seen = UNSEEN.get(name, (0,) * len(own))
    fit = tuple((e - o + u) // s + 1 for e, o, u, s in zip(extents, own, seen, steps, strict=False))
    assert all(output.shape[1:-1] == fit for output in outputs)
    for place in np.ndindex(*places):
        cut = tuple(slice(p * s, p * s + o) for p, s, o in zip(place, steps, own, strict=False))
        alone = model.predict(large[:, *cut])
        for output, one in zip(outputs, alone if isinstance(alone, tuple) else (alone,), strict=True):
            np.testing.assert_allclose(output[:, *place], one, rtol=1e-4, atol=1e-5)


def test_windows_before_dense_are_a_convolution() -> None:
    x = np.random.default_rng(0).normal(size=(2, 9, 8, 2)).astype(np.float32)
    net = netc.compile(
        f"net N {{ {IMAGE} output a = x -> A: conv(3, 4x3) output b = x -> windows(4x3) -> B: dense(3) }}"
    )
    model = net.init()
    model.B.kernel[...] = model.A.kernel[...].reshape(-1, 3)  # type: ignore[attr-defined]
    a, b = model.predict(x)
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


REFUSED = {
    "padding": (f"{IMAGE} output y = x -> conv(3, 3x3, pad = 1) -> flatten -> dense(2)", "conv1` pads"),
    "partial windows": (f"{IMAGE} output y = x -> maxpool(2x3, round = up) -> flatten", "maxpool1` pads"),
    "local": (f"{IMAGE} output y = x -> local(3, 3x3) -> flatten", "local1` sees [9, 8, 2] as a whole"),
    "reshape": (f"{IMAGE} output y = x -> reshape([72, 2]) -> dense(3)", "`reshape` cannot slide"),
    "recurrent": ("input x: [9, 8] output y = x -> lstm(4)", "lstm1` sees [9, 8] as a whole"),
    "over time": ("input x: [9, 8, 2] output y = x -> over_time { conv(2, 3) }", "time does not slide"),
    "turns": (f"{IMAGE} output y = x -> conv(3, 2x2, tile = 2) -> flatten -> dense(2)", "output `y` does not see"),
    "steps": (
        f"{IMAGE} a = x -> conv(2, 3x2, stride = 2x1) b = x -> conv(2, 6x2) output y = (a, b) -> concat",
        "concat1` sees",
    ),
    "one gate": (
        f"{IMAGE} h = x -> conv(3, 3x3) output y = h * (h -> global_avgpool -> sigmoid) -> flatten -> dense(2)",
        "`*` is given [12, 19, 3] and [6, 14, 3]",
    ),
    "vector": ("input x: [9] output y = x -> dense(2)", "input `x` is [9]"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_slide_is_refused_by_name(name: str) -> None:
    body, reason = REFUSED[name]
    program = netc.compile(f"net N {{ {body} }}").program
    rank = max(1, len(program.root.types["x"].shape) - 1)
    found = slide(program, LARGER[rank])
    assert isinstance(found, Refusal) and reason in found.message, found


def test_too_small_an_input_is_refused() -> None:
    model = netc.compile(SPECS / "lenet5.net").init()
    with pytest.raises(netc.RunError, match=r"`LeNet5` does not slide: input `image` is \[32, 32, 1\]"):
        model.at(32, 20)


def test_a_strip_costs_a_fraction_of_its_windows() -> None:
    """LeNet-5 over ten digits side by side: the windows 4 pixels apart share most of the work."""
    program = netc.compile(SPECS / "lenet5.net").program
    wide = slide(program, (32, 320))
    assert not isinstance(wide, Refusal)
    (_, output) = wide.root.outputs[0]
    assert wide.root.types[output].shape == (1, 73, 10)
    assert count(wide).flops < 0.33 * 73 * count(program).flops


def test_predict_slides(tmp_path: Path) -> None:
    """`netc predict --slide` prepares a strip as the run did, and reads it place by place."""
    text = """net N { input x: [10, 10, 1]  output y = x -> conv(4, 3x3) -> maxpool(2x2) -> flatten -> dense(10) }
    train N { data = digits  prepare = pad(1) -> standardize  loss = cross_entropy(y, label)
              optimizer = adam(rate = 0.01)  steps = 5 }"""
    run = netc.train(text, out=tmp_path / "run")
    pixels = np.random.default_rng(0).integers(0, 255, (8, 30), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "strip.png")
    np.save(tmp_path / "strip.npy", pixels / np.float32(255))
    images = pixels[None, :, :, None] / np.float32(255)
    expected = run.model.at(8, 30).predict(images)[0, 0].argmax(-1)
    for file in ("strip.png", "strip.npy"):
        result = CliRunner().invoke(group, ["predict", str(tmp_path / "run"), str(tmp_path / file), "--slide"])
        assert result.exit_code == 0, result.output
        assert result.output.split(": ")[1].split() == [str(digit) for digit in expected]
    assert len(expected) == 12
