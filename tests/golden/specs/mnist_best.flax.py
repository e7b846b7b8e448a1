"""MnistBest, compiled by netc."""

from flax import nnx


class MnistBest(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            1,
            32,
            (5, 5),
            padding="VALID",
            use_bias=False,
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.bn1 = nnx.BatchNorm(32, momentum=0.9, rngs=rngs)
        self.conv2 = nnx.Conv(
            32,
            32,
            (3, 3),
            padding="VALID",
            use_bias=False,
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.bn2 = nnx.BatchNorm(32, momentum=0.9, rngs=rngs)
        self.conv3 = nnx.Conv(
            32,
            64,
            (3, 3),
            padding="VALID",
            use_bias=False,
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.bn3 = nnx.BatchNorm(64, momentum=0.9, rngs=rngs)
        self.conv4 = nnx.Conv(
            64,
            64,
            (3, 3),
            padding="VALID",
            use_bias=False,
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.bn4 = nnx.BatchNorm(64, momentum=0.9, rngs=rngs)
        self.digit_dropout1 = nnx.Dropout(0.3, rngs=rngs)
        self.hidden = nnx.Linear(
            256,
            128,
            use_bias=False,
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.bn5 = nnx.BatchNorm(128, momentum=0.9, rngs=rngs)
        self.digit_dropout2 = nnx.Dropout(0.3, rngs=rngs)
        self.classes = nnx.Linear(128, 10, kernel_init=nnx.initializers.he_normal(), rngs=rngs)

    def __call__(self, image):
        h = self.conv1(image)
        h = nnx.max_pool(h, (2, 2), strides=(2, 2))
        h = nnx.relu(self.bn1(h))
        h = self.conv2(h)
        h = nnx.relu(self.bn2(h))
        h = self.conv3(h)
        h = nnx.max_pool(h, (2, 2), strides=(2, 2))
        h = nnx.relu(self.bn3(h))
        h = self.conv4(h)
        h = nnx.relu(self.bn4(h)).reshape(-1, 256)
        h = self.digit_dropout1(h)
        h = self.hidden(h)
        h = nnx.relu(self.bn5(h))
        h = self.digit_dropout2(h)
        digit = self.classes(h)
        return digit
