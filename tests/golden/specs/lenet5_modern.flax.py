"""LeNet5Modern, compiled by netc."""

from flax import nnx


class LeNet5Modern(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.C1 = nnx.Conv(
            1,
            6,
            (5, 5),
            padding=((2, 2), (2, 2)),
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.C3 = nnx.Conv(
            6,
            16,
            (5, 5),
            padding="VALID",
            kernel_init=nnx.initializers.he_normal(),
            rngs=rngs,
        )
        self.F5 = nnx.Linear(400, 120, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.F6 = nnx.Linear(120, 84, kernel_init=nnx.initializers.he_normal(), rngs=rngs)
        self.OUTPUT = nnx.Linear(84, 10, kernel_init=nnx.initializers.he_normal(), rngs=rngs)

    def __call__(self, image):
        h = nnx.max_pool(nnx.relu(self.C1(image)), (2, 2), strides=(2, 2))
        h = nnx.max_pool(nnx.relu(self.C3(h)), (2, 2), strides=(2, 2))
        h = h.reshape(-1, 400)
        h = nnx.relu(self.F5(h))
        h = nnx.relu(self.F6(h))
        digit = self.OUTPUT(h)
        return digit
