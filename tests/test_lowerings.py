"""Code for a device: other operations, and the same numbers and gradients as JAX's own."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from netc.compiler import check_text, flax_source
from netc.kernels.convolution import convolution
from netc.kernels.products import products
from netc.kernels.windows import window_max
from netc.layers.base import Target
from netc.layers.conv import Conv
from netc.layers.pool import Maxpool
from netc.model import run_source
from netc.types import Type

ORDER = ("NHWC", "HWIO", "NHWC")


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, Any]:
    """Windows, strides, padding and blocks that need not divide what comes out."""
    size = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    pads = [draw(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))) for n in size]
    extents = [draw(st.integers(max(1, n - sum(pad)), 9)) for n, pad in zip(size, pads, strict=True)]
    return {
        "x": (draw(st.integers(1, 3)), *extents, draw(st.integers(1, 3))),
        "size": size,
        "strides": draw(st.tuples(st.integers(1, 3), st.integers(1, 3))),
        "padding": draw(st.sampled_from(["SAME", pads])),
        "maps": draw(st.integers(1, 4)),
        "block": draw(st.sampled_from([(1, 1), (1, 2), (2, 2), (2, 4), (4, 3)])),
    }


@settings(max_examples=10, deadline=None)
@given(convolutions(), st.integers(0, 100))
def test_products_are_the_convolution_with_its_gradients(case: dict[str, Any], seed: int) -> None:
    random = np.random.default_rng(seed)
    x = jnp.asarray(random.normal(size=case["x"]), jnp.float32)
    kernel = jnp.asarray(random.normal(size=(*case["size"], case["x"][-1], case["maps"])), jnp.float32)

    def give(convolve: Any, x: jax.Array, kernel: jax.Array) -> jax.Array:
        return convolve(x, kernel, case["strides"], case["padding"], dimension_numbers=ORDER)

    native = through(functools.partial(give, lax.conv_general_dilated), x, kernel)
    for ours, theirs in zip(through(functools.partial(give, products(case["block"])), x, kernel), native, strict=True):
        assert ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-5, atol=5e-5)


def through(convolve: Any, x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, ...]:
    """What it gives, and its gradients, in one program."""

    @jax.jit
    def run(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, ...]:
        y, back = jax.vjp(convolve, x, kernel)
        return y, *back(jnp.sin(y))

    return run(x, kernel)


@pytest.mark.parametrize("pads", [((2, 0), (2, 2)), ((0, 3), (4, 0)), ((5, 5), (3, 3))], ids=str)
def test_gradients_are_right_where_the_padding_is_as_wide_as_the_window(pads: Any) -> None:
    """XLA's own read beside the array there."""
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(2, 6, 7, 3)), jnp.float32)
    kernel = jnp.asarray(random.normal(size=(2, 1, 3, 4)), jnp.float32)
    padded = lambda x, kernel: lax.conv_general_dilated(  # noqa: E731
        jnp.pad(x, ((0, 0), *pads, (0, 0))), kernel, (1, 2), "VALID", dimension_numbers=ORDER
    )
    right = through(padded, x, kernel)
    for own in (products((2, 2)), convolution):
        found = through(lambda x, kernel, own=own: own(x, kernel, (1, 2), pads, dimension_numbers=ORDER), x, kernel)
        for ours, theirs in zip(found, right, strict=True):
            assert ours.shape == theirs.shape and np.allclose(ours, theirs, rtol=1e-5, atol=5e-5)


