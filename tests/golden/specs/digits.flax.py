"""Digits, compiled by netc."""

from flax import nnx


class Digits(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(1, 32, (3, 3), kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.conv2 = nnx.Conv(32, 32, (3, 3), kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.hidden = nnx.Linear(512, 128, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.digit_dropout1 = nnx.Dropout(0.3, rngs=rngs)
        self.classes = nnx.Linear(128, 10, rngs=rngs)

    def __call__(self, image):
        h = nnx.relu(self.conv1(image))
        h = nnx.max_pool(nnx.relu(self.conv2(h)), (2, 2), strides=(2, 2))
        h = h.reshape(-1, 512)
        h = nnx.relu(self.hidden(h))
        h = self.digit_dropout1(h)
        digit = self.classes(h)
        return digit
