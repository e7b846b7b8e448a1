"""Layers with weights or chance between others, for emitted Flax: those that Flax has not."""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array


def prelu(x: Array, slope: Array) -> Array:
    """x where it is above 0, and else slope times x, a slope for each channel or one for all (He et al. 2015)."""
    return jnp.where(x > 0, x, slope * x)


class Prelu(nnx.Module):
    """`prelu` with trained slopes of its own, as many as `features`."""

    def __init__(self, features: int, *, slope_init, rngs: nnx.Rngs):
        self.slope = nnx.Param(slope_init(rngs.params(), (features,)))

    def __call__(self, x: Array) -> Array:
        return prelu(x, self.slope[...])


class Swiglu(nnx.Module):
    """silu(x @ gate + gate_bias) * (x @ kernel + bias) (Shazeer 2020, equation 5)."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        kernel_init,
        rngs: nnx.Rngs,
        use_bias: bool = True,
        bias_init=jax.nn.initializers.zeros,
    ):
        shape = (in_features, out_features)
        self.gate = nnx.Param(kernel_init(rngs.params(), shape))
        self.kernel = nnx.Param(kernel_init(rngs.params(), shape))
        self.gate_bias = nnx.Param(bias_init(rngs.params(), shape[1:])) if use_bias else None
        self.bias = nnx.Param(bias_init(rngs.params(), shape[1:])) if use_bias else None

    def __call__(self, x: Array) -> Array:
        gate, y = x @ self.gate[...], x @ self.kernel[...]
        if self.gate_bias is not None and self.bias is not None:
            gate, y = gate + self.gate_bias[...], y + self.bias[...]
        return nnx.silu(gate) * y


class GaussianNoise(nnx.Module):
    """In training adds normal numbers of a standard deviation; knows training from use as `nnx.Dropout` does, and
    takes its chance from the same stream, `dropout`."""

    def __init__(self, std: float, *, rngs: nnx.Rngs):
        self.std, self.deterministic = std, False
        self.rngs = rngs.dropout.fork()

    def __call__(self, x: Array) -> Array:
        if self.deterministic:
            return x
        return x + self.std * jax.random.normal(self.rngs(), x.shape, x.dtype)

    def set_view(self, deterministic: bool | None = None):
        """What `nnx.view` tells it; `train()` and `eval()` set the attribute."""
        if deterministic is not None:
            self.deterministic = deterministic
