"""GPT2, compiled by netc."""

import jax.numpy as jnp
from flax import nnx
from netc.kernels.attention import Attention


class FeedForward(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.fc1 = nnx.Linear(768, 3072, kernel_init=nnx.initializers.normal(0.02), rngs=rngs)
        self.fc2 = nnx.Linear(
            3072,
            768,
            kernel_init=nnx.initializers.normal(0.004082482904638631),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.gelu(self.fc1(x), approximate=True)
        return self.fc2(h)


class PreNorm(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.ln_1 = nnx.LayerNorm(768, epsilon=1e-05, use_fast_variance=False, rngs=rngs)
        self.attn = Attention(
            768,
            heads=12,
            causal=True,
            dropout=0.1,
            kernel_init=nnx.initializers.normal(0.02),
            out_init=nnx.initializers.normal(0.004082482904638631),
            rngs=rngs,
        )
        self.y_dropout1 = nnx.Dropout(0.1, rngs=rngs)
        self.ln_2 = nnx.LayerNorm(768, epsilon=1e-05, use_fast_variance=False, rngs=rngs)
        self.mlp = FeedForward(rngs)
        self.dropout1 = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x):
        h = self.ln_1(x)
        h = self.attn(h)
        y = x + self.y_dropout1(h)
        h = self.ln_2(y)
        h = self.mlp(h)
        return y + self.dropout1(h)


class GPT2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.wte = nnx.Embed(50257, 768, embedding_init=nnx.initializers.normal(0.02), rngs=rngs)
        self.wpe = nnx.Embed(1024, 768, embedding_init=nnx.initializers.normal(0.01), rngs=rngs)
        self.logits_dropout1 = nnx.Dropout(0.1, rngs=rngs)
        self.h = nnx.List([PreNorm(rngs) for _ in range(12)])
        self.ln_f = nnx.LayerNorm(768, epsilon=1e-05, use_fast_variance=False, rngs=rngs)

    def __call__(self, tokens):
        h = self.wte(tokens)
        h = h + self.wpe(jnp.arange(h.shape[1]))
        h = self.logits_dropout1(h)
        for layer in self.h:
            h = layer(h)
        h = self.ln_f(h)
        logits = h @ self.wte.embedding[...].T
        return logits
