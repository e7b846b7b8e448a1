"""ViT, compiled by netc."""

import jax.numpy as jnp
from flax import nnx
from netc.kernels.modules import Prepend
from netc.kernels.attention import Attention


class FeedForward(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.fc1 = nnx.Linear(768, 3072, rngs=rngs)
        self.fc2 = nnx.Linear(3072, 768, rngs=rngs)

    def __call__(self, x):
        h = nnx.gelu(self.fc1(x), approximate=False)
        return self.fc2(h)


class PreNorm(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.ln_1 = nnx.LayerNorm(768, epsilon=1e-12, use_fast_variance=False, rngs=rngs)
        self.attn = Attention(768, heads=12, out_init=nnx.initializers.lecun_normal(), rngs=rngs)
        self.y_dropout1 = nnx.Dropout(0.0, rngs=rngs)
        self.ln_2 = nnx.LayerNorm(768, epsilon=1e-12, use_fast_variance=False, rngs=rngs)
        self.mlp = FeedForward(rngs)
        self.dropout1 = nnx.Dropout(0.0, rngs=rngs)

    def __call__(self, x):
        h = self.ln_1(x)
        h = self.attn(h)
        y = x + self.y_dropout1(h)
        h = self.ln_2(y)
        h = self.mlp(h)
        return y + self.dropout1(h)


class ViT(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.patch_embed = nnx.Conv(3, 768, (16, 16), strides=(16, 16), padding="VALID", rngs=rngs)
        self.class_token = Prepend(1, 768, init=nnx.initializers.normal(0.02), rngs=rngs)
        self.position = nnx.Embed(197, 768, embedding_init=nnx.initializers.normal(0.02), rngs=rngs)
        self.layers = nnx.List([PreNorm(rngs) for _ in range(12)])
        self.layernorm = nnx.LayerNorm(768, epsilon=1e-12, use_fast_variance=False, rngs=rngs)
        self.classifier = nnx.Linear(768, 1000, rngs=rngs)

    def __call__(self, image):
        patches = self.patch_embed(image)
        h = patches.reshape(-1, 196, 768)
        h = self.class_token(h)
        h = h + self.position(jnp.arange(h.shape[1]))
        for layer in self.layers:
            h = layer(h)
        h = self.layernorm(h)
        h = h[:, :1]
        h = h.reshape(-1, 768)
        logits = self.classifier(h)
        return logits
