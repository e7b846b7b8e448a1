"""Convolution for loops: what it gives and its gradients are those of XLA's own, and in a loop it is as fast."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from netc.kernels.convolution import convolution

CASES: dict[str, tuple[tuple[int, ...], int, tuple[int, ...], dict[str, Any]]] = {
    "plain": ((7, 8), 4, (3, 3), {}),
    "strides": ((9, 8), 4, (3, 2), {"strides": (2, 3)}),
    "strides that leave a rest": ((10, 10), 3, (3, 3), {"strides": (4, 3), "padding": "VALID"}),
    "uneven padding": ((6, 7), 2, (3, 4), {"padding": [(2, 0), (1, 3)]}),
    "cropping": ((9, 9), 2, (3, 3), {"padding": [(-1, 0), (1, -2)]}),
    "dilation": ((11, 9), 4, (3, 3), {"dilation": (2, 3), "strides": (2, 1)}),
    "groups": ((7, 7), 4, (3, 3), {"groups": 2}),
    "depthwise": ((7, 7), 4, (3, 3), {"groups": 4, "strides": (2, 2)}),
    "one by one": ((5, 5), 3, (1, 1), {"strides": (2, 2)}),
    "along a line": ((13,), 4, (5,), {"groups": 2, "dilation": (2,), "strides": (3,)}),
    "in space": ((5, 4, 6), 2, (2, 3, 2), {"strides": (2, 1, 2)}),
}


def settings_of(rank: int, given: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    positions = range(1, rank + 1)
    last = rank + 1
    numbers = lax.ConvDimensionNumbers((0, last, *positions), (last, rank, *range(rank)), (0, last, *positions))
    named = {
        "rhs_dilation": given.get("dilation", (1,) * rank),
        "dimension_numbers": numbers,
        "feature_group_count": given.get("groups", 1),
    }
    return (given.get("strides", (1,) * rank), given.get("padding", "SAME")), named


@pytest.mark.parametrize("name", CASES)
def test_outputs_and_gradients_are_those_of_xla(name: str) -> None:
    positions, maps, window, given = CASES[name]
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(3, *positions, maps)), jnp.float32)
    kernel = jnp.asarray(random.normal(size=(*window, maps // given.get("groups", 1), 8)), jnp.float32)
    placed, named = settings_of(len(window), given)

    def through(convolve: Any) -> Any:
        def total(x: jax.Array, kernel: jax.Array) -> Any:
            y = convolve(x, kernel, *placed, **named)
            return jnp.sum(jnp.sin(y)), y

        return jax.jit(jax.grad(total, argnums=(0, 1), has_aux=True))(x, kernel)

    for own, native in zip(
        *(jax.tree.leaves(through(f)) for f in (convolution, lax.conv_general_dilated)), strict=True
    ):
        assert own.shape == native.shape
        assert np.allclose(own, native, atol=3e-5), np.abs(own - native).max()


def test_in_a_loop_all_three_convolutions_have_the_order_of_axes_that_xla_is_fast_in() -> None:
    """Native gradients in a loop keep others, and run as plain loops on a CPU."""
    x, kernels = jnp.ones((2, 8, 8, 4)), jnp.ones((3, 3, 3, 4, 4))
    placed, named = settings_of(2, {})

    def orders(convolve: Any) -> set[str]:
        def total(kernels: jax.Array, x: jax.Array) -> jax.Array:
            turn = lambda h, kernel: (jnp.sin(convolve(h, kernel, *placed, **named)), None)  # noqa: E731
            return jnp.sum(lax.scan(turn, x, kernels)[0])

        text = jax.jit(jax.grad(total, argnums=(0, 1))).lower(kernels, x).compile().as_text() or ""
        return {line.split("dim_labels=")[1].split(",")[0] for line in text.splitlines() if " convolution(" in line}

    assert orders(convolution) == {"b01f_01io->b01f"}
    assert orders(lax.conv_general_dilated) > {"b01f_01io->b01f"}
