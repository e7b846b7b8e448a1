"""Kinds of sharing: each is a small net and its twin by hand, plain `jax.numpy` with one array for each owner."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax import Array

Weights = Mapping[str, Any]
"""Arrays of JAX or NumPy, by their owners."""
Data = Mapping[str, Array]


@dataclass(frozen=True)
class Kind:
    """`text` is a file whose last net has the output `y`; `twin` computes it from the owners, whose names are said."""

    text: str
    owners: tuple[str, ...]
    twin: Callable[[Weights, Data], Array]


def dense(w: Weights, name: str, x: Array) -> Array:
    return x @ w[f"{name}.kernel"] + w[f"{name}.bias"]


def convolve(x: Array, kernel: Array) -> Array:
    """Cross-correlation of x [batch, height, width, in] with [size, size, in, out], without padding."""
    size = len(kernel)
    rows, columns = x.shape[1] - size + 1, x.shape[2] - size + 1
    taps = [(i, j) for i in range(size) for j in range(size)]
    return sum((x[:, i : i + rows, j : j + columns] @ kernel[i, j] for i, j in taps), jnp.zeros(()))


def flat(x: Array) -> Array:
    return x.reshape(len(x), -1)


def positions(w: Weights, data: Data) -> Array:
    return dense(w, "d", flat(jnp.tanh(convolve(data["image"], w["c.kernel"]) + w["c.bias"])))


def transposed_convolutions(w: Weights, data: Data) -> Array:
    """Back through the kernel: what a window of 3x3 has seen, it writes where it saw it."""
    h = jnp.tanh(convolve(data["image"], w["down.kernel"]) + w["down.bias"])
    wide = jnp.pad(h, ((0, 0), (2, 2), (2, 2), (0, 0)))
    return convolve(wide, jnp.flip(w["down.kernel"], (0, 1)).swapaxes(2, 3)) + w["up.bias"]


def tower(w: Weights, x: Array) -> Array:
    return dense(w, "t.g", jnp.tanh(dense(w, "t.h", x)))


def branches(w: Weights, data: Data) -> Array:
    return tower(w, data["a"]) * tower(w, data["b"])


def depth(w: Weights, data: Data) -> Array:
    h = data["x"]
    for _ in range(5):
        h = jnp.tanh(dense(w, "step.s", h))
    return h


def twice(w: Weights, data: Data) -> Array:
    x = data["x"]
    return dense(w, "t", jnp.tanh(dense(w, "t", x))) * dense(w, "t", x)


def nets(w: Weights, data: Data) -> Array:
    def inner(x: Array) -> Array:
        return jnp.tanh(dense(w, "inner.d", x))

    return inner(inner(data["x"])) + inner(2 * data["x"])


def transposes(w: Weights, data: Data) -> Array:
    return jnp.tanh(dense(w, "encode", data["x"])) @ w["encode.kernel"].T + w["decode.bias"]


def slices(w: Weights, data: Data) -> Array:
    return jnp.tanh(data["x"] @ w["W"][:, 0:3]) @ w["W"][0:3, 2:6]


def flips(w: Weights, data: Data) -> Array:
    return jnp.tanh(data["x"] @ w["W"]) @ w["W"][::-1]


def rotations(w: Weights, data: Data) -> Array:
    """A quarter turn to the left: what was the last column is the first row."""
    turned = jnp.stack([w["K"][:, 2 - i] for i in range(3)])
    return flat(convolve(data["image"], w["K"]) * convolve(data["image"], turned))


def sums(w: Weights, data: Data) -> Array:
    return jnp.tanh(data["x"] @ ((w["S"] + w["S"].T) / 2)) @ (w["S"] - 0.5 * w["S"].T)


def concatenations(w: Weights, data: Data) -> Array:
    left, right = data["x"] @ w["U"], data["x"] @ w["V"]
    h = jnp.tanh(jnp.concatenate([left, right], axis=-1))
    return h[:, :2] @ w["U"].T + h[:, 2:] @ w["V"].T


TABLE = ("X.XX", ".XX.", "X..X")
"""Which of three maps (rows) feed which of four: seven connections of twelve."""
CONNECTED = [(i, o) for o in range(4) for i in range(3) if TABLE[i][o] == "X"]


def tables(w: Weights, data: Data) -> Array:
    """Map by map, so that an absent connection is nowhere."""
    maps = [jnp.zeros(())] * 4
    for place, (i, o) in enumerate(CONNECTED):
        kernel = w["c.kernel"][:, :, place][:, :, None, None]
        maps[o] = maps[o] + convolve(data["image"][..., i : i + 1], kernel)[..., 0]
    return jnp.tanh(jnp.stack(maps, axis=-1) + w["c.bias"])


def groups(w: Weights, data: Data) -> Array:
    x, kernel = data["image"], w["c.kernel"]
    halves = [convolve(x[..., 2 * g : 2 * g + 2], kernel[..., 3 * g : 3 * g + 3]) for g in range(2)]
    return jnp.tanh(jnp.concatenate(halves, axis=-1) + w["c.bias"])


def arithmetic(w: Weights, data: Data) -> Array:
    h = jnp.tanh(data["x"] @ w["W"] + w["d.bias"]) * w["w"]
    return h @ w["W"] + w["w"]


def captured_layer(w: Weights, data: Data) -> Array:
    def tower(x: Array) -> Array:
        return jnp.tanh(dense(w, "t.s", x))

    return tower(data["x"]) + dense(w, "y.twice1.own", tower(tower(data["x"])))


def captured_weight(w: Weights, data: Data) -> Array:
    h = data["x"]
    for i in range(2):
        h = jnp.tanh(h @ w["W"].T + w[f"h.f1.repeat1.{i}.dense1.bias"])
    return h @ w["W"]


def used_part(w: Weights, data: Data) -> Array:
    h = jnp.tanh(dense(w, "t.s", dense(w, "t.s", data["x"])))
    return h @ w["t.s.kernel"][:, 1:3]


def windows(w: Weights, image: Array, which: Callable[[int, int], tuple[int, int]]) -> Array:
    """Each position of a window of 3x3 by itself, with the set of weights that is its own."""
    rows, columns = image.shape[1] - 2, image.shape[2] - 2
    made = [
        [
            convolve(image[:, i : i + 3, j : j + 3], w["c.kernel"][which(i, j)])[:, 0, 0] + w["c.bias"][which(i, j)]
            for j in range(columns)
        ]
        for i in range(rows)
    ]
    return jnp.stack([jnp.stack(row, axis=1) for row in made], axis=1)


def tiles(w: Weights, data: Data) -> Array:
    return windows(w, data["image"], lambda i, j: (i % 2, j % 2))


def local(w: Weights, data: Data) -> Array:
    return windows(w, data["image"], lambda i, j: (i, j))


def recurrent(w: Weights, data: Data) -> Array:
    """One layer twice, each time over the time steps."""
    x = data["x"]
    for _ in range(2):
        states = [jnp.zeros(3)]
        for t in range(x.shape[1]):
            states.append(jnp.tanh(x[:, t] @ w["r.kernel"] + states[-1] @ w["r.recurrent"] + w["r.bias"]))
        x = jnp.stack(states[1:], axis=1)
    return x


def over_time(w: Weights, data: Data) -> Array:
    steps = [data["x"][:, t] for t in range(data["x"].shape[1])]
    return jnp.stack([jnp.tanh(dense(w, "step.s", step)) for step in steps], axis=1)


def orbits(w: Weights, data: Data) -> Array:
    """The mean over four turns of one kernel."""
    turned = [w["c.kernel"]]
    for _ in range(3):
        turned.append(jnp.stack([turned[-1][:, 2 - i] for i in range(3)]))
    return sum((jnp.tanh(convolve(data["image"], k) + w["c.bias"]) for k in turned), jnp.zeros(())) / 4


def mirrored_groups(w: Weights, data: Data) -> Array:
    """Two copies of each detector, the second mirrored; above, each looks at both, and at its own first."""
    first, second = w["a.kernel"], w["c.kernel"]
    left, right = (jnp.tanh(convolve(data["image"], k) + w["a.bias"]) for k in (first, first[:, ::-1]))
    plain = convolve(left, second[:, :, 0]) + convolve(right, second[:, :, 1])
    mirrored = convolve(right, second[:, ::-1, 0]) + convolve(left, second[:, ::-1, 1])
    return jnp.maximum(plain, mirrored) + w["c.bias"]


def sizes(w: Weights, data: Data) -> Array:
    """The mean over a window of 3x3 and one of 5x5, whose cells lie at 0, 0.4, 1, 1.6 and 2 of the kernel's."""
    tents = jnp.array([[1, 0, 0], [0.6, 0.4, 0], [0, 1, 0], [0, 0.4, 0.6], [0, 0, 1]])
    parts = tents / tents.sum(axis=0)
    large = jnp.einsum("ap,bq,pqio->abio", parts, parts, w["c.kernel"])
    answers = convolve(data["image"][:, 1:-1, 1:-1], w["c.kernel"]), convolve(data["image"], large)
    return sum((jnp.tanh(answer + w["c.bias"]) for answer in answers), jnp.zeros(())) / 2


