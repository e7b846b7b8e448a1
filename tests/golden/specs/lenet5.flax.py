"""LeNet5, compiled by netc."""

import jax.numpy as jnp
from flax import nnx
from netc.kernels.modules import Subsample, TableConv, digit_codes, fan_in_uniform, rbf


def stanh(x):
    return 1.7159 * jnp.tanh(2.0 * x / 3.0)


class LeNet5(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.C1 = nnx.Conv(
            1,
            6,
            (5, 5),
            padding="VALID",
            kernel_init=fan_in_uniform(2.4),
            rngs=rngs,
        )
        self.S2 = Subsample(
            6,
            (2, 2),
            coefficient_init=nnx.initializers.constant(0.25),
            bias_init=nnx.initializers.zeros_init(),
            rngs=rngs,
        )
        self.C3 = TableConv(
            [
                "X...XXX..XXXX.XX",
                "XX...XXX..XXXX.X",
                "XXX...XXX..X.XXX",
                ".XXX..XXXX..X.XX",
                "..XXX..XXXX.XX.X",
                "...XXX..XXXX.XXX",
            ],
            (5, 5),
            padding="VALID",
            kernel_init=fan_in_uniform(2.4),
            rngs=rngs,
        )
        self.S4 = Subsample(
            16,
            (2, 2),
            coefficient_init=nnx.initializers.constant(0.25),
            bias_init=nnx.initializers.zeros_init(),
            rngs=rngs,
        )
        self.C5 = nnx.Conv(
            16,
            120,
            (5, 5),
            padding="VALID",
            kernel_init=fan_in_uniform(2.4),
            rngs=rngs,
        )
        self.F6 = nnx.Linear(120, 84, kernel_init=fan_in_uniform(2.4), rngs=rngs)

    def __call__(self, image):
        h = stanh(self.C1(image))
        h = stanh(self.S2(h))
        h = stanh(self.C3(h))
        h = stanh(self.S4(h))
        h = stanh(self.C5(h)).reshape(-1, 120)
        digit = rbf(stanh(self.F6(h)), digit_codes())
        return digit
