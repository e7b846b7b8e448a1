"""AlexNetOneTower, compiled by netc."""

from flax import nnx


class AlexNetOneTower(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(3, 64, (11, 11), strides=(4, 4), padding=((2, 2), (2, 2)), rngs=rngs)
        self.conv2 = nnx.Conv(64, 192, (5, 5), padding=((2, 2), (2, 2)), rngs=rngs)
        self.conv3 = nnx.Conv(192, 384, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv4 = nnx.Conv(384, 256, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv5 = nnx.Conv(256, 256, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.logits_dropout1 = nnx.Dropout(0.5, rngs=rngs)
        self.fc6 = nnx.Linear(9216, 4096, rngs=rngs)
        self.logits_dropout2 = nnx.Dropout(0.5, rngs=rngs)
        self.fc7 = nnx.Linear(4096, 4096, rngs=rngs)
        self.fc8 = nnx.Linear(4096, 1000, rngs=rngs)

    def __call__(self, image):
        h = nnx.max_pool(nnx.relu(self.conv1(image)), (3, 3), strides=(2, 2))
        h = nnx.max_pool(nnx.relu(self.conv2(h)), (3, 3), strides=(2, 2))
        h = nnx.relu(self.conv3(h))
        h = nnx.relu(self.conv4(h))
        h = nnx.max_pool(nnx.relu(self.conv5(h)), (3, 3), strides=(2, 2))
        h = h.reshape(-1, 9216)
        h = self.logits_dropout1(h)
        h = nnx.relu(self.fc6(h))
        h = self.logits_dropout2(h)
        h = nnx.relu(self.fc7(h))
        logits = self.fc8(h)
        return logits
