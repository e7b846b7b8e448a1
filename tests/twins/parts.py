"""What nets are made of, in plain `jax.numpy`; values are [batch, ...], images [batch, height, width, channels]."""

from collections.abc import Mapping

import jax.numpy as jnp
from jax import Array

Weights = Mapping[str, Array]
Data = Mapping[str, Array]


def shifted(x: Array, size: int, stride: int = 1) -> Array:
    """What each tap of a window sees of x [batch, height, width, in]: [batch, rows, columns, taps, in].

    By indices, since XLA takes longer over a slice for each tap than over all else in a twin."""
    rows, columns = (jnp.arange(0, extent - size + 1, stride)[:, None] + jnp.arange(size) for extent in x.shape[1:3])
    seen = x[:, rows][:, :, :, columns].swapaxes(2, 3)
    return seen.reshape(len(x), len(rows), len(columns), size * size, x.shape[3])


def convolve(x: Array, kernel: Array, bias: Array, stride: int = 1) -> Array:
    """Cross-correlation of x with a kernel [size, size, in, out], without padding."""
    return jnp.einsum("brcti,tio->brco", shifted(x, len(kernel), stride), kernel.reshape(-1, *kernel.shape[2:])) + bias


def pad(x: Array, width: int) -> Array:
    return jnp.pad(x, ((0, 0), (width, width), (width, width), (0, 0)))


def windows(x: Array) -> Array:
    """The windows of 2x2 that do not overlap: [batch, height / 2, width / 2, 4, channels]."""
    return shifted(x, 2)[:, ::2, ::2]


def max_pool(x: Array) -> Array:
    return windows(x).max(axis=3)


def flat(x: Array) -> Array:
    return x.reshape(len(x), -1)


def relu(x: Array) -> Array:
    return jnp.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + jnp.exp(-x))


def stanh(x: Array) -> Array:
    return 1.7159 * jnp.tanh(2 / 3 * x)


def dense(x: Array, w: Weights, name: str) -> Array:
    return x @ w[f"{name}.kernel"] + w[f"{name}.bias"]
