"""Emitted Flax: what it reads like, and that it computes what the text says."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import netc
from netc.compiler import check_text, flax_source


def source(text: str) -> str:
    checked = check_text(text)
    assert not checked.problems
    return flax_source(checked.programs[-1]).source


def test_arithmetic_keeps_its_parentheses_and_no_others() -> None:
    text = """net A { input x: [2, 3]
      output f = (x + x) -> flatten
      output g = 2 * x - x * (x + 1) ^ 2 / -x }"""
    emitted = source(text)
    assert "(x + x).reshape(-1, 6)" in emitted
    assert "2.0 * x - x * (x + 1.0) ** 2.0 / -x" in emitted
    x = np.array([[[1.0, 2, 3], [4, 5, 6]]], np.float32)
    f, g = netc.compile(text).init().predict(x)
    assert np.allclose(f, (x + x).reshape(1, 6))
    assert np.allclose(g, 2 * x - x * (x + 1) ** 2 / -x)


def test_the_straight_side_of_a_residual_connection_is_the_value_itself() -> None:
    assert "x + nnx.relu(self.dense1(x))" in source(
        "block res(n) = [identity, dense(n) -> relu] -> add  net A { input x: [4]  output y = x -> res(4) }"
    )


def test_named_layers_without_weights_are_repeated_and_captured() -> None:
    text = """net A { input x: [6, 6, 2]
      layer p = maxpool(3x3, stride = 1, pad = same)
      layer half = avgpool(1x1)
      weight W: [2, 2] = glorot
      layer d = dense(2, kernel = W)
      a = x -> repeat 3 { p }
      output y = a -> repeat 2 { p -> half -> d } }"""
    model: Any = netc.compile(text).init(seed=1)
    x = jnp.arange(72.0).reshape(1, 6, 6, 2)
    expected = x
    for _ in range(3):
        expected = nnx.max_pool(expected, (3, 3), strides=(1, 1), padding="SAME")
    for _ in range(2):
        expected = nnx.max_pool(expected, (3, 3), strides=(1, 1), padding="SAME") @ model.W[...] + model.d_bias[...]
    assert np.allclose(model.predict(x), expected, rtol=1e-5)


REPEATS = {
    "repeat 3 { dense(4) }": 3 * 20,
    "repeat 3 { repeat 2 { dense(4) } } -> repeat 1 { dense(4) }": 7 * 20,
    "repeat 3 { dense(5) }": 25 + 30 + 30,
    "repeat 0 { dense(5) }": 0,
    "for n in [2, 4, 4] { dense(n) }": 10 + 12 + 20,
    "for n, k in [[2, 1], [4, 3]] { repeat k { dense(n) } }": 10 + 12 + 20 + 20,
}


@pytest.mark.parametrize(("flow", "params"), REPEATS.items())
def test_rows_of_layers_are_counted_and_run(flow: str, params: int) -> None:
    text = f"net A {{ input x: [4]  output y = x -> {flow}  assert params == {params} }}"
    assert not check_text(text).problems
    model = netc.compile(text).init()
    assert sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param))) == params
    assert model.predict(np.ones((3, 4), np.float32)).shape[0] == 3


def test_a_named_tower_sees_pictures_of_two_sizes_with_one_set_of_weights() -> None:
    text = """block enc(c) { input x
        output x -> conv(c, 3x3, pad = same) -> relu -> repeat 2 { conv(c, 3x3, pad = same) -> relu } -> maxpool(2x2) }
      block mean(t) { input x  output x -> t -> global_avgpool }
      net T { input a: [28, 28, 1]  input b: [14, 14, 1]
        layer e = enc(4)
        output l = a -> mean(e)
        output r = b -> mean(e)
        assert params == 40 + 2 * 148 }"""
    net = netc.compile(text)
    source = net.source()
    assert source.count("class Enc") == 1 and source.count("def mean") == 1
    model: Any = net.init()
    small = np.random.default_rng(0).normal(size=(2, 14, 14, 1)).astype("f")
    _, right = model.predict(np.zeros((2, 28, 28, 1), "f"), small)
    assert np.allclose(right, np.asarray(model.e(small)).mean((1, 2)), atol=1e-6)


def test_a_named_layer_that_would_do_another_thing_is_refused() -> None:
    text = """net T { input a: [28, 28, 1]  input b: [14, 14, 1]  layer f = flatten
      output l = a -> f  output r = b -> f }"""
    assert [p.code for p in check_text(text).problems] == ["shape-mismatch"]


def test_a_long_expression_in_parentheses_stays_one_value() -> None:
    """A comma behind its only line made it a tuple."""
    weight = "weight a_long_name_for_a_weight: [3, 3]"
    flow = " + ".join(["(x -> dense(3, kernel = a_long_name_for_a_weight.T))"] * 3)
    model = netc.compile(f"net N {{ input x: [3]  {weight}  output y = {flow} }}").init()
    assert model.predict(jnp.ones((2, 3))).shape == (2, 3)


def test_a_captured_layer_brings_what_it_captures() -> None:
    text = """net N {
      input x: [3]
      h = x -> d: dense(3)
      layer inner = dense(3, kernel = d.kernel) -> tanh
      layer outer = inner -> relu
      output y = h -> inner -> outer
    }"""
    assert netc.compile(text).init().predict(jnp.ones((2, 3))).shape == (2, 3)


COLLISIONS = {
    "a path and a label": "net A { input x: [4]  a = x -> dense(4)  output y = a -> a_dense1: dense(4) }",
    "two cases": "block a = dense(4)  block A = dense(4) -> relu  net B { input x: [4]  output y = x -> a -> A }",
    "a net and its block": "block a = dense(4)  net A { input x: [4]  output y = x -> a }",
    "underscores": "net A { input x: [4]  layer if_ = dense(4)  layer if__ = dense(4)  output y = x -> if_ -> if__ }",
    "a label like a flow": "net A { input x: [4]  output y = x -> dense1: dense(4) -> dense(4) -> dense2: dense(4) }",
    "scratch": "net A { input h: [4]  h2 = h -> dense(4)  output y = (h -> dense(4) -> relu -> dense(4)) + h2 }",
}


@pytest.mark.parametrize("text", COLLISIONS.values(), ids=COLLISIONS)
def test_names_that_read_alike_stay_apart(text: str) -> None:
    program = check_text(text).programs[-1]
    emitted = flax_source(program)
    assert len(set(emitted.variables.values())) == len(emitted.variables) == len(list(program.weights()))
    assert netc.compile(text).init().predict(np.ones((5, 4), np.float32)).shape == (5, 4)
