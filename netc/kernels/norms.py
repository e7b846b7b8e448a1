"""Normalisation by weights that belong to somebody else, for emitted Flax; with its own, Flax's modules do it."""

import jax.numpy as jnp
from jax import Array, lax


def layer_norm(x: Array, scale: Array, bias: Array | None = None, epsilon: float = 1e-5) -> Array:
    """Mean 0 and variance 1 over the last axis, then scaled and shifted (Ba, Kiros & Hinton 2016, equation 4)."""
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    y = centred * lax.rsqrt(jnp.mean(jnp.square(centred), axis=-1, keepdims=True) + epsilon) * scale
    return y if bias is None else y + bias


def rms_norm(x: Array, scale: Array, epsilon: float = 1e-6) -> Array:
    """Mean square 1 over the last axis, then scaled (Zhang & Sennrich 2019, equation 4)."""
    return x * lax.rsqrt(jnp.mean(jnp.square(x), axis=-1, keepdims=True) + epsilon) * scale


def group_norm(x: Array, scale: Array, bias: Array, groups: int, epsilon: float = 1e-5) -> Array:
    """Mean 0 and variance 1 over all positions of each group of channels of x [batch, ..., channels], then scaled and
    shifted channel by channel (Wu & He 2018, equations 1 to 6)."""
    parts = x.reshape(len(x), -1, groups, x.shape[-1] // groups)
    centred = parts - jnp.mean(parts, axis=(1, 3), keepdims=True)
    y = centred * lax.rsqrt(jnp.mean(jnp.square(centred), axis=(1, 3), keepdims=True) + epsilon)
    return y.reshape(x.shape) * scale + bias
