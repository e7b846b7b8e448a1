"""What layers compute, against numpy and the formulas of their sources."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import interpreter
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import lax
from layer_cases import (
    CASES,
    IMAGE,
    SUPPORT,
    Types,
    accepted,
    arrays,
    f32,
    label,
    make,
    run,
    run_with_given,
    weights_of,
)

import netc
from netc.compiler import support
from netc.emit.flax import cut
from netc.kernels import modules
from netc.kernels.attention import rotate
from netc.layers import LAYERS
from netc.layers.activations import Gelu
from netc.layers.attention import Attention
from netc.layers.base import Layer, Refusal
from netc.layers.conv import Conv
from netc.layers.digit_codes import DIGIT_CODES
from netc.layers.local import Local
from netc.layers.normalise import Batchnorm, Dropout, Groupnorm, Layernorm, Rmsnorm
from netc.layers.output import Rbf
from netc.layers.pool import Avgpool, Maxpool, Subsample
from netc.layers.recurrent import Lstm, Recurrent, Rnn
from netc.layers.sequence import Embedding, Position
from netc.layers.shape import Add, Mul
from netc.layers.window import window
from netc.types import Type


def convolved(x: np.ndarray, kernel: np.ndarray, layer: Conv, pads: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Convolution tap by tap, in numpy."""
    rank = x.ndim - 2
    stride, dilation = (v * rank if len(v) == 1 else v for v in (layer.stride, layer.dilation))
    x = np.pad(x, ((0, 0), *pads, (0, 0)))
    taps = kernel.shape[:rank]
    out = [(x.shape[a + 1] - dilation[a] * (taps[a] - 1) - 1) // stride[a] + 1 for a in range(rank)]
    fed, made = x.shape[-1] // layer.groups, layer.channels // layer.groups
    y = np.zeros((x.shape[0], *out, layer.channels))
    for tap in itertools.product(*map(range, taps)):
        starts = [t * d for t, d in zip(tap, dilation, strict=True)]
        cells = tuple(slice(start, start + stride[a] * (out[a] - 1) + 1, stride[a]) for a, start in enumerate(starts))
        seen = x[(slice(None), *cells)]
        for g in range(layer.groups):
            ins, outs = slice(g * fed, (g + 1) * fed), slice(g * made, (g + 1) * made)
            y[..., outs] += seen[..., ins] @ kernel[tap][:, outs]
    return y


PLAIN = [case for case in CASES if not any(t.orbit for t in (*case[1], *accepted(*case)))]
"""The cases without orbits; those are in test_orbits.py."""
UNTILED = [case for case in PLAIN if isinstance(case[0], Conv) and not case[0].is_tiled()]


@pytest.mark.parametrize(("layer", "inputs"), UNTILED, ids=label)
def test_conv_equals_numpy(layer: Conv, inputs: Types) -> None:
    module, (x,) = make(layer, inputs), arrays(layer, inputs)
    weights = {name: np.asarray(w, np.float64) for name, w in weights_of(layer, inputs, module).items()}
    kernel = weights["kernel"]
    if layer.connect:
        kernel = np.zeros((*kernel.shape[:-1], len(layer.connect), layer.channels))
        columns = ((i, o) for o in range(layer.channels) for i in range(len(layer.connect)))
        present = [(i, o) for i, o in columns if layer.connect[i][o] == "X"]
        for n, (i, o) in enumerate(present):
            kernel[..., i, o] = weights["kernel"][..., n]
    slid = layer.window(inputs[0])
    assert not isinstance(slid, Refusal)
    wanted = convolved(np.asarray(x, np.float64), kernel, layer, slid.pad) + weights.get("bias", 0.0)
    np.testing.assert_allclose(run(layer, inputs, module, [x]), wanted, rtol=1e-4, atol=1e-4)


BY_LOOPS = [c for c in CASES if isinstance(c[0], Local | Recurrent) or (isinstance(c[0], Conv) and c[0].is_tiled())]


@pytest.mark.parametrize(("layer", "inputs"), BY_LOOPS, ids=label)
def test_unshared_and_recurrent_layers_equal_numpy_loops(layer: Layer, inputs: Types) -> None:
    """The loops are those of `interpreter.py`: position by position and tap by tap, or step by step."""
    module, (x,) = make(layer, inputs), arrays(layer, inputs)
    weights = {name: np.asarray(w, np.float64) for name, w in weights_of(layer, inputs, module).items()}
    weights = {name: w - 1 for name, w in weights.items()}
    given = {name: jnp.asarray(w, jnp.float32) for name, w in weights.items()}
    wanted = interpreter.LAYERS[layer.kind](layer, weights, np.asarray(x, np.float64))
    np.testing.assert_allclose(run_with_given(layer, inputs, given, [x]), wanted, rtol=1e-4, atol=1e-5)


IN_NUMPY = (Embedding, Position, Attention, Layernorm, Rmsnorm, Groupnorm, Gelu)


@pytest.mark.parametrize(("layer", "inputs"), [c for c in CASES if isinstance(c[0], IN_NUMPY)], ids=label)
def test_sequences_and_norms_equal_numpy(layer: Layer, inputs: Types) -> None:
    """The formulas of the papers, in `numpy_sequences.py`."""
    module, values = make(layer, inputs), arrays(layer, inputs)
    weights = {} if module is None else weights_of(layer, inputs, module)
    own = {name: np.asarray(w, np.float64) for name, w in weights.items()}
    numbers = [np.asarray(x, np.float64) for x in values]
    wanted = interpreter.LAYERS[layer.kind](layer, own, *numbers)
    np.testing.assert_allclose(run(layer, inputs, module, values), wanted, rtol=2e-4, atol=2e-4)


def test_a_named_layer_of_sequences_takes_several_lengths() -> None:
    text = """net N { input a: [3, 4]  input b: [5, 4]  layer p = position(6) -> position(9, encoding = sinusoidal)
      layer f = attention(2, causal = true) -> layernorm  output y = a -> p -> f  output z = b -> p -> f }"""
    model = netc.compile(text).init()
    x = np.random.default_rng(0).normal(size=(2, 5, 4))
    y, z = model.predict(x[:, :3], x)
    np.testing.assert_allclose(z[:, :3], y, atol=1e-5)
    assert np.abs(z[:, 3:]).min() > 0


def attended(layer: Attention, x: jax.Array, memory: jax.Array | None = None, seed: int = 0) -> np.ndarray:
    """What attention with small random weights gives."""
    values = [x] if memory is None else [x, memory]
    inputs = tuple(f32(*v.shape[1:]) for v in values)
    random = np.random.default_rng(seed)
    specs = layer.weights(inputs)
    weights = {s.name: jnp.asarray(random.normal(0, 0.5, s.shape), jnp.float32) for s in specs}
    return np.asarray(run_with_given(layer, inputs, weights, values))


def randoms(*shape: int, seed: int = 0) -> jax.Array:
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@pytest.mark.parametrize("layer", [Attention(2, True), Attention(4, True, kv_heads=2, rotary=True)], ids=label)
def test_causal_attention_sees_nothing_later(layer: Attention) -> None:
    x = randoms(2, 6, 8)
    before = attended(layer, x)
    for t in range(6):
        after = attended(layer, x.at[:, t].add(1.0))
        np.testing.assert_array_equal(after[:, :t], before[:, :t])
        assert (np.abs(after[:, t:] - before[:, t:]).max(axis=(0, 2)) > 1e-4).all()


def test_attention_without_places_knows_no_order() -> None:
    x, memory, order = randoms(2, 6, 8), randoms(2, 5, 3, seed=1), np.array([3, 0, 5, 1, 4, 2])
    np.testing.assert_allclose(attended(Attention(2), x[:, order]), attended(Attention(2), x)[:, order], atol=1e-5)
    crossed = attended(Attention(2), x, memory)
    np.testing.assert_allclose(attended(Attention(2), x, memory[:, ::-1]), crossed, atol=1e-5)
    np.testing.assert_allclose(attended(Attention(2), x[:, order], memory), crossed[:, order], atol=1e-5)
    assert np.abs(attended(Attention(2, rotary=True), x[:, order]) - attended(Attention(2, rotary=True), x)).max() > 0.1


def test_grouped_heads_are_repeated_ones() -> None:
    """Each key and value serves heads in a row: as many heads with equal columns do the same."""
    grouped, whole, inputs = Attention(6, kv_heads=2, rotary=True), Attention(6, rotary=True), (f32(5, 12),)
    random = np.random.default_rng(0)
    weights = {s.name: jnp.asarray(random.normal(size=s.shape), jnp.float32) for s in grouped.weights(inputs)}
    repeated = {
        name: jnp.repeat(w.reshape(*w.shape[:-1], 2, 2), 3, axis=-2).reshape(*w.shape[:-1], 12)
        if name.startswith(("key", "value"))
        else w
        for name, w in weights.items()
    }
    x = [randoms(2, 5, 12)]
    given = (run_with_given(grouped, inputs, weights, x), run_with_given(whole, inputs, repeated, x))
    np.testing.assert_allclose(*given, rtol=1e-4, atol=1e-5)


def test_rotary_scores_depend_on_distance_alone() -> None:
    query, key = randoms(1, 1, 1, 6), randoms(1, 1, 1, 6, seed=1)
    places = 9
    turned_q, turned_k = (rotate(jnp.repeat(x, places, axis=1), 30.0)[0, :, 0] for x in (query, key))
    scores = np.asarray(turned_q @ turned_k.T)
    for distance in range(1 - places, places):
        np.testing.assert_allclose(np.ptp(np.diagonal(scores, distance)), 0, atol=1e-5)
    assert np.ptp([scores[i, 0] for i in range(places)]) > 0.1


def test_attention_drops_shares_in_training() -> None:
    """With values of 1 and no biases, an output is the sum of the shares that are left, each over 1 - rate."""
    layer, inputs = Attention(1, dropout=0.25, bias=False), (f32(300, 4),)
    module = make(layer, inputs)
    module.query[...], module.value[...], module.out[...] = jnp.zeros((4, 4)), jnp.eye(4), jnp.eye(4)
    module.train()
    y = np.asarray(run(layer, inputs, module, [jnp.ones((2, 300, 4))]))[..., 0]
    shares = y * 300 * 0.75
    np.testing.assert_allclose(shares, shares.round(), atol=1e-2)
    assert abs(shares.mean() / 300 - 0.75) < 0.01 and shares.std() > 5 and not np.allclose(y[0], y[1])


def test_norms_of_numbers_far_from_0_are_exact() -> None:
    """A mean far larger than the spread, where E[x^2] - E[x]^2 would have lost all digits."""
    x = 3000 + randoms(2, 4, 8)
    for layer in (Layernorm(), Groupnorm(2)):
        y = run(layer, (f32(4, 8),), nnx.clone(made_fresh(layer, (f32(4, 8),))), [x])
        weights = {"scale": np.ones(8), "bias": np.zeros(8)}
        wanted = interpreter.LAYERS[layer.kind](layer, weights, np.asarray(x, np.float64))
        np.testing.assert_allclose(y, wanted, atol=2e-3)


def made_fresh(layer: Layer, inputs: Types) -> Any:
    """The layer as it starts."""
    return eval(layer.lower(inputs).module or "", {"nnx": nnx, "rngs": nnx.Rngs(0)})


@pytest.mark.parametrize("input", [f32(6, 4), f32(4, 3, 2)], ids=str)
@pytest.mark.parametrize(("stride", "pad"), [((1,), "valid"), ((2,), "same"), ((1,), (2,))])
def test_a_tile_is_between_conv_and_local(input: Type, stride: tuple[int, ...], pad: Any) -> None:
    (x,), plain, tile = (
        arrays(Conv(3, (2,)), (input,)),
        Conv(3, (2,), stride, pad),
        Conv(3, (2,), stride, pad, tile=(9,)),
    )
    own = Local(3, (2,), stride, pad)
    many = {spec.name: spec.shape for spec in own.weights((input,))}
    assert many == {spec.name: spec.shape for spec in tile.weights((input,))}
    assert Conv(3, (2,), stride, pad, tile=(1,)) == plain
    rng = np.random.default_rng(0)
    weights = {name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, shape in many.items()}
    by_tile, by_own = (run_with_given(layer, (input,), weights, [x]) for layer in (tile, own))
    np.testing.assert_allclose(by_tile, by_own, rtol=1e-4, atol=1e-5)
    # With the same numbers in every set, both are a plain convolution.
    rank = len(input.shape) - 1
    one = {name: w[(0,) * rank] for name, w in weights.items()}
    same = {name: jnp.broadcast_to(one[name], w.shape) for name, w in weights.items()}
    wanted = run_with_given(plain, (input,), one, [x])
    for layer in (tile, own):
        np.testing.assert_allclose(run_with_given(layer, (input,), same, [x]), wanted, rtol=1e-4, atol=1e-5)


def test_each_set_starts_with_the_fan_in_of_its_window() -> None:
    for layer in (Local(64, (5, 5)), Conv(64, (5, 5), tile=(3,))):
        inputs = (f32(8, 8, 4),)
        names = {"rngs": nnx.Rngs(0)} | {name: SUPPORT[name] for name in layer.lower(inputs).support}
        module = eval(layer.lower(inputs).module or "", {"nnx": nnx} | names)
        kernel = np.asarray(module.kernel[...])
        assert abs(kernel.std() * math.sqrt(5 * 5 * 4) - 1) < 0.02
        assert not np.allclose(kernel[0, 0], kernel[0, 1])


@pytest.mark.parametrize("reverse", [False, True])
def test_rnn_and_lstm_equal_those_of_flax(reverse: bool) -> None:
    inputs = (f32(6, 4),)
    for layer, cell in (
        (Rnn(3, reverse=reverse), nnx.SimpleCell(4, 3, rngs=nnx.Rngs(0))),
        (Lstm(3, reverse=reverse), nnx.OptimizedLSTMCell(4, 3, rngs=nnx.Rngs(0))),
    ):
        module, (x,) = make(layer, inputs), arrays(layer, inputs)
        weights = {name: w - 1 for name, w in weights_of(layer, inputs, module).items()}
        of_input, of_state = (cell.dense_i, cell.dense_h)
        of_input.kernel.set_value(weights["kernel"])
        of_state.kernel.set_value(weights["recurrent"])
        biased = of_state if isinstance(layer, Lstm) else of_input
        assert biased.bias is not None
        biased.bias.set_value(weights["bias"])
        wanted = nnx.RNN(cell, reverse=reverse, keep_order=True)(x)
        np.testing.assert_allclose(run_with_given(layer, inputs, weights, [x]), wanted, rtol=1e-4, atol=1e-5)


def test_the_forget_gate_starts_open() -> None:
    layer, inputs = Lstm(3), (f32(6, 4),)
    names = {"rngs": nnx.Rngs(0)} | {name: SUPPORT[name] for name in layer.lower(inputs).support}
    module = eval(layer.lower(inputs).module or "", {"nnx": nnx} | names)
    assert module.bias[...].tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]


