"""UniversalTransformer, compiled by netc."""

from flax import nnx
from netc.kernels.attention import Attention, sinusoidal


class Sublayer(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.attention1 = Attention(64, heads=4, rngs=rngs)
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


class Step(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.attend = Sublayer(rngs)
        self.transition = Sublayer2(rngs)

    def __call__(self, x):
        h = sinusoidal(x)
        h = self.attend(h)
        return self.transition(h)


class UniversalTransformer(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.lines = nnx.Linear(8, 64, rngs=rngs)
        self.step = Step(rngs)
        self.classes = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, image):
        h = image.reshape(-1, 8, 8)
        h = self.lines(h)
        for _ in range(6):
            h = self.step(h)
        h = h.mean(axis=1)
        digit = self.classes(h)
        return digit
