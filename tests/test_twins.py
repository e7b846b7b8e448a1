"""Every shipped spec equals a twin written by hand in plain `jax.numpy` from equal weights: outputs, loss, gradients.
(For large ones shipped.py names an implementation by others instead.)

Twins know netc's weights by their canonical names and nothing else of it: convolutions are sums over shifted images,
losses the formulas of their papers. Gradients are those of the recipe's own loss, averaged over a batch; of the twin's
for a net without a recipe.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import Array
from shipped import SMALL, SMALLER

import netc
from netc.compiler import flax_source
from netc.emit.recipe import emit_recipe
from netc.ir.network import Program
from netc.layers.digit_codes import DIGIT_CODES
from netc.model import Model, run_source, set_weights, weights_of
from netc.types import Type

SPECS = Path(__file__).parents[1] / "specs"
BATCH = 6

Weights = Mapping[str, Array]
Data = Mapping[str, Array]


def shifted(x: Array, size: int, stride: int = 1) -> Array:
    """What each tap of a window sees of x [batch, height, width, in]: [batch, rows, columns, taps, in]."""
    rows, columns = x.shape[1] - size + 1, x.shape[2] - size + 1
    taps = [(i, j) for i in range(size) for j in range(size)]
    return jnp.stack([x[:, i : i + rows : stride, j : j + columns : stride] for i, j in taps], axis=3)


def convolve(x: Array, kernel: Array, bias: Array, stride: int = 1) -> Array:
    """Cross-correlation of x with a kernel [size, size, in, out], without padding."""
    return jnp.einsum("brcti,tio->brco", shifted(x, len(kernel), stride), kernel.reshape(-1, *kernel.shape[2:])) + bias


def pad(x: Array, width: int) -> Array:
    return jnp.pad(x, ((0, 0), (width, width), (width, width), (0, 0)))


def windows(x: Array) -> Array:
    """The windows of 2x2 that do not overlap: [batch, height / 2, width / 2, 4, channels]."""
    return shifted(x, 2)[:, ::2, ::2]


def max_pool(x: Array) -> Array:
    return windows(x).max(axis=3)


def flat(x: Array) -> Array:
    return x.reshape(len(x), -1)


def relu(x: Array) -> Array:
    return jnp.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + jnp.exp(-x))


def dense(x: Array, w: Weights, name: str) -> Array:
    return x @ w[f"{name}.kernel"] + w[f"{name}.bias"]


def stanh(x: Array) -> Array:
    return 1.7159 * jnp.tanh(2 / 3 * x)


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


def rbf_map(outputs: tuple[Array, ...], data: Data) -> Array:
    """LeCun et al. 1998, equation 9, with j = 1."""
    (y,) = outputs
    return y[jnp.arange(len(y)), data["label"]] + jnp.log(jnp.exp(-1.0) + jnp.exp(-y).sum(axis=-1))


def lenet5_modern(w: Weights, data: Data) -> tuple[Array, ...]:
    h = max_pool(relu(convolve(pad(data["image"], 2), w["C1.kernel"], w["C1.bias"])))
    h = max_pool(relu(convolve(h, w["C3.kernel"], w["C3.bias"])))
    return (dense(relu(dense(relu(dense(flat(h), w, "F5")), w, "F6")), w, "OUTPUT"),)


def digits(w: Weights, data: Data) -> tuple[Array, ...]:
    """Without its dropout, as in evaluation."""
    h = relu(convolve(pad(data["image"], 1), w["conv1.kernel"], w["conv1.bias"]))
    h = max_pool(relu(convolve(pad(h, 1), w["conv2.kernel"], w["conv2.bias"])))
    return (dense(relu(dense(flat(h), w, "hidden")), w, "classes"),)


def tiled(w: Weights, data: Data) -> tuple[Array, ...]:
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


def lstm(xs: list[Array], w: Weights, name: str) -> list[Array]:
    """A state for each step, with every use of the weights written out."""
    n = len(w[f"{name}.recurrent"])
    h = cell = jnp.zeros((len(xs[0]), n))
    states = []
    for x in xs:
        gates = x @ w[f"{name}.kernel"] + h @ w[f"{name}.recurrent"] + w[f"{name}.bias"]
        enter, keep, candidate, show = (gates[:, n * i : n * (i + 1)] for i in range(4))
        cell = sigmoid(keep) * cell + sigmoid(enter) * jnp.tanh(candidate)
        h = sigmoid(show) * jnp.tanh(cell)
        states.append(h)
    return states


def lines_lstm(w: Weights, data: Data) -> tuple[Array, ...]:
    lines = [relu(dense(data["image"][:, row, :, 0], w, "lines.over_time1.line")) for row in range(8)]
    return (dense(lstm(lines, w, "memory")[-1], w, "classes"),)


def word_lstm(w: Weights, data: Data) -> tuple[Array, ...]:
    words = [w["embed.table"][data["words"][:, t]] for t in range(20)]
    states = lstm(lstm(words, w, "lstm1"), w, "lstm2")
    return (jnp.stack([dense(h, w, "scores") for h in states], axis=1),)


def mlp(w: Weights, data: Data) -> tuple[Array, ...]:
    h = relu(dense(flat(data["image"]), w, "logits.for1.0.dense1"))
    return (dense(relu(dense(h, w, "logits.for1.1.dense1")), w, "logits.dense1"),)


def max_norm(w: Weights, data: Data) -> tuple[Array, ...]:
    """Without its dropout, as in evaluation."""
    h = flat(data["image"])
    for i in range(3):
        h = relu(dense(h, w, f"body.{i}.dense1"))
    return (dense(h, w, "digit.dense1"),)


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


def normed(x: Array, w: Weights, name: str) -> Array:
    """Mean 0 and variance 1 of each position, scaled and shifted (Ba, Kiros & Hinton 2016)."""
    mean, var = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) / jnp.sqrt(var + 1e-5) * w[f"{name}.scale"] + w[f"{name}.bias"]


def attended(x: Array, memory: Array, w: Weights, name: str, causal: bool = False) -> Array:
    """Four heads, head by head (Vaswani et al. 2017, section 3.2), with biases where there are any."""
    width, heads = x.shape[-1] // 4, []
    for h in range(4):
        columns = slice(h * width, (h + 1) * width)
        parts = ((seen, w[f"{name}.{s}"]) for seen, s in ((x, "query"), (memory, "key"), (memory, "value")))
        biases = (w.get(f"{name}.{s}_bias", jnp.zeros(4 * width)) for s in ("query", "key", "value"))
        q, k, v = ((seen @ part + bias)[..., columns] for (seen, part), bias in zip(parts, biases, strict=True))
        risen = jnp.exp(jnp.einsum("btc,bpc->btp", q, k) / width**0.5)
        risen = jnp.tril(risen) if causal else risen
        heads.append(risen / risen.sum(axis=-1, keepdims=True) @ v)
    return jnp.concatenate(heads, axis=-1) @ w[f"{name}.out"] + w.get(f"{name}.out_bias", 0.0)


def tied_gpt(w: Weights, data: Data) -> tuple[Array, ...]:
    """GPT-2's layers, without dropout, as in evaluation; the head is the table that bytes are read from."""
    h = w["embed.table"][data["text"]] + w["places.table"]
    for i in range(2):
        name = f"layers.{i}.attend"
        x = normed(h, w, f"{name}.layernorm1")
        h = h + attended(x, x, w, f"{name}.attention1", causal=True)
        name = f"layers.{i}.feed"
        x = dense(normed(h, w, f"{name}.layernorm1"), w, f"{name}.dense1")
        gelu = x / 2 * (1 + jnp.tanh(jnp.sqrt(2 / jnp.pi) * (x + 0.044715 * x**3)))
        h = h + dense(gelu, w, f"{name}.dense2")
    return (normed(h, w, "norm") @ w["embed.table"].T,)


