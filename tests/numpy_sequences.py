"""Embeddings, places, attention and norms in plain numpy, number by number as their papers write them."""

import math
from typing import Any

import numpy as np

Array = np.ndarray
Weights = dict[str, Array]


def embedding(layer: Any, weights: Weights, tokens: Array) -> Array:
    """Rows of the table, by products with vectors that are 1 at their token."""
    return (tokens[..., None] == np.arange(layer.n)).astype(float) @ weights["table"]


def place(t: int, width: int) -> Array:
    """Vaswani et al. 2017, section 3.5."""
    made = np.zeros(width)
    for i in range(0, width, 2):
        made[i] = math.sin(t / 10000 ** (i / width))
        if i + 1 < width:
            made[i + 1] = math.cos(t / 10000 ** (i / width))
    return made


def position(layer: Any, weights: Weights, x: Array) -> Array:
    time, width = x.shape[1:]
    if layer.encoding == "learned":
        return x + weights["table"][:time]
    return x + np.stack([place(t, width) for t in range(time)])


def turned(vector: Array, t: int, base: float) -> Array:
    """Su et al. 2021, equation 15: the block matrix of place t times a vector."""
    width = len(vector)
    matrix = np.zeros((width, width))
    for i in range(width // 2):
        angle = t * base ** (-2 * i / width)
        matrix[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [
            [math.cos(angle), -math.sin(angle)],
            [math.sin(angle), math.cos(angle)],
        ]
    return matrix @ vector


def attention(layer: Any, weights: Weights, x: Array, memory: Array | None = None) -> Array:
    """Example by example, head by head and place by place (Vaswani et al. 2017, equation 1 and section 3.2.2)."""
    memory = x if memory is None else memory
    heads, width = layer.heads, weights["query"].shape[1] // layer.heads
    served = heads // (layer.kv_heads or heads)
    found = np.zeros((*x.shape[:2], heads * width))

    def fed(example: Array, slot: str, head: int) -> list[Array]:
        columns = slice(head * width, (head + 1) * width)
        rows = example @ weights[slot][:, columns]
        rows = rows + weights[f"{slot}_bias"][columns] if layer.bias else rows
        turns = layer.rotary and slot != "value"
        return [turned(row, t, layer.rotary_base) if turns else row for t, row in enumerate(rows)]

    for b, h in np.ndindex(len(x), heads):
        queries, keys, values = (
            fed(x[b], "query", h),
            fed(memory[b], "key", h // served),
            fed(memory[b], "value", h // served),
        )
        for t, query in enumerate(queries):
            seen = range(t + 1) if layer.causal else range(len(keys))
            scores = np.array([query @ keys[s] / math.sqrt(width) for s in seen])
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            found[b, t, h * width : (h + 1) * width] = sum(p * values[s] for p, s in zip(shares, seen, strict=True))
    y = found @ weights["out"]
    return y + weights["out_bias"] if layer.bias else y


def layernorm(layer: Any, weights: Weights, x: Array) -> Array:
    """Ba, Kiros & Hinton 2016, equation 4."""
    mean, var = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / np.sqrt(var + layer.epsilon) * weights["scale"] + weights.get("bias", 0)


def rmsnorm(layer: Any, weights: Weights, x: Array) -> Array:
    """Zhang & Sennrich 2019, equation 4."""
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + layer.epsilon) * weights["scale"]


def groupnorm(layer: Any, weights: Weights, x: Array) -> Array:
    """Wu & He 2018, equations 1 to 7, example by example and group by group."""
    y = np.zeros_like(x)
    size = x.shape[-1] // layer.groups
    for example, group in np.ndindex(len(x), layer.groups):
        chosen = (example, ..., slice(group * size, (group + 1) * size))
        y[chosen] = (x[chosen] - x[chosen].mean()) / np.sqrt(x[chosen].var() + layer.epsilon)
    return y * weights["scale"] + weights["bias"]
