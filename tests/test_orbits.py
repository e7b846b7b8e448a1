"""Orbits: convolutions against their sources' formulas by numpy, and what turning or mirroring an image does to all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import interpreter
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from layer_cases import CASES, Types, accepted, arrays, f32, label, make, run, weights_of
from numpy_orbits import GROUPS

import netc
from netc.compiler import check_text, flax_source
from netc.ir.counts import count
from netc.kernels.orbits import scaled_kernel, spreading
from netc.layers.activations import Relu, Tanh
from netc.layers.base import Layer
from netc.layers.conv import Conv
from netc.layers.normalise import Batchnorm, Groupnorm, Layernorm, Rmsnorm
from netc.layers.orbits import Flip, Rot4, Rot4Flip, Scale
from netc.layers.pool import Avgpool, GlobalAvgpool, GlobalMaxpool, Maxpool
from netc.types import Orbit, Type

ORBITED = [case for case in CASES if case[1] and (accepted(*case)[0].orbit or case[1][0].orbit)]


@pytest.mark.parametrize(("layer", "inputs"), ORBITED, ids=label)
def test_layers_over_orbits_equal_numpy(layer: Layer, inputs: Types) -> None:
    module, values = make(layer, inputs), arrays(layer, inputs)
    weights = {} if module is None else weights_of(layer, inputs, module)
    double = {name: np.asarray(w, np.float64) for name, w in weights.items()}
    function = interpreter.LAYERS[layer.kind]
    if isinstance(layer, Maxpool | Avgpool | GlobalMaxpool | GlobalAvgpool):
        function = interpreter.copy_by_copy(function)
    wanted = function(layer, double, *(np.asarray(x, np.float64) for x in values))
    np.testing.assert_allclose(run(layer, inputs, module, values), wanted, rtol=1e-4, atol=1e-4)


# Random nets: what comes out for a turned image is what came out before, turned.

Group = tuple[tuple[int, int], ...]
"""Elements as (mirrored, turns)."""
MOVES: dict[type[Orbit], Group] = {
    Rot4: ((0, 1), (0, 2), (0, 3)),
    Flip: ((1, 0),),
    Rot4Flip: ((0, 1), (0, 2), (1, 0), (1, 1), (1, 3)),
}


def moved(x: Any, move: tuple[int, int]) -> Any:
    """Images [batch, height, width, ...], mirrored left to right and then turned."""
    mirrored, turns = move
    return jnp.rot90(jnp.flip(x, 2) if mirrored else x, turns, (1, 2))


def matrix(move: tuple[int, int]) -> np.ndarray:
    turn, mirror = GROUPS["rot4"][move[1]], GROUPS["flip"][move[0]]
    return turn @ mirror


def moved_over(x: Any, orbit: Orbit, move: tuple[int, int]) -> Any:
    """A value over an orbit after its image was moved by m: copy g at m y was copy m^-1 g at y (equation 12)."""
    group = GROUPS[orbit.kind]
    back = np.linalg.inv(matrix(move)).round().astype(int)
    before = [next(i for i, e in enumerate(group) if (e == back @ g).all()) for g in group]
    placed = moved(x, move) if x.ndim == 5 else x
    return placed[..., np.array(before), :]


def random_layers(orbit: Orbit, seed: int) -> Iterator[tuple[Layer, Type]]:
    """A random chain on square images that ends on the orbit; every layer in it is equivariant at these sizes."""
    random = np.random.default_rng(seed)
    type_ = f32(*(int(random.integers(10, 14)),) * 2, 2)
    for i in range(int(random.integers(4, 7))):
        even = type_.shape[0] % 2 == 0
        size, odd = int(random.integers(1, 4)), int(random.choice([1, 3]))
        convs: list[Layer] = [
            Conv(int(random.integers(1, 4)), (size,), orbit=orbit, bias=bool(random.integers(2))),
            Conv(2, (odd,), pad="same", orbit=orbit),
            Conv(2, (3,), pad="same", dilation=(2,), orbit=orbit),
            Conv(2, (size,), pad=(1,), orbit=orbit),
            Conv(3, (2,) if even else (3,), (2,), orbit=orbit),
        ]
        others: list[Layer] = [
            Relu(),
            Tanh(),
            Batchnorm(),
            Groupnorm(1),
            Layernorm() if type_.channels > 1 else Rmsnorm(),
            Maxpool((2,) if even else (3,), (2,)),
            Avgpool((3,), (1,), "same"),
            Maxpool((3,), (1,), (1,)),
        ]
        choice = convs if i == 0 or random.integers(2) else others
        layer = choice[int(random.integers(len(choice)))]
        (given,) = accepted(layer, (type_,))
        yield layer, type_
        type_ = given
        if type_.shape[0] < 4:
            return


Built = list[tuple[Layer, Types, Any]]


def built(orbit: Orbit, seed: int) -> Built:
    layers: Built = [(layer, (type_,), make(layer, (type_,))) for layer, type_ in random_layers(orbit, seed)]
    for layer, _, module in layers:
        if isinstance(layer, Conv):
            numbers = np.random.default_rng(seed).normal(size=module.kernel.shape)
            module.kernel.set_value(jnp.asarray(numbers, jnp.float32))
    return layers


def chained(layers: Built, x: Any) -> Any:
    for layer, inputs, module in layers:
        x = run(layer, inputs, module, [x])
        # Random weights make numbers large; this keeps them near 1, and is the same for every copy and position.
        x = x / (1e-6 + jnp.sqrt(jnp.mean(x**2)))
    return x


def image(layers: Built) -> Any:
    """A batch of random images for a chain."""
    return jax.random.normal(jax.random.key(1), (2, *layers[0][1][0].shape))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("orbit", [Rot4(), Flip(), Rot4Flip()], ids=str)
def test_random_nets_are_equivariant(orbit: Orbit, seed: int) -> None:
    layers = built(orbit, seed)
    x, outputs = image(layers), jax.jit(lambda x: chained(layers, x))
    y = outputs(x)
    for move in MOVES[type(orbit)]:
        turned = outputs(moved(x, move))
        np.testing.assert_allclose(turned, moved_over(y, orbit, move), rtol=1e-3, atol=2e-5)
        assert not np.allclose(turned, moved(y, move), atol=1e-2)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("orbit", [Rot4(), Flip(), Rot4Flip()], ids=str)
def test_gradients_do_not_see_how_an_image_is_turned(orbit: Orbit, seed: int) -> None:
    """The loss on pooled values is invariant, and so is its gradient by each weight; by the image it turns along."""
    layers = built(orbit, seed)
    parts = [(layer, inputs, None if module is None else nnx.split(module)) for layer, inputs, module in layers]
    states = [None if part is None else part[1] for _, _, part in parts]

    @jax.jit
    def loss(states: Any, x: Any) -> Any:
        with_weights = [
            (layer, inputs, None if part is None else nnx.merge(part[0], state))
            for (layer, inputs, part), state in zip(parts, states, strict=True)
        ]
        pooled = chained(with_weights, x).max(axis=-2).mean(axis=(1, 2))
        return jnp.sum(jnp.sin(3 * pooled + jnp.arange(pooled.shape[-1])))

    x, gradients = image(layers), jax.grad(loss, argnums=(0, 1))
    by_weights, by_image = gradients(states, x)
    assert any(np.abs(leaf).max() > 1e-3 for leaf in jax.tree.leaves(by_weights))
    for move in MOVES[type(orbit)]:
        turned_by_weights, turned_by_image = gradients(states, moved(x, move))
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-2, atol=2e-4), turned_by_weights, by_weights)
        np.testing.assert_allclose(turned_by_image, moved(by_image, move), rtol=1e-2, atol=2e-4)


NET = """
block step(c, o) = conv(c, 3x3, pad = same, orbit = o, bias = false) -> batchnorm -> relu
block around(f) = [identity, f] -> add

