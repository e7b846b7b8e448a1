"""Nets of convolutions by turned and mirrored copies of a kernel."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from twins.parts import Data, Weights, convolve, dense, flat, max_pool, pad, relu


def orbit_digits(w: Weights, data: Data) -> tuple[Array, ...]:
    """Cohen & Welling 2016, equations 10 and 11: copy t of a detector is its kernel turned t times, and looks at copy
    s of what goes in with its part s - t."""

    def normalised(x: Array, name: str) -> Array:
        """By the running statistics, as in evaluation."""
        mean, var, scale, bias = (w[f"{name}.{part}"] for part in ("mean", "var", "scale", "bias"))
        return relu((x - mean) / jnp.sqrt(var + 1e-5) * scale + bias)

    def turned(copies: list[Array], kernel: Array, norm: str) -> list[Array]:
        def copy(t: int) -> Array:
            parts = (jnp.rot90(kernel[:, :, (s - t) % 4], t) for s in range(4))
            answers = (convolve(x, part, jnp.zeros(10)) for x, part in zip(copies, parts, strict=True))
            return normalised(sum(answers, jnp.zeros(())), norm)

        return [copy(t) for t in range(4)]

    first, none = w["digit.layer31.conv1.kernel"], jnp.zeros(10)
    copies = [convolve(data["image"], jnp.rot90(first, t), none) for t in range(4)]
    copies = [normalised(x, "digit.layer31.batchnorm1") for x in copies]
    copies = turned(copies, w["digit.layer32.conv1.kernel"], "digit.layer32.batchnorm1")
    copies = [max_pool(x) for x in copies]
    for i in range(4):
        name = f"digit.repeat1.{i}"
        copies = turned(copies, w[f"{name}.conv1.kernel"], f"{name}.batchnorm1")
    copies = turned(copies, w["last.kernel"], "digit.batchnorm1")
    return (dense(flat(jnp.stack(copies).max(axis=0)), w, "classes"),)


def scale_digits(w: Weights, data: Data) -> tuple[Array, ...]:
    """Each size of a kernel by itself, spread as a bilinear interpolation of its rows and columns."""

    def spread(taps: int, cells: int) -> Array:
        """By the formula of `netc explain scale`: how much of number q goes into cell p, [cells, taps]."""
        parts = np.zeros((cells, taps))
        for p, q in np.ndindex(cells, taps):
            u = min(max((p + 0.5) * taps / cells - 0.5, 0), taps - 1)
            parts[p, q] = max(0, 1 - abs(u - q))
        return jnp.asarray(parts / parts.sum(axis=0), jnp.float32)

    def best(x: Array, name: str, sizes: int) -> Array:
        kernel, bias = w[f"{name}.conv1.kernel"], w[f"{name}.conv1.bias"]
        answers = []
        for width in range(1, sizes + 1):
            parts = spread(3, 2 * width + 1)
            grown = jnp.einsum("ar,bs,rsio->abio", parts, parts, kernel)
            answers.append(relu(convolve(pad(x, width), grown, bias)))
        return jnp.stack(answers).max(axis=0)

    h = best(max_pool(best(data["image"], "one", 3)), "two", 2)
    return (dense(h.max(axis=(1, 2)), w, "classes"),)
