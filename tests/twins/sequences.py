"""Nets that go along a sequence step by step."""

import jax.numpy as jnp
from jax import Array

from twins.parts import Data, Weights, dense, relu, sigmoid


def lines_lstm(w: Weights, data: Data) -> tuple[Array, ...]:
    """Line by line, with every use of the weights written out."""
    h = cell = jnp.zeros((len(data["image"]), 64))
    for row in range(8):
        line = relu(dense(data["image"][:, row, :, 0], w, "lines.over_time1.line"))
        gates = line @ w["memory.kernel"] + h @ w["memory.recurrent"] + w["memory.bias"]
        enter, keep, candidate, show = (gates[:, 64 * i : 64 * (i + 1)] for i in range(4))
        cell = sigmoid(keep) * cell + sigmoid(enter) * jnp.tanh(candidate)
        h = sigmoid(show) * jnp.tanh(cell)
    return (dense(h, w, "classes"),)
