"""LeNetCaffe, compiled by netc."""

from flax import nnx


class LeNetCaffe(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(1, 20, (5, 5), padding="VALID", rngs=rngs)
        self.conv2 = nnx.Conv(20, 50, (5, 5), padding="VALID", rngs=rngs)
        self.ip1 = nnx.Linear(800, 500, rngs=rngs)
        self.ip2 = nnx.Linear(500, 10, rngs=rngs)

    def __call__(self, image):
        h = self.conv1(image)
        h = nnx.max_pool(h, (2, 2), strides=(2, 2))
        h = self.conv2(h)
        h = nnx.max_pool(h, (2, 2), strides=(2, 2))
        h = h.reshape(-1, 800)
        h = nnx.relu(self.ip1(h))
        digit = self.ip2(h)
        return digit