def pooled(x: np.ndarray, layer: Maxpool | Avgpool, out: tuple[int, ...], before: tuple[int, ...]) -> np.ndarray:
    """Pooling window by window over the cells that are really there, in numpy."""
    rank = x.ndim - 2
    size, stride = (v * rank if len(v) == 1 else v for v in (layer.size, layer.stride or layer.size))
    keep = np.max if isinstance(layer, Maxpool) else np.mean
    y = np.zeros((x.shape[0], *out, x.shape[-1]))
    for place in itertools.product(*map(range, out)):
        starts = [p * s - b for p, s, b in zip(place, stride, before, strict=True)]
        cells = tuple(slice(max(start, 0), start + extent) for start, extent in zip(starts, size, strict=True))
        y[(slice(None), *place)] = keep(x[(slice(None), *cells)], axis=tuple(range(1, rank + 1)))
    return y


@pytest.mark.parametrize(("layer", "inputs"), [c for c in PLAIN if isinstance(c[0], Maxpool | Avgpool)], ids=label)
def test_pooling_equals_numpy(layer: Maxpool | Avgpool, inputs: Types) -> None:
    (x,) = arrays(layer, inputs)
    slid = layer.window(inputs[0])
    assert not isinstance(slid, Refusal)
    wanted = pooled(np.asarray(x), layer, slid.out, tuple(before for before, _ in slid.pad))
    np.testing.assert_allclose(run(layer, inputs, None, [x]), wanted, rtol=1e-5, atol=1e-6)


