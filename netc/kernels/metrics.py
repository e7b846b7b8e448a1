"""The metrics of `netc.recipes.metrics` in JAX: batches in, a number for each example out.

Of those that are no means, an array for each example, and `FROM_SUMS` makes the metric of its sum over all of them.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from netc.kernels.losses import cross_entropy, per_example


def classes(scores: Array, label: Array) -> Array:
    """Labels as classes, if they are distributions of the scores' shape."""
    return jnp.argmax(label, axis=-1) if label.shape == scores.shape else label


def answers(scores: Array, label: Array, smallest: bool, threshold: float | None) -> tuple[Array, Array]:
    """The answers and the labels as classes; of equal scores the first class is the answer."""
    if scores.size == scores.shape[0]:
        signs = jnp.issubdtype(label.dtype, jnp.floating)
        middle = threshold if threshold is not None else 0.0 if signs else 0.5
        return (scores.reshape(-1) > middle).astype(int), (label.reshape(-1) > 0).astype(int)
    answer = jnp.argmin(scores, axis=-1) if smallest else jnp.argmax(scores, axis=-1)
    return answer, classes(scores, label)


def accuracy(scores: Array, label: Array, smallest: bool = False, threshold: float | None = None) -> Array:
    """1 where the answer is the label; over positions, the share of them."""
    answer, right = answers(scores, label, smallest, threshold)
    return per_example((answer == right).astype(jnp.float32))


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


def mean_absolute_error(prediction: Array, target: Array) -> Array:
    """The difference without its sign, averaged over all numbers of an example."""
    return per_example(jnp.abs(prediction - target))


def confusion(scores: Array, label: Array, smallest: bool = False, threshold: float | None = None) -> Array:
    """[batch, n, n]: how many positions of an example are of class i and answered with class j."""
    n = 2 if scores.size == scores.shape[0] else scores.shape[-1]
    answer, right = answers(scores, label, smallest, threshold)
    places = (n * right + answer).reshape(len(scores), -1)
    return jax.vmap(lambda at: jnp.zeros(n * n).at[at].add(1.0))(places).reshape(-1, n, n)


def perplexity(logits: Array, label: Array) -> Array:
    """The cross-entropy of each example, averaged over its positions."""
    return cross_entropy(logits, label)


def character_error_rate(logits: Array, label: Array, blank: int = 0) -> Array:
    """[batch, 2]: the edits between what the best path says and the label, and the label's length; logits
    [batch, time, n], label [batch, length] filled up with blanks."""
    path = jnp.argmax(logits, axis=-1)
    before = jnp.pad(path[:, :-1], ((0, 0), (1, 0)), constant_values=blank)
    edits = jax.vmap(distance)(path, (path != blank) & (path != before), label)
    lengths = jnp.sum(label != blank, axis=1)
    return jnp.stack([jnp.take_along_axis(edits, lengths[:, None], axis=1)[:, 0], lengths], axis=1)


def distance(path: Array, said: Array, label: Array) -> Array:
    """The edits between those classes of a path that are said and the first 0, 1, ... of a label (Levenshtein 1966)."""
    places = jnp.arange(len(label) + 1)

    def row(above: Array, step: tuple[Array, Array]) -> tuple[Array, None]:
        found, counts = step
        down = above + 1
        best = down.at[1:].min(above[:-1] + (label != found))
        # From the left each place costs one more, so the best way there is a running minimum.
        return jnp.where(counts, places + lax.cummin(best - places), above), None

    return lax.scan(row, places, (path, said))[0]


def counts(sums: np.ndarray, examples: int) -> list[list[int]]:
    return sums.astype(int).tolist()


def exp_of_mean(sums: np.ndarray, examples: int) -> float:
    """Infinite beyond the largest float."""
    with np.errstate(over="ignore"):
        return float(np.exp(sums / examples))


def ratio(sums: np.ndarray, examples: int) -> float:
    """The first sum divided by the second; labels without a class make every edit count whole."""
    return float(sums[0] / max(sums[1], 1.0))


def mean(sums: np.ndarray, examples: int) -> float:
    return float(sums / examples)


FROM_SUMS: dict[str, Callable[[np.ndarray, int], Any]] = {
    "confusion": counts,
    "perplexity": exp_of_mean,
    "character_error_rate": ratio,
}
