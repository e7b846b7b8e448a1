"""One table walks LAYERS: shapes, weights, costs, gradients and both Flax forms of every kind, as they run."""

import inspect
import itertools
import math
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from layer_cases import (
    CASES,
    IMAGE,
    LENET_TABLE,
    SEQUENCE,
    Types,
    accepted,
    arrays,
    f32,
    label,
    make,
    over,
    run,
    run_with_given,
    tokens,
    weights_of,
)
from vision_cases import VISION_REFUSALS

from netc.compiler import check_text, flax_source
from netc.layers import LAYERS
from netc.layers.activations import Abs, Relu
from netc.layers.attention import Attention
from netc.layers.base import Layer, Refusal
from netc.layers.conv import Conv
from netc.layers.digit_codes import DIGIT_CODES
from netc.layers.gates import Maxout
from netc.layers.linear import Dense
from netc.layers.local import Local
from netc.layers.normalise import Batchnorm, Dropout, Groupnorm, Layernorm, Rmsnorm
from netc.layers.orbits import Flip, OrbitPool, Rot4, Rot4Flip, Scale
from netc.layers.output import Rbf
from netc.layers.part import ChannelShuffle, Crop, Pad, Slice, Split
from netc.layers.pool import Avgpool, GlobalAvgpool, GlobalMaxpool, Maxpool, Subsample
from netc.layers.recurrent import Gru, Lstm, Recurrent, Rnn
from netc.layers.resample import AdaptivePool, PixelShuffle
from netc.layers.sequence import Embedding, Position, Prepend
from netc.layers.shape import Add, Concat, Flatten, Mul, Reshape, Windows
from netc.layers.transpose import ConvTranspose
from netc.types import F32, I32, Element, Type

walk = pytest.mark.parametrize(("layer", "inputs"), CASES, ids=label)
weighted = [case for case in CASES if case[0].weights(case[1])]


def test_every_kind_has_cases_and_documentation() -> None:
    assert {type(layer) for layer, _ in CASES} == set(LAYERS)
    assert len({kind.kind for kind in LAYERS}) == len(LAYERS)
    for kind in LAYERS:
        assert kind.__doc__ and not kind.__doc__.startswith(kind.__name__ + "("), kind
        assert all(argument.meaning for argument in kind.arguments())


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.kind)
def test_example_compiles(kind: type[Layer]) -> None:
    assert kind.kind in kind.example
    names = [f"x{i}" for i in range(len(kind.example_input))]
    inputs = "".join(f"input {name}: {type_} " for name, type_ in zip(names, kind.example_input, strict=True))
    flow = names[0] if len(names) == 1 else f"({', '.join(names)})"
    checked = check_text(f"net Example {{ {inputs} output y = {flow} -> {kind.example} }}")
    assert not checked.problems
    compile(flax_source(checked.programs[0]).source, kind.kind, "exec")


@walk
def test_static_shape_is_the_shape_at_run_time(layer: Layer, inputs: Types) -> None:
    module = make(layer, inputs)
    result = jax.eval_shape(lambda *values: run(layer, inputs, module, list(values)), *arrays(layer, inputs))
    made = result if isinstance(result, tuple | list) else (result,)
    assert [one.shape for one in made] == [(2, *output.array_shape) for output in accepted(layer, inputs)]


@walk
def test_weights_are_the_leaves(layer: Layer, inputs: Types) -> None:
    specs = layer.weights(inputs)
    module = make(layer, inputs)
    leaves = {} if module is None else dict(nnx.to_flat_state(nnx.state(module, (nnx.Param, nnx.BatchStat))))
    variables = layer.lower(inputs).variables
    assert set(variables) == {spec.name for spec in specs}
    assert {path: leaf.shape for path, leaf in leaves.items()} == {(variables[s.name],): s.shape for s in specs}
    for spec in specs:
        kind = nnx.Param if spec.trainable else nnx.BatchStat
        assert isinstance(getattr(module, variables[spec.name]), kind)
        assert len(spec.axes) == len(spec.shape)


