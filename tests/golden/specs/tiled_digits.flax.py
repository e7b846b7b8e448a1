"""TiledDigits, compiled by netc."""

import jax.numpy as jnp
from flax import nnx
from netc.kernels.local import LocalConv, TiledConv, separately


class TiledDigits(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.one = nnx.Conv(1, 8, (3, 3), padding="VALID", rngs=rngs)
        self.four = TiledConv(
            (2, 2),
            1,
            8,
            (3, 3),
            strides=(1, 1),
            kernel_init=separately(nnx.initializers.lecun_normal(), 2),
            rngs=rngs,
        )
        self.all_ = LocalConv(
            (6, 6),
            1,
            8,
            (3, 3),
            strides=(1, 1),
            kernel_init=separately(nnx.initializers.lecun_normal(), 2),
            rngs=rngs,
        )
        self.classes = nnx.Linear(216, 10, rngs=rngs)

    def __call__(self, image):
        shared = nnx.relu(self.one(image))
        turns = nnx.relu(self.four(image))
        alone = nnx.relu(self.all_(image))
        h = jnp.concatenate([shared, turns, alone], axis=-1)
        h = nnx.max_pool(h, (2, 2), strides=(2, 2))
        h = h.reshape(-1, 216)
        digit = self.classes(h)
        return digit
