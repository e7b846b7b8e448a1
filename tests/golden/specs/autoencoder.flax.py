"""Autoencoder, compiled by netc."""

from flax import nnx


class Autoencoder(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.code_dense1 = nnx.Linear(784, 128, rngs=rngs)
        self.code_dense2 = nnx.Linear(128, 32, rngs=rngs)
        self.y_dense1 = nnx.Linear(32, 128, rngs=rngs)
        self.y_dense2 = nnx.Linear(128, 784, rngs=rngs)

    def __call__(self, image):
        h = image.reshape(-1, 784)
        h = nnx.relu(self.code_dense1(h))
        code = self.code_dense2(h)
        h = nnx.relu(self.y_dense1(code))
        y = nnx.sigmoid(self.y_dense2(h)).reshape(-1, 28, 28, 1)
        return y