@pytest.mark.parametrize(("layer", "inputs"), [c for c in weighted if not isinstance(c[0], Batchnorm)], ids=label)
def test_module_and_function_agree(layer: Layer, inputs: Types) -> None:
    module, values = make(layer, inputs), arrays(layer, inputs)
    given = run_with_given(layer, inputs, weights_of(layer, inputs, module), values)
    np.testing.assert_allclose(given, run(layer, inputs, module, values), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("layer", "inputs"), weighted, ids=label)
def test_gradients_agree_with_finite_differences(layer: Layer, inputs: Types) -> None:
    graph, state, rest = nnx.split(make(layer, inputs), (nnx.Param, nnx.BatchStat), ...)
    shift = jnp.cos(jnp.arange(2 * accepted(layer, inputs)[0].size, dtype=jnp.float32))
    values = arrays(layer, inputs)
    moved = [i for i, t in enumerate(inputs) if t.element == F32]

    def loss(point: tuple[Any, ...]) -> jax.Array:
        state, *numbers = point
        given = values[:]
        for i, value in zip(moved, numbers, strict=True):
            given[i] = value
        return jnp.sum(run(layer, inputs, nnx.merge(graph, state, rest), given).reshape(-1) * shift)

    # One program for both, since XLA takes nearly all of the time.
    @jax.jit
    def slopes(point: tuple[Any, ...], direction: tuple[Any, ...]) -> tuple[jax.Array, jax.Array]:
        ahead, behind = jax.lax.map(
            lambda step: loss(jax.tree.map(lambda x, d: x + step * d, point, direction)), jnp.array([STEP, -STEP])
        )
        products = jax.tree.map(lambda g, d: jnp.sum(g * d), jax.grad(loss)(point), direction)
        return sum(jax.tree.leaves(products), jnp.zeros(())), (ahead - behind) / (2 * STEP)

    random, point = np.random.RandomState(0), (state, *(values[i] for i in moved))
    direction = jax.tree.map(lambda x: jnp.asarray(random.randn(*x.shape), x.dtype), point)
    said, measured = slopes(point, direction)
    np.testing.assert_allclose(said, measured, atol=1e-2, rtol=2e-2)


STEP = 1e-2
COUNTED_AS_XLA = (
    *(Dense, Conv, ConvTranspose, Subsample, Maxpool, Avgpool, GlobalMaxpool, GlobalAvgpool, AdaptivePool, Maxout),
    *(Add, Mul, Relu, Abs, Flatten, Split, Slice, Pad, Crop, PixelShuffle, ChannelShuffle),
)


def agrees_with_xla(layer: Layer, inputs: Types) -> bool:
    """Whether XLA counts as we do: it counts taps within bounds alone, and functions of one number in its own way."""
    whole = getattr(layer, "pad", "valid") == "valid" and getattr(layer, "round", "down") == "down"
    # A table's kernel, and one of another size, are computed once a step and not for each example.
    made = isinstance(layer, Conv) and (layer.connect is not None or isinstance(layer.orbit, Scale))
    uneven = isinstance(layer, AdaptivePool) and layer.slid(inputs[0]) is None
    return isinstance(layer, COUNTED_AS_XLA) and whole and not made and not uneven


@pytest.mark.parametrize(("layer", "inputs"), [case for case in CASES if agrees_with_xla(*case)], ids=label)
def test_flops_equal_the_cost_analysis_of_xla(layer: Layer, inputs: Types) -> None:
    module = make(layer, inputs)
    graph, state = nnx.split(module) if module is not None else (None, None)

    def forward(state: Any, *values: jax.Array) -> Any:
        return run(layer, inputs, nnx.merge(graph, state) if graph is not None else None, list(values))

    analysis = jax.jit(forward).lower(state, *arrays(layer, inputs, batch=1)).compile().cost_analysis()
    assert analysis is not None
    assert layer.cost(inputs, accepted(layer, inputs)).flops == analysis.get("flops", 0)