def caffe_extent(positions: int, size: int, stride: int, pad: int) -> int:
    """caffe/src/caffe/layers/pooling_layer.cpp: rounds up, and leaves out a window that starts in the padding."""
    count = math.ceil((positions + 2 * pad - size) / stride) + 1
    return count - 1 if pad and (count - 1) * stride >= positions + pad else count


def test_round_up_has_the_shapes_of_caffe() -> None:
    for positions, size, stride in itertools.product(range(4, 12), range(1, 4), range(1, 4)):
        for pad in range(1 if size <= stride else 0, size):
            output = accepted(Maxpool((size,), (stride,), (pad,), "up"), (f32(positions, 1),))[0]
            assert output.shape[0] == caffe_extent(positions, size, stride, pad), (positions, size, stride, pad)


def test_same_pads_as_xla() -> None:
    for positions, size, stride, dilation in itertools.product(range(1, 9), range(1, 5), range(1, 4), range(1, 3)):
        slid = window("conv", f32(positions, 1), (size,), (stride,), "same", (dilation,))
        assert not isinstance(slid, Refusal)
        reach = dilation * (size - 1) + 1
        assert slid.pad == tuple(lax.padtype_to_pads((positions,), (reach,), (stride,), "SAME"))
        assert slid.out == (math.ceil(positions / stride),)


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
    "selu": lambda x: 1.05070099 * np.where(x > 0, x, 1.67326324 * np.expm1(x)),
    "relu6": lambda x: np.clip(x, 0, 6),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "gelu": lambda x: x * np.vectorize(lambda v: 0.5 * (1 + math.erf(v / math.sqrt(2))))(x),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
    "log_softmax": lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)),
    **{name: getattr(np, name) for name in ("tanh", "exp", "log", "sqrt", "abs", "sin", "cos")},
    "flatten": lambda x: x.reshape(2, -1),
    "global_maxpool": lambda x: x.max((1, 2)),
    "global_avgpool": lambda x: x.mean((1, 2)),
    "identity": lambda x: x,
    "dropout": lambda x: x,
}


