"""WordLstm, compiled by netc."""

from flax import nnx
from netc.kernels.recurrent import Lstm, by_gates, open_forget_gate


class WordLstm(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.embed = nnx.Embed(10000, 200, embedding_init=nnx.initializers.normal(0.02), rngs=rngs)
        self.lstm1 = Lstm(
            200,
            200,
            kernel_init=by_gates(nnx.initializers.lecun_normal(), 4),
            recurrent_init=by_gates(nnx.initializers.lecun_normal(), 4),
            bias_init=open_forget_gate(nnx.initializers.zeros_init(), 1.0),
            rngs=rngs,
        )
        self.lstm2 = Lstm(
            200,
            200,
            kernel_init=by_gates(nnx.initializers.lecun_normal(), 4),
            recurrent_init=by_gates(nnx.initializers.lecun_normal(), 4),
            bias_init=open_forget_gate(nnx.initializers.zeros_init(), 1.0),
            rngs=rngs,
        )
        self.scores = nnx.Linear(200, 10000, rngs=rngs)

    def __call__(self, words):
        h = self.embed(words)
        h = self.lstm1(h)
        h = self.lstm2(h)
        logits = self.scores(h)
        return logits
