"""Nets that go along a sequence step by step."""

import jax.numpy as jnp
from jax import Array

from twins.parts import Data, Weights, dense, relu, sigmoid


def lstm(xs: list[Array], w: Weights, name: str) -> list[Array]:
    """A state for each step, with every use of the weights written out."""
    n = len(w[f"{name}.recurrent"])
    h = cell = jnp.zeros((len(xs[0]), n))
    states = []
    for x in xs:
        gates = x @ w[f"{name}.kernel"] + h @ w[f"{name}.recurrent"] + w[f"{name}.bias"]
        enter, keep, candidate, show = (gates[:, n * i : n * (i + 1)] for i in range(4))
        cell = sigmoid(keep) * cell + sigmoid(enter) * jnp.tanh(candidate)
        h = sigmoid(show) * jnp.tanh(cell)
        states.append(h)
    return states


def lines_lstm(w: Weights, data: Data) -> tuple[Array, ...]:
    lines = [relu(dense(data["image"][:, row, :, 0], w, "lines.over_time1.line")) for row in range(8)]
    return (dense(lstm(lines, w, "memory")[-1], w, "classes"),)


def word_lstm(w: Weights, data: Data) -> tuple[Array, ...]:
    words = [w["embed.table"][data["words"][:, t]] for t in range(20)]
    states = lstm(lstm(words, w, "lstm1"), w, "lstm2")
    return (jnp.stack([dense(h, w, "scores") for h in states], axis=1),)


def normed(x: Array, w: Weights, name: str) -> Array:
    """Mean 0 and variance 1 of each position, scaled and shifted (Ba, Kiros & Hinton 2016)."""
    mean, var = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / jnp.sqrt(var + 1e-5) * w[f"{name}.scale"] + w[f"{name}.bias"]


def attended(x: Array, memory: Array, w: Weights, name: str, causal: bool = False) -> Array:
    """Four heads, head by head (Vaswani et al. 2017, section 3.2), with biases where there are any."""
    width, heads = x.shape[-1] // 4, []
    for h in range(4):
        columns = slice(h * width, (h + 1) * width)
        parts = ((seen, w[f"{name}.{s}"]) for seen, s in ((x, "query"), (memory, "key"), (memory, "value")))
        biases = (w.get(f"{name}.{s}_bias", jnp.zeros(4 * width)) for s in ("query", "key", "value"))
        q, k, v = ((seen @ part + bias)[..., columns] for (seen, part), bias in zip(parts, biases, strict=True))
        risen = jnp.exp(jnp.einsum("btc,bpc->btp", q, k) / width**0.5)
        risen = jnp.tril(risen) if causal else risen
        heads.append(risen / risen.sum(axis=-1, keepdims=True) @ v)
    return jnp.concatenate(heads, axis=-1) @ w[f"{name}.out"] + w.get(f"{name}.out_bias", 0.0)


def tied_gpt(w: Weights, data: Data) -> tuple[Array, ...]:
    """GPT-2's layers, without dropout, as in evaluation; the head is the table that bytes are read from."""
    h = w["embed.table"][data["text"]] + w["places.table"]
    for i in range(2):
        name = f"layers.{i}.attend"
        x = normed(h, w, f"{name}.layernorm1")
        h = h + attended(x, x, w, f"{name}.attention1", causal=True)
        name = f"layers.{i}.feed"
        x = dense(normed(h, w, f"{name}.layernorm1"), w, f"{name}.dense1")
        gelu = x / 2 * (1 + jnp.tanh(jnp.sqrt(2 / jnp.pi) * (x + 0.044715 * x**3)))
        h = h + dense(gelu, w, f"{name}.dense2")
    return (normed(h, w, "norm") @ w["embed.table"].T,)


def places(time: int, width: int) -> Array:
    """Vaswani et al. 2017, section 3.5."""
    angles = jnp.arange(time)[:, None] / 10000 ** (jnp.arange(0, width, 2) / width)
    return jnp.stack([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(time, width)


def transformer(w: Weights, data: Data) -> tuple[Array, ...]:
    """Vaswani et al. 2017, figure 1, without dropout, as in evaluation; norms stand behind the sums."""

    def fed(x: Array, name: str) -> Array:
        y = dense(relu(dense(x, w, f"{name}.feed.sublayer1.dense1")), w, f"{name}.feed.sublayer1.dense2")
        return normed(x + y, w, f"{name}.feed.sublayer1.layernorm1")

    def alone(x: Array, name: str, causal: bool) -> Array:
        y = attended(x, x, w, f"{name}.self.attention1", causal)
        return normed(x + y, w, f"{name}.self.layernorm1")

    table = w["embed.table"]
    memory, h = (table[data[name]] * 32**0.5 + places(5, 32) for name in ("source", "target"))
    for i in range(2):
        memory = fed(alone(memory, f"encoder.{i}", causal=False), f"encoder.{i}")
    for name in ("decoder.0.decode", "last"):
        h = alone(h, name, causal=True)
        h = normed(h + attended(h, memory, w, f"{name}.look.across"), w, f"{name}.look.norm")
        h = fed(h, name)
    return (h @ table.T,)


def universal_transformer(w: Weights, data: Data) -> tuple[Array, ...]:
    """The same step again and again, without its dropout, as in evaluation."""
    h = dense(data["image"][..., 0], w, "lines")
    for _ in range(3):
        h = h + places(8, 32)
        h = normed(h + attended(h, h, w, "step.attend.attention1"), w, "step.attend.layernorm1")
        x = dense(relu(dense(h, w, "step.transition.dense1")), w, "step.transition.dense2")
        h = normed(h + x, w, "step.transition.layernorm1")
    return (dense(h.mean(axis=1), w, "classes"),)
