"""AlexNet, compiled by netc."""

from flax import nnx
from netc.kernels.resample import local_response


class AlexNet(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(
            3,
            96,
            (11, 11),
            strides=(4, 4),
            padding="VALID",
            kernel_init=nnx.initializers.normal(0.01),
            rngs=rngs,
        )
        self.conv2 = nnx.Conv(
            96,
            256,
            (5, 5),
            padding=((2, 2), (2, 2)),
            feature_group_count=2,
            kernel_init=nnx.initializers.normal(0.01),
            bias_init=nnx.initializers.ones_init(),
            rngs=rngs,
        )
        self.conv3 = nnx.Conv(
            256,
            384,
            (3, 3),
            padding=((1, 1), (1, 1)),
            kernel_init=nnx.initializers.normal(0.01),
            rngs=rngs,
        )
        self.conv4 = nnx.Conv(
            384,
            384,
            (3, 3),
            padding=((1, 1), (1, 1)),
            feature_group_count=2,
            kernel_init=nnx.initializers.normal(0.01),
            bias_init=nnx.initializers.ones_init(),
            rngs=rngs,
        )
        self.conv5 = nnx.Conv(
            384,
            256,
            (3, 3),
            padding=((1, 1), (1, 1)),
            feature_group_count=2,
            kernel_init=nnx.initializers.normal(0.01),
            bias_init=nnx.initializers.ones_init(),
            rngs=rngs,
        )
        self.fc6 = nnx.Linear(
            9216,
            4096,
            kernel_init=nnx.initializers.normal(0.01),
            bias_init=nnx.initializers.ones_init(),
            rngs=rngs,
        )
        self.logits_dropout1 = nnx.Dropout(0.5, rngs=rngs)
        self.fc7 = nnx.Linear(
            4096,
            4096,
            kernel_init=nnx.initializers.normal(0.01),
            bias_init=nnx.initializers.ones_init(),
            rngs=rngs,
        )
        self.logits_dropout2 = nnx.Dropout(0.5, rngs=rngs)
        self.fc8 = nnx.Linear(4096, 1000, kernel_init=nnx.initializers.normal(0.01), rngs=rngs)

    def __call__(self, image):
        h = local_response(nnx.relu(self.conv1(image)), size=5, alpha=0.0001, beta=0.75, k=2.0)
        h = nnx.max_pool(h, (3, 3), strides=(2, 2))
        h = local_response(nnx.relu(self.conv2(h)), size=5, alpha=0.0001, beta=0.75, k=2.0)
        h = nnx.max_pool(h, (3, 3), strides=(2, 2))
        h = nnx.relu(self.conv3(h))
        h = nnx.relu(self.conv4(h))
        h = nnx.max_pool(nnx.relu(self.conv5(h)), (3, 3), strides=(2, 2))
        h = h.reshape(-1, 9216)
        h = nnx.relu(self.fc6(h))
        h = self.logits_dropout1(h)
        h = nnx.relu(self.fc7(h))
        h = self.logits_dropout2(h)
        logits = self.fc8(h)
        return logits