# LeCun et al. 1998, section II.B: parameters and connections of each layer.
LENET5: tuple[tuple[str, Layer, Type, int, int], ...] = (
    ("C1", Conv(6, (5, 5)), f32(32, 32, 1), 156, 122_304),
    ("S2", Subsample((2, 2)), f32(28, 28, 6), 12, 5_880),
    ("C3", Conv(16, (5, 5), connect=LENET_TABLE), f32(14, 14, 6), 1_516, 151_600),
    ("S4", Subsample((2, 2)), f32(10, 10, 16), 32, 2_000),
    ("C5", Conv(120, (5, 5)), f32(5, 5, 16), 48_120, 48_120),
    ("F6", Dense(84), f32(120), 10_164, 10_164),
    ("output", Rbf(DIGIT_CODES), f32(84), 0, 840),
)


@pytest.mark.parametrize(("name", "layer", "input", "params", "connections"), LENET5, ids=[row[0] for row in LENET5])
def test_published_counts_of_lenet5(name: str, layer: Layer, input: Type, params: int, connections: int) -> None:
    assert sum(math.prod(spec.shape) for spec in layer.weights((input,))) == params
    assert layer.cost((input,), accepted(layer, (input,))).connections == connections


# Counts of one step in time, by the equations: each product of a weight, each bias, each function, each sign.
STEPS: tuple[tuple[Recurrent, int, int, int], ...] = (
    (Rnn(5), 5 * 4 + 5 * 5 + 5, 50, 2 * 45 + 5 + 5),
    (Gru(5), 3 * (5 * 4 + 5 * 5 + 5), 150, 2 * 135 + 15 + (3 + 1 + 4) * 5),
    (Lstm(5), 4 * (5 * 4 + 5 * 5 + 5), 200, 2 * 180 + 20 + (5 + 3 + 1) * 5),
)


@pytest.mark.parametrize("time", [1, 9])
@pytest.mark.parametrize(("layer", "params", "connections", "flops"), STEPS, ids=label)
def test_counts_of_recurrent_layers(layer: Recurrent, params: int, connections: int, flops: int, time: int) -> None:
    inputs = (f32(time, 4),)
    assert sum(math.prod(spec.shape) for spec in layer.weights(inputs)) == params
    cost = layer.cost(inputs, accepted(layer, inputs))
    assert (cost.connections, cost.flops) == (time * connections, time * flops)


def test_counts_of_tiled_and_local_layers() -> None:
    """As much work as a convolution, and the weights of each set: 6x6 positions, windows of 3x3x4 to 5 maps."""
    inputs = (f32(8, 8, 4),)
    for layer, sets in ((Conv(5, (3, 3)), 1), (Conv(5, (3, 3), tile=(2, 3)), 6), (Local(5, (3, 3)), 36)):
        assert sum(math.prod(spec.shape) for spec in layer.weights(inputs)) == sets * (9 * 4 * 5 + 5)
        cost = layer.cost(inputs, accepted(layer, inputs))
        assert (cost.connections, cost.flops) == (36 * (180 + 5), 36 * (2 * 180 + 5))


# 7 places of 6 channels, 4 heads of 3 numbers, 5 places of 8 channels to attend to; sums written out.
ATTENTIONS: tuple[tuple[Attention, Types, int, int, int], ...] = (
    (
        Attention(4, head_width=3),
        (f32(7, 6), f32(5, 8)),
        (6 * 12 + 12) + 2 * (8 * 12 + 12) + (12 * 6 + 6),
        7 * (6 * 12 + 12) + 5 * 2 * (8 * 12 + 12) + 7 * (12 * 6 + 6),
        7 * (2 * 6 * 12 + 12) + 5 * 2 * (2 * 8 * 12 + 12) + 7 * (2 * 12 * 6 + 6) + 4 * 7 * 5 * (2 * 3 + 1 + 3 + 2 * 3),
    ),
    (
        Attention(2, True, kv_heads=1, head_width=4, bias=False, rotary=True),
        (f32(7, 6),),
        6 * 8 + 2 * 6 * 4 + 8 * 6,
        7 * (6 * 8 + 2 * 6 * 4 + 8 * 6),
        2 * 7 * (6 * 8 + 2 * 6 * 4 + 8 * 6) + 2 * 7 * 7 * (2 * 4 + 1 + 3 + 2 * 4) + 3 * 7 * (8 + 4),
    ),
)


