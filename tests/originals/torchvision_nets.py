"""AlexNet and GoogLeNet in plain torch.nn, with the layers and names of torchvision's: torchvision itself does not load
beside every torch, and its maps (specs/maps/*.torchvision.yaml) are held against these."""

import torch
from torch import Tensor, nn


class AlexNet(nn.Module):
    """Krizhevsky 2014, "One weird trick"; torchvision has 4096 hidden units."""

    def __init__(self, classes: int, hidden: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        fed = 3
        for maps, size, stride, pad, pooled in (
            *((64, 11, 4, 2, True), (192, 5, 1, 2, True), (384, 3, 1, 1, False)),
            *((256, 3, 1, 1, False), (256, 3, 1, 1, True)),
        ):
            layers += [nn.Conv2d(fed, maps, size, stride, pad), nn.ReLU(), *([nn.MaxPool2d(3, 2)] if pooled else [])]
            fed = maps
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        first, second, last = nn.Linear(fed * 36, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, classes)
        self.classifier = nn.Sequential(nn.Dropout(), first, nn.ReLU(), nn.Dropout(), second, nn.ReLU(), last)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


class Unit(nn.Module):
    """A convolution, batch normalisation and ReLU."""

    def __init__(self, fed: int, maps: int, size: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(fed, maps, size, stride, size // 2, bias=False)
        self.bn = nn.BatchNorm2d(maps, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x)).relu()


class Inception(nn.Module):
    """Szegedy et al. 2015, figure 2(b); torchvision's third branch has windows of 3x3."""

    def __init__(self, fed: int, maps: tuple[int, ...]) -> None:
        super().__init__()
        ones, reduce3, threes, reduce5, fives, pooled = maps
        self.branch1 = Unit(fed, ones)
        self.branch2 = nn.Sequential(Unit(fed, reduce3), Unit(reduce3, threes, 3))
        self.branch3 = nn.Sequential(Unit(fed, reduce5), Unit(reduce5, fives, 3))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), Unit(fed, pooled))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in (self.branch1, self.branch2, self.branch3, self.branch4)], 1)


class Auxiliary(nn.Module):
    def __init__(self, fed: int, classes: int) -> None:
        super().__init__()
        self.conv, self.fc1, self.fc2 = Unit(fed, 128), nn.Linear(2048, 1024), nn.Linear(1024, classes)

    def forward(self, x: Tensor) -> Tensor:
        pooled = nn.functional.adaptive_avg_pool2d(x, 4)
        return self.fc2(self.fc1(self.conv(pooled).flatten(1)).relu())


TABLE1 = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""#1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5 and pool proj of each inception module."""


class GoogLeNet(nn.Module):
    """In use; gives the logits and those of both auxiliary classifiers."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.conv3 = Unit(3, 64, 7, 2), Unit(64, 64), Unit(64, 192, 3)
        fed = 192
        for name, maps in TABLE1.items():
            self.add_module(f"inception{name}", Inception(fed, maps))
            fed = maps[0] + maps[2] + maps[4] + maps[5]
        self.aux1, self.aux2, self.fc = Auxiliary(512, classes), Auxiliary(528, classes), nn.Linear(fed, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        x = pool(self.conv3(self.conv2(pool(self.conv1(x)))))
        auxiliary = []
        for name in TABLE1:
            x = self.get_submodule(f"inception{name}")(x)
            if name == "3b":
                x = pool(x)
            if name == "4e":
                x = nn.functional.max_pool2d(x, 2, 2, ceil_mode=True)
            if name in ("4a", "4d"):
                auxiliary.append((self.aux1, self.aux2)[len(auxiliary)](x))
        return self.fc(x.mean((2, 3))), auxiliary[0], auxiliary[1]