def places(time: int, width: int) -> Array:
    """Vaswani et al. 2017, section 3.5."""
    angles = jnp.arange(time)[:, None] / 10000 ** (jnp.arange(0, width, 2) / width)
    return jnp.stack([jnp.sin(angles), jnp.cos(angles)], axis=-1).reshape(time, width)


def transformer(w: Weights, data: Data) -> tuple[Array, ...]:
    """Vaswani et al. 2017, figure 1, without dropout, as in evaluation; norms stand behind the sums."""

    def fed(x: Array, name: str) -> Array:
        y = dense(relu(dense(x, w, f"{name}.feed.sublayer1.dense1")), w, f"{name}.feed.sublayer1.dense2")
        return normed(x + y, w, f"{name}.feed.sublayer1.layernorm1")

    def alone(x: Array, name: str, causal: bool) -> Array:
        y = attended(x, x, w, f"{name}.self.attention1", causal)
        return normed(x + y, w, f"{name}.self.layernorm1")

    table = w["embed.table"]
    memory, h = (table[data[name]] * 32**0.5 + places(5, 32) for name in ("source", "target"))
    for i in range(2):
        memory = fed(alone(memory, f"encoder.{i}", causal=False), f"encoder.{i}")
    for name in ("decoder.0.decode_on1.decode", "last"):
        h = alone(h, name, causal=True)
        h = normed(h + attended(h, memory, w, f"{name}.look.across"), w, f"{name}.look.norm")
        h = fed(h, name)
    return (h @ table.T,)


