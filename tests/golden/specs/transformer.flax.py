"""Transformer, compiled by netc."""

from flax import nnx
from netc.kernels.attention import Attention, sinusoidal


class Start(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.dropout1 = nnx.Dropout(0.1, rngs=rngs)

    def __call__(self, x):
        h = sinusoidal(x)
        return self.dropout1(h)


class Sublayer(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.attention1 = Attention(64, heads=4, use_bias=False, rngs=rngs)
        self.dropout1 = nnx.Dropout(0.1, rngs=rngs)
        self.layernorm1 = nnx.LayerNorm(64, epsilon=1e-05, use_fast_variance=False, rngs=rngs)

    def __call__(self, x):
        h = self.attention1(x)
        h = self.dropout1(h)
        h = x + h
        return self.layernorm1(h)


class Sublayer2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.dense1 = nnx.Linear(64, 256, rngs=rngs)
        self.dense2 = nnx.Linear(256, 64, rngs=rngs)
        self.dropout1 = nnx.Dropout(0.1, rngs=rngs)
        self.layernorm1 = nnx.LayerNorm(64, epsilon=1e-05, use_fast_variance=False, rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.dense1(x))
        h = self.dense2(h)
        h = self.dropout1(h)
        h = x + h
        return self.layernorm1(h)


class Feed(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.sublayer1 = Sublayer2(rngs)

    def __call__(self, x):
        return self.sublayer1(x)


class Encoder(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.self_ = Sublayer(rngs)
        self.feed = Feed(rngs)

    def __call__(self, x):
        h = self.self_(x)
        return self.feed(h)


class Sublayer3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.attention1 = Attention(64, heads=4, causal=True, use_bias=False, rngs=rngs)
        self.dropout1 = nnx.Dropout(0.1, rngs=rngs)
        self.layernorm1 = nnx.LayerNorm(64, epsilon=1e-05, use_fast_variance=False, rngs=rngs)

    def __call__(self, x):
        h = self.attention1(x)
        h = self.dropout1(h)
        h = x + h
        return self.layernorm1(h)


class Look(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.across = Attention(64, heads=4, use_bias=False, rngs=rngs)
        self.seen_dropout1 = nnx.Dropout(0.1, rngs=rngs)
        self.norm = nnx.LayerNorm(64, epsilon=1e-05, use_fast_variance=False, rngs=rngs)

    def __call__(self, x, memory):
        h = self.across(x, memory)
        seen = self.seen_dropout1(h)
        h = x + seen
        return self.norm(h)


class Decode(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.self_ = Sublayer3(rngs)
        self.look = Look(rngs)
        self.feed = Feed(rngs)

    def __call__(self, x, memory):
        heard = self.self_(x)
        h = self.look(heard, memory)
        return self.feed(h)


class DecodeOn(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.decode = Decode(rngs)

    def __call__(self, x, memory):
        y = self.decode(x, memory)
        return y, memory


class Transformer(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.embed = nnx.Embed(32, 64, embedding_init=nnx.initializers.normal(0.125), rngs=rngs)
        self.memory_start1 = Start(rngs)
        self.encoder = nnx.List([Encoder(rngs) for _ in range(2)])
        self.logits_start1 = Start(rngs)
        self.decoder = nnx.List([DecodeOn(rngs) for _ in range(1)])
        self.last = Decode(rngs)

    def __call__(self, source, target):
        h = 8.0 * self.embed(source)
        h = self.memory_start1(h)
        memory = h
        for layer in self.encoder:
            memory = layer(memory)
        h = 8.0 * self.embed(target)
        h = self.logits_start1(h)
        h, h2 = h, memory
        for layer in self.decoder:
            h, h2 = layer(h, h2)
        h = self.last(h, h2)
        logits = h @ self.embed.embedding[...].T
        return logits
