"""Blocks, compiled by netc."""

from flax import nnx


class Depthwise(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(8, 8, (3, 3), strides=(2, 2), feature_group_count=8, rngs=rngs)

    def __call__(self, x):
        return self.conv1(x)


class Separable(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.depthwise1 = Depthwise(rngs)
        self.conv1 = nnx.Conv(8, 16, (1, 1), padding="VALID", rngs=rngs)

    def __call__(self, x):
        h = self.depthwise1(x)
        return self.conv1(h)


class Depthwise2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(32, 32, (3, 3), feature_group_count=32, rngs=rngs)

    def __call__(self, x):
        return self.conv1(x)


class SqueezeExcite(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.squeeze = nnx.Linear(32, 8, rngs=rngs)
        self.excite = nnx.Linear(8, 32, rngs=rngs)

    def __call__(self, x):
        h = x.mean(axis=(1, 2))
        h = nnx.relu(self.squeeze(h))
        scale = nnx.sigmoid(self.excite(h))
        return x * scale[:, None, None, :]


class InvertedResidual(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.widen = nnx.Conv(16, 32, (1, 1), padding="VALID", rngs=rngs)
        self.body_depthwise1 = Depthwise2(rngs)
        self.body_squeeze_excite1 = SqueezeExcite(rngs)
        self.narrow = nnx.Conv(32, 16, (1, 1), padding="VALID", rngs=rngs)

    def __call__(self, x):
        h = nnx.hard_swish(self.widen(x))
        h = nnx.hard_swish(self.body_depthwise1(h))
        h = self.body_squeeze_excite1(h)
        body = self.narrow(h)
        return x + body


class Blocks(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.first = nnx.Conv(1, 8, (3, 3), rngs=rngs)
        self.down = Separable(rngs)
        self.residual = InvertedResidual(rngs)
        self.classes = nnx.Linear(256, 10, rngs=rngs)

    def __call__(self, image):
        h = nnx.hard_swish(self.first(image))
        h = nnx.hard_swish(self.down(h))
        maps = self.residual(h)
        h = maps.reshape(-1, 256)
        digit = self.classes(h)
        return digit