def universal_transformer(w: Weights, data: Data) -> tuple[Array, ...]:
    """The same step again and again, without its dropout, as in evaluation."""
    h = dense(data["image"][..., 0], w, "lines")
    for _ in range(3):
        h = h + places(8, 32)
        h = normed(h + attended(h, h, w, "step.attend.attention1"), w, "step.attend.layernorm1")
        x = dense(relu(dense(h, w, "step.transition.dense1")), w, "step.transition.dense2")
        h = normed(h + x, w, "step.transition.layernorm1")
    return (dense(h.mean(axis=1), w, "classes"),)


def next_token(outputs: tuple[Array, ...], data: Data) -> Array:
    """What each next token takes to say, in nats, averaged over the places."""
    (logits,) = outputs
    rows, places = jnp.indices(data["next"].shape)
    spread = jnp.log(jnp.exp(logits).sum(axis=-1))
    return (spread - logits[rows, places, data["next"]]).mean(axis=-1)


def cross_entropy(outputs: tuple[Array, ...], data: Data) -> Array:
    (logits,) = outputs
    return jnp.log(jnp.exp(logits).sum(axis=-1)) - logits[jnp.arange(len(logits)), data["label"]]


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


def first_class(outputs: tuple[Array, ...], data: Data) -> Array:
    """Cross entropy with the class 0 at every position, the mean over them."""
    (logits,) = outputs
    return (jnp.log(jnp.exp(logits).sum(axis=-1)) - logits[..., 0]).mean(axis=(1, 2))


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


def logistic(w: Weights, data: Data) -> tuple[Array, ...]:
    return (sigmoid(flat(data["image"]) @ w["w"] + w["b"]),)


def bernoulli(outputs: tuple[Array, ...], data: Data) -> Array:
    p = outputs[0][:, 0]
    return -jnp.where(data["label"] == 1, jnp.log(p), jnp.log(1 - p))


def autoencoder(w: Weights, data: Data) -> tuple[Array, ...]:
    code = dense(relu(dense(flat(data["image"]), w, "code.dense1")), w, "code.dense2")
    return (sigmoid(dense(relu(dense(code, w, "y.dense1")), w, "y.dense2")).reshape(-1, 28, 28, 1),)


