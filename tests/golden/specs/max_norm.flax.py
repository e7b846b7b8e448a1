"""MaxNorm, compiled by netc."""

from flax import nnx
from netc.kernels.constraints import max_norm


class Body(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.dense1 = nnx.Linear(784, 1024, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.dropout1 = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.dense1(x))
        return self.dropout1(h)


class Body2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.dense1 = nnx.Linear(1024, 1024, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.dropout1 = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.dense1(x))
        return self.dropout1(h)


class MaxNorm(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.digit_dropout1 = nnx.Dropout(0.2, rngs=rngs)
        self.body_0 = Body(rngs)
        self.body_1 = Body2(rngs)
        self.body_2 = Body2(rngs)
        self.digit_dense1 = nnx.Linear(1024, 10, rngs=rngs)

    def __call__(self, image):
        h = image.reshape(-1, 784)
        h = self.digit_dropout1(h)
        h = self.body_0(h)
        h = self.body_1(h)
        h = self.body_2(h)
        digit = self.digit_dense1(h)
        return digit


def constrain(model):
    """Puts weights back where their constraints hold: call it after every step that changes them."""
    for weight in (model.body_0.dense1.kernel, model.body_1.dense1.kernel, model.body_2.dense1.kernel):
        weight[...] = max_norm(weight[...], 3.0, axis=(0,))
