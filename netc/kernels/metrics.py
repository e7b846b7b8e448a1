"""The metrics of `netc.recipes.metrics` in JAX: batches in, a number for each example out."""

import jax.numpy as jnp
from jax import Array

from netc.kernels.losses import per_example


def right(scores: Array, label: Array, smallest: bool, threshold: float) -> Array:
    """Whether each answer is its label; ties go to the first class."""
    if scores.size == scores.shape[0]:
        return (scores.reshape(-1) > threshold) == (label.reshape(-1) > 0)
    if label.shape == scores.shape:
        label = jnp.argmax(label, axis=-1)
    answer = jnp.argmin(scores, axis=-1) if smallest else jnp.argmax(scores, axis=-1)
    return answer == label


def accuracy(scores: Array, label: Array, smallest: bool = False, threshold: float = 0.5) -> Array:
    return per_example(right(scores, label, smallest, threshold).astype(jnp.float32))


def error_rate(scores: Array, label: Array, smallest: bool = False, threshold: float = 0.5) -> Array:
    return 1 - accuracy(scores, label, smallest, threshold)


def top_k(scores: Array, label: Array, k: int = 5, smallest: bool = False) -> Array:
    """Whether fewer than k classes score better than the label; ties count for the label."""
    ordered = -scores if smallest else scores
    own = jnp.take_along_axis(ordered, label[..., None].astype(jnp.int32), axis=-1)
    return per_example((jnp.sum(ordered > own, axis=-1) < k).astype(jnp.float32))


def mean_squared_error(prediction: Array, target: Array) -> Array:
    return per_example(jnp.square(prediction - target))
