"""What layers for images, and those between layers, compute, against numpy and the formulas of their sources."""

import itertools
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from layer_cases import Types, accepted, arrays, f32, label, make, run, run_with_given, weights_of
from layer_types import IMAGE, SEQUENCE
from vision_cases import VISION

import netc
from netc.compiler import flax_source
from netc.layers.activations import Gelu
from netc.layers.base import Layer
from netc.layers.conv import Conv
from netc.layers.gates import Maxout, Prelu, Swiglu
from netc.layers.noise import Droppath, GaussianNoise
from netc.layers.part import ChannelShuffle, Crop, Pad, Slice, Split
from netc.layers.resample import AdaptiveMaxpool, AdaptivePool, PixelShuffle, Upsample
from netc.layers.response import Lrn
from netc.layers.transpose import ConvTranspose
from netc.model import weights_of as weights_by_name


def cases_of(*kinds: type[Layer]) -> list[tuple[Layer, Types]]:
    return [case for case in VISION if isinstance(case[0], kinds)]


def alike(made: object, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(np.asarray(made), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("layer", "inputs"), cases_of(ConvTranspose), ids=label)
def test_conv_transpose_lays_windows_over_each_other(layer: ConvTranspose, inputs: Types) -> None:
    """Number by number, in numpy: what a window adds outside of what comes out is lost."""
    (x,), module = arrays(layer, inputs), make(layer, inputs)
    weights = {name: np.asarray(w, np.float64) for name, w in weights_of(layer, inputs, module).items()}
    kernel, laid = weights["kernel"], layer.lay(inputs[0])
    fed, made = inputs[0].channels // layer.groups, layer.channels // layer.groups
    y = np.zeros((len(x), *laid.out, layer.channels)) + weights.get("bias", 0.0)
    for place in itertools.product(*map(range, inputs[0].shape[:-1])):
        for tap in itertools.product(*map(range, laid.size)):
            axes = zip(place, laid.stride, tap, laid.dilation, laid.cut, strict=True)
            cell = tuple(p * s + t * d - before for p, s, t, d, (before, _) in axes)
            if not all(0 <= c < extent for c, extent in zip(cell, laid.out, strict=True)):
                continue
            for g in range(layer.groups):
                ins, outs = slice(g * fed, (g + 1) * fed), slice(g * made, (g + 1) * made)
                y[(slice(None), *cell, outs)] += np.asarray(x)[(slice(None), *place, ins)] @ kernel[tap][:, ins].T
    alike(run(layer, inputs, module, [x]), y)


@pytest.mark.parametrize("positions", [(9,), (7, 8), (4, 5, 6)])
@pytest.mark.parametrize("settings", [((2,), "valid"), ((2,), "same"), ((1,), (1,)), ((3,), "same"), ((3,), (2,))])
def test_conv_transpose_is_the_transpose_of_conv(positions: tuple[int, ...], settings: tuple) -> None:
    """With one kernel, `<conv(y), x> = <y, conv_transpose(x)>`; `output_pad` says which size is meant."""
    (stride, pad), groups, wide = settings, 2, f32(*positions, 4)
    down = Conv(6, (3,), stride, pad, groups=groups, bias=False)
    (small,) = accepted(down, (wide,))
    plain = ConvTranspose(4, (3,), stride, pad, groups=groups, bias=False)
    if pad == "same":
        wide = f32(*(n * stride[0] for n in small.shape[:-1]), 4)
        up = plain
    else:
        lacking = (n - m for n, m in zip(positions, accepted(plain, (small,))[0].shape, strict=False))
        up = ConvTranspose(4, (3,), stride, pad, tuple(lacking), groups=groups, bias=False)
    assert accepted(up, (small,)) == (wide,)
    (shape,) = {layer.weights((t,))[0].shape for layer, t in ((down, wide), (up, small))}
    (y,), (x,) = arrays(down, (wide,)), arrays(up, (small,))
    kernel = {"kernel": jnp.asarray(np.random.default_rng(1).normal(size=shape), jnp.float32)}
    forth, back = run_with_given(down, (wide,), kernel, [y]), run_with_given(up, (small,), kernel, [x])
    np.testing.assert_allclose(jnp.vdot(forth, x), jnp.vdot(y, back), rtol=1e-4, atol=1e-3)


def test_conv_transpose_has_the_sizes_of_pytorch() -> None:
    for n, size, stride, pad, dilation in itertools.product((1, 4), range(1, 4), range(1, 4), range(2), range(1, 3)):
        for added in range(max(stride, dilation)):
            wanted = (n - 1) * stride - 2 * pad + dilation * (size - 1) + added + 1
            if wanted > 0:
                layer = ConvTranspose(2, (size,), (stride,), (pad,), (added,), (dilation,))
                assert accepted(layer, (f32(n, 3),))[0].shape == (wanted, 2)


def test_conv_transpose_starts_with_the_fan_in_of_its_direction() -> None:
    net = netc.compile("net A { input x: [4, 4, 8]  output y = x -> up: conv_transpose(64, 5x5, groups = 2) }")
    kernel = weights_by_name(net.init(seed=0), flax_source(net.program))["up.kernel"]
    assert kernel.shape == (5, 5, 32, 8)
    assert abs(kernel.std() * math.sqrt(5 * 5 * 4) - 1) < 0.03


def test_an_autoencoder_is_tied_by_its_kernel() -> None:
    net = netc.compile(
        "net Tied { input image: [9, 9, 1]  layer encoder = conv(4, 3x3, stride = 2)"
        "  output y = image -> encoder -> relu -> conv_transpose(1, 3x3, stride = 2, kernel = encoder.kernel)"
        "  assert params == 9 * 4 + 4 + 1 and y.shape == image.shape }"
    )
    assert np.asarray(net.init(seed=0).predict(np.ones((2, 9, 9, 1), np.float32))).shape == (2, 9, 9, 1)


def test_what_comes_into_a_map_of_conv_transpose_is_constrained() -> None:
    net = netc.compile(
        "net A { input x: [4, 4, 8]  output y = x -> up: conv_transpose(6, 3x3, init = 1)"
        "  constrain up.kernel: max_norm(2) }"
    )
    kernel = weights_by_name(net.init(seed=0), flax_source(net.program))["up.kernel"]
    alike((kernel**2).sum(axis=(0, 1, 3)), np.full(6, 4.0))


@pytest.mark.parametrize("table", [f32(6, 4), f32(3, 4, 5, 2)], ids=str)
def test_nearest_repeats(table) -> None:
    (x,) = arrays(Upsample((3,)), (table,))
    wanted = np.asarray(x)
    for axis in range(1, x.ndim - 1):
        wanted = wanted[(slice(None),) * axis + (np.arange(3 * x.shape[axis]) // 3,)]
    np.testing.assert_array_equal(run(Upsample((3,)), (table,), None, [x]), wanted)


@pytest.mark.parametrize(("layer", "inputs"), [c for c in cases_of(Upsample) if c[0].given().get("mode")], ids=label)
def test_bilinear_mixes_the_numbers_beside(layer: Upsample, inputs: Types) -> None:
    """PyTorch with `align_corners = False`: read at `(p + 1/2) / factor - 1/2`, and cut off at the borders."""
    (x,) = arrays(layer, inputs)
    wanted = np.asarray(x, np.float64)
    for axis, factor in enumerate(layer.factors(inputs[0]), 1):
        n = wanted.shape[axis]
        at = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        left = np.minimum(np.floor(at).astype(int), max(n - 2, 0))
        part = (at - left).reshape(-1, *(1,) * (wanted.ndim - axis - 1))
        right = np.minimum(left + 1, n - 1)
        wanted = wanted.take(left, axis) * (1 - part) + wanted.take(right, axis) * part
    alike(run(layer, inputs, None, [x]), wanted)


@pytest.mark.parametrize(("layer", "inputs"), cases_of(PixelShuffle), ids=label)
def test_pixel_shuffle_has_the_order_of_pytorch(layer: PixelShuffle, inputs: Types) -> None:
    (x,), r = arrays(layer, inputs), layer.r
    wanted = np.zeros((2, *accepted(layer, inputs)[0].shape))
    for row, column, channel in np.ndindex(*wanted.shape[1:]):
        of = channel * r * r + row % r * r + column % r
        wanted[:, row, column, channel] = np.asarray(x)[:, row // r, column // r, of]
    np.testing.assert_array_equal(run(layer, inputs, None, [x]), wanted)


@pytest.mark.parametrize(("layer", "inputs"), cases_of(AdaptivePool), ids=label)
def test_adaptive_pools_have_the_windows_of_pytorch(layer: AdaptivePool, inputs: Types) -> None:
    (x,), (output,) = arrays(layer, inputs), accepted(layer, inputs)
    keep, cells = (np.max if isinstance(layer, AdaptiveMaxpool) else np.mean), 0
    positions = list(zip(inputs[0].shape, output.shape[:-1], strict=False))
    wanted = np.zeros((2, *output.array_shape))
    for place in np.ndindex(*output.shape[:-1]):
        spans = tuple(
            slice(math.floor(i * n / m), math.ceil((i + 1) * n / m)) for i, (n, m) in zip(place, positions, strict=True)
        )
        seen = np.asarray(x)[(slice(None), *spans)]
        wanted[(slice(None), *place)] = keep(seen, axis=tuple(range(1, len(place) + 1)))
        cells += seen[0].size
    alike(run(layer, inputs, None, [x]), wanted)
    fewer = output.size if isinstance(layer, AdaptiveMaxpool) else 0
    assert layer.cost(inputs, (output,)).flops == cells - fewer


PARTS = (
    (Split((1, 4, 3), 0), IMAGE, lambda x: [x[:, :1], x[:, 1:5], x[:, 5:]]),
    (Split(2), IMAGE, lambda x: [x[..., :2], x[..., 2:]]),
    (Split(3, -2), SEQUENCE, lambda x: [x[:, :3], x[:, 3:6], x[:, 6:]]),
    (Slice(1, 3), IMAGE, lambda x: x[..., 1:3]),
    (Slice(-1, axis=0), SEQUENCE, lambda x: x[:, 8:]),
    (Slice(1, -1, 1, 2), IMAGE, lambda x: x[:, :, [1, 3, 5]]),
    (Pad(((0, 2),)), SEQUENCE, lambda x: np.concatenate([x, np.zeros((2, 2, 4))], 1)),
    (Pad(((2, 1), (0, 0)), "reflect"), IMAGE, lambda x: x[:, [2, 1, *range(8), 6]]),
    (Pad(((0, 0), (2, 1)), "edge"), IMAGE, lambda x: x[:, :, [0, 0, *range(7), 6]]),
    (Crop(((2, 0), (0, 3))), IMAGE, lambda x: x[:, 2:, :4]),
    (ChannelShuffle(2), f32(3, 6), lambda x: x[..., [0, 3, 1, 4, 2, 5]]),
    (Maxout(2), f32(3, 4), lambda x: np.maximum(x[..., ::2], x[..., 1::2])),
    (Gelu(True), IMAGE, lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
)


@pytest.mark.parametrize(("layer", "input", "numpy"), PARTS, ids=label)
def test_layers_without_weights_equal_numpy(layer: Layer, input, numpy) -> None:
    (x,) = arrays(layer, (input,))
    made, wanted = run(layer, (input,), None, [x]), numpy(np.asarray(x))
    jax.tree.map(alike, list(made) if isinstance(wanted, list) else made, wanted)


@pytest.mark.parametrize(("layer", "inputs"), cases_of(Lrn), ids=label)
def test_lrn_is_the_formula_of_the_paper(layer: Lrn, inputs: Types) -> None:
    """Krizhevsky et al. 2012, section 3.3; its alpha is not divided by n."""
    (x,) = arrays(layer, inputs)
    a = np.asarray(x, np.float64)
    b, channels, n = np.zeros_like(a), a.shape[-1], layer.size
    for i in range(channels):
        near = a[..., max(0, i - n // 2) : min(channels - 1, i + n // 2) + 1]
        b[..., i] = a[..., i] / (layer.k + layer.alpha * (near**2).sum(-1)) ** layer.beta
    alike(run(layer, inputs, None, [x]), b)


@pytest.mark.parametrize(("layer", "inputs"), cases_of(Prelu, Swiglu), ids=label)
def test_gates_equal_their_equations(layer: Layer, inputs: Types) -> None:
    (x,) = arrays(layer, inputs)
    random = np.random.default_rng(2)
    w = {spec.name: random.normal(size=spec.shape) for spec in layer.weights(inputs)}
    if isinstance(layer, Prelu):
        wanted = np.maximum(x, 0) + w["slope"] * np.minimum(x, 0)
    else:
        gate = x @ w["gate"] + w.get("gate_bias", 0)
        wanted = gate / (1 + np.exp(-gate)) * (x @ w["kernel"] + w.get("bias", 0))
    given = {name: jnp.asarray(array, jnp.float32) for name, array in w.items()}
    alike(run_with_given(layer, inputs, given, [x]), np.asarray(wanted))


def test_droppath_drops_examples() -> None:
    layer, inputs = Droppath(0.25), (f32(3, 2, 4),)
    module = make(layer, inputs)
    module.train()
    y = np.asarray(run(layer, inputs, module, [jnp.ones((2000, 3, 2, 4))])).reshape(2000, -1)
    assert (y == y[:, :1]).all() and set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(np.mean(y[:, 0] == 0) - 0.25) < 0.04


def test_gaussian_noise_has_its_deviation() -> None:
    layer, inputs = GaussianNoise(0.5), (f32(5000),)
    module = make(layer, inputs)
    module.train()
    noise = np.asarray(run(layer, inputs, module, [jnp.ones((2, 5000))])) - 1
    assert abs(noise.mean()) < 0.02 and abs(noise.std() - 0.5) < 0.02 and not np.allclose(noise[0], noise[1])


def test_training_by_chance_is_the_same_for_a_seed(tmp_path: Path) -> None:
    losses = []
    for number, seed in enumerate((0, 0, 1)):
        text = (
            "net N { input image: [8, 8, 1]  output digit = image -> gaussian_noise(0.2) -> flatten -> dense(16)"
            "  -> [identity, prelu -> droppath(0.3)] -> add -> dense(10) }"
            f"train N {{ data = digits  loss = cross_entropy(digit, label)  optimizer = sgd(rate = 0.1)  seed = {seed}"
            "  batch = 64  steps = 3 }"
        )
        losses.append(netc.train(text, out=tmp_path / str(number)).history[-1]["loss"])
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("kind", ["droppath(0.5)", "gaussian_noise(0.5)", "dropout(0.5)"])
def test_chance_is_for_training_alone_and_the_same_for_a_seed(kind: str) -> None:
    net = netc.compile(f"net A {{ input x: [3]  output y = x -> {kind} -> {kind} }}")
    x = np.ones((64, 3), np.float32)

    def steps(seed: int, times: int) -> list[np.ndarray]:
        model = net.init(seed=seed)
        assert (model.predict(x) == x).all()
        model.eval()
        assert (np.asarray(model(x)) == x).all()
        model.train()
        made = [np.asarray(model(x)) for _ in range(times)]
        assert (model.predict(x) == x).all()
        return made

    first, second = steps(0, 2)
    again, other = steps(0, 2), steps(1, 1)[0]
    assert not (first == x).all() and not (first == second).all() and not (first == other).all()
    np.testing.assert_array_equal([first, second], again)
