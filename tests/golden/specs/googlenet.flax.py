"""GoogLeNet, compiled by netc."""

import jax.numpy as jnp
from flax import nnx
from netc.kernels.resample import adaptive_avg_pool


class Unit(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(
            3,
            64,
            (7, 7),
            strides=(2, 2),
            padding=((3, 3), (3, 3)),
            use_bias=False,
            rngs=rngs,
        )
        self.bn = nnx.BatchNorm(64, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(64, 64, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(64, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(64, 192, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(192, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit4(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(192, 64, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(64, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit5(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(192, 96, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(96, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit6(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(96, 128, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(128, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit5(rngs)
        self.conv = Unit6(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit7(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(192, 16, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(16, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit8(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(16, 32, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(32, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit7(rngs)
        self.conv = Unit8(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit9(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(192, 32, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(32, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch4(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = Unit9(rngs)

    def __call__(self, x):
        h = nnx.max_pool(x, (3, 3), strides=(1, 1), padding=((1, 1), (1, 1)))
        return self.conv(h)


class Inception(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.branch1 = Unit4(rngs)
        self.branch2 = Branch2(rngs)
        self.branch3 = Branch3(rngs)
        self.branch4 = Branch4(rngs)

    def __call__(self, x):
        h = self.branch1(x)
        h2 = self.branch2(x)
        h3 = self.branch3(x)
        h4 = self.branch4(x)
        return jnp.concatenate([h, h2, h3, h4], axis=-1)


class Unit10(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(256, 128, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(128, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit11(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(128, 192, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(192, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch22(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit10(rngs)
        self.conv = Unit11(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit12(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(256, 32, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(32, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit13(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(32, 96, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(96, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch32(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit12(rngs)
        self.conv = Unit13(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit14(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(256, 64, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(64, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch42(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = Unit14(rngs)

    def __call__(self, x):
        h = nnx.max_pool(x, (3, 3), strides=(1, 1), padding=((1, 1), (1, 1)))
        return self.conv(h)


class Inception2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.branch1 = Unit10(rngs)
        self.branch2 = Branch22(rngs)
        self.branch3 = Branch32(rngs)
        self.branch4 = Branch42(rngs)

    def __call__(self, x):
        h = self.branch1(x)
        h2 = self.branch2(x)
        h3 = self.branch3(x)
        h4 = self.branch4(x)
        return jnp.concatenate([h, h2, h3, h4], axis=-1)


class Unit15(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(480, 192, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(192, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit16(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(480, 96, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(96, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit17(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(96, 208, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(208, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch23(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit16(rngs)
        self.conv = Unit17(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit18(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(480, 16, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(16, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit19(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(16, 48, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(48, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch33(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit18(rngs)
        self.conv = Unit19(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit20(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(480, 64, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(64, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch43(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = Unit20(rngs)

    def __call__(self, x):
        h = nnx.max_pool(x, (3, 3), strides=(1, 1), padding=((1, 1), (1, 1)))
        return self.conv(h)


class Inception3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.branch1 = Unit15(rngs)
        self.branch2 = Branch23(rngs)
        self.branch3 = Branch33(rngs)
        self.branch4 = Branch43(rngs)

    def __call__(self, x):
        h = self.branch1(x)
        h2 = self.branch2(x)
        h3 = self.branch3(x)
        h4 = self.branch4(x)
        return jnp.concatenate([h, h2, h3, h4], axis=-1)


class Unit21(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(512, 160, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(160, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit22(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(512, 112, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(112, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit23(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(112, 224, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(224, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch24(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit22(rngs)
        self.conv = Unit23(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit24(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(512, 24, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(24, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit25(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(24, 64, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(64, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch34(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit24(rngs)
        self.conv = Unit25(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit26(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(512, 64, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(64, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch44(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = Unit26(rngs)

    def __call__(self, x):
        h = nnx.max_pool(x, (3, 3), strides=(1, 1), padding=((1, 1), (1, 1)))
        return self.conv(h)


class Inception4(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.branch1 = Unit21(rngs)
        self.branch2 = Branch24(rngs)
        self.branch3 = Branch34(rngs)
        self.branch4 = Branch44(rngs)

    def __call__(self, x):
        h = self.branch1(x)
        h2 = self.branch2(x)
        h3 = self.branch3(x)
        h4 = self.branch4(x)
        return jnp.concatenate([h, h2, h3, h4], axis=-1)


class Unit27(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(512, 128, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(128, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit28(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(128, 256, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(256, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch25(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit27(rngs)
        self.conv = Unit28(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Inception5(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.branch1 = Unit27(rngs)
        self.branch2 = Branch25(rngs)
        self.branch3 = Branch34(rngs)
        self.branch4 = Branch44(rngs)

    def __call__(self, x):
        h = self.branch1(x)
        h2 = self.branch2(x)
        h3 = self.branch3(x)
        h4 = self.branch4(x)
        return jnp.concatenate([h, h2, h3, h4], axis=-1)


class Unit29(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(512, 144, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(144, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit30(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(144, 288, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(288, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch26(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit29(rngs)
        self.conv = Unit30(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit31(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(512, 32, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(32, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit32(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(32, 64, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(64, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch35(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit31(rngs)
        self.conv = Unit32(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Inception6(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.branch1 = Unit22(rngs)
        self.branch2 = Branch26(rngs)
        self.branch3 = Branch35(rngs)
        self.branch4 = Branch44(rngs)

    def __call__(self, x):
        h = self.branch1(x)
        h2 = self.branch2(x)
        h3 = self.branch3(x)
        h4 = self.branch4(x)
        return jnp.concatenate([h, h2, h3, h4], axis=-1)


class Unit33(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(528, 256, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(256, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit34(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(528, 160, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(160, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit35(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(160, 320, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(320, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch27(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit34(rngs)
        self.conv = Unit35(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit36(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(528, 32, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(32, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit37(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(32, 128, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(128, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch36(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit36(rngs)
        self.conv = Unit37(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit38(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(528, 128, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(128, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch45(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = Unit38(rngs)

    def __call__(self, x):
        h = nnx.max_pool(x, (3, 3), strides=(1, 1), padding=((1, 1), (1, 1)))
        return self.conv(h)


class Inception7(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.branch1 = Unit33(rngs)
        self.branch2 = Branch27(rngs)
        self.branch3 = Branch36(rngs)
        self.branch4 = Branch45(rngs)

    def __call__(self, x):
        h = self.branch1(x)
        h2 = self.branch2(x)
        h3 = self.branch3(x)
        h4 = self.branch4(x)
        return jnp.concatenate([h, h2, h3, h4], axis=-1)


class Unit39(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(832, 256, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(256, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit40(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(832, 160, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(160, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch28(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit40(rngs)
        self.conv = Unit35(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit42(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(832, 32, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(32, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch37(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit42(rngs)
        self.conv = Unit37(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit44(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(832, 128, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(128, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch46(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = Unit44(rngs)

    def __call__(self, x):
        h = nnx.max_pool(x, (3, 3), strides=(1, 1), padding=((1, 1), (1, 1)))
        return self.conv(h)


class Inception8(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.branch1 = Unit39(rngs)
        self.branch2 = Branch28(rngs)
        self.branch3 = Branch37(rngs)
        self.branch4 = Branch46(rngs)

    def __call__(self, x):
        h = self.branch1(x)
        h2 = self.branch2(x)
        h3 = self.branch3(x)
        h4 = self.branch4(x)
        return jnp.concatenate([h, h2, h3, h4], axis=-1)


class Unit45(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(832, 384, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(384, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit46(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(832, 192, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(192, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit47(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(192, 384, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(384, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch29(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit46(rngs)
        self.conv = Unit47(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Unit48(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(832, 48, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(48, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Unit49(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(48, 128, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(128, momentum=0.9, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return nnx.relu(self.bn(h))


class Branch38(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.reduce = Unit48(rngs)
        self.conv = Unit49(rngs)

    def __call__(self, x):
        h = self.reduce(x)
        return self.conv(h)


class Inception9(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.branch1 = Unit45(rngs)
        self.branch2 = Branch29(rngs)
        self.branch3 = Branch38(rngs)
        self.branch4 = Branch46(rngs)

    def __call__(self, x):
        h = self.branch1(x)
        h2 = self.branch2(x)
        h3 = self.branch3(x)
        h4 = self.branch4(x)
        return jnp.concatenate([h, h2, h3, h4], axis=-1)


class Auxiliary(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = Unit27(rngs)
        self.fc1 = nnx.Linear(2048, 1024, rngs=rngs)
        self.dropout1 = nnx.Dropout(0.7, rngs=rngs)
        self.fc2 = nnx.Linear(1024, 1000, rngs=rngs)

    def __call__(self, x):
        h = adaptive_avg_pool(x, (4, 4))
        h = self.conv(h)
        h = h.reshape(-1, 2048)
        h = nnx.relu(self.fc1(h))
        h = self.dropout1(h)
        return self.fc2(h)


class Auxiliary2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = Unit38(rngs)
        self.fc1 = nnx.Linear(2048, 1024, rngs=rngs)
        self.dropout1 = nnx.Dropout(0.7, rngs=rngs)
        self.fc2 = nnx.Linear(1024, 1000, rngs=rngs)

    def __call__(self, x):
        h = adaptive_avg_pool(x, (4, 4))
        h = self.conv(h)
        h = h.reshape(-1, 2048)
        h = nnx.relu(self.fc1(h))
        h = self.dropout1(h)
        return self.fc2(h)


class GoogLeNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = Unit(rngs)
        self.conv2 = Unit2(rngs)
        self.conv3 = Unit3(rngs)
        self.inception3a = Inception(rngs)
        self.inception3b = Inception2(rngs)
        self.inception4a = Inception3(rngs)
        self.inception4b = Inception4(rngs)
        self.inception4c = Inception5(rngs)
        self.inception4d = Inception6(rngs)
        self.inception4e = Inception7(rngs)
        self.inception5a = Inception8(rngs)
        self.inception5b = Inception9(rngs)
        self.logits_dropout1 = nnx.Dropout(0.2, rngs=rngs)
        self.fc = nnx.Linear(1024, 1000, rngs=rngs)
        self.aux1 = Auxiliary(rngs)
        self.aux2 = Auxiliary2(rngs)

    def __call__(self, image):
        h = self.conv1(image)
        h = nnx.max_pool(h, (3, 3), strides=(2, 2), padding=((0, 1), (0, 1)))
        h = self.conv2(h)
        h = self.conv3(h)
        h = nnx.max_pool(h, (3, 3), strides=(2, 2), padding=((0, 1), (0, 1)))
        h = self.inception3a(h)
        h = self.inception3b(h)
        h = nnx.max_pool(h, (3, 3), strides=(2, 2), padding=((0, 1), (0, 1)))
        stage4a = self.inception4a(h)
        h = self.inception4b(stage4a)
        h = self.inception4c(h)
        stage4d = self.inception4d(h)
        h = self.inception4e(stage4d)
        h = nnx.max_pool(h, (2, 2), strides=(2, 2))
        h = self.inception5a(h)
        h = self.inception5b(h)
        h = h.mean(axis=(1, 2))
        h = self.logits_dropout1(h)
        logits = self.fc(h)
        logits1 = self.aux1(stage4a)
        logits2 = self.aux2(stage4d)
        return logits, logits1, logits2
