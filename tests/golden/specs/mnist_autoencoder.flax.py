"""MnistAutoencoder, compiled by netc."""

from flax import nnx


class MnistAutoencoder(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.encode1 = nnx.Linear(784, 1000, rngs=rngs)
        self.encode2 = nnx.Linear(1000, 500, rngs=rngs)
        self.encode3 = nnx.Linear(500, 250, rngs=rngs)
        self.encode4 = nnx.Linear(250, 30, rngs=rngs)
        self.decode4 = nnx.Linear(30, 250, rngs=rngs)
        self.decode3 = nnx.Linear(250, 500, rngs=rngs)
        self.decode2 = nnx.Linear(500, 1000, rngs=rngs)
        self.decode1 = nnx.Linear(1000, 784, rngs=rngs)

    def __call__(self, image):
        h = image.reshape(-1, 784)
        h = nnx.sigmoid(self.encode1(h))
        h = nnx.sigmoid(self.encode2(h))
        h = nnx.sigmoid(self.encode3(h))
        code = self.encode4(h)
        h = nnx.sigmoid(self.decode4(code))
        h = nnx.sigmoid(self.decode3(h))
        h = nnx.sigmoid(self.decode2(h))
        y = nnx.sigmoid(self.decode1(h)).reshape(-1, 28, 28, 1)
        return y
