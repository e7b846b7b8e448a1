"""Gradients added up over several batches: the same training as with one large batch."""

from pathlib import Path

import jax
import numpy as np
import pytest
from flax import nnx
from small_runs import blobs, data_of, problem, training

import netc
from netc.training import Epoch

WITH_STATE = """
net Stateful { input x: [4]  output y = x -> dense(8) -> batchnorm -> relu -> dropout(0.5) -> dense(3) }
train Stateful { data = arrays("x.npz")  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1)
  batch = 8  accumulate = 3  steps = 5 }
"""


@pytest.mark.parametrize(
    ("optimizer", "examples", "batch", "accumulate"),
    [("adam(rate = 0.01)", 203, 16, 4), ("sgd(rate = 0.1, momentum = 0.9)", 203, 20, 3), ("sgd(rate = 0.1)", 33, 8, 7)],
)
def test_small_batches_train_as_a_large_one(optimizer: str, examples: int, batch: int, accumulate: int) -> None:
    """Over epochs with a smaller last batch; at the end, one whose parts are of padding alone."""
    arrays = blobs(examples)
    one = training(optimizer, arrays, batch=batch, accumulate=accumulate, epochs=4)
    other = training(optimizer, arrays, batch=batch * accumulate, epochs=4)
    assert (one.steps, one.batch) == (other.steps, batch * accumulate if examples == 203 else 35)
    first, second = list(one.run()), list(other.run())
    for found, expected in zip(first, second, strict=True):
        assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    for a, b in zip(one.state, other.state, strict=True):
        np.testing.assert_allclose(data_of(a), data_of(b), rtol=1e-5, atol=1e-6)
    assert one.step._cache_size() == 1


def test_state_goes_from_part_to_part(tmp_path: Path) -> None:
    """Running statistics and the keys of dropout are those after all parts of a step."""
    run = netc.train(WITH_STATE, data=blobs(), out=tmp_path / "a")
    whole = netc.train(WITH_STATE, data=blobs(), out=tmp_path / "b", set={"accumulate": 1, "steps": 15})
    counts = [
        [int(leaf) for leaf in jax.tree.leaves(r.model) if leaf.dtype == np.uint32 and leaf.ndim == 0]
        for r in (run, whole)
    ]
    assert counts[0] == counts[1] and counts[0]
    assert run.step == 5
    again = netc.train(WITH_STATE, data=blobs(), out=tmp_path / "c")
    assert (tmp_path / "a/weights.safetensors").read_bytes() == (tmp_path / "c/weights.safetensors").read_bytes()
    assert again.history == run.history


def test_more_parts_than_examples() -> None:
    one, other = (training("sgd(rate = 0.1)", blobs(6), batch=2, accumulate=a, epochs=3) for a in (50, 3))
    assert [e.loss for e in one.run() if isinstance(e, Epoch)] == pytest.approx(
        [e.loss for e in other.run() if isinstance(e, Epoch)]
    )


def test_in_bf16() -> None:
    """Gradients are added up in float32; the run differs from one in float32 as any in bfloat16 does."""
    one, other = (training("sgd(rate = 0.1)", precision=p, accumulate=2, epochs=2) for p in ("bf16", "f32"))
    first, second = ([e.loss for e in t.run() if isinstance(e, Epoch)] for t in (one, other))
    assert first != second and first == pytest.approx(second, rel=2e-2)


def test_a_bad_number() -> None:
    assert "a whole number of at least 1" in problem(lambda: netc.train(WITH_STATE, set={"accumulate": 0}))


CONVOLUTIONS = {
    "plain": "conv(12, 3x3) -> relu -> conv(3, 2x2, stride = 2)",
    "tied": "a: conv(12, 3x3, pad = same) -> relu -> conv(12, 3x3, pad = same, kernel = a.kernel)",
    "transposed": "conv_transpose(4, 3x3) -> relu",
}


@pytest.mark.parametrize("kind", CONVOLUTIONS)
def test_convolutions_in_parts(kind: str) -> None:
    """Plain ones are a loop with the gradients that XLA is fast in; other kinds are written out on a CPU."""
    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=(36, 6, 6, 12)).astype("f"), "label": rng.integers(0, 3, 36)}
    text = f"""net Small {{ input x: [6, 6, 12]  output y = x -> {CONVOLUTIONS[kind]} -> flatten -> dense(3) }}
    train Small {{ data = arrays("x.npz")  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1)  epochs = 2 }}"""
    one, other = (training("sgd(rate = 0.1)", arrays, text, batch=b, accumulate=a) for b, a in ((4, 4), (16, 1)))
    loop = str(jax.make_jaxpr(one.step)(one.state, one.feed(one.done), one.order(0)))
    assert ("unroll=1\n" in loop, "unroll=4\n" in loop) == (kind == "plain", kind != "plain")
    assert ("platform_index" in loop) == (kind == "plain")
    assert all(m.conv_general_dilated is jax.lax.conv_general_dilated for m in plain_convolutions(one.model))
    assert [e.loss for e in one.run()] == pytest.approx([e.loss for e in other.run()], rel=1e-5)
    for a, b in zip(one.state, other.state, strict=True):
        np.testing.assert_allclose(data_of(a), data_of(b), rtol=1e-4, atol=1e-6)


def plain_convolutions(model: nnx.Module) -> list[nnx.Conv]:
    return [module for _, module in nnx.iter_modules(model) if isinstance(module, nnx.Conv)]
