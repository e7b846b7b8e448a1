"""TiedGPT, compiled by netc."""

import jax.numpy as jnp
from flax import nnx
from netc.kernels.attention import Attention


class Sublayer(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.layernorm1 = nnx.LayerNorm(128, epsilon=1e-05, use_fast_variance=False, rngs=rngs)
        self.attention1 = Attention(
            128,
            heads=4,
            causal=True,
            dropout=0.1,
            kernel_init=nnx.initializers.normal(0.02),
            out_init=nnx.initializers.normal(0.0070710678118654745),
            rngs=rngs,
        )
        self.dropout1 = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x):
        h = self.layernorm1(x)
        h = self.attention1(h)
        h = self.dropout1(h)
        return x + h


class Sublayer2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.layernorm1 = nnx.LayerNorm(128, epsilon=1e-05, use_fast_variance=False, rngs=rngs)
        self.dense1 = nnx.Linear(128, 512, kernel_init=nnx.initializers.normal(0.02), rngs=rngs)
        self.dense2 = nnx.Linear(
            512,
            128,
            kernel_init=nnx.initializers.normal(0.0070710678118654745),
            rngs=rngs,
        )
        self.dropout1 = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x):
        h = self.layernorm1(x)
        h = nnx.gelu(self.dense1(h), approximate=True)
        h = self.dense2(h)
        h = self.dropout1(h)
        return x + h


class Layers(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.attend = Sublayer(rngs)
        self.feed = Sublayer2(rngs)

    def __call__(self, x):
        h = self.attend(x)
        return self.feed(h)


class TiedGPT(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.embed = nnx.Embed(256, 128, embedding_init=nnx.initializers.normal(0.02), rngs=rngs)
        self.places = nnx.Embed(128, 128, embedding_init=nnx.initializers.normal(0.02), rngs=rngs)
        self.logits_dropout1 = nnx.Dropout(0.1, rngs=rngs)
        self.layers = nnx.List([Layers(rngs) for _ in range(4)])
        self.norm = nnx.LayerNorm(128, epsilon=1e-05, use_fast_variance=False, rngs=rngs)

    def __call__(self, text):
        h = self.embed(text)
        h = h + self.places(jnp.arange(h.shape[1]))
        h = self.logits_dropout1(h)
        for layer in self.layers:
            h = layer(h)
        h = self.norm(h)
        logits = h @ self.embed.embedding[...].T
        return logits
