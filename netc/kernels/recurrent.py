"""Recurrent layers over sequences, for emitted Flax: each a function of its weights and a module that has them."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array, lax


def by_gates(init, gates: int):
    """Initialises a kernel [..., gates * n] gate by gate."""

    def start(key: Array, shape: Sequence[int], dtype=jnp.float32, out_sharding=None) -> Array:
        part = (*shape[:-1], shape[-1] // gates)
        return jnp.concatenate([init(one, part, dtype) for one in jax.random.split(key, gates)], axis=-1)

    return start


def open_forget_gate(init, bias: float):
    """Initialises a bias [4 * n] of `lstm` with the forget gate's quarter at `bias` (Gers et al. 2000)."""

    def start(key: Array, shape: Sequence[int], dtype=jnp.float32, out_sharding=None) -> Array:
        n = shape[-1] // 4
        return init(key, shape, dtype).at[n : 2 * n].set(bias)

    return start


def through_time(step, state, x: Array, last: bool, reverse: bool) -> Array:
    """All states [batch, time, n] that a step goes through on x [batch, time, channels], or the last one [batch, n]."""
    _, states = lax.scan(step, state, jnp.swapaxes(x, 0, 1), reverse=reverse)
    return states[0 if reverse else -1] if last else jnp.swapaxes(states, 0, 1)


def rnn(
    x: Array, kernel: Array, recurrent: Array, bias: Array, activation=jnp.tanh, last=False, reverse=False
) -> Array:
    """A simple recurrent layer on x [batch, time, channels] (Elman 1990)."""

    def step(h: Array, fed: Array) -> tuple[Array, Array]:
        h = activation(fed + h @ recurrent)
        return h, h

    start = jnp.zeros((len(x), len(recurrent)), x.dtype)
    return through_time(step, start, x @ kernel + bias, last, reverse)


def gru(x: Array, kernel: Array, recurrent: Array, bias: Array, last=False, reverse=False) -> Array:
    """Gated recurrent units on x [batch, time, channels] (Cho et al. 2014).

    Gates are in the order update, reset, candidate. The reset acts on the state before the candidate's matrix does.
    """
    n = len(recurrent)

    def step(h: Array, fed: Array) -> tuple[Array, Array]:
        gates = jax.nn.sigmoid(fed[:, : 2 * n] + h @ recurrent[:, : 2 * n])
        update, reset = jnp.split(gates, 2, axis=-1)
        candidate = jnp.tanh(fed[:, 2 * n :] + (reset * h) @ recurrent[:, 2 * n :])
        h = update * h + (1 - update) * candidate
        return h, h

    return through_time(step, jnp.zeros((len(x), n), x.dtype), x @ kernel + bias, last, reverse)


def lstm(x: Array, kernel: Array, recurrent: Array, bias: Array, last=False, reverse=False) -> Array:
    """Long short-term memory on x [batch, time, channels], gates in the order input, forget, candidate, output."""

    def step(state: tuple[Array, Array], fed: Array) -> tuple[tuple[Array, Array], Array]:
        h, cell = state
        enter, keep, candidate, show = jnp.split(fed + h @ recurrent, 4, axis=-1)
        cell = jax.nn.sigmoid(keep) * cell + jax.nn.sigmoid(enter) * jnp.tanh(candidate)
        h = jax.nn.sigmoid(show) * jnp.tanh(cell)
        return (h, cell), h

    start = jnp.zeros((len(x), len(recurrent)), x.dtype)
    return through_time(step, (start, start), x @ kernel + bias, last, reverse)


class Recurrent(nnx.Module):
    """The weights of a recurrent layer: kernel [channels, gates * n], recurrent [n, gates * n], bias [gates * n]."""

    gates = 1

    def __init__(
        self,
        in_features: int,
        features: int,
        *,
        kernel_init,
        recurrent_init,
        rngs: nnx.Rngs,
        bias_init=jax.nn.initializers.zeros,
        last: bool = False,
        reverse: bool = False,
    ):
        wide = self.gates * features
        self.last, self.reverse = last, reverse
        self.kernel = nnx.Param(kernel_init(rngs.params(), (in_features, wide)))
        self.recurrent = nnx.Param(recurrent_init(rngs.params(), (features, wide)))
        self.bias = nnx.Param(bias_init(rngs.params(), (wide,)))


class Rnn(Recurrent):
    """`rnn` with weights of its own."""

    activation = staticmethod(jnp.tanh)

    def __call__(self, x: Array) -> Array:
        weights = self.kernel[...], self.recurrent[...], self.bias[...]
        return rnn(x, *weights, activation=self.activation, last=self.last, reverse=self.reverse)


class ReluRnn(Rnn):
    """`rnn` with `relu` in place of `tanh`."""

    activation = staticmethod(nnx.relu)


class Gru(Recurrent):
    """`gru` with weights of its own."""

    gates = 3

    def __call__(self, x: Array) -> Array:
        return gru(x, self.kernel[...], self.recurrent[...], self.bias[...], self.last, self.reverse)


class Lstm(Recurrent):
    """`lstm` with weights of its own."""

    gates = 4

    def __call__(self, x: Array) -> Array:
        return lstm(x, self.kernel[...], self.recurrent[...], self.bias[...], self.last, self.reverse)
