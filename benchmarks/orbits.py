"""Orbits: what convolution that shares its weights over turns costs."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from benchmarks.measure import Row, Table, as_ratio, at_most, in_milliseconds, ratios, spread, take_turns
from netc.kernels.orbits import OrbitConv

BATCH, SIDE, MAPS = 64, 24, 10


def tables(rounds: int) -> list[Table]:
    return [cost(title, fed, rounds) for title, fed in (("on an image", 1), ("over rot4", 4 * MAPS))]


def cost(title: str, fed: int, rounds: int) -> Table:
    """A step of a convolution over rot4 beside one of a plain convolution of as many maps, on equal numbers."""
    rngs, init = nnx.Rngs(0), nnx.initializers.lecun_normal()
    shape = (3, 3, 1, MAPS) if fed == 1 else (3, 3, 4, MAPS, MAPS)
    orbit = step(OrbitConv("rot4", shape, kernel_init=init, rngs=rngs))
    plain = step(nnx.Conv(fed, 4 * MAPS, (3, 3), rngs=rngs))
    flat = jax.random.normal(jax.random.key(0), (BATCH, SIDE, SIDE, fed))
    over = flat if fed == 1 else flat.reshape(BATCH, SIDE, SIDE, 4, MAPS)
    seconds = take_turns(
        {
            "orbit": lambda: jax.block_until_ready(orbit(over)),
            "plain": lambda: jax.block_until_ready(plain(flat)),
        },
        rounds,
    )
    rows = (
        Row(f"`conv({MAPS}, 3x3, orbit = rot4)`", spread(seconds["orbit"], in_milliseconds)),
        Row(f"`conv({4 * MAPS}, 3x3)`", spread(seconds["plain"], in_milliseconds)),
        at_most("the orbit convolution to the plain one", ratios(seconds, "orbit", "plain"), 1.15, as_ratio),
    )
    text = (
        f"Forward and backward, by weights and input, {BATCH} of {SIDE}x{SIDE} with {fed} map{'s' * (fed > 1)} in and "
        f"{4 * MAPS} out, in turn, {rounds} rounds."
    )
    return Table(f"Orbit convolution {title}", text, rows)


def step(layer: nnx.Module) -> Callable[[jax.Array], Any]:
    """The gradients of a layer's squared output by its weights and its input."""
    graph, state = nnx.split(layer)

    def loss(state: nnx.State, x: jax.Array) -> jax.Array:
        return jnp.sum(jnp.square(nnx.merge(graph, state)(x)))

    gradients = jax.jit(jax.grad(loss, argnums=(0, 1)))
    return lambda x: gradients(state, x)
