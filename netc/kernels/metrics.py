"""The metrics of `netc.recipes.metrics` in JAX: batches in, a number for each example out."""

import jax.numpy as jnp
from jax import Array, lax

from netc.kernels.losses import per_example


def classes(scores: Array, label: Array) -> Array:
    """Labels as classes, if they are distributions of the scores' shape."""
    return jnp.argmax(label, axis=-1) if label.shape == scores.shape else label


def right(scores: Array, label: Array, smallest: bool, threshold: float | None) -> Array:
    """Whether each answer is its label; of equal scores the first class is the answer."""
    if scores.size == scores.shape[0]:
        signs = jnp.issubdtype(label.dtype, jnp.floating)
        middle = threshold if threshold is not None else 0.0 if signs else 0.5
        return (scores.reshape(-1) > middle) == (label.reshape(-1) > 0)
    answer = jnp.argmin(scores, axis=-1) if smallest else jnp.argmax(scores, axis=-1)
    return answer == classes(scores, label)


def accuracy(scores: Array, label: Array, smallest: bool = False, threshold: float | None = None) -> Array:
    """1 where the answer is the label; over positions, the share of them."""
    return per_example(right(scores, label, smallest, threshold).astype(jnp.float32))


def error_rate(scores: Array, label: Array, smallest: bool = False, threshold: float | None = None) -> Array:
    """1 where the answer is not the label."""
    return 1 - accuracy(scores, label, smallest, threshold)


def top_k(scores: Array, label: Array, k: int = 5, smallest: bool = False) -> Array:
    """1 where the label is among the k best scores; of equal scores the first classes come first."""
    _, best = lax.top_k(-scores if smallest else scores, k)
    return per_example(jnp.any(best == classes(scores, label)[..., None], axis=-1).astype(jnp.float32))


def mean_squared_error(prediction: Array, target: Array) -> Array:
    """The squared difference, averaged over all numbers of an example."""
    return per_example(jnp.square(prediction - target))
