"""Cifar10Full, compiled by netc."""

import jax.numpy as jnp
from flax import nnx


def lrn_within(x):
    h = jnp.pad(x ** 2.0, ((0, 0), (1, 1), (1, 1), (0, 0)))
    mean = nnx.avg_pool(h, (3, 3), strides=(1, 1))
    return x * (1.0 + 5e-05 * mean) ** (-0.75)


class Cifar10Full(nnx.Module):
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
        self.ip1 = nnx.Linear(1024, 10, kernel_init=nnx.initializers.normal(0.01), rngs=rngs)

    def __call__(self, image):
        h = self.conv1(image)
        h = lrn_within(nnx.relu(nnx.max_pool(h, (3, 3), strides=(2, 2), padding=((0, 1), (0, 1)))))
        h = nnx.avg_pool(
            nnx.relu(self.conv2(h)),
            (3, 3),
            strides=(2, 2),
            padding=((0, 1), (0, 1)),
            count_include_pad=False,
        )
        h = lrn_within(h)
        h = nnx.avg_pool(
            nnx.relu(self.conv3(h)),
            (3, 3),
            strides=(2, 2),
            padding=((0, 1), (0, 1)),
            count_include_pad=False,
        )
        h = h.reshape(-1, 1024)
        logits = self.ip1(h)
        return logits
