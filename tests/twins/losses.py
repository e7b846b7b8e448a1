"""Losses by the formulas of their papers, a number for each example."""

import jax.numpy as jnp
from jax import Array, lax

from twins.parts import Data, flat


def cross_entropy(outputs: tuple[Array, ...], data: Data) -> Array:
    (logits,) = outputs
    return jnp.log(jnp.exp(logits).sum(axis=-1)) - logits[jnp.arange(len(logits)), data["label"]]


def bernoulli(outputs: tuple[Array, ...], data: Data) -> Array:
    p = outputs[0][:, 0]
    return -jnp.where(data["label"] == 1, jnp.log(p), jnp.log(1 - p))


def rbf_map(outputs: tuple[Array, ...], data: Data) -> Array:
    """LeCun et al. 1998, equation 9, with j = 1."""
    (y,) = outputs
    return y[jnp.arange(len(y)), data["label"]] + jnp.log(jnp.exp(-1.0) + jnp.exp(-y).sum(axis=-1))


def squared_error(outputs: tuple[Array, ...], data: Data) -> Array:
    return ((flat(outputs[0]) - flat(data["image"])) ** 2).sum(axis=-1) / 2


def contrastive(outputs: tuple[Array, ...], data: Data) -> Array:
    """Hadsell, Chopra & LeCun 2006, equation 4, with a margin of 1; `same` is 1 for equal classes."""
    a, b = outputs
    distance = jnp.sqrt(((a - b) ** 2).sum(axis=-1))
    return data["same"] * distance**2 / 2 + (1 - data["same"]) * jnp.maximum(0, 1 - distance) ** 2 / 2


def next_token(outputs: tuple[Array, ...], data: Data) -> Array:
    """What each next token takes to say, in nats, averaged over the places."""
    (logits,) = outputs
    rows, places = jnp.indices(data["next"].shape)
    spread = jnp.log(jnp.exp(logits).sum(axis=-1))
    return (spread - logits[rows, places, data["next"]]).mean(axis=-1)


def first_class(outputs: tuple[Array, ...], data: Data) -> Array:
    """Cross entropy with the class 0 at every position, the mean over them."""
    (logits,) = outputs
    return (jnp.log(jnp.exp(logits).sum(axis=-1)) - logits[..., 0]).mean(axis=(1, 2))


def ctc(outputs: tuple[Array, ...], data: Data) -> Array:
    """Graves et al. 2006, equations 5 to 8, with the rescaling of section 4.1; the last class is the blank."""
    (logits,) = outputs
    p = jnp.exp(logits) / jnp.exp(logits).sum(axis=-1, keepdims=True)
    blank, label = logits.shape[-1] - 1, data["label"]
    extended = jnp.full((len(label), 2 * label.shape[1] + 1), blank).at[:, 1::2].set(label)
    before = jnp.pad(extended, ((0, 0), (2, 0)), constant_values=blank)[:, :-2]
    skips = (extended != blank) & (extended != before)
    emitted = jnp.take_along_axis(p, extended[:, None], axis=2)

    def step(alpha: Array, emitted: Array) -> tuple[Array, Array]:
        one, two = (jnp.pad(alpha, ((0, 0), (k, 0)))[:, :-k] for k in (1, 2))
        alpha = emitted * (alpha + one + skips * two)
        scale = alpha.sum(axis=1, keepdims=True)
        return alpha / scale, jnp.log(scale[:, 0])

    # Before the first step stands the empty beginning, from which the first blank or the first class follows.
    beginning = jnp.zeros(extended.shape).at[:, 0].set(1)
    alpha, scales = lax.scan(step, beginning, emitted.swapaxes(0, 1))
    last = 2 * (label != blank).sum(axis=1)[:, None]
    ends = jnp.take_along_axis(alpha, jnp.concatenate([last, last - 1], axis=1), axis=1)
    return -scales.sum(axis=0) - jnp.log(ends.sum(axis=1))