def tied_head(w: Weights, data: Data) -> Array:
    """A token's row of the table, and the score of each row."""
    return jnp.tanh(w["embed.table"][data["text"]]) @ w["embed.table"].T


def attend(x: Array, query: Array, key: Array, value: Array, out: Array) -> Array:
    """Two heads of two numbers each, example by example."""
    heads = []
    for head in (slice(0, 2), slice(2, 4)):
        q, k, v = x @ query[:, head], x @ key[:, head], x @ value[:, head]
        risen = jnp.exp(jnp.einsum("btc,bpc->btp", q, k) / jnp.sqrt(2.0))
        heads.append(risen / risen.sum(axis=-1, keepdims=True) @ v)
    return jnp.concatenate(heads, axis=-1) @ out


def attention(w: Weights, data: Data) -> Array:
    h = attend(data["x"], *(w[f"a.{slot}"] for slot in ("query", "key", "value", "out")))
    h = h / jnp.sqrt((h**2).mean(axis=-1, keepdims=True) + 1e-6) * w["W"][0]
    return attend(h, w["b.query"], w["W"], w["W"].T, w["a.query"].T)


BIASED = "input x: [4]  layer t = dense(4)"
KINDS = {
    "positions": Kind(
        "net N { input image: [5, 5, 2]  output y = image -> c: conv(3, 3x3) -> tanh -> flatten -> d: dense(2) }",
        ("c.kernel", "c.bias", "d.kernel", "d.bias"),
        positions,
    ),
    "branches": Kind(
        """net N { input a, b: [4]  layer t = h: dense(5) -> tanh -> g: dense(3)
                output y = (a -> t) * (b -> t) }""",
        ("t.h.kernel", "t.h.bias", "t.g.kernel", "t.g.bias"),
        branches,
    ),
    "depth": Kind(
        "net N { input x: [4]  layer step = s: dense(4) -> tanh  output y = x -> repeat 5 { step } }",
        ("step.s.kernel", "step.s.bias"),
        depth,
    ),
    "a layer twice": Kind(
        f"net N {{ {BIASED}  output y = (x -> t -> tanh -> t) * (x -> t) }}", ("t.kernel", "t.bias"), twice
    ),
    "nets as layers": Kind(
        """net Inner { input a: [4]  output b = a -> d: dense(4) -> tanh }
           net N { input x: [4]  layer inner = Inner  output y = (x -> inner -> inner) + (x * 2 -> inner) }""",
        ("inner.d.kernel", "inner.d.bias"),
        nets,
    ),
    "transposes": Kind(
        """net N { input x: [4]  layer encode = dense(6)
                output y = x -> encode -> tanh -> decode: dense(4, kernel = encode.kernel.T) }""",
        ("encode.kernel", "encode.bias", "decode.bias"),
        transposes,
    ),
    "transposed convolutions": Kind(
        """net N { input image: [5, 5, 2]  layer down = conv(3, 3x3)
                output y = image -> down -> tanh -> up: conv_transpose(2, 3x3, kernel = down.kernel) }""",
        ("down.kernel", "down.bias", "up.bias"),
        transposed_convolutions,
    ),
    "slices": Kind(
        """net N { input x: [4]  weight W: [4, 6]  h = x -> dense(3, kernel = W[:, 0:3], bias = false)
                output y = h -> tanh -> dense(4, kernel = W[0:3, 2:6], bias = false) }""",
        ("W",),
        slices,
    ),
    "flips": Kind(
        """net N { input x: [4]  weight W: [4, 4]
                output y = x @ W -> tanh -> dense(4, kernel = flip(W, 0), bias = false) }""",
        ("W",),
        flips,
    ),
    "rotations": Kind(
        """net N { input image: [4, 4, 1]  weight K: [3, 3, 1, 2]
                output y = (image -> conv(2, 3x3, kernel = K, bias = false) -> flatten)
                         * (image -> conv(2, 3x3, kernel = rot90(K), bias = false) -> flatten) }""",
        ("K",),
        rotations,
    ),
    "sums": Kind(
        "net N { input x: [4]  weight S: [4, 4]  h = x @ ((S + S.T) / 2) -> tanh  output y = h @ (S - 0.5 * S.T) }",
        ("S",),
        sums,
    ),
    "concatenations": Kind(
        """net N { input x: [4]  weight U: [4, 2]  weight V: [4, 3]
                output y = x @ concat(U, V) -> tanh -> dense(4, kernel = concat(U, V).T, bias = false) }""",
        ("U", "V"),
        concatenations,
    ),
    "tables": Kind(
        f"""net N {{ input image: [5, 5, 3]
                output y = image -> c: conv(4, 3x3, connect = {list(TABLE)}) -> tanh }}""".replace("'", '"'),
        ("c.kernel", "c.bias"),
        tables,
    ),
    "groups": Kind(
        "net N { input image: [5, 5, 4]  output y = image -> c: conv(6, 3x3, groups = 2) -> tanh }",
        ("c.kernel", "c.bias"),
        groups,
    ),
    "layers and arithmetic": Kind(
        """net N { input x: [4]  weight W: [4, 4]  weight w: [4] = 0.5
                h = x -> d: dense(4, kernel = W) -> tanh  output y = (h * w) @ W + w }""",
        ("W", "w", "d.bias"),
        arithmetic,
    ),
    "captured layers": Kind(
        """block twice(l) { input x  output x -> l -> l -> own: dense(4) }
           net N { input x: [4]  layer t = s: dense(4) -> tanh  output y = (x -> t) + (x -> twice(t)) }""",
        ("t.s.kernel", "t.s.bias", "y.twice1.own.kernel", "y.twice1.own.bias"),
        captured_layer,
    ),
    "captured weights": Kind(
        """block f(w) = repeat 2 { dense(4, kernel = w.T) -> tanh }
           net N { input x: [4]  weight W: [4, 4]  h = x -> f(W)  output y = h @ W }""",
        ("W", "h.f1.repeat1.0.dense1.bias", "h.f1.repeat1.1.dense1.bias"),
        captured_weight,
    ),
    "parts of a layer used twice": Kind(
        """net N { input x: [4]  layer t = s: dense(4) -> identity
                output y = x -> t -> t -> tanh -> dense(2, kernel = t.s.kernel[:, 1:3], bias = false) }""",
        ("t.s.kernel", "t.s.bias"),
        used_part,
    ),
    "tiles": Kind(
        "net N { input image: [6, 6, 1]  output y = image -> c: conv(2, 3x3, tile = 2) }",
        ("c.kernel", "c.bias"),
        tiles,
    ),
    "local": Kind(
        "net N { input image: [4, 4, 1]  output y = image -> c: local(2, 3x3) }", ("c.kernel", "c.bias"), local
    ),
    "recurrent layers": Kind(
        "net N { input x: [4, 3]  layer r = rnn(3)  output y = x -> r -> r }",
        ("r.kernel", "r.recurrent", "r.bias"),
        recurrent,
    ),
    "over time": Kind(
        "net N { input x: [4, 3]  layer step = s: dense(2) -> tanh  output y = x -> over_time { step } }",
        ("step.s.kernel", "step.s.bias"),
        over_time,
    ),
    "tied head": Kind(
        """net N { input text: token(5)[3]  layer embed = embedding(5, 4, init = normal(0.5))
                output y = text -> embed -> tanh -> dense(5, kernel = embed.table.T, bias = false) }""",
        ("embed.table",),
        tied_head,
    ),
    "weights of attention": Kind(
        """net N { input x: [3, 4]  weight W: [4, 4]  layer a = attention(2, bias = false)
                h = x -> a -> rmsnorm(scale = W[0])
                output y = h -> b: attention(2, key = W, value = W.T, out = a.query.T, bias = false) }""",
        ("W", "a.query", "a.key", "a.value", "a.out", "b.query"),
        attention,
    ),
    "orbits": Kind(
        """net N { input image: [5, 5, 1]
                output y = image -> c: conv(2, 3x3, orbit = rot4) -> tanh -> orbit_pool(mean) }""",
        ("c.kernel", "c.bias"),
        orbits,
    ),
    "group convolutions": Kind(
        """net N { input image: [5, 5, 1]
                output y = image -> a: conv(2, 2x2, orbit = flip) -> tanh
                  -> c: conv(2, 2x2, orbit = flip) -> orbit_pool(max) }""",
        ("a.kernel", "a.bias", "c.kernel", "c.bias"),
        mirrored_groups,
    ),
    "sizes": Kind(
        """net N { input image: [6, 6, 1]
                output y = image -> c: conv(2, 3x3, orbit = scale(2)) -> tanh -> orbit_pool(mean) }""",
        ("c.kernel", "c.bias"),
        sizes,
    ),
}