@pytest.mark.parametrize(("layer", "inputs", "params", "connections", "flops"), ATTENTIONS, ids=label)
def test_counts_of_attention(layer: Attention, inputs: Types, params: int, connections: int, flops: int) -> None:
    assert sum(math.prod(spec.shape) for spec in layer.weights(inputs)) == params
    cost = layer.cost(inputs, accepted(layer, inputs))
    assert (cost.connections, cost.flops) == (connections, flops)


ROT4 = over(Rot4(), 6, 6, 2)
BAD_CODES = ((1.0, 2.0), (3.0, 4.0))
REFUSALS: tuple[tuple[Layer, Types, str, str], ...] = (
    (Conv(4, (5, 5)), (f32(4, 9, 1),), "window of 5x5 that is larger than [4, 9, 1] in height", "`pad`"),
    (Conv(4, (5,)), (f32(4, 1),), "larger than [4, 1] in time", "`pad`"),
    (Conv(4, (3,), dilation=(4,)), (f32(8, 8, 1),), "larger than [8, 8, 1]", "its reach is 9"),
    (Conv(4, (3, 3)), (f32(28, 28),), "a size of 2 axes for [28, 28]", "[height, width, channels]"),
    (Conv(4, (3, 3), stride=(1, 1, 1)), (IMAGE,), "a stride of 3 axes", ""),
    (Conv(4, (3, 3), pad=(1, 1, 1)), (IMAGE,), "padding for 3 axes", ""),
    (Conv(4, (3,)), (f32(7),), "takes a value of 2, 3 or 4 axes", ""),
    (Conv(4, (3,)), (Type((8, 8, 1), I32),), "f32 numbers, and is given i32[8, 8, 1]", ""),
    (Conv(4, (3,), groups=3), (IMAGE,), "4 input and 4 output maps by 3", "multiples"),
    (Conv(4, (3,), groups=2, connect=("XXXX",) * 4), (IMAGE,), "both `groups` and `connect`", "table"),
    (Conv(3, (3,), connect=("XXX", "XXX")), (IMAGE,), "2 rows of 3 columns, for 4 input maps and 3", "row for each"),
    (
        Conv(2, (3,), connect=("XX", "X")),
        (f32(8, 8, 2),),
        "row 2 of the table of `conv` has 1 column, for 2",
        "column for each",
    ),
    (Conv(2, (3,), connect=()), (f32(8, 8, 2),), "0 rows of 0 columns", "row for each"),
    (
        Conv(2, (3,), connect=("XX", "Xx")),
        (f32(8, 8, 2),),
        "row 2 of the table of `conv` has the character 'x'",
        "`.` does not",
    ),
    (Conv(4, (3,), tile=(2, 2, 2)), (IMAGE,), "a tile of 3 axes for [8, 7, 4]", "`tile = 2`"),
    (Conv(4, (3,), tile=(2,), connect=("XXXX",) * 4), (IMAGE,), "both `tile` and `connect`", "leave out one"),
    (Local(4, (5, 5)), (f32(4, 9, 1),), "window of 5x5 that is larger than [4, 9, 1] in height", "`pad`"),
    (Local(4, (3,)), (f32(7),), "takes a value of 2, 3 or 4 axes", ""),
    (Rnn(4), (IMAGE,), "takes a sequence `[time, channels]`, and is given [8, 7, 4]", "over_time { flatten }"),
    (Lstm(4), (f32(7),), "takes a sequence `[time, channels]`, and is given [7]", "reshape"),
    (Gru(4), (Type((9, 4), I32),), "f32 numbers, and is given i32[9, 4]", ""),
    (Conv(2, (3,), connect=("X.", "X.")), (f32(8, 8, 2),), "column 2 of the table", "`X`"),
    (Maxpool((3,)), (f32(2, 2, 1),), "larger than [2, 2, 1] in height", "the height is 2"),
    (Avgpool((2,), pad=(2,)), (IMAGE,), "padding as large as its window 2x2", "below"),
    (Avgpool((2, 8)), (IMAGE,), "larger than [8, 7, 4] in width", "`pad`"),
    (Avgpool((2,)), (f32(4),), "2, 3 or 4 axes, and is given [4]", ""),
    (Subsample((2, 9)), (IMAGE,), "larger than [8, 7, 4] in width", ""),
    (GlobalAvgpool(), (f32(4),), "2, 3 or 4 axes", ""),
    (Rbf(BAD_CODES), (f32(3),), "codes of 2 numbers, and is given [3]", "dense(2)"),
    (Flatten(), (IMAGE, IMAGE), "takes one value, and is given 2", "concat"),
    (Windows((9, 9)), (IMAGE,), "larger than", "pad"),
    (Reshape((5, 5)), (IMAGE,), "of 224 numbers, for [5, 5], of 25", "as many"),
    (Concat(), (f32(4, 3), f32(5, 3)), "[4, 3] and [5, 3]", "all axes but the last"),
    (Concat(), (f32(4), Type((4,), I32)), "[4] and i32[4]", "kind of number"),
    (Concat(), (f32(), f32()), "[] and []", "last"),
    (Add(), (f32(4, 3), f32(4)), "`add` is given [4, 3] and [4]", "channels"),
    (Mul(), (f32(4), Type((), Element("class", 10))), "f32 numbers, and is given [4] and class(10)", ""),
    (Batchnorm(), (f32(),), "is given []", ""),
    (Dropout(), (Type((3,), I32),), "f32 numbers", ""),
    (Dense(3), (f32(),), "single number", ""),
    (Dense(3), (ROT4,), "takes values without an orbit, and is given [6, 6, 2] over rot4", "`orbit_pool(max)` first"),
    (Flatten(), (over(Scale(3), 6, 6, 2),), "given [6, 6, 2] over scale(3)", "invariant"),
    (Concat(), (ROT4, f32(6, 6, 2)), "[6, 6, 2] over rot4 and [6, 6, 2]", "same one"),
    (Add(), (over(Flip(), 6, 6, 2), ROT4), "[6, 6, 2] over rot4 and [6, 6, 2] over flip", "same one"),
    (Mul(), (f32(6, 6, 2), over(Flip(), 2)), "[6, 6, 2] and [2] over flip", "same one"),
    (Conv(3, (3,)), (ROT4,), "without `orbit` is given [6, 6, 2] over rot4", "`orbit = rot4` convolves"),
    (Conv(3, (3,), orbit=Flip()), (ROT4,), "`orbit = flip` is given [6, 6, 2] over rot4", "`orbit = rot4` convolves"),
    (Conv(3, (3,), orbit=Rot4()), (f32(9, 2),), "takes an image, and is given [9, 2]", "[height, width, channels]"),
    (Conv(3, (3, 2), orbit=Rot4()), (ROT4,), "a window of 3x2", "square window"),
    (Conv(3, (3,), (1, 2), orbit=Rot4Flip()), (f32(6, 6, 2),), "a stride of 1x2", "square stride"),
    (Conv(3, (3,), orbit=Rot4()), (f32(6, 5, 2),), "[6, 5, 2], which is not square", "`orbit = flip`"),
    (Conv(3, (3,), pad=(1, 2), orbit=Rot4()), (f32(6, 6, 2),), "which is padded unevenly", "`orbit = flip`"),
    (Conv(4, (3,), groups=2, orbit=Flip()), (f32(6, 6, 2),), "both `orbit` and `groups`", "leave one out"),
    (Conv(2, (3,), connect=("X.", ".X"), orbit=Flip()), (f32(6, 6, 2),), "both `orbit` and `connect`", "leave one out"),
    (Conv(2, (3,), orbit=Scale(4)), (f32(8, 9, 2),), "window of 9x9 that is larger than [8, 9, 2]", "`pad`"),
    (Layernorm(), (f32(28, 28, 1),), "0 of a single number, and [28, 28, 1] has one channel", "`groupnorm(1)`"),
    (Layernorm(), (tokens(5, 8),), "f32 numbers, and is given token(5)[8]", ""),
    (Rmsnorm(), (f32(),), "takes a value of 1, 2, 3 or 4 axes, and is given []", ""),
    (Groupnorm(3), (IMAGE,), "cannot divide the 4 channels of [8, 7, 4] by 3", "must divide"),
    (Groupnorm(6), (f32(6),), "groups of one number, as are the 6 of [6]", "fewer groups"),
    (Embedding(5, 3), (f32(8),), "takes tokens, and is given [8]", "`input text: token(5)[16]`"),
    (Embedding(5, 3), (Type((8,), I32),), "takes tokens, and is given i32[8]", "`input text: token(5)[16]`"),
    (Embedding(5, 3), (Type((), Element("class", 5)),), "takes tokens, and is given class(5)", ""),
    (Embedding(5, 3), (tokens(7, 8),), "5 tokens, and is given token(7)[8], of 7", "`embedding(7, 3)`"),
    (Embedding(5, 3), (tokens(5, 8), tokens(5, 8)), "takes one value, and is given 2", "each by itself"),
    (Position(8), (SEQUENCE,), "8 places, and is given a sequence of 9, [9, 4]", "`position(9)`"),
    (Position(8, "sinusoidal"), (SEQUENCE,), "8 places, and is given a sequence of 9", "`position(9)`"),
    (Position(8), (f32(4),), "takes a sequence `[time, channels]`, and is given [4]", "reshape"),
    (Prepend(), (f32(4),), "takes a sequence `[time, channels]`, and is given [4]", "reshape"),
    (Position(8), (tokens(5, 8),), "f32 numbers, and is given token(5)[8]", ""),
    (Attention(3), (SEQUENCE,), "cannot divide the 4 channels of [9, 4] by 3 heads", "`head_width = 2`"),
    (Attention(4, kv_heads=3), (SEQUENCE,), "4 heads among 3 keys and values", "must divide"),
    (Attention(2, kv_heads=4), (SEQUENCE,), "2 heads among 4 keys and values", "must divide"),
    (Attention(4, rotary=True), (SEQUENCE,), "turns pairs of numbers, and its heads have 1", "even `head_width`"),
    (Attention(2), (IMAGE,), "takes a sequence `[time, channels]`, and is given [8, 7, 4]", "reshape"),
    (Attention(2), (SEQUENCE, f32(4)), "takes a sequence `[time, channels]`, and is given [4]", "reshape"),
    (Attention(2), (tokens(5, 8),), "f32 numbers, and is given token(5)[8]", "`embedding`"),
    (Attention(2), (SEQUENCE,) * 3, "is given 3 values: [9, 4], [9, 4], [9, 4]", "`(x, memory) -> attention(8)`"),
    (Attention(2, True), (SEQUENCE, f32(5, 4)), "two lengths, [9, 4] and [5, 4]", "leave out `causal`"),
    (Attention(2, rotary=True), (f32(5, 4), SEQUENCE), "`rotary = true` compares places", "leave out `rotary`"),
    (Attention(2), (over(Rot4(), 4, 4),), "without an orbit, and is given [4, 4] over rot4", "`orbit_pool(max)`"),
    (OrbitPool("max"), (f32(6, 6, 2),), "[6, 6, 2], which is over no orbit", "`conv(8, 3x3, orbit = rot4)`"),
    *VISION_REFUSALS,
)


