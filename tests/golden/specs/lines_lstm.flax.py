"""LinesLstm, compiled by netc."""

from flax import nnx
from netc.kernels.recurrent import Lstm, by_gates, open_forget_gate


class OverTime(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.line = nnx.Linear(8, 32, rngs=rngs)

    def __call__(self, x):
        h = x.reshape(-1, 8)
        return nnx.relu(self.line(h))


class LinesLstm(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.lines_over_time1 = OverTime(rngs)
        self.memory = Lstm(
            32,
            64,
            kernel_init=by_gates(nnx.initializers.lecun_normal(), 4),
            recurrent_init=by_gates(nnx.initializers.lecun_normal(), 4),
            bias_init=open_forget_gate(nnx.initializers.zeros_init(), 1.0),
            last=True,
            rngs=rngs,
        )
        self.classes = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, image):
        lines = self.lines_over_time1(image.reshape(-1, *image.shape[2:]))
        lines = lines.reshape(*image.shape[:2], *lines.shape[1:])
        h = self.memory(lines)
        digit = self.classes(h)
        return digit