net Turned(o = {orbit}) {{
  input image: [{side}, {side}, 2]
  h = image -> conv(4, 3x3, orbit = o) -> relu -> maxpool(3x3, stride = 1) -> around(step(4, o)) -> dropout(0.2)
  gated = h * (h -> global_avgpool -> sigmoid) + 0.1 * h
  wide = (gated, -h) -> concat -> conv(6, 3x3, orbit = o) -> tanh
  output y = wide -> orbit_pool({keep}) -> global_{pool} -> dense(5)
}}
"""


@pytest.mark.parametrize("side", [11, 12])
@pytest.mark.parametrize(
    ("orbit", "keep", "pool"),
    [
        (Rot4(), "max", "avgpool"),
        (Rot4Flip(), "mean", "maxpool"),
        (Flip(), "max", "maxpool"),
        (Scale(2), "max", "avgpool"),
    ],
    ids=label,
)
def test_pooled_nets_are_invariant(orbit: Orbit, keep: str, pool: str, side: int) -> None:
    text = NET.format(orbit=orbit, side=side, keep=keep, pool=pool)
    compiled = netc.compile(text)
    model = compiled.init(seed=side)
    x = np.random.default_rng(side).normal(size=(3, side, side, 2)).astype(np.float32)
    y = np.asarray(model.predict(x))
    for move in MOVES.get(type(orbit), ()):
        np.testing.assert_allclose(model.predict(np.asarray(moved(x, move))), y, rtol=1e-3, atol=1e-5)
    if not isinstance(orbit, Rot4Flip):
        other = (1, 0) if isinstance(orbit, Rot4) else (0, 1)
        assert np.abs(np.asarray(model.predict(np.asarray(moved(x, other)))) - y).max() > 1e-3
    assert np.ptp(y, axis=0).max() > 1e-3


def test_portable_source_needs_nothing_of_netc() -> None:
    for orbit in (Rot4(), Scale(2)):
        (program,) = check_text(NET.format(orbit=orbit, side=12, keep="max", pool="avgpool")).programs
        portable, plain = flax_source(program, portable=True), flax_source(program)
        assert "netc." not in portable.source.partition("\n")[2] and "from netc.kernels.orbits import" in plain.source
        outputs = []
        for emitted in (portable, plain):
            names: dict[str, Any] = {}
            exec(emitted.source, names)
            module = names[emitted.class_name](nnx.Rngs(0))
            module.eval()
            outputs.append(module(jnp.ones((1, 12, 12, 2))))
        np.testing.assert_array_equal(*outputs)


# Scales.


@pytest.mark.parametrize(("taps", "cells"), [(1, 3), (2, 4), (3, 3), (3, 5), (3, 7), (4, 8), (5, 11)])
def test_spreading_keeps_the_answer_to_a_constant(taps: int, cells: int) -> None:
    parts = np.asarray(spreading(taps, cells))
    np.testing.assert_allclose(parts.sum(axis=0), 1, rtol=1e-6)
    np.testing.assert_allclose(parts, parts[::-1, ::-1], atol=1e-6)
    if cells == taps:
        np.testing.assert_allclose(parts, np.eye(taps), atol=1e-6)
    kernel = jax.random.normal(jax.random.key(0), (taps, taps, 2, 3))
    np.testing.assert_allclose(
        scaled_kernel(kernel, cells - taps).sum((0, 1)), kernel.sum((0, 1)), rtol=1e-4, atol=1e-5
    )


def test_scales_are_aligned_and_the_best_fitting_one_wins() -> None:
    layer, inputs = Conv(1, (3,), orbit=Scale(4), bias=False), (f32(21, 21, 1),)
    module = make(layer, inputs)
    ring = -np.ones((3, 3, 1, 1), np.float32)
    ring[1, 1] = 8
    module.kernel.set_value(jnp.asarray(ring))
    rows = np.abs(np.arange(21) - 10)
    distance = np.maximum(rows[:, None], rows[None, :])
    found = []
    for half in (0, 1):
        square = (distance <= half).astype(np.float32)[None, :, :, None]
        answers = np.asarray(run(layer, inputs, module, [jnp.asarray(square)]))[0, ..., 0]
        middle = answers.shape[0] // 2
        np.testing.assert_allclose(answers, answers[::-1, ::-1], atol=1e-5)
        found.append(int(answers[middle, middle].argmax()))
    assert found[0] == 0 and found[1] > 0


def test_counts_are_once_for_weights_and_once_for_each_copy_for_work() -> None:
    text = """net N { input x: [12, 12, 1]
      output y = x -> conv(4, 3x3, orbit = rot4) -> conv(5, 3x3, orbit = rot4) -> orbit_pool(max) }"""
    (program,) = check_text(text).programs
    total = count(program)
    lifted, over = 4 * 10 * 10 * 4, 4 * 8 * 8 * 5
    assert total.params == (9 * 4 + 4) + (9 * 4 * 4 * 5 + 5)
    assert total.connections == lifted * (9 + 1) + over * (9 * 4 * 4 + 1)
    assert total.flops == lifted * (2 * 9 + 1) + over * (2 * 9 * 4 * 4 + 1) + 3 * 8 * 8 * 5
    assert total.memory == 4 * (lifted + over + 8 * 8 * 5)


def test_a_scaled_convolution_counts_its_windows() -> None:
    layer, inputs = Conv(4, (3,), orbit=Scale(3)), (f32(12, 12, 2),)
    assert layer.cost(inputs, accepted(layer, inputs)).connections == 6 * 6 * 4 * (2 * (9 + 25 + 49) + 3)


def test_an_orbit_net_trains_and_loads(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 64).astype(np.int32)
    images = (random.normal(size=(64, 8, 8, 1)) * (0.5 + labels[:, None, None, None])).astype(np.float32)
    text = """net T { input image: [8, 8, 1]
      output y = image -> conv(4, 3x3, orbit = rot4) -> batchnorm -> relu -> conv(4, 3x3, orbit = rot4) -> relu
        -> orbit_pool(max) -> global_avgpool -> dense(2) }
    train T { data = arrays("none.npz")  loss = cross_entropy(y, label)  optimizer = adam(rate = 0.02)
      batch = 16  epochs = 12 }"""
    trained = netc.train(text, data={"image": images, "label": labels}, out=tmp_path / "run")
    loaded = netc.load(tmp_path / "run")
    y = np.asarray(loaded.predict(images))
    np.testing.assert_array_equal(trained.model.predict(images), y)
    np.testing.assert_allclose(loaded.predict(np.rot90(images, 1, (1, 2))), y, rtol=1e-3, atol=1e-4)
    assert trained.test["loss"] < 0.65
