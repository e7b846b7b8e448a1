"""Nets of convolutions over images."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from netc.layers.digit_codes import DIGIT_CODES
from twins.parts import Data, Weights, convolve, dense, flat, max_pool, pad, relu, shifted, sigmoid, stanh, windows

# LeCun et al. 1998, table I, by the maps of C3: the maps of S2 that feed each.
FEEDS_C3 = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5)),
)


def lenet5(w: Weights, data: Data) -> tuple[Array, ...]:
    """LeCun et al. 1998, section II.B."""

    def subsample(x: Array, name: str) -> Array:
        return windows(x).sum(axis=3) * w[f"{name}.coefficient"] + w[f"{name}.bias"]

    h = stanh(convolve(data["image"], w["C1.kernel"], w["C1.bias"]))
    h = stanh(subsample(h, "S2"))
    maps, first = [], 0
    for o, feeds in enumerate(FEEDS_C3):
        kernel = w["C3.kernel"][:, :, first : first + len(feeds), None]
        maps.append(convolve(h[..., list(feeds)], kernel, w["C3.bias"][o]))
        first += len(feeds)
    h = stanh(jnp.concatenate(maps, axis=-1))
    h = stanh(subsample(h, "S4"))
    h = stanh(convolve(h, w["C5.kernel"], w["C5.bias"]))
    h = stanh(dense(flat(h), w, "F6"))
    return (jnp.stack([((h - jnp.array(code)) ** 2).sum(axis=-1) for code in DIGIT_CODES], axis=-1),)


def lenet5_modern(w: Weights, data: Data) -> tuple[Array, ...]:
    h = max_pool(relu(convolve(pad(data["image"], 2), w["C1.kernel"], w["C1.bias"])))
    h = max_pool(relu(convolve(h, w["C3.kernel"], w["C3.bias"])))
    return (dense(relu(dense(relu(dense(flat(h), w, "F5")), w, "F6")), w, "OUTPUT"),)


def mnist_best(w: Weights, data: Data) -> tuple[Array, ...]:
    """As in evaluation: without its dropout, normalised by running statistics."""
    nothing = jnp.zeros(())

    def normalised(x: Array, name: str) -> Array:
        """Ioffe & Szegedy 2015, algorithm 2, and a relu."""
        mean, var, scale, bias = (w[f"{name}.{part}"] for part in ("mean", "var", "scale", "bias"))
        return relu(scale * (x - mean) / jnp.sqrt(var + 1e-5) + bias)

    h = normalised(max_pool(convolve(data["image"], w["conv1.kernel"], nothing)), "bn1")
    h = normalised(convolve(h, w["conv2.kernel"], nothing), "bn2")
    h = normalised(max_pool(convolve(h, w["conv3.kernel"], nothing)), "bn3")
    h = normalised(convolve(h, w["conv4.kernel"], nothing), "bn4")
    return (dense(normalised(flat(h) @ w["hidden.kernel"], "bn5"), w, "classes"),)


def digits(w: Weights, data: Data) -> tuple[Array, ...]:
    """Without its dropout, as in evaluation."""
    h = relu(convolve(pad(data["image"], 1), w["conv1.kernel"], w["conv1.bias"]))
    h = max_pool(relu(convolve(pad(h, 1), w["conv2.kernel"], w["conv2.bias"])))
    return (dense(relu(dense(flat(h), w, "hidden")), w, "classes"),)


def digit_strings(w: Weights, data: Data) -> tuple[Array, ...]:
    """Window by window: what LeNet says of each 28 columns, 4 apart, that are cut out of the strip."""

    def of_window(x: Array) -> Array:
        h = max_pool(relu(convolve(x, w["steps.reader1.C1.kernel"], w["steps.reader1.C1.bias"])))
        h = max_pool(relu(convolve(h, w["steps.reader1.C3.kernel"], w["steps.reader1.C3.bias"])))
        h = relu(convolve(h, w["steps.reader1.C5.kernel"], w["steps.reader1.C5.bias"]))
        return dense(relu(dense(flat(h), w, "steps.reader1.F6")), w, "steps.reader1.OUTPUT")

    strip = data["image"]
    starts = range(0, strip.shape[2] - 27, 4)
    cut = jnp.concatenate([strip[:, :, at : at + 28] for at in starts])
    return (of_window(cut).reshape(len(starts), len(strip), 11).swapaxes(0, 1),)


def tiled_digits(w: Weights, data: Data) -> tuple[Array, ...]:
    """Position by position: the one kernel, the one of four whose turn it is, and one for each position."""
    cells = shifted(data["image"], 3)[..., 0]

    def at_each(name: str, chosen: Callable[[int, int], tuple[int, ...]]) -> Array:
        def at(i: int, j: int) -> Array:
            kernel = w[f"{name}.kernel"][chosen(i, j)].reshape(9, 8)
            return cells[:, i, j] @ kernel + w[f"{name}.bias"][chosen(i, j)]

        return jnp.stack([jnp.stack([at(i, j) for j in range(6)], axis=1) for i in range(6)], axis=1)

    maps = (at_each("one", lambda i, j: ()), at_each("four", lambda i, j: (i % 2, j % 2)))
    h = max_pool(relu(jnp.concatenate((*maps, at_each("all", lambda i, j: (i, j))), axis=-1)))
    return (dense(flat(h), w, "classes"),)


def siamese(w: Weights, data: Data) -> tuple[Array, ...]:
    """One tower, used twice."""

    def tower(x: Array) -> Array:
        h = max_pool(convolve(x, w["tower.conv1.kernel"], w["tower.conv1.bias"]))
        h = max_pool(convolve(h, w["tower.conv2.kernel"], w["tower.conv2.bias"]))
        return dense(dense(relu(dense(flat(h), w, "tower.ip1")), w, "tower.ip2"), w, "tower.feat")

    return tower(data["left"]), tower(data["right"])


def blocks(w: Weights, data: Data) -> tuple[Array, ...]:
    """A separable convolution, and a residual block with squeeze and excite."""

    def hard_swish(x: Array) -> Array:
        return x * jnp.clip(x + 3, 0, 6) / 6

    def depthwise(x: Array, name: str) -> Array:
        """A window of 3x3 for each map; x has its padding."""
        return jnp.einsum("brctm,tm->brcm", shifted(x, 3), w[f"{name}.kernel"].reshape(9, -1)) + w[f"{name}.bias"]

    def pointwise(x: Array, name: str) -> Array:
        return x @ w[f"{name}.kernel"][0, 0] + w[f"{name}.bias"]

    h = hard_swish(convolve(pad(data["image"], 1), w["first.kernel"], w["first.bias"]))
    # Of an even extent, `same` with stride 2 pads behind alone.
    h = depthwise(jnp.pad(h, ((0, 0), (0, 1), (0, 1), (0, 0))), "down.depthwise1.conv1")[:, ::2, ::2]
    x = hard_swish(pointwise(h, "down.conv1"))
    h = hard_swish(pointwise(x, "residual.widen"))
    h = hard_swish(depthwise(pad(h, 1), "residual.body.depthwise1.conv1"))
    excite = "residual.body.squeeze_excite1"
    scale = sigmoid(dense(relu(dense(h.mean(axis=(1, 2)), w, f"{excite}.squeeze")), w, f"{excite}.excite"))
    x = x + pointwise(h * scale[:, None, None], "residual.narrow")
    return (dense(flat(x), w, "classes"),)