@settings(max_examples=8, deadline=None)
@given(st.data(), st.integers(1, 3))
def test_the_largest_of_windows_is_the_same_and_so_is_where_the_gradient_goes(data: st.DataObject, rank: int) -> None:
    """Whole numbers, so that several cells are the largest."""
    size = data.draw(st.tuples(*[st.integers(1, 3)] * rank))
    extents = [data.draw(st.integers(n, 7)) for n in size]
    random = np.random.default_rng(data.draw(st.integers(0, 100)))
    x = jnp.asarray(random.integers(0, 3, (2, *extents, 3)), jnp.float32)
    window = (1, *size, 1)
    native = lambda x: lax.reduce_window(x, -jnp.inf, lax.max, window, window, "VALID")  # noqa: E731
    slope = random.normal(size=jax.eval_shape(native, x).shape).astype("f")

    @jax.jit
    def both(x: jax.Array, slope: jax.Array) -> list[tuple[jax.Array, jax.Array]]:
        made = [jax.vjp(f, x) for f in (native, lambda x: window_max(x, size))]
        return [(y, back(slope)[0]) for y, back in made]

    for theirs, ours in zip(*both(x, slope), strict=True):
        assert np.array_equal(theirs, ours)


@pytest.mark.parametrize(
    ("layer", "input", "code"),
    [
        (Conv(6, (5, 5)), (28, 28, 1), "products((2, 4))"),
        (Conv(16, (5, 5)), (14, 14, 6), "products((2, 2))"),
        (Conv(96, (11, 11), (4, 4)), (227, 227, 3), "products((1, 1))"),
        (Conv(120, (5, 5)), (5, 5, 16), "products((1, 1))"),
        (Conv(64, (1, 1)), (28, 28, 256), "products((1, 1))"),
        (Conv(32, (3, 3)), (28, 28, 32), ""),
        (Conv(8, (3, 3), dilation=(2, 2)), (28, 28, 1), ""),
        (Conv(8, (3, 3), groups=2), (28, 28, 2), ""),
        (Conv(8, (3,)), (28, 1), ""),
        (Conv(32, (3, 3), pad=(3,)), (28, 28, 32), "conv_general_dilated=convolution"),
        (Maxpool((2, 2)), (28, 28, 6), "window_max({0}, (2, 2))"),
        (Maxpool((3, 3), (2, 2)), (28, 28, 6), ""),
        (Maxpool((5, 5)), (28, 28, 6), ""),
        (Maxpool((2, 2), round="up"), (27, 27, 6), ""),
    ],
    ids=str,
)
def test_what_is_chosen_on_a_cpu_and_nothing_elsewhere(layer: Any, input: tuple[int, ...], code: str) -> None:
    inputs = (Type(input),)
    native, gpu = layer.lower(inputs), layer.lower_for(Target("gpu"), inputs, False)
    assert gpu == native == layer.lower_for(Target(), inputs, False)
    chosen = layer.lower_for(Target("cpu"), inputs, False)
    assert (code in (chosen.module or chosen.call)) if code else chosen == native
    assert chosen.variables == native.variables


NET = """net N {
  input x: [8, 8, 1]
  output y = x -> a: conv(4, 3x3, pad = 1) -> relu -> maxpool(2x2)
    -> b: conv(4, 2x2, connect = ["XX.X", "X.XX", ".XXX", "XXX."]) -> c: conv(4, 1x1) -> maxpool(3x3)
    -> flatten -> dense(3)
}"""


def test_a_whole_net_gives_the_same_and_learns_the_same() -> None:
    program = check_text(NET).programs[0]
    sources = {device: flax_source(program, device=device) for device in (None, "cpu", "gpu")}
    assert sources[None] == sources["gpu"] != sources["cpu"] and "products" in sources["cpu"].source
    assert sources[None].variables == sources["cpu"].variables
    x = jnp.asarray(np.random.default_rng(0).normal(size=(3, 8, 8, 1)), jnp.float32)
    found = []
    for emitted in (sources[None], sources["cpu"]):
        made = run_source(emitted.source, "<emitted>")[emitted.class_name]

        def learn(x: jax.Array, made: Any = made) -> Any:
            graph, state = nnx.split(made(nnx.Rngs(0)))
            return jax.value_and_grad(lambda state: jnp.sum(jnp.sin(nnx.merge(graph, state)(x))))(state)

        found.append(jax.tree.leaves(jax.jit(learn)(x)))
    for ours, theirs in zip(*found, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-5, atol=2e-5)