@pytest.mark.parametrize("kind", [k for k in LAYERS if k.kind in FUNCTIONS], ids=lambda kind: kind.kind)
def test_functions_equal_numpy(kind: type[Layer]) -> None:
    layer = kind()
    (x,) = arrays(layer, (IMAGE,))
    wanted = FUNCTIONS[kind.kind](np.asarray(x, np.float64))
    np.testing.assert_allclose(run(layer, (IMAGE,), make(layer, (IMAGE,)), [x]), wanted, rtol=1e-5, atol=1e-6)


def test_functions_name_layers() -> None:
    assert set(FUNCTIONS) <= {kind.kind for kind in LAYERS}
    assert {kind.kind for kind in LAYERS if kind.elementwise} <= set(FUNCTIONS)


@pytest.mark.parametrize(("layer", "numpy"), [(Add(), np.add), (Mul(), np.multiply)], ids=["add", "mul"])
def test_narrow_values_join_by_channel(layer: Layer, numpy: np.ufunc) -> None:
    inputs = (f32(3), f32(4, 5, 3), f32())
    a, b, c = values = arrays(layer, inputs)
    assert accepted(layer, inputs) == inputs[1:2]
    wanted = numpy(numpy(np.asarray(a)[:, None, None, :], b), np.asarray(c)[:, None, None, None])
    np.testing.assert_allclose(run(layer, inputs, None, values), wanted, rtol=1e-6)


