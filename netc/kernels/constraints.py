"""Projections of weights to where their constraints hold (`netc.layers.constraints`), for emitted source.

`netc build --portable` copies what a net needs; `axis` are the axes of the numbers that come into one unit.
"""

import jax.numpy as jnp
from jax import Array


def symmetric(weight: Array) -> Array:
    return (weight + weight.T) / 2


def zero_mean(weight: Array, axis: tuple[int, ...]) -> Array:
    return weight - jnp.mean(weight, axis, keepdims=True)


def nonnegative(weight: Array) -> Array:
    return jnp.maximum(weight, 0)


def clip(weight: Array, low: float, high: float) -> Array:
    return jnp.clip(weight, low, high)


def max_norm(weight: Array, norm: float, axis: tuple[int, ...]) -> Array:
    """Shortens to `norm` what is longer; the rest stays as it is, to the bit."""
    return weight * (norm / jnp.maximum(length(weight, axis), norm))


def unit_norm(weight: Array, axis: tuple[int, ...]) -> Array:
    """Divides by the norm. What is 0 becomes numbers that are all the same."""
    size = length(weight, axis)
    return jnp.where(size > 0, weight, 1) / jnp.where(size > 0, size, length(jnp.ones_like(weight), axis))


def centered_unit_norm(weight: Array, axis: tuple[int, ...]) -> Array:
    """Takes away the mean and divides by the norm. What is all the same becomes a straight line.

    It is done twice: where numbers are nearly the same, rounding leaves a mean that dividing makes large.
    """
    for _ in range(2):
        weight = zero_mean(weight, axis)
        size = length(weight, axis)
        line = zero_mean(counted(weight, axis), axis)
        weight = jnp.where(size > 0, weight, line) / jnp.where(size > 0, size, length(line, axis))
    return weight


def counted(weight: Array, axis: tuple[int, ...]) -> Array:
    """0, 1, 2 ... along the axes, in an array of the shape of `weight`."""
    numbers = jnp.arange(jnp.zeros([weight.shape[i] for i in axis]).size, dtype=weight.dtype)
    shape = [extent if i in axis else 1 for i, extent in enumerate(weight.shape)]
    return jnp.broadcast_to(numbers.reshape(shape), weight.shape)


def length(weight: Array, axis: tuple[int, ...]) -> Array:
    """The Euclidean norm. The largest number is divided out first, so that squares neither overflow nor vanish."""
    largest = jnp.max(jnp.abs(weight), axis, keepdims=True)
    scale = jnp.where(largest > 0, largest, 1)
    return scale * jnp.sqrt(jnp.sum((weight / scale) ** 2, axis, keepdims=True))