@pytest.mark.parametrize(("layer", "inputs", "message", "way_out"), REFUSALS, ids=label)
def test_refusals_name_both_sides_and_a_way_out(layer: Layer, inputs: Types, message: str, way_out: str) -> None:
    refusal = layer.gives(inputs)
    assert isinstance(refusal, Refusal)
    assert message in refusal.message
    assert f"`{layer.kind}`" in refusal.message
    assert way_out in refusal.help


NO_F32 = {
    "whole numbers": ((Type((8, 7, 4), I32),), {"identity", "concat", "split", "slice"}),
    "tokens": ((tokens(5, 8),), {"identity", "concat", "split", "slice", "embedding"}),
    "a class": ((Type((), Element("class", 10)),), {"identity"}),
    "nothing": ((), {"identity"}),
    "two values": ((IMAGE, IMAGE), {"identity", "concat", "add", "mul"}),
    "two kinds of numbers": ((IMAGE, tokens(5, 8)), {"identity"}),
}
"""What nearly all kinds refuse, and those that do not."""
OF_TIME = {"attention", "gru", "lstm", "position", "prepend", "rnn"}
OF_POSITIONS = {
    *("adaptive_avgpool", "adaptive_maxpool", "avgpool", "conv", "conv_transpose", "crop", "global_avgpool"),
    *("global_maxpool", "local", "maxpool", "pad", "subsample", "upsample", "windows"),
}
OF_CHANNELS = {
    *("batchnorm", "channel_shuffle", "dense", "groupnorm", "layernorm", "log_softmax", "lrn", "maxout", "prelu"),
    *("rmsnorm", "slice", "softmax", "split", "swiglu", "concat"),
}
AXES = {
    "a number": (f32(), OF_TIME | OF_POSITIONS | OF_CHANNELS | {"orbit_pool", "pixel_shuffle", "rbf"}),
    "a vector": (f32(4), OF_TIME | OF_POSITIONS | {"embedding", "orbit_pool", "pixel_shuffle"}),
    "a sequence": (SEQUENCE, {"embedding", "orbit_pool", "pixel_shuffle", "rbf"}),
    "an image": (IMAGE, OF_TIME | {"embedding", "orbit_pool", "rbf"}),
    "a volume": (f32(5, 6, 7, 4), OF_TIME | {"embedding", "orbit_pool", "pixel_shuffle", "rbf"}),
    "five axes": (
        f32(2, 2, 2, 2, 4),
        OF_TIME | OF_POSITIONS | {"batchnorm", "groupnorm", "layernorm", "rmsnorm", "lrn"},
    ),
}
"""Kinds that refuse a value of so many axes."""


