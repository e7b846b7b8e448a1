"""Gradients of a step that are taken in parts: a recipe's `accumulate`.

The parts of one step follow each other within it, so nothing of a step is left over: the optimizer sees one gradient,
of the mean loss of all the step's examples, as if they were one batch.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

Gradients = Callable[..., tuple[tuple[Any, Any], Any]]
"""Of parameters, other state, data, weights of the examples, and the sum of all weights of the step: the loss and the
next other state, and the gradients."""


def accumulated(gradients: Gradients, parts: int) -> Gradients:
    """The same of a step whose examples go through the net in `parts` of equal size, one after another.

    Losses and gradients of parts are sums over their examples, divided by what the whole step's examples weigh: those
    that fill up a last batch weigh 0. State that the net changes, such as running statistics, goes from part to part.
    """
    if parts == 1:
        return gradients

    def of_parts(params: Any, rest: Any, data: Any, weight: Any, total: Any) -> Any:
        def add(sums: Any, part: Any) -> Any:
            loss, rest, found = sums
            (more, rest), also = gradients(params, rest, *part, total)
            return (loss + more, rest, jax.tree.map(jnp.add, found, also)), None

        nothing = (jnp.zeros(()), rest, jax.tree.map(jnp.zeros_like, params))
        (loss, rest, found), _ = jax.lax.scan(add, nothing, jax.tree.map(divided, (data, weight)))
        return (loss, rest), found

    def divided(array: Any) -> Any:
        return array.reshape(parts, -1, *array.shape[1:])

    return of_parts
