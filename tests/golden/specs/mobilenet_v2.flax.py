"""MobileNetV2, compiled by netc."""

from flax import nnx


class Inverted(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.depthwise = nnx.Conv(32, 32, (3, 3), feature_group_count=32, use_bias=False, rngs=rngs)
        self.depthwise_bn = nnx.BatchNorm(32, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(32, 16, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(16, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h = x
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return y


class Stages(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.blocks_0 = Inverted(rngs)

    def __call__(self, x):
        return self.blocks_0(x)


class Inverted2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(16, 96, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(96, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            96,
            96,
            (3, 3),
            strides=(2, 2),
            feature_group_count=96,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(96, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(96, 24, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(24, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return y


class Inverted3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(24, 144, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(144, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            144,
            144,
            (3, 3),
            feature_group_count=144,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(144, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(144, 24, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(24, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return x + y


class Stages2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.blocks_0 = Inverted2(rngs)
        self.blocks = nnx.List([Inverted3(rngs) for _ in range(1)])

    def __call__(self, x):
        h = self.blocks_0(x)
        for layer in self.blocks:
            h = layer(h)
        return h


class Inverted4(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(24, 144, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(144, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            144,
            144,
            (3, 3),
            strides=(2, 2),
            feature_group_count=144,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(144, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(144, 32, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(32, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return y


class Inverted5(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(32, 192, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(192, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            192,
            192,
            (3, 3),
            feature_group_count=192,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(192, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(192, 32, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(32, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return x + y


class Stages3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.blocks_0 = Inverted4(rngs)
        self.blocks = nnx.List([Inverted5(rngs) for _ in range(2)])

    def __call__(self, x):
        h = self.blocks_0(x)
        for layer in self.blocks:
            h = layer(h)
        return h


class Inverted6(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(32, 192, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(192, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            192,
            192,
            (3, 3),
            strides=(2, 2),
            feature_group_count=192,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(192, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(192, 64, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(64, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return y


class Inverted7(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(64, 384, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(384, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            384,
            384,
            (3, 3),
            feature_group_count=384,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(384, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(384, 64, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(64, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return x + y


class Stages4(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.blocks_0 = Inverted6(rngs)
        self.blocks = nnx.List([Inverted7(rngs) for _ in range(3)])

    def __call__(self, x):
        h = self.blocks_0(x)
        for layer in self.blocks:
            h = layer(h)
        return h


class Inverted8(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(64, 384, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(384, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            384,
            384,
            (3, 3),
            feature_group_count=384,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(384, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(384, 96, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(96, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return y


class Inverted9(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(96, 576, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(576, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            576,
            576,
            (3, 3),
            feature_group_count=576,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(576, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(576, 96, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(96, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return x + y


class Stages5(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.blocks_0 = Inverted8(rngs)
        self.blocks = nnx.List([Inverted9(rngs) for _ in range(2)])

    def __call__(self, x):
        h = self.blocks_0(x)
        for layer in self.blocks:
            h = layer(h)
        return h


class Inverted10(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(96, 576, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(576, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            576,
            576,
            (3, 3),
            strides=(2, 2),
            feature_group_count=576,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(576, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(576, 160, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(160, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return y


class Inverted11(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(160, 960, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(960, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            960,
            960,
            (3, 3),
            feature_group_count=960,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(960, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(960, 160, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(160, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return x + y


class Stages6(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.blocks_0 = Inverted10(rngs)
        self.blocks = nnx.List([Inverted11(rngs) for _ in range(2)])

    def __call__(self, x):
        h = self.blocks_0(x)
        for layer in self.blocks:
            h = layer(h)
        return h


class Inverted12(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.expand = nnx.Conv(160, 960, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.expand_bn = nnx.BatchNorm(960, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.depthwise = nnx.Conv(
            960,
            960,
            (3, 3),
            feature_group_count=960,
            use_bias=False,
            rngs=rngs,
        )
        self.depthwise_bn = nnx.BatchNorm(960, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.project = nnx.Conv(960, 320, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.project_bn = nnx.BatchNorm(320, momentum=0.999, epsilon=0.001, rngs=rngs)

    def __call__(self, x):
        h_2 = self.expand(x)
        h = nnx.relu6(self.expand_bn(h_2))
        h_2 = self.depthwise(h)
        h_2 = nnx.relu6(self.depthwise_bn(h_2))
        h_2 = self.project(h_2)
        y = self.project_bn(h_2)
        return y


class Stages7(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.blocks_0 = Inverted12(rngs)

    def __call__(self, x):
        return self.blocks_0(x)


class MobileNetV2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(3, 32, (3, 3), strides=(2, 2), use_bias=False, rngs=rngs)
        self.conv1_bn = nnx.BatchNorm(32, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.stages_0 = Stages(rngs)
        self.stages_1 = Stages2(rngs)
        self.stages_2 = Stages3(rngs)
        self.stages_3 = Stages4(rngs)
        self.stages_4 = Stages5(rngs)
        self.stages_5 = Stages6(rngs)
        self.stages_6 = Stages7(rngs)
        self.conv2 = nnx.Conv(320, 1280, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.conv2_bn = nnx.BatchNorm(1280, momentum=0.999, epsilon=0.001, rngs=rngs)
        self.predictions = nnx.Linear(1280, 1000, rngs=rngs)

    def __call__(self, image):
        h = self.conv1(image)
        h = nnx.relu6(self.conv1_bn(h))
        h = self.stages_0(h)
        h = self.stages_1(h)
        h = self.stages_2(h)
        h = self.stages_3(h)
        h = self.stages_4(h)
        h = self.stages_5(h)
        h = self.stages_6(h)
        h = self.conv2(h)
        h = nnx.relu6(self.conv2_bn(h)).mean(axis=(1, 2))
        logits = self.predictions(h)
        return logits
