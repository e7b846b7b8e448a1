"""Averages of weights: of every kind against one by hand, measured and saved in place of the weights."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import optax
import pytest
from flax import nnx
from small_runs import blobs, data_of, problem, training

import netc
from netc.compiler import flax_source
from netc.model import build_module, weights_of
from netc.training.data.arrays import from_arrays
from netc.training.loop import Training, prepare_training

STEPS = 20
NET = """
net N { input x: [4]  output y = x -> a: dense(8) -> n: batchnorm -> relu -> c: dense(3)
  constrain a.kernel: unit_norm  constrain c.bias: frozen }
train N { data = arrays("x.npz")  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.5)  batch = 16
  steps = 20  average = AVERAGE }
"""


def leaves(params: Any) -> list[np.ndarray]:
    return [np.asarray(leaf, np.float64) for leaf in jax.tree.leaves(params)]


def visited(one: Training) -> list[list[np.ndarray]]:
    """The weights at the start and after every step."""
    found = [leaves(jax.tree.unflatten(one.definition, one.state)[0])]
    for number in range(STEPS):
        one.state, _ = one.step(one.state, one.feed(number), one.order(number))
        one.done += 1
        found.append(leaves(jax.tree.unflatten(one.definition, one.state)[0]))
    return found


def mean(weights: list[list[np.ndarray]]) -> list[np.ndarray]:
    return [np.mean(parts, axis=0) for parts in zip(*weights, strict=True)]


def ema(weights: list[list[np.ndarray]], decay: float) -> list[np.ndarray]:
    found = weights[0]
    for one in weights[1:]:
        found = [decay * a + (1 - decay) * b for a, b in zip(found, one, strict=True)]
    return found


def optax_ema(weights: list[list[np.ndarray]], decay: float) -> list[np.ndarray]:
    """Optax's own, which starts from nothing and is debiased."""
    average = optax.ema(decay, debias=True)
    state = average.init([np.asarray(w, np.float32) for w in weights[0]])
    found: Any = None
    for one in weights[1:]:
        found, state = average.update([np.asarray(w, np.float32) for w in one], state)
    return leaves(found)


EXPECTED = {
    "ema(0.9)": lambda weights: optax_ema(weights, 0.9),
    "ema(0)": lambda weights: weights[-1],
    "ema(0.9, debias = false)": lambda weights: ema(weights, 0.9),
    "swa(start = 0, every = 1)": lambda weights: mean(weights[1:]),
    "swa(start = 0.5, every = 3)": lambda weights: mean(weights[12::3]),
    "swa(start = 7, every = 1)": lambda weights: mean(weights[7:]),
    "swa(start = 0)": lambda weights: weights[12],  # 12 steps are an epoch
    "swa(start = 20)": lambda weights: weights[-1],
}


@pytest.mark.parametrize("average", EXPECTED)
def test_an_average_is_that_of_the_weights_after_each_step(average: str) -> None:
    one = training("sgd(rate = 0.1, momentum = 0.9)", steps=STEPS, average=average)
    plain = training("sgd(rate = 0.1, momentum = 0.9)", steps=STEPS)
    weights = visited(one)
    for found, expected in zip(weights, visited(plain), strict=True):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    for found, expected in zip(leaves(one.in_use(one.state)[0]), EXPECTED[average](weights), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-7)
    assert one.step._cache_size() == 1


def test_an_average_of_one_step_are_its_weights() -> None:
    """Also of a decay so near to 1 that its difference from 1 has few digits in float32."""
    one = training("sgd(rate = 0.1)", steps=1, average="ema(0.99999)")
    for state in (one.in_use(one.state)[0], jax.tree.unflatten(one.definition, one.state)[0]):
        np.testing.assert_array_equal(leaves(state)[0], leaves(nnx.state(one.model, nnx.Param))[0])
    one.state, _ = one.step(one.state, one.feed(0), one.order(0))
    params = jax.tree.unflatten(one.definition, one.state)[0]
    for found, expected in zip(leaves(one.in_use(one.state)[0]), leaves(params), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)


def test_an_average_that_would_begin_behind_the_end(tmp_path: Path) -> None:
    text = NET.replace("AVERAGE", "swa(start = 500)")
    message = problem(lambda: netc.train(text, data=blobs(), out=tmp_path / "a"))
    assert "the average begins at step 500, and the whole run has 20" in message and not (tmp_path / "a").exists()


def stateful(average: str) -> Training:
    checked = netc.compiler.check_text(NET.replace("AVERAGE", average))
    assert not checked.errors, [p.message() for p in checked.errors]
    program, recipe = checked.programs[0], checked.recipes[0]
    return prepare_training(build_module(program), program, recipe, from_arrays(blobs()))


def test_statistics_are_averaged_and_constraints_hold_of_the_average() -> None:
    one = stateful("ema(0.8)")
    emitted = flax_source(netc.compiler.check_text(NET.replace("AVERAGE", "ema")).programs[0])
    first = weights_of(one.model, emitted)
    means, kernels = [], []
    for number in range(5):
        one.state, _ = one.step(one.state, one.feed(number), one.order(number))
        params, rest, _, _ = jax.tree.unflatten(one.definition, one.state)
        means.append([np.asarray(rest["n"]["mean"][...], np.float64)])
        kernels.append(np.asarray(params["a"]["kernel"][...], np.float64))
    one.settle()
    weights = weights_of(one.model, emitted)
    start = [np.zeros_like(means[0][0])]
    np.testing.assert_allclose(weights["n.mean"], optax_ema([start, *means], 0.8)[0], rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(weights["a.kernel"], axis=0), 1, atol=1e-6)
    raw = optax_ema([[kernels[0]], *([k] for k in kernels)], 0.8)[0]
    assert np.abs(np.linalg.norm(raw, axis=0) - 1).max() > 1e-4
    np.testing.assert_allclose(weights["a.kernel"], raw / np.linalg.norm(raw, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(weights["c.bias"], first["c.bias"])


def test_the_average_is_measured_saved_and_used(tmp_path: Path) -> None:
    text = NET.replace("AVERAGE", "swa(start = 0, every = 1)")
    run = netc.train(text, data=blobs(), out=tmp_path / "a")
    one = stateful("swa(start = 0, every = 1)")
    list(one.run())
    params, rest = one.in_use(one.state)
    assert one.evaluate(params, rest) == run.test
    model: Any
    for model in (run.model, netc.load(tmp_path / "a")):
        np.testing.assert_array_equal(model.a.kernel[...], params["a"]["kernel"][...])
        np.testing.assert_array_equal(model.n.mean[...], rest["n"]["mean"][...])
    last = [data_of(leaf) for leaf in jax.tree.leaves(jax.tree.unflatten(one.definition, one.state)[0])]
    assert not all(np.array_equal(a, b) for a, b in zip(last, leaves(params), strict=True))
    netc.train(text, data=blobs(), out=tmp_path / "b")
    assert (tmp_path / "a/weights.safetensors").read_bytes() == (tmp_path / "b/weights.safetensors").read_bytes()
