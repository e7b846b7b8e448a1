"""Digit, compiled by netc."""

from flax import nnx


class Reader(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.C1 = nnx.Conv(
            1,
            6,
            (5, 5),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.C3 = nnx.Conv(
            6,
            16,
            (5, 5),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.C5 = nnx.Conv(
            16,
            120,
            (4, 4),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.dropout1 = nnx.Dropout(0.3, rngs=rngs)
        self.F6 = nnx.Linear(120, 84, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.OUTPUT = nnx.Linear(84, 10, kernel_init=nnx.initializers.he_normal(), rngs=rngs)

    def __call__(self, x):
        h = nnx.max_pool(nnx.relu(self.C1(x)), (2, 2), strides=(2, 2))
        h = nnx.max_pool(nnx.relu(self.C3(h)), (2, 2), strides=(2, 2))
        h = nnx.relu(self.C5(h))
        h = self.dropout1(h)
        h = nnx.relu(self.F6(h))
        return self.OUTPUT(h)


class Digit(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.digit_reader1 = Reader(rngs)

    def __call__(self, image):
        h = self.digit_reader1(image)
        digit = h.reshape(-1, 10)
        return digit
---
"""DigitStrings, compiled by netc."""

from flax import nnx


class Reader(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.C1 = nnx.Conv(
            1,
            6,
            (5, 5),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.C3 = nnx.Conv(
            6,
            16,
            (5, 5),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.C5 = nnx.Conv(
            16,
            120,
            (4, 4),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.dropout1 = nnx.Dropout(0.3, rngs=rngs)
        self.F6 = nnx.Linear(120, 84, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.OUTPUT = nnx.Linear(84, 11, kernel_init=nnx.initializers.he_normal(), rngs=rngs)

    def __call__(self, x):
        h = nnx.max_pool(nnx.relu(self.C1(x)), (2, 2), strides=(2, 2))
        h = nnx.max_pool(nnx.relu(self.C3(h)), (2, 2), strides=(2, 2))
        h = nnx.relu(self.C5(h))
        h = self.dropout1(h)
        h = nnx.relu(self.F6(h))
        return self.OUTPUT(h)


class DigitStrings(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.steps_reader1 = Reader(rngs)

    def __call__(self, image):
        steps = self.steps_reader1(image)
        digits = steps.reshape(-1, 39, 11)
        return digits
