"""Logistic, compiled by netc."""

from flax import nnx


class Logistic(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.w = nnx.Param(nnx.initializers.normal(0.01)(rngs.params(), (64, 1)))
        self.b = nnx.Param(nnx.initializers.zeros_init()(rngs.params(), (1,)))

    def __call__(self, image):
        x = image.reshape(-1, 64)
        p = nnx.sigmoid(x @ self.w[...] + self.b[...])
        return p
