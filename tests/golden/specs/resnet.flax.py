"""ResNet, compiled by netc."""

from flax import nnx


class Project(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(64, 256, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn = nnx.BatchNorm(256, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return self.bn(h)


class Bottleneck(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(64, 64, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn1 = nnx.BatchNorm(64, momentum=0.9, rngs=rngs)
        self.conv2 = nnx.Conv(64, 64, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn2 = nnx.BatchNorm(64, momentum=0.9, rngs=rngs)
        self.conv3 = nnx.Conv(64, 256, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn3 = nnx.BatchNorm(256, momentum=0.9, rngs=rngs)
        self.downsample = Project(rngs)

    def __call__(self, x):
        h = self.conv1(x)
        h = nnx.relu(self.bn1(h))
        h = self.conv2(h)
        h = nnx.relu(self.bn2(h))
        h = self.conv3(h)
        main = self.bn3(h)
        shortcut = self.downsample(x)
        return nnx.relu(main + shortcut)


class Bottleneck2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(256, 64, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn1 = nnx.BatchNorm(64, momentum=0.9, rngs=rngs)
        self.conv2 = nnx.Conv(64, 64, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn2 = nnx.BatchNorm(64, momentum=0.9, rngs=rngs)
        self.conv3 = nnx.Conv(64, 256, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn3 = nnx.BatchNorm(256, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv1(x)
        h = nnx.relu(self.bn1(h))
        h = self.conv2(h)
        h = nnx.relu(self.bn2(h))
        h = self.conv3(h)
        main = self.bn3(h)
        shortcut = x
        return nnx.relu(main + shortcut)


class Project2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(
            256,
            512,
            (1, 1),
            strides=(2, 2),
            padding="VALID",
            use_bias=False,
            rngs=rngs,
        )
        self.bn = nnx.BatchNorm(512, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return self.bn(h)


class Bottleneck3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(256, 128, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn1 = nnx.BatchNorm(128, momentum=0.9, rngs=rngs)
        self.conv2 = nnx.Conv(
            128,
            128,
            (3, 3),
            strides=(2, 2),
            padding=((1, 1), (1, 1)),
            use_bias=False,
            rngs=rngs,
        )
        self.bn2 = nnx.BatchNorm(128, momentum=0.9, rngs=rngs)
        self.conv3 = nnx.Conv(128, 512, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn3 = nnx.BatchNorm(512, momentum=0.9, rngs=rngs)
        self.downsample = Project2(rngs)

    def __call__(self, x):
        h = self.conv1(x)
        h = nnx.relu(self.bn1(h))
        h = self.conv2(h)
        h = nnx.relu(self.bn2(h))
        h = self.conv3(h)
        main = self.bn3(h)
        shortcut = self.downsample(x)
        return nnx.relu(main + shortcut)


class Bottleneck4(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(512, 128, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn1 = nnx.BatchNorm(128, momentum=0.9, rngs=rngs)
        self.conv2 = nnx.Conv(128, 128, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn2 = nnx.BatchNorm(128, momentum=0.9, rngs=rngs)
        self.conv3 = nnx.Conv(128, 512, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn3 = nnx.BatchNorm(512, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv1(x)
        h = nnx.relu(self.bn1(h))
        h = self.conv2(h)
        h = nnx.relu(self.bn2(h))
        h = self.conv3(h)
        main = self.bn3(h)
        shortcut = x
        return nnx.relu(main + shortcut)


class Project3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(
            512,
            1024,
            (1, 1),
            strides=(2, 2),
            padding="VALID",
            use_bias=False,
            rngs=rngs,
        )
        self.bn = nnx.BatchNorm(1024, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return self.bn(h)


class Bottleneck5(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(512, 256, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn1 = nnx.BatchNorm(256, momentum=0.9, rngs=rngs)
        self.conv2 = nnx.Conv(
            256,
            256,
            (3, 3),
            strides=(2, 2),
            padding=((1, 1), (1, 1)),
            use_bias=False,
            rngs=rngs,
        )
        self.bn2 = nnx.BatchNorm(256, momentum=0.9, rngs=rngs)
        self.conv3 = nnx.Conv(256, 1024, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn3 = nnx.BatchNorm(1024, momentum=0.9, rngs=rngs)
        self.downsample = Project3(rngs)

    def __call__(self, x):
        h = self.conv1(x)
        h = nnx.relu(self.bn1(h))
        h = self.conv2(h)
        h = nnx.relu(self.bn2(h))
        h = self.conv3(h)
        main = self.bn3(h)
        shortcut = self.downsample(x)
        return nnx.relu(main + shortcut)


class Bottleneck6(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(1024, 256, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn1 = nnx.BatchNorm(256, momentum=0.9, rngs=rngs)
        self.conv2 = nnx.Conv(256, 256, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn2 = nnx.BatchNorm(256, momentum=0.9, rngs=rngs)
        self.conv3 = nnx.Conv(256, 1024, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn3 = nnx.BatchNorm(1024, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv1(x)
        h = nnx.relu(self.bn1(h))
        h = self.conv2(h)
        h = nnx.relu(self.bn2(h))
        h = self.conv3(h)
        main = self.bn3(h)
        shortcut = x
        return nnx.relu(main + shortcut)


class Project4(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv = nnx.Conv(
            1024,
            2048,
            (1, 1),
            strides=(2, 2),
            padding="VALID",
            use_bias=False,
            rngs=rngs,
        )
        self.bn = nnx.BatchNorm(2048, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv(x)
        return self.bn(h)


class Bottleneck7(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(1024, 512, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn1 = nnx.BatchNorm(512, momentum=0.9, rngs=rngs)
        self.conv2 = nnx.Conv(
            512,
            512,
            (3, 3),
            strides=(2, 2),
            padding=((1, 1), (1, 1)),
            use_bias=False,
            rngs=rngs,
        )
        self.bn2 = nnx.BatchNorm(512, momentum=0.9, rngs=rngs)
        self.conv3 = nnx.Conv(512, 2048, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn3 = nnx.BatchNorm(2048, momentum=0.9, rngs=rngs)
        self.downsample = Project4(rngs)

    def __call__(self, x):
        h = self.conv1(x)
        h = nnx.relu(self.bn1(h))
        h = self.conv2(h)
        h = nnx.relu(self.bn2(h))
        h = self.conv3(h)
        main = self.bn3(h)
        shortcut = self.downsample(x)
        return nnx.relu(main + shortcut)


class Bottleneck8(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(2048, 512, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn1 = nnx.BatchNorm(512, momentum=0.9, rngs=rngs)
        self.conv2 = nnx.Conv(512, 512, (3, 3), padding=((1, 1), (1, 1)), use_bias=False, rngs=rngs)
        self.bn2 = nnx.BatchNorm(512, momentum=0.9, rngs=rngs)
        self.conv3 = nnx.Conv(512, 2048, (1, 1), padding="VALID", use_bias=False, rngs=rngs)
        self.bn3 = nnx.BatchNorm(2048, momentum=0.9, rngs=rngs)

    def __call__(self, x):
        h = self.conv1(x)
        h = nnx.relu(self.bn1(h))
        h = self.conv2(h)
        h = nnx.relu(self.bn2(h))
        h = self.conv3(h)
        main = self.bn3(h)
        shortcut = x
        return nnx.relu(main + shortcut)


class ResNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            3,
            64,
            (7, 7),
            strides=(2, 2),
            padding=((3, 3), (3, 3)),
            use_bias=False,
            rngs=rngs,
        )
        self.bn1 = nnx.BatchNorm(64, momentum=0.9, rngs=rngs)
        self.layer1_0 = Bottleneck(rngs)
        self.layer1 = nnx.List([Bottleneck2(rngs) for _ in range(2)])
        self.layer2_0 = Bottleneck3(rngs)
        self.layer2 = nnx.List([Bottleneck4(rngs) for _ in range(3)])
        self.layer3_0 = Bottleneck5(rngs)
        self.layer3 = nnx.List([Bottleneck6(rngs) for _ in range(5)])
        self.layer4_0 = Bottleneck7(rngs)
        self.layer4 = nnx.List([Bottleneck8(rngs) for _ in range(2)])
        self.fc = nnx.Linear(2048, 1000, rngs=rngs)

    def __call__(self, image):
        h = self.conv1(image)
        h = nnx.max_pool(nnx.relu(self.bn1(h)), (3, 3), strides=(2, 2), padding=((1, 1), (1, 1)))
        h = self.layer1_0(h)
        for layer in self.layer1:
            h = layer(h)
        h = self.layer2_0(h)
        for layer in self.layer2:
            h = layer(h)
        h = self.layer3_0(h)
        for layer in self.layer3:
            h = layer(h)
        h = self.layer4_0(h)
        for layer in self.layer4:
            h = layer(h)
        h = h.mean(axis=(1, 2))
        logits = self.fc(h)
        return logits
