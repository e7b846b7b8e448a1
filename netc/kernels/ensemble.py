"""What the members of an ensemble say together: outputs [members, batch, ...] in, an output [batch, ...] out.

Where outputs say how likely classes are, the probabilities are averaged (Krizhevsky et al. 2012, section 4.1), and what
comes out is an output of the same kind, so that losses, metrics and `predict` read it as any other.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array


def mean_of_logits(logits: Array) -> Array:
    """The logarithm of the mean of softmax(logits)."""
    return log_mean_exp(jax.nn.log_softmax(logits))


def mean_of_scores(scores: Array) -> Array:
    """The score whose sigmoid is the mean of the sigmoids."""
    return log_mean_exp(jax.nn.log_sigmoid(scores)) - log_mean_exp(jax.nn.log_sigmoid(-scores))


def mean_of_distances(distances: Array) -> Array:
    """Distances whose softmax, of minus them, is the mean of the members'; they lie where the members' do."""
    level = jax.nn.logsumexp(-distances, axis=-1, keepdims=True)
    return -log_mean_exp(-distances - level) - jnp.mean(level, axis=0)


def mean_of_numbers(numbers: Array) -> Array:
    return jnp.mean(numbers, axis=0)


def log_mean_exp(x: Array) -> Array:
    """log(mean(exp(x))) over the members."""
    return jax.nn.logsumexp(x, axis=0) - jnp.log(float(len(x)))


MEANS: dict[str, Callable[[Array], Array]] = {
    "logits": mean_of_logits,
    "probabilities": mean_of_numbers,
    "score": mean_of_scores,
    "distances": mean_of_distances,
    "transcription": mean_of_logits,
    "numbers": mean_of_numbers,
}
"""By what a loss reads from an output (`netc.recipes.losses.Loss.reading`)."""