def tied_autoencoder(w: Weights, data: Data) -> tuple[Array, ...]:
    """The decoder goes back through the encoder's kernels, transposed, with biases of its own."""
    h = flat(data["image"])
    for i in (1, 2, 3):
        h = sigmoid(dense(h, w, f"encode{i}"))
    h = dense(h, w, "encode4")
    for i in (4, 3, 2, 1):
        h = sigmoid(h @ w[f"encode{i}.kernel"].T + w[f"decode{i}.bias"])
    return (h.reshape(-1, 28, 28, 1),)


def mnist_autoencoder(w: Weights, data: Data) -> tuple[Array, ...]:
    """As the tied one, but that the decoder has kernels of its own."""
    h = flat(data["image"])
    for i in (1, 2, 3):
        h = sigmoid(dense(h, w, f"encode{i}"))
    h = dense(h, w, "encode4")
    for i in (4, 3, 2, 1):
        h = sigmoid(dense(h, w, f"decode{i}"))
    return (h.reshape(-1, 28, 28, 1),)


def squared_error(outputs: tuple[Array, ...], data: Data) -> Array:
    return ((flat(outputs[0]) - flat(data["image"])) ** 2).sum(axis=-1) / 2


def siamese(w: Weights, data: Data) -> tuple[Array, ...]:
    """One tower, used twice."""

    def tower(x: Array) -> Array:
        h = max_pool(convolve(x, w["tower.conv1.kernel"], w["tower.conv1.bias"]))
        h = max_pool(convolve(h, w["tower.conv2.kernel"], w["tower.conv2.bias"]))
        return dense(dense(relu(dense(flat(h), w, "tower.ip1")), w, "tower.ip2"), w, "tower.feat")

    return tower(data["left"]), tower(data["right"])


def contrastive(outputs: tuple[Array, ...], data: Data) -> Array:
    """Hadsell, Chopra & LeCun 2006, equation 4, with a margin of 1; `same` is 1 for equal classes."""
    a, b = outputs
    distance = jnp.sqrt(((a - b) ** 2).sum(axis=-1))
    return data["same"] * distance**2 / 2 + (1 - data["same"]) * jnp.maximum(0, 1 - distance) ** 2 / 2


@dataclass(frozen=True)
class Twin:
    """A spec by hand: its outputs, its loss for each example, the weights that this loss does not depend on, and the
    sizes that it is compared at, where they are not the spec's own. `lively` ones have larger weights than
    their initialiser, made for wider layers, gives them, and are compared on two examples in float64: over so many
    positions and pools, rounding would choose another path through a relu somewhere."""

    spec: str
    run: Callable[[Weights, Data], tuple[Array, ...]]
    loss: Callable[[tuple[Array, ...], Data], Array]
    idle: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    lively: bool = False


TWINS = (
    Twin("lenet5", lenet5, rbf_map),
    Twin("lenet5_modern", lenet5_modern, cross_entropy),
    Twin("lenet_caffe", lenet_caffe, cross_entropy),
    Twin("cifar10_quick", cifar10_quick, cross_entropy),
    Twin("cifar10_full", cifar10_full, cross_entropy),
    Twin("alexnet", alexnet, cross_entropy, (), (("hidden", 8), ("classes", 10)), lively=True),
    Twin("unet", unet, first_class, (), (("maps", 2), ("size", 188)), lively=True),
    Twin("word_lstm", word_lstm, next_token, (), (("vocab", 50), ("width", 8))),
    Twin("digits", digits, cross_entropy),
    Twin("mlp", mlp, cross_entropy),
    Twin("tiled", tiled, cross_entropy),
    Twin("blocks", blocks, cross_entropy),
    Twin("lines_lstm", lines_lstm, cross_entropy),
    Twin("max_norm", max_norm, cross_entropy),
    Twin("orbit_digits", orbit_digits, cross_entropy),
    # What is added to all scores of a query is lost in their softmax: biases of keys do nothing.
    Twin(
        "tied_gpt",
        tied_gpt,
        next_token,
        ("layers.0.attend.attention1.key_bias", "layers.1.attend.attention1.key_bias"),
        (("context", 12), ("width", 32), ("depth", 2)),
    ),
    Twin("transformer", transformer, next_token, (), (("length", 5), ("width", 32))),
    Twin(
        "universal_transformer",
        universal_transformer,
        cross_entropy,
        ("step.attend.attention1.key_bias",),
        (("width", 32), ("steps", 3)),
    ),
    Twin("logistic", logistic, bernoulli),
    Twin("autoencoder", autoencoder, squared_error),
    Twin("mnist_autoencoder", mnist_autoencoder, squared_error),
    Twin("tied_autoencoder", tied_autoencoder, squared_error),
    # The loss sees the difference of the outputs alone, from which biases that no relu follows cancel.
    Twin("siamese", siamese, contrastive, ("tower.ip2.bias", "tower.feat.bias")),
)