def test_every_kind_refuses_what_it_cannot_take() -> None:
    """Each case on what is of another type or rank, and on orbits: a refusal that names the layer, and no exception."""
    taken: dict[str, set[str]] = {name: set() for name in (*NO_F32, *AXES, "an orbit")}
    odd = {name: inputs for name, (inputs, _) in NO_F32.items()} | {name: (type_,) for name, (type_, _) in AXES.items()}
    for (layer, _), (name, inputs) in itertools.product(CASES, (odd | {"an orbit": (ROT4,)}).items()):
        given = layer.gives(inputs)
        if not isinstance(given, Refusal):
            taken[name].add(layer.kind)
            assert all(extent > 0 for type_ in given for extent in type_.shape), (layer, inputs)
        else:
            assert f"`{layer.kind}`" in given.message, (layer, inputs)
    assert {name: taken[name] for name in NO_F32} == {name: kinds for name, (_, kinds) in NO_F32.items()}
    assert {name: taken[name] & kinds for name, (_, kinds) in AXES.items()} == {name: set() for name in AXES}
    keep = {layer.kind for layer, _ in CASES if layer.keeps_orbit}
    assert taken["an orbit"] <= keep | {"identity"}


def test_the_guide_adds_a_layer() -> None:
    """Its example is a layer as it is, and needs no more than the guide imports."""
    guide = (Path(__file__).parent.parent / "docs" / "adding-a-layer.md").read_text()
    names: dict[str, Any] = {"__name__": "guide"}
    text = guide.split("```python\n")[1].split("```")[0]
    assert text.endswith("\n\n\n" + inspect.getsource(Groupnorm))
    exec(text, names)
    assert names["Groupnorm"](2).lower((IMAGE,)) == Groupnorm(2).lower((IMAGE,))
