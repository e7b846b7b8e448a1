"""Attention and places in a sequence, for emitted Flax."""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array


def sinusoidal(x: Array) -> Array:
    """Adds sines and cosines of places to x [batch, time, width], with wavelengths from 2 pi to 10,000 times that:
    `sin(t / 10000^(2i / width))` to number 2i at place t, and the cosine to number 2i + 1 (Vaswani et al. 2017, section
    3.5)."""
    _, time, width = x.shape
    channel = jnp.arange(width)
    angle = jnp.arange(time)[:, None] / 10_000.0 ** (channel // 2 * 2 / width)
    return x + jnp.where(channel % 2, jnp.cos(angle), jnp.sin(angle)).astype(x.dtype)


def rotate(x: Array, base: float) -> Array:
    """Turns numbers 2i and 2i + 1 of each head of x [batch, time, heads, width] by the angle `t * base^(-2i / width)`
    at place t (Su et al. 2021, equation 15), so that products of two places depend on their distance alone."""
    time, width = x.shape[1], x.shape[3]
    angle = jnp.arange(time)[:, None, None] * base ** (-jnp.arange(0, width, 2) / width)
    cos, sin = jnp.cos(angle).astype(x.dtype), jnp.sin(angle).astype(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    return jnp.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1).reshape(x.shape)


def attention(
    x: Array,
    kernels: tuple[Array, Array, Array, Array],
    biases: tuple[Array, Array, Array, Array] | None = None,
    *,
    heads: int,
    kv_heads: int | None = None,
    memory: Array | None = None,
    causal: bool = False,
    rotary: float | None = None,
    dropout: nnx.Dropout | None = None,
) -> Array:
    """Multi-head attention (Vaswani et al. 2017) of x [batch, time, channels] to itself, or to memory [batch, places,
    channels].

    Kernels and biases are those of query, key, value and output. Heads stand side by side in the columns of a kernel;
    each of `kv_heads` keys and values serves as many queries (Ainslie et al. 2023). `rotary` is the base of `rotate`.
    """
    memory = x if memory is None else memory
    of_query, of_key, of_value, of_out = kernels
    query, key, value = x @ of_query, memory @ of_key, memory @ of_value
    if biases is not None:
        query, key, value = query + biases[0], key + biases[1], value + biases[2]
    groups = kv_heads or heads
    query = query.reshape(*query.shape[:2], heads, -1)
    key, value = (side.reshape(*side.shape[:2], groups, -1) for side in (key, value))
    if rotary is not None:
        query, key = rotate(query, rotary), rotate(key, rotary)
    query = query.reshape(*query.shape[:2], groups, heads // groups, -1) / query.shape[-1] ** 0.5
    scores = jnp.einsum("btghw,bpgw->bghtp", query, key)
    if causal:
        scores = jnp.where(jnp.tri(x.shape[1], dtype=bool), scores, -jnp.inf)
    shares = jax.nn.softmax(scores, axis=-1)
    if dropout is not None:
        shares = dropout(shares)
    seen = jnp.einsum("bghtp,bpgw->btghw", shares, value)
    y = seen.reshape(*x.shape[:2], -1) @ of_out
    return y if biases is None else y + biases[3]


LECUN = jax.nn.initializers.lecun_normal()


class Attention(nnx.Module):
    """`attention` with weights of its own: kernels [channels, heads * width] and [heads * width, channels]."""

    def __init__(
        self,
        features: int,
        memory_features: int | None = None,
        *,
        heads: int,
        kv_heads: int | None = None,
        width: int | None = None,
        causal: bool = False,
        rotary: float | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        kernel_init=LECUN,
        out_init=None,
        bias_init=jax.nn.initializers.zeros,
        rngs: nnx.Rngs,
    ):
        self.heads, self.kv_heads = heads, kv_heads
        self.causal, self.rotary = causal, rotary
        self.dropout = nnx.Dropout(dropout, rngs=rngs) if dropout else None
        width = width or features // heads
        wide, narrow = heads * width, (kv_heads or heads) * width
        fed = memory_features or features
        self.query = nnx.Param(kernel_init(rngs.params(), (features, wide)))
        self.key = nnx.Param(kernel_init(rngs.params(), (fed, narrow)))
        self.value = nnx.Param(kernel_init(rngs.params(), (fed, narrow)))
        self.out = nnx.Param((out_init or kernel_init)(rngs.params(), (wide, features)))
        self.use_bias = use_bias
        if use_bias:
            self.query_bias = nnx.Param(bias_init(rngs.params(), (wide,)))
            self.key_bias = nnx.Param(bias_init(rngs.params(), (narrow,)))
            self.value_bias = nnx.Param(bias_init(rngs.params(), (narrow,)))
            self.out_bias = nnx.Param(bias_init(rngs.params(), (features,)))

    def __call__(self, x: Array, memory: Array | None = None) -> Array:
        kernels = self.query[...], self.key[...], self.value[...], self.out[...]
        biases = None
        if self.use_bias:
            biases = self.query_bias[...], self.key_bias[...], self.value_bias[...], self.out_bias[...]
        return attention(
            x,
            kernels,
            biases,
            heads=self.heads,
            kv_heads=self.kv_heads,
            memory=memory,
            causal=self.causal,
            rotary=self.rotary,
            dropout=self.dropout,
        )