@dataclass
class Pair:
    """A spec's model, in evaluation mode, and its twin, with data for both."""

    net: netc.CompiledNet
    model: Model
    twin: Twin
    data: Data

    def weights(self, model: nnx.Module) -> dict[str, Array]:
        """Weights, or gradients in their place, by canonical names."""
        return {name: jnp.asarray(a) for name, a in weights_of(model, flax_source(self.net.program)).items()}

    def ours(self, model: Model) -> tuple[Array, ...]:
        made = model(*(self.data[field] for _, field in feeds(self.net)))
        return made if isinstance(made, tuple) else (made,)

    def our_loss(self, model: Model) -> Array:
        if not self.net.recipes:
            return self.twin.loss(self.ours(model), self.data).mean()
        names = (name for name, _ in self.net.program.root.outputs)
        loss = run_source(emit_recipe(self.net.recipes[0]), "recipe")["loss"]
        return loss(dict(zip(names, self.ours(model), strict=True)), self.data).mean()

    def their_loss(self, weights: Weights) -> Array:
        return self.twin.loss(self.twin.run(weights, self.data), self.data).mean()

    def check(self) -> dict[str, Array]:
        """Compares outputs, loss and the gradients of what is trained; gives the gradients."""
        weights = self.weights(self.model)
        for a, b in zip(self.ours(self.model), jax.jit(self.twin.run)(weights, self.data), strict=True):
            assert a.shape == b.shape
            assert_close("output", a, b)
        graph, params, rest = nnx.split(self.model, nnx.Param, ...)
        loss, state = jax.jit(jax.value_and_grad(lambda p: self.our_loss(nnx.merge(graph, p, rest))))(params)
        gradients = self.weights(nnx.merge(graph, state, rest))
        other_loss, others = jax.jit(jax.value_and_grad(self.their_loss))(weights)
        assert_close("loss", loss, other_loss)
        assert gradients.keys() == others.keys()
        trained = [name for name, weight in self.net.program.weights() if weight.trainable]
        for name in trained:
            assert_close(f"gradient of {name}", gradients[name], others[name])
        return {name: gradients[name] for name in trained}


def assert_close(what: str, ours: Array, theirs: Array) -> None:
    """Equal but for float32's rounding in sums of another order."""
    scale = max(float(jnp.abs(theirs).max()), 0.01)
    assert np.allclose(ours, theirs, rtol=1e-3, atol=2e-5 * scale), f"{what}: {jnp.abs(ours - theirs).max()} of {scale}"


def feeds(net: netc.CompiledNet) -> tuple[tuple[str, str], ...]:
    """The field of the data for each input of a net."""
    return net.recipes[0].feeds if net.recipes else tuple((name, name) for name in net.program.root.inputs)


