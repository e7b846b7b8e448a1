"""The losses of `netc.recipes.losses` in JAX: batches in, a number for each example out."""

import jax
import jax.numpy as jnp
import optax
from jax import Array


def per_example(x: Array) -> Array:
    """The mean over everything but the batch axis."""
    return x.reshape(x.shape[0], -1).mean(axis=1)


def chosen(scores: Array, label: Array) -> Array:
    """The score at each label; scores [batch, ..., n], label [batch, ...]."""
    return jnp.take_along_axis(scores, label[..., None].astype(jnp.int32), axis=-1)[..., 0]


def cross_entropy(
    logits: Array, label: Array, smoothing: float = 0.0, weights: tuple[float, ...] | None = None
) -> Array:
    """-log softmax(logits)[label], or against a distribution of logits' shape; of a smoothed label the mean over
    all classes is a part. Each class's part of it is multiplied by the class's weight."""
    log_p = jax.nn.log_softmax(logits)
    if weights is not None:
        log_p = log_p * jnp.asarray(weights, log_p.dtype)
    right = jnp.sum(label * log_p, axis=-1) if label.shape == logits.shape else chosen(log_p, label)
    return per_example(-(right if smoothing == 0 else (1 - smoothing) * right + smoothing * log_p.mean(axis=-1)))


def kl_divergence(logits: Array, target: Array) -> Array:
    """sum_i target_i (log target_i - log softmax(logits)_i), where 0 log 0 is 0."""
    return per_example(optax.losses.kl_divergence(jax.nn.log_softmax(logits), target))


def log_likelihood(probabilities: Array, label: Array) -> Array:
    """log p(label); probabilities are kept above the smallest float32, so that the logarithm is finite."""
    tiny = jnp.finfo(jnp.float32).tiny
    if probabilities.size == probabilities.shape[0]:
        p = probabilities.reshape(-1)
        return jnp.log(jnp.maximum(jnp.where(label.reshape(-1) == 1, p, 1 - p), tiny))
    if label.shape == probabilities.shape:
        return per_example(jnp.sum(label * jnp.log(jnp.maximum(probabilities, tiny)), axis=-1))
    return per_example(jnp.log(jnp.maximum(chosen(probabilities, label), tiny)))


def logistic(score: Array, sign: Array) -> Array:
    """log(1 + exp(-sign * score)), without overflow."""
    return jax.nn.softplus(-sign.reshape(-1) * score.reshape(-1))


def hinge(score: Array, sign: Array) -> Array:
    """max(0, 1 - sign * score)."""
    return jnp.maximum(0.0, 1 - sign.reshape(-1) * score.reshape(-1))


def squared_error(prediction: Array, target: Array) -> Array:
    """1/2 sum_i (target_i - prediction_i)^2."""
    return 0.5 * jnp.sum(jnp.square(target - prediction).reshape(prediction.shape[0], -1), axis=1)


def absolute_error(prediction: Array, target: Array) -> Array:
    """sum_i |target_i - prediction_i|."""
    return jnp.sum(jnp.abs(target - prediction).reshape(prediction.shape[0], -1), axis=1)


def huber(prediction: Array, target: Array, delta: float = 1.0) -> Array:
    """Half the squared difference up to delta, a straight line beyond, summed."""
    return jnp.sum(optax.losses.huber_loss(prediction, target, delta=delta).reshape(prediction.shape[0], -1), axis=1)


def contrastive(a: Array, b: Array, same: Array, margin: float = 1.0) -> Array:
    """Hadsell, Chopra & LeCun 2006, equation 4; the gradient at distance 0 is 0."""
    squared = jnp.sum(jnp.square(a - b), axis=-1)
    distance = jnp.sqrt(jnp.where(squared > 0, squared, 1.0)) * (squared > 0)
    same = same.reshape(-1)
    return 0.5 * same * squared + 0.5 * (1 - same) * jnp.square(jnp.maximum(margin - distance, 0.0))


def triplet(anchor: Array, positive: Array, negative: Array, margin: float = 0.2) -> Array:
    """Schroff, Kalenichenko & Philbin 2015, equation 3."""
    near, far = (jnp.sum(jnp.square(anchor - other), axis=-1) for other in (positive, negative))
    return jnp.maximum(near - far + margin, 0.0)


def ctc(logits: Array, label: Array, blank: int = 0) -> Array:
    """-log p(label) (Graves et al. 2006, equation 8); logits [batch, time, n], label [batch, length] filled up with
    blanks."""
    every_step = jnp.zeros(logits.shape[:2], logits.dtype)
    return optax.losses.ctc_loss(logits, every_step, label, label == blank, blank_id=blank)


def rbf_map(distances: Array, label: Array, j: float = 1.0) -> Array:
    """LeCun et al. 1998, equation 9: y_label + log(exp(-j) + sum_i exp(-y_i))."""
    rubbish = jnp.full((*distances.shape[:-1], 1), -j, distances.dtype)
    spread = jax.nn.logsumexp(jnp.concatenate([-distances, rubbish], axis=-1), axis=-1)
    return per_example(chosen(distances, label) + spread)
