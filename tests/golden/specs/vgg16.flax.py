"""VGG16, compiled by netc."""

from flax import nnx


class Two(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(3, 64, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv2 = nnx.Conv(64, 64, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.max_pool(nnx.relu(self.conv2(h)), (2, 2), strides=(2, 2))


class Two2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(64, 128, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv2 = nnx.Conv(128, 128, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        return nnx.max_pool(nnx.relu(self.conv2(h)), (2, 2), strides=(2, 2))


class Three(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(128, 256, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv2 = nnx.Conv(256, 256, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv3 = nnx.Conv(256, 256, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        h = nnx.relu(self.conv2(h))
        return nnx.max_pool(nnx.relu(self.conv3(h)), (2, 2), strides=(2, 2))


class Three2(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(256, 512, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv2 = nnx.Conv(512, 512, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv3 = nnx.Conv(512, 512, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        h = nnx.relu(self.conv2(h))
        return nnx.max_pool(nnx.relu(self.conv3(h)), (2, 2), strides=(2, 2))


class Three3(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(512, 512, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv2 = nnx.Conv(512, 512, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)
        self.conv3 = nnx.Conv(512, 512, (3, 3), padding=((1, 1), (1, 1)), rngs=rngs)

    def __call__(self, x):
        h = nnx.relu(self.conv1(x))
        h = nnx.relu(self.conv2(h))
        return nnx.max_pool(nnx.relu(self.conv3(h)), (2, 2), strides=(2, 2))


class VGG16(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.block1 = Two(rngs)
        self.block2 = Two2(rngs)
        self.block3 = Three(rngs)
        self.block4 = Three2(rngs)
        self.block5 = Three3(rngs)
        self.fc1 = nnx.Linear(25088, 4096, rngs=rngs)
        self.logits_dropout1 = nnx.Dropout(0.5, rngs=rngs)
        self.fc2 = nnx.Linear(4096, 4096, rngs=rngs)
        self.logits_dropout2 = nnx.Dropout(0.5, rngs=rngs)
        self.predictions = nnx.Linear(4096, 1000, rngs=rngs)

    def __call__(self, image):
        h = self.block1(image)
        h = self.block2(h)
        h = self.block3(h)
        h = self.block4(h)
        h = self.block5(h)
        h = h.reshape(-1, 25088)
        h = nnx.relu(self.fc1(h))
        h = self.logits_dropout1(h)
        h = nnx.relu(self.fc2(h))
        h = self.logits_dropout2(h)
        logits = self.predictions(h)
        return logits
