"""UNet, compiled by netc."""

import jax.numpy as jnp
from flax import nnx
from netc.kernels.transpose import ConvTranspose, exchange_start


class Pair(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            1,
            64,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            64,
            64,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.relu(self.conv2(h))


class Pair2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            64,
            128,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            128,
            128,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.relu(self.conv2(h))


class Pair3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            128,
            256,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            256,
            256,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.relu(self.conv2(h))


class Pair4(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            256,
            512,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            512,
            512,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.relu(self.conv2(h))


class Pair5(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            512,
            1024,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            1024,
            1024,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.relu(self.conv2(h))


class Pair6(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            1024,
            512,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            512,
            512,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.relu(self.conv2(h))


class Rise(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.up = ConvTranspose(
            1024,
            512,
            (2, 2),
            strides=(2, 2),
            kernel_init=exchange_start(nnx.initializers.lecun_normal()),
            rngs=rngs,
        )
        self.pair1 = Pair6(rngs)

    def __call__(self, x, skip):
        larger = self.up(x)
        inside = skip[:, 4:-4, 4:-4]
        h = jnp.concatenate([inside, larger], axis=-1)
        return self.pair1(h)


class Pair7(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            512,
            256,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            256,
            256,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.relu(self.conv2(h))


class Rise2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.up = ConvTranspose(
            512,
            256,
            (2, 2),
            strides=(2, 2),
            kernel_init=exchange_start(nnx.initializers.lecun_normal()),
            rngs=rngs,
        )
        self.pair1 = Pair7(rngs)

    def __call__(self, x, skip):
        larger = self.up(x)
        inside = skip[:, 16:-16, 16:-16]
        h = jnp.concatenate([inside, larger], axis=-1)
        return self.pair1(h)


class Pair8(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            256,
            128,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            128,
            128,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.relu(self.conv2(h))


class Rise3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.up = ConvTranspose(
            256,
            128,
            (2, 2),
            strides=(2, 2),
            kernel_init=exchange_start(nnx.initializers.lecun_normal()),
            rngs=rngs,
        )
        self.pair1 = Pair8(rngs)

    def __call__(self, x, skip):
        larger = self.up(x)
        inside = skip[:, 40:-40, 40:-40]
        h = jnp.concatenate([inside, larger], axis=-1)
        return self.pair1(h)


class Pair9(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            128,
            64,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            64,
            64,
            (3, 3),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.relu(self.conv2(h))


class Rise4(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.up = ConvTranspose(
            128,
            64,
            (2, 2),
            strides=(2, 2),
            kernel_init=exchange_start(nnx.initializers.lecun_normal()),
            rngs=rngs,
        )
        self.pair1 = Pair9(rngs)

    def __call__(self, x, skip):
        larger = self.up(x)
        inside = skip[:, 88:-88, 88:-88]
        h = jnp.concatenate([inside, larger], axis=-1)
        return self.pair1(h)


class UNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.down1_pair1 = Pair(rngs)
        self.down2_pair1 = Pair2(rngs)
        self.down3_pair1 = Pair3(rngs)
        self.down4_pair1 = Pair4(rngs)
        self.base_pair1 = Pair5(rngs)
        self.base_dropout1 = nnx.Dropout(0.5, rngs=rngs)
        self.up4_rise1 = Rise(rngs)
        self.up3_rise1 = Rise2(rngs)
        self.up2_rise1 = Rise3(rngs)
        self.up1_rise1 = Rise4(rngs)
        self.classify = nnx.Conv(
            64,
            2,
            (1, 1),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )

    def __call__(self, image):
        down1 = self.down1_pair1(image)
        h = nnx.max_pool(down1, (2, 2), strides=(2, 2))
        down2 = self.down2_pair1(h)
        h = nnx.max_pool(down2, (2, 2), strides=(2, 2))
        down3 = self.down3_pair1(h)
        h = nnx.max_pool(down3, (2, 2), strides=(2, 2))
        down4 = self.down4_pair1(h)
        h = nnx.max_pool(down4, (2, 2), strides=(2, 2))
        h = self.base_pair1(h)
        base = self.base_dropout1(h)
        up4 = self.up4_rise1(base, down4)
        up3 = self.up3_rise1(up4, down3)
        up2 = self.up2_rise1(up3, down2)
        up1 = self.up1_rise1(up2, down1)
        logits = self.classify(up1)
        return logits
