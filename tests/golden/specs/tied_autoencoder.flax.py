"""TiedAutoencoder, compiled by netc."""

from flax import nnx


class TiedAutoencoder(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.encode1 = nnx.Linear(784, 1000, rngs=rngs)
        self.encode2 = nnx.Linear(1000, 500, rngs=rngs)
        self.encode3 = nnx.Linear(500, 250, rngs=rngs)
        self.encode4 = nnx.Linear(250, 30, rngs=rngs)
        self.decode4_bias = nnx.Param(nnx.initializers.zeros_init()(rngs.params(), (250,)))
        self.decode3_bias = nnx.Param(nnx.initializers.zeros_init()(rngs.params(), (500,)))
        self.decode2_bias = nnx.Param(nnx.initializers.zeros_init()(rngs.params(), (1000,)))
        self.decode1_bias = nnx.Param(nnx.initializers.zeros_init()(rngs.params(), (784,)))

    def __call__(self, image):
        h = image.reshape(-1, 784)
        h = nnx.sigmoid(self.encode1(h))
        h = nnx.sigmoid(self.encode2(h))
        h = nnx.sigmoid(self.encode3(h))
        code = self.encode4(h)
        h = nnx.sigmoid(code @ self.encode4.kernel[...].T + self.decode4_bias[...])
        h = nnx.sigmoid(h @ self.encode3.kernel[...].T + self.decode3_bias[...])
        h = nnx.sigmoid(h @ self.encode2.kernel[...].T + self.decode2_bias[...])
        y = nnx.sigmoid(
            h @ self.encode1.kernel[...].T + self.decode1_bias[...],
        ).reshape(-1, 28, 28, 1)
        return y
