"""Losses by the formulas of their papers, a number for each example."""

import jax.numpy as jnp
from jax import Array

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
