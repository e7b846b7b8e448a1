"""Nets of the zoo: Caffe's, AlexNet and U-Net."""

import jax.numpy as jnp
from jax import Array

from twins.parts import Data, Weights, convolve, dense, flat, max_pool, pad, relu, shifted


def lenet_caffe(w: Weights, data: Data) -> tuple[Array, ...]:
    h = max_pool(convolve(data["image"], w["conv1.kernel"], w["conv1.bias"]))
    h = max_pool(convolve(h, w["conv2.kernel"], w["conv2.bias"]))
    return (dense(relu(dense(flat(h), w, "ip1")), w, "ip2"),)


def caffe_windows(x: Array, beyond: float) -> Array:
    """Windows of 3x3 with a stride of 2 on even sizes, the last one reaching beyond the image: [..., 9, channels]."""
    return shifted(jnp.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=beyond), 3)[:, ::2, ::2]


def caffe_mean_pool(x: Array) -> Array:
    return caffe_windows(x, 0).sum(axis=3) / caffe_windows(jnp.ones_like(x), 0).sum(axis=3)


def cifar10_quick(w: Weights, data: Data) -> tuple[Array, ...]:
    h = convolve(pad(data["image"], 2), w["conv1.kernel"], w["conv1.bias"])
    h = relu(caffe_windows(h, -jnp.inf).max(axis=3))
    for name in ("conv2", "conv3"):
        h = caffe_mean_pool(relu(convolve(pad(h, 2), w[f"{name}.kernel"], w[f"{name}.bias"])))
    return (dense(dense(flat(h), w, "ip1"), w, "ip2"),)


def cifar10_full(w: Weights, data: Data) -> tuple[Array, ...]:
    """Caffe's LRN within a channel: by the sum of squares in 3x3 cells around, zeros outside, over 9."""

    def lrn_within(x: Array) -> Array:
        return x * (1 + 5e-5 / 9 * (shifted(pad(x, 1), 3) ** 2).sum(axis=3)) ** -0.75

    def conv(x: Array, name: str) -> Array:
        return convolve(pad(x, 2), w[f"{name}.kernel"], w[f"{name}.bias"])

    h = lrn_within(relu(caffe_windows(conv(data["image"], "conv1"), -jnp.inf).max(axis=3)))
    h = lrn_within(caffe_mean_pool(relu(conv(h, "conv2"))))
    return (dense(flat(caffe_mean_pool(relu(conv(h, "conv3")))), w, "ip1"),)


def alexnet(w: Weights, data: Data) -> tuple[Array, ...]:
    """Krizhevsky et al. 2012, section 3.5, on two GPUs, each with half of the maps; they meet in conv3 and fc6."""

    def on_gpus(x: Array, name: str, around: int) -> Array:
        halves = jnp.split(pad(x, around), 2, axis=-1), jnp.split(w[f"{name}.kernel"], 2, axis=-1)
        return (
            jnp.concatenate([convolve(*half, jnp.zeros(())) for half in zip(*halves, strict=True)], axis=-1)
            + w[f"{name}.bias"]
        )

    def normalised(x: Array) -> Array:
        """Section 3.3: by two maps on either side."""
        squares = jnp.pad(x, ((0, 0), (0, 0), (0, 0), (2, 2))) ** 2
        around = sum((squares[..., i : i + x.shape[-1]] for i in range(5)), jnp.zeros(()))
        return x / (2 + 1e-4 * around) ** 0.75

    def pool(x: Array) -> Array:
        return shifted(x, 3, 2).max(axis=3)

    h = pool(normalised(relu(convolve(data["image"], w["conv1.kernel"], w["conv1.bias"], 4))))
    h = pool(normalised(relu(on_gpus(h, "conv2", 2))))
    h = relu(convolve(pad(h, 1), w["conv3.kernel"], w["conv3.bias"]))
    h = pool(relu(on_gpus(relu(on_gpus(h, "conv4", 1)), "conv5", 1)))
    return (dense(relu(dense(relu(dense(flat(h), w, "fc6")), w, "fc7")), w, "fc8"),)


def unet(w: Weights, data: Data) -> tuple[Array, ...]:
    """Ronneberger et al. 2015, figure 1, on the smallest image that fits: 188 pixels."""

    def pair(x: Array, name: str) -> Array:
        for conv in ("conv1", "conv2"):
            x = relu(convolve(x, w[f"{name}.{conv}.kernel"], w[f"{name}.{conv}.bias"]))
        return x

    def doubled(x: Array, name: str) -> Array:
        """Each cell becomes 2x2 cells, with a matrix for each of the four."""
        cells = jnp.einsum("bhwi,kloi->bhkwlo", x, w[f"{name}.kernel"]) + w[f"{name}.bias"]
        return cells.reshape(len(x), 2 * x.shape[1], 2 * x.shape[2], -1)

    down = [pair(data["image"], "down1.pair1")]
    for level in (2, 3, 4):
        down.append(pair(max_pool(down[-1]), f"down{level}.pair1"))
    h = pair(max_pool(down[-1]), "base.pair1")
    for level in (4, 3, 2, 1):
        h, skip = doubled(h, f"up{level}.rise1.up"), down[level - 1]
        cut = (skip.shape[1] - h.shape[1]) // 2
        h = pair(jnp.concatenate([skip[:, cut:-cut, cut:-cut], h], axis=-1), f"up{level}.rise1.pair1")
    return (convolve(h, w["classify.kernel"], w["classify.bias"]),)
