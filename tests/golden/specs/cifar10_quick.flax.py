"""Cifar10Quick, compiled by netc."""

from flax import nnx


class Cifar10Quick(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            3,
            32,
            (5, 5),
            padding=((2, 2), (2, 2)),
            kernel_init=nnx.initializers.normal(0.0001),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            32,
            32,
            (5, 5),
            padding=((2, 2), (2, 2)),
            kernel_init=nnx.initializers.normal(0.01),
            rngs=rngs,
        )
        self.conv3 = nnx.Conv(
            32,
            64,
            (5, 5),
            padding=((2, 2), (2, 2)),
            kernel_init=nnx.initializers.normal(0.01),
            rngs=rngs,
        )
        self.ip1 = nnx.Linear(1024, 64, kernel_init=nnx.initializers.normal(0.1), rngs=rngs)
        self.ip2 = nnx.Linear(64, 10, kernel_init=nnx.initializers.normal(0.1), rngs=rngs)

    def __call__(self, image):
        h = self.conv1(image)
        h = nnx.relu(nnx.max_pool(h, (3, 3), strides=(2, 2), padding=((0, 1), (0, 1))))
        h = nnx.avg_pool(
            nnx.relu(self.conv2(h)),
            (3, 3),
            strides=(2, 2),
            padding=((0, 1), (0, 1)),
            count_include_pad=False,
        )
        h = nnx.avg_pool(
            nnx.relu(self.conv3(h)),
            (3, 3),
            strides=(2, 2),
            padding=((0, 1), (0, 1)),
            count_include_pad=False,
        )
        h = h.reshape(-1, 1024)
        h = self.ip1(h)
        logits = self.ip2(h)
        return logits
