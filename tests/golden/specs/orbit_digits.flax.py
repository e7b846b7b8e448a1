"""Plain, compiled by netc."""

from flax import nnx


class Plain3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(1, 20, (3, 3), padding="VALID", use_bias=False, rngs=rngs)
        self.batchnorm1 = nnx.BatchNorm(20, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv1(x)
        return nnx.relu(self.batchnorm1(h))


class Plain32(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(20, 20, (3, 3), padding="VALID", use_bias=False, rngs=rngs)
        self.batchnorm1 = nnx.BatchNorm(20, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv1(x)
        return nnx.relu(self.batchnorm1(h))


class Plain(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.digit_plain31 = Plain3(rngs)
        self.digit_plain32 = Plain32(rngs)
        self.digit_repeat1_0 = Plain32(rngs)
        self.digit_repeat1_1 = Plain32(rngs)
        self.digit_repeat1_2 = Plain32(rngs)
        self.digit_repeat1_3 = Plain32(rngs)
        self.last = nnx.Conv(20, 20, (4, 4), padding="VALID", use_bias=False, rngs=rngs)
        self.digit_batchnorm1 = nnx.BatchNorm(20, momentum=0.9, rngs=rngs)
        self.classes = nnx.Linear(20, 10, rngs=rngs)

    def __call__(self, image):
        h = self.digit_plain31(image)
        h = self.digit_plain32(h)
        h = nnx.max_pool(h, (2, 2), strides=(2, 2))
        h = self.digit_repeat1_0(h)
        h = self.digit_repeat1_1(h)
        h = self.digit_repeat1_2(h)
        h = self.digit_repeat1_3(h)
        h = self.last(h)
        h = nnx.relu(self.digit_batchnorm1(h)).reshape(-1, 20)
        digit = self.classes(h)
        return digit
---
"""Turning, compiled by netc."""

from flax import nnx
from netc.kernels.orbits import OrbitConv


class Layer3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = OrbitConv(
            "rot4",
            (3, 3, 1, 10),
            padding="VALID",
            use_bias=False,
            kernel_init=nnx.initializers.lecun_normal(),
            rngs=rngs,
        )
        self.batchnorm1 = nnx.BatchNorm(10, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv1(x)
        return nnx.relu(self.batchnorm1(h))


class Layer32(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = OrbitConv(
            "rot4",
            (3, 3, 4, 10, 10),
            padding="VALID",
            use_bias=False,
            kernel_init=nnx.initializers.lecun_normal(),
            rngs=rngs,
        )
        self.batchnorm1 = nnx.BatchNorm(10, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv1(x)
        return nnx.relu(self.batchnorm1(h))


class Turning(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.digit_layer31 = Layer3(rngs)
        self.digit_layer32 = Layer32(rngs)
        self.digit_repeat1_0 = Layer32(rngs)
        self.digit_repeat1_1 = Layer32(rngs)
        self.digit_repeat1_2 = Layer32(rngs)
        self.digit_repeat1_3 = Layer32(rngs)
        self.last = OrbitConv(
            "rot4",
            (4, 4, 4, 10, 10),
            padding="VALID",
            use_bias=False,
            kernel_init=nnx.initializers.lecun_normal(),
            rngs=rngs,
        )
        self.digit_batchnorm1 = nnx.BatchNorm(10, momentum=0.9, rngs=rngs)
        self.classes = nnx.Linear(10, 10, rngs=rngs)

    def __call__(self, image):
        h = self.digit_layer31(image)
        h = self.digit_layer32(h)
        h = nnx.max_pool(h, (2, 2, 1), strides=(2, 2, 1))
        h = self.digit_repeat1_0(h)
        h = self.digit_repeat1_1(h)
        h = self.digit_repeat1_2(h)
        h = self.digit_repeat1_3(h)
        h = self.last(h)
        h = nnx.relu(self.digit_batchnorm1(h)).max(axis=-2)
        h = h.reshape(-1, 10)
        digit = self.classes(h)
        return digit