def make_pair(twin: Twin) -> Pair:
    net = netc.compile(SPECS / f"{twin.spec}.net", set=dict(twin.sizes))
    model = net.init(seed=3)
    model.eval()
    rng, root = np.random.default_rng(0), net.program.root
    if twin.lively:
        set_weights(model, flax_source(net.program), lively_weights(net.program, rng))
    data: dict[str, Array] = {field: random_values(root.types[name], rng) for name, field in feeds(net)}
    data["label"] = jnp.arange(BATCH) % 2 if twin.spec == "logistic" else jnp.array([3, 3, 8, 0, 9, 1])
    data["same"] = jnp.arange(BATCH) % 2 * 1.0
    texts = [data[field] for field in ("text", "target", "words") if field in data]
    data["next"] = jnp.roll([*texts, data["label"]][0], -1, axis=-1)
    if twin.lively:
        exact = jax.tree.map(in_float64, nnx.state(model, nnx.Param))
        nnx.update(model, exact)
        data = {field: in_float64(values[:2]) for field, values in data.items()}
    return Pair(net, model, twin, data)


def in_float64(numbers: Array) -> Array:
    return numbers.astype(jnp.float64) if jnp.issubdtype(numbers.dtype, jnp.floating) else numbers


def lively_weights(program: Program, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Kernels by their fan-in, so that a net does not fade, and biases that are not all the same."""

    def numbers(shape: tuple[int, ...]) -> np.ndarray:
        return rng.normal(0, (2 / np.prod(shape[:-1])) ** 0.5 if len(shape) > 1 else 0.1, shape).astype(np.float32)

    return {name: numbers(weight.shape) for name, weight in program.weights()}


def random_values(type_: Type, rng: np.random.Generator) -> Array:
    """A batch of an input's type."""
    shape = (BATCH, *type_.shape)
    return jnp.asarray(rng.integers(0, type_.element.size, shape) if type_.element.size else rng.random(shape, "f"))


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.spec)
def test_a_spec_equals_its_twin(twin: Twin) -> None:
    with jax.enable_x64(twin.lively):
        gradients = make_pair(twin).check()
        idle = [name for name, gradient in gradients.items() if jnp.abs(gradient).max() < 1e-6]
    assert tuple(idle) == twin.idle


def test_every_spec_has_a_twin() -> None:
    assert {twin.spec for twin in TWINS} == {path.stem for path in SMALL} | set(SMALLER)


def test_lenet5_equals_its_twin_where_classes_compete() -> None:
    """Fresh weights are far from every code, and there equation 9's second term is the constant j. Near the code of
    the digit 3 it is not: exp(-y) of that class then outweighs exp(-j), and pushes away whatever is no 3."""
    pair = make_pair(TWINS[0])
    weights = {name: np.asarray(a) for name, a in pair.weights(pair.model).items()}
    weights["F6.bias"] = 0.95 * np.array(DIGIT_CODES[3], np.float32)
    set_weights(pair.model, flax_source(pair.net.program), weights)
    distances = pair.ours(pair.model)[0]
    assert (distances.argmin(axis=-1) == 3).all() and (jnp.exp(-distances[:, 3]) > jnp.exp(-1.0)).all()
    pair.check()


def test_a_tower_s_weights_are_shared() -> None:
    """The gradient of a shared weight is the sum over its uses: each branch alone gives a part of it."""
    pair = make_pair(TWINS[-1])
    whole = pair.check()
    weights = pair.weights(pair.model)

    def loss(left: Weights, right: Weights) -> Array:
        outputs = siamese(left, pair.data)[0], siamese(right, pair.data)[1]
        return contrastive(outputs, pair.data).mean()

    by_left, by_right = jax.jit(jax.grad(loss, argnums=(0, 1)))(weights, weights)
    for name, gradient in whole.items():
        assert_close(name, gradient, by_left[name] + by_right[name])
        assert jnp.abs(by_left[name]).max() > 1e-6 and jnp.abs(by_right[name]).max() > 1e-6
