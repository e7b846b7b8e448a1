"""What nets are made of, in plain `jax.numpy`; values are [batch, ...], images [batch, height, width, channels]."""

from collections.abc import Mapping

import jax.numpy as jnp
from jax import Array

Weights = Mapping[str, Array]
Data = Mapping[str, Array]


def shifted(x: Array, size: int, stride: int = 1) -> Array:
    """What each tap of a window sees of x [batch, height, width, in]: [batch, rows, columns, taps, in]."""
    rows, columns = x.shape[1] - size + 1, x.shape[2] - size + 1
    taps = [(i, j) for i in range(size) for j in range(size)]
    return jnp.stack([x[:, i : i + rows : stride, j : j + columns : stride] for i, j in taps], axis=3)


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
