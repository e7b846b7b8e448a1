"""ConstrainedMlp, compiled by netc."""

from flax import nnx
from netc.kernels.constraints import max_norm


class Enter(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.dense1 = nnx.Linear(784, 1024, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.dropout1 = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.dense1(x))
        return self.dropout1(h)


class Deeper(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.dense1 = nnx.Linear(1024, 1024, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.dropout1 = nnx.Dropout(0.5, rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.dense1(x))
        return self.dropout1(h)


class ConstrainedMlp(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.digit_dropout1 = nnx.Dropout(0.2, rngs=rngs)
        self.enter = Enter(rngs)
        self.deeper = Deeper(rngs)
        self.digit_dense1 = nnx.Linear(1024, 10, rngs=rngs)

    def __call__(self, image):
        h = image.reshape(-1, 784)
        h = self.digit_dropout1(h)
        h = self.enter(h)
        for _ in range(2):
            h = self.deeper(h)
        digit = self.digit_dense1(h)
        return digit


def constrain(model):
    """Puts weights back where their constraints hold: call it after every step that changes them."""
    for weight in (model.enter.dense1.kernel, model.deeper.dense1.kernel):
        weight[...] = max_norm(weight[...], 3.0, axis=(0,))
