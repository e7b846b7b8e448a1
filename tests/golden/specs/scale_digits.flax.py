"""ScaleDigits, compiled by netc."""

from flax import nnx
from netc.kernels.orbits import ScaleConv


class Sized(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = ScaleConv(
            3,
            (3, 3, 1, 16),
            padding=((3, 3), (3, 3)),
            kernel_init=nnx.initializers.lecun_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        return nnx.relu(self.conv1(x)).max(axis=-2)


class Sized2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = ScaleConv(
            2,
            (3, 3, 16, 32),
            padding=((2, 2), (2, 2)),
            kernel_init=nnx.initializers.lecun_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        return nnx.relu(self.conv1(x)).max(axis=-2)


class ScaleDigits(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.one = Sized(rngs)
        self.two = Sized2(rngs)
        self.classes = nnx.Linear(32, 10, rngs=rngs)

    def __call__(self, image):
        h = self.one(image)
        h = nnx.max_pool(h, (2, 2), strides=(2, 2))
        h = self.two(h)
        h = h.max(axis=(1, 2))
        digit = self.classes(h)
        return digit
