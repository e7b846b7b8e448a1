"""MLP, compiled by netc."""

from flax import nnx


class For(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.dense1 = nnx.Linear(784, 256, kernel_init=nnx.initializers.he_normal(), rngs=rngs)

    def __call__(self, x):
        return nnx.relu(self.dense1(x))


class For2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.dense1 = nnx.Linear(256, 128, kernel_init=nnx.initializers.he_normal(), rngs=rngs)

    def __call__(self, x):
        return nnx.relu(self.dense1(x))


class MLP(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.logits_for1_0 = For(rngs)
        self.logits_for1_1 = For2(rngs)
        self.logits_dense1 = nnx.Linear(128, 10, rngs=rngs)

    def __call__(self, image):
        h = image.reshape(-1, 784)
        h = self.logits_for1_0(h)
        h = self.logits_for1_1(h)
        logits = self.logits_dense1(h)
        return logits