def test_subsample_sums_windows() -> None:
    layer, inputs = Subsample((2,)), (f32(5, 4, 3),)
    module, (x,) = make(layer, inputs), arrays(layer, inputs)
    weights = weights_of(layer, inputs, module)
    sums = np.asarray(x)[:, :4].reshape(2, 2, 2, 2, 2, 3).sum((2, 4))
    np.testing.assert_allclose(
        run(layer, inputs, module, [x]), sums * weights["coefficient"] + weights["bias"], rtol=1e-4
    )


def test_batchnorm_in_training() -> None:
    layer, inputs = Batchnorm(0.8, 1e-3), (IMAGE,)
    module, (x,) = make(layer, inputs), arrays(layer, inputs)
    before = weights_of(layer, inputs, module)
    module.train()
    y = run(layer, inputs, module, [x])
    after = weights_of(layer, inputs, module)
    mean, var = np.mean(x, (0, 1, 2)), np.var(x, (0, 1, 2))
    wanted = (x - mean) / np.sqrt(var + 1e-3) * before["scale"] + before["bias"]
    np.testing.assert_allclose(y, wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(after["mean"], 0.8 * before["mean"] + 0.2 * mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(after["var"], 0.8 * before["var"] + 0.2 * var, rtol=1e-4)


def test_dropout_in_training() -> None:
    layer, inputs = Dropout(0.25), (f32(4000),)
    module = make(layer, inputs)
    module.train()
    y = np.asarray(run(layer, inputs, module, [jnp.ones((1, 4000))]))
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(np.mean(y == 0) - 0.25) < 0.03


def test_rbf_is_the_distance_to_codes() -> None:
    (x,) = arrays(Rbf(DIGIT_CODES), (f32(84),))
    codes = np.array(DIGIT_CODES)
    np.testing.assert_array_equal(codes, modules.digit_codes())
    assert codes.shape == (10, 84) and len({*map(tuple, codes)}) == 10 and {*codes.flat} == {1, -1}
    wanted = ((np.asarray(x)[:, None] - codes) ** 2).sum(-1)
    np.testing.assert_allclose(run(Rbf(DIGIT_CODES), (f32(84),), None, [x]), wanted, rtol=1e-5)


def test_fan_in_of_a_table_is_that_of_each_map() -> None:
    table = ("XX", "X.", "X.")
    module = modules.TableConv(table, (5, 5), kernel_init=modules.fan_in_uniform(2.4), rngs=nnx.Rngs(0))
    kernel = np.abs(module.kernel[...])
    for maps, part in ((3, kernel[..., :3]), (1, kernel[..., 3:])):
        assert 0.8 * 2.4 / (25 * maps) < part.max() <= 2.4 / (25 * maps)


def test_initialisers_work_inside_jit() -> None:
    kernel = jax.jit(lambda key: modules.fan_in_uniform(1.0)(key, (5, 8)))(jax.random.key(0))
    assert kernel.shape == (5, 8) and 0.1 < jnp.abs(kernel).max() <= 0.2


@pytest.mark.parametrize("name", [n for n, v in SUPPORT.items() if getattr(v, "__module__", "") in support()])
def test_support_can_be_pasted(name: str) -> None:
    """Each definition, with those that it names, stands alone on the imports of a portable file."""
    header = "import jax\nimport jax.numpy as jnp\nfrom jax import Array, lax\nfrom flax import nnx\n"
    definitions = cut("\n".join(support().values()), [name]).values()
    pasted = header + "from collections.abc import Sequence\nfrom typing import Any\n" + "\n".join(definitions)
    names: dict[str, Any] = {"__name__": "pasted"}
    exec(pasted, names)
    code = getattr(names[name], "__code__", None)
    assert code is None or {n for n in code.co_names if n in SUPPORT} <= set(names)
