"""Runs the IR in plain numpy: what a program means, by code that shares nothing with the emitter or with JAX.

Values and weights are arrays with a batch axis first; weights go by their canonical names. Evaluation mode.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy_orbits import scaled, turned
from numpy_sequences import attention, embedding, groupnorm, layernorm, position, rmsnorm
from numpy_windows import pads_of, spread, taps

from netc.ir.network import Derived, Instance, Network, Program, View

Array = np.ndarray
Function = Callable[..., tuple[Array, ...]]
Captured = Mapping[str, Any]
"""What a network takes from outside: arrays for weights, functions for layers."""


def run(program: Program, weights: Mapping[str, Array], inputs: Sequence[Array]) -> tuple[Array, ...]:
    """The outputs of a program for a batch of each input."""
    return Run(program, weights).network(program.root, "", {}, inputs)


class Run:
    def __init__(self, program: Program, weights: Mapping[str, Array]) -> None:
        self.program, self.weights = program, weights

    def network(self, network: Network, prefix: str, captured: Captured, inputs: Sequence[Array]) -> tuple[Array, ...]:
        values = dict(zip(network.inputs, inputs, strict=True))
        for call in network.calls:
            function = self.function(call.instance, network, prefix, captured, call.network)
            flowing = tuple(values[name] for name in call.inputs)
            if call.over_time:
                flowing = at_each_step(function, flowing)
            for _ in range(0 if call.over_time else call.times):
                flowing = function(*flowing)
            values |= zip(call.outputs, flowing, strict=True)
        for value in network.values:
            assert values[value.name].shape[1:] == value.type.array_shape or value.name not in used_with_batch(network)
        return tuple(values[name] for _, name in network.outputs)

    def function(
        self, path: str, network: Network, prefix: str, captured: Captured, variant: str | None = None
    ) -> Function:
        """What a path names: a captured layer, an instance here, or one inside another."""
        if path in captured:
            return captured[path]
        instance = network.by_name[path]
        if instance.count is None:
            return self.instance(instance, f"{prefix}{path}.", network, prefix, captured, variant)
        numbers = range(instance.start, instance.start + instance.count)
        row = [self.instance(instance, f"{prefix}{path}.{i}.", network, prefix, captured, variant) for i in numbers]

        def in_turn(*flowing: Array) -> tuple[Array, ...]:
            for function in row:
                flowing = function(*flowing)
            return flowing

        return in_turn

    def instance(
        self, it: Instance, own: str, network: Network, prefix: str, captured: Captured, variant: str | None
    ) -> Function:
        """One instance as a function; `own` is the beginning of its weights' names."""
        if it.network is not None:
            inner = self.program.by_name[variant or it.network]
            taken = {
                name: self.function(bound, network, prefix, captured)
                if isinstance(bound, str)
                else self.view(bound, prefix, captured)
                for name, bound in it.captures
            }
            return lambda *inputs: self.network(inner, own, taken, inputs)
        layer = it.layer
        weights = {w.name: self.weights[own + w.name] for w in it.weights}
        weights |= {slot: self.view(view, prefix, captured) for slot, view in it.views}
        function = LAYERS[layer.kind if layer else ""]
        if layer and "pool" in layer.kind and layer.kind != "orbit_pool" and it.inputs[0].orbit is not None:
            function = copy_by_copy(function)
        return lambda *inputs: as_tuple(function(layer, weights, *inputs))

    def view(self, view: View, prefix: str, captured: Captured) -> Array:
        if isinstance(view, Derived):
            operands = [self.view(operand, prefix, captured) for operand in view.operands]
            found = VIEWS[view.operation](view.settings, *operands)
        else:
            found = captured[view.path] if view.path in captured else self.weights[prefix + view.path]
        assert found.shape == view.shape
        return found


def at_each_step(function: Function, values: tuple[Array, ...]) -> tuple[Array, ...]:
    """A function for one step in time, on all steps one after the other."""
    steps = [function(*(v[:, t] for v in values)) for t in range(values[0].shape[1])]
    return tuple(np.stack(parts, axis=1) for parts in zip(*steps, strict=True))


def used_with_batch(network: Network) -> set[str]:
    """The values that have a batch axis: all but weights that are read as values."""
    read = {i.name for i in network.instances if i.layer is not None and i.layer.kind == "read"}
    return {v.name for v in network.values} - {v for c in network.calls if c.instance in read for v in c.outputs}


def as_tuple(made: Any) -> tuple[Array, ...]:
    return made if isinstance(made, tuple) else (made,)


def copy_by_copy(function: Callable[..., Array]) -> Callable[..., Array]:
    """Does to each copy of an orbit, whose axis is the last but one, what a function does to an image."""
    return lambda layer, weights, x: np.stack(
        [function(layer, weights, x[..., i, :]) for i in range(x.shape[-2])], axis=-2
    )


VIEWS: dict[str, Callable[..., Array]] = {
    "transpose": lambda s, w: np.transpose(w),
    "slice": lambda s, w: w[tuple(b if isinstance(b, int) else slice(*b) for b in s)],
    "flip": lambda s, w: np.flip(w, s[0]),
    "rot90": lambda s, w: np.rot90(w, s[0]),
    "add": lambda s, a, b: a + b,
    "subtract": lambda s, a, b: a - b,
    "multiply": lambda s, w: w * s[0],
    "divide": lambda s, w: w / s[0],
    "negate": lambda s, w: -w,
    "concat": lambda s, *w: np.concatenate(w, axis=s[0]),
}


def local(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    """Position by position, tap by tap, with the set of weights of the position: its own, or the one whose turn it
    is."""
    rank = x.ndim - 2
    size, stride = spread(layer.size, rank), spread(layer.stride, rank)
    dilation, groups = spread(getattr(layer, "dilation", (1,)), rank), getattr(layer, "groups", 1)
    padded = np.pad(x, ((0, 0), *pads_of(layer, x, size, stride, dilation), (0, 0)))
    reach = [d * (n - 1) + 1 for n, d in zip(size, dilation, strict=True)]
    out = [(n - r) // s + 1 for n, r, s in zip(padded.shape[1:-1], reach, stride, strict=True)]
    fed, made = x.shape[-1] // groups, layer.channels // groups
    y = np.zeros((len(x), *out, layer.channels), x.dtype)
    for place in product(*map(range, out)):
        turn = tuple(p % k for p, k in zip(place, weights["kernel"].shape, strict=False))
        for tap in product(*map(range, size)):
            cell = tuple(p * s + t * d for p, s, t, d in zip(place, stride, tap, dilation, strict=True))
            for g in range(groups):
                ins, outs = slice(g * fed, (g + 1) * fed), slice(g * made, (g + 1) * made)
                y[(slice(None), *place, outs)] += (
                    padded[(slice(None), *cell, ins)] @ weights["kernel"][turn][tap][:, outs]
                )
        y[(slice(None), *place)] += weights["bias"][turn] if "bias" in weights else 0
    return y


def recurrent(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    """Step by step, by the equations of the layer's documentation."""
    n, order = layer.n, range(x.shape[1])
    h, cells, states = np.zeros((len(x), n)), np.zeros((len(x), n)), np.zeros((*x.shape[:2], n))
    for t in reversed(order) if layer.reverse else order:
        step = [(x[:, t], weights["kernel"]), (h, weights["recurrent"])]

        def gate(i: int, step: Any = step) -> Array:
            columns = slice(i * n, (i + 1) * n)
            return sum(v @ w[:, columns] for v, w in step) + weights["bias"][columns]

        match layer.kind:
            case "rnn":
                h = np.tanh(gate(0)) if layer.activation == "tanh" else np.maximum(gate(0), 0)
            case "gru":
                update, reset = sigmoid(gate(0)), sigmoid(gate(1))
                step[1] = (reset * h, weights["recurrent"])
                h = update * h + (1 - update) * np.tanh(gate(2))
            case _:
                cells = sigmoid(gate(1)) * cells + sigmoid(gate(0)) * np.tanh(gate(2))
                h = sigmoid(gate(3)) * np.tanh(cells)
        states[:, t] = h
    return h if layer.last else states


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def conv(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    if set(layer.tile) != {1}:
        return local(layer, weights, x)
    if layer.orbit is not None:
        return (scaled if layer.orbit.kind == "scale" else turned)(layer, weights, x)
    rank = x.ndim - 2
    size, stride, dilation = (spread(e, rank) for e in (layer.size, layer.stride, layer.dilation))
    kernel = weights["kernel"]
    if layer.connect:
        pairs = [(i, o) for o in range(layer.channels) for i in range(x.shape[-1]) if layer.connect[i][o] == "X"]
        table = np.zeros((*size, x.shape[-1], layer.channels), kernel.dtype)
        for n, (i, o) in enumerate(pairs):
            table[..., i, o] = kernel[..., n]
        kernel = table
    inputs, outputs = x.shape[-1] // layer.groups, layer.channels // layer.groups
    total: Any = 0
    for tap, cells in taps(x, size, stride, dilation, pads_of(layer, x, size, stride, dilation), 0.0):
        groups = [
            cells[..., g * inputs : (g + 1) * inputs] @ kernel[tap][:, g * outputs : (g + 1) * outputs]
            for g in range(layer.groups)
        ]
        total = total + np.concatenate(groups, axis=-1)
    return total + weights.get("bias", 0)


def pool(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    rank = x.ndim - 2
    size = spread(layer.size, rank)
    stride = spread(layer.stride or layer.size, rank)
    ones = (1,) * rank
    pads = pads_of(layer, x, size, stride, ones)
    cells = np.stack([part for _, part in taps(x, size, stride, ones, pads, np.nan)])
    return np.nanmax(cells, axis=0) if layer.kind == "maxpool" else np.nanmean(cells, axis=0)


def subsample(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    rank = x.ndim - 2
    size, none = spread(layer.size, rank), ((0, 0),) * rank
    total = sum(cells for _, cells in taps(x, size, size, (1,) * rank, none, 0.0))
    return total * weights["coefficient"] + weights["bias"]


def softmax(x: Array) -> Array:
    risen = np.exp(x - x.max(axis=-1, keepdims=True))
    return risen / risen.sum(axis=-1, keepdims=True)


def batchnorm(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    scaled = (x - weights["mean"]) / np.sqrt(weights["var"] + layer.epsilon)
    return scaled * weights["scale"] + weights["bias"]


def aligned(values: Sequence[Array]) -> list[Array]:
    """Numbers and channel vectors of each example beside values of more axes."""
    rank = max(v.ndim for v in values)
    return [v.reshape(v.shape[0], *(1,) * (rank - v.ndim), *v.shape[1:]) for v in values]


def arithmetic(layer: Any, weights: dict[str, Array], *values: Array) -> Array:
    sides = list(values) if layer.weight else aligned(values)
    left = sides.pop(0) if layer.left is None else layer.left
    right = sides.pop(0) if layer.right is None else layer.right
    match layer.operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return left / right
        case _:
            return left**right


def gelu(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    if layer.approximate:
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x * 0.5 * (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2)))


def swiglu(layer: Any, w: dict[str, Array], x: Array) -> Array:
    gate = x @ w["gate"] + w.get("gate_bias", 0)
    return gate * sigmoid(gate) * (x @ w["kernel"] + w.get("bias", 0))


def lrn(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    half, n = layer.size // 2, x.shape[-1]
    sums = [(x[..., max(i - half, 0) : i + half + 1] ** 2).sum(axis=-1) for i in range(n)]
    return x / (layer.k + layer.alpha * np.stack(sums, axis=-1)) ** layer.beta


def around(layer: Any, x: Array) -> list[tuple[int, int]]:
    """The cells of `pad` and `crop` on each axis; none on those of the batch and channels."""
    cells = layer.cells * (x.ndim - 2) if len(layer.cells) == 1 else layer.cells
    return [(0, 0), *cells, (0, 0)]


def pad(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    mode: Any = "constant" if layer.mode == "zero" else layer.mode
    return np.pad(x, around(layer, x), mode=mode)


def conv_transpose(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    """Every number writes its multiple of the window; `pad` then cuts cells off, `output_pad` adds some behind."""
    rank = x.ndim - 2
    size, stride, behind, dilation = (
        spread(e, rank) for e in (layer.size, layer.stride, layer.output_pad, layer.dilation)
    )
    whole = [s * (n - 1) + d * (k - 1) + 1 for n, s, d, k in zip(x.shape[1:-1], stride, dilation, size, strict=True)]
    room = [max(w, s * n) + b for w, s, n, b in zip(whole, stride, x.shape[1:-1], behind, strict=True)]
    laid = np.zeros((len(x), *room, layer.channels))
    fed, made = x.shape[-1] // layer.groups, layer.channels // layer.groups
    for place in product(*map(range, x.shape[1:-1])):
        for tap in product(*map(range, size)):
            cell = tuple(p * s + t * d for p, s, t, d in zip(place, stride, tap, dilation, strict=True))
            for g in range(layer.groups):
                given = x[(slice(None), *place, slice(g * fed, (g + 1) * fed))]
                laid[(slice(None), *cell, slice(g * made, (g + 1) * made))] += (
                    given @ weights["kernel"][tap][:, g * fed : (g + 1) * fed].T
                )
    if layer.pad == "same":
        wanted = [n * s for n, s in zip(x.shape[1:-1], stride, strict=True)]
        cuts = [max(w - n, 0) // 2 for w, n in zip(whole, wanted, strict=True)]
    else:
        cuts = [0] * rank if layer.pad == "valid" else list(spread(layer.pad, rank))
        wanted = [w - 2 * c + b for w, c, b in zip(whole, cuts, behind, strict=True)]
    kept = laid[(slice(None), *(slice(c, c + n) for c, n in zip(cuts, wanted, strict=True)))]
    return kept + weights.get("bias", 0)


def upsample(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    """Axis by axis: what stands at (p + 1/2) / factor - 1/2, or in the cell where that is."""
    for axis, factor in enumerate(spread(layer.factor, x.ndim - 2), 1):
        n = x.shape[axis]
        places = (np.arange(n * factor) + 0.5) / factor - 0.5
        if layer.mode == "nearest":
            x = np.take(x, np.floor(places + 0.5).astype(int), axis=axis)
            continue
        places = np.clip(places, 0, n - 1)
        left = np.minimum(places.astype(int), max(n - 2, 0))
        part = (places - left).reshape(-1, *(1,) * (x.ndim - axis - 1))
        right = np.take(x, np.minimum(left + 1, n - 1), axis=axis)
        x = np.take(x, left, axis=axis) * (1 - part) + right * part
    return x


def pixel_shuffle(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    r = layer.r
    made = np.zeros((len(x), r * x.shape[1], r * x.shape[2], x.shape[3] // (r * r)))
    for i, j in product(range(r), range(r)):
        made[:, i::r, j::r] = x[..., i * r + j :: r * r]
    return made


def adaptive(layer: Any, weights: dict[str, Array], x: Array) -> Array:
    sizes = spread(layer.size, x.ndim - 2)
    made = np.zeros((len(x), *sizes, x.shape[-1]))
    for place in product(*map(range, sizes)):
        cells = tuple(
            slice(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(place, x.shape[1:-1], sizes, strict=True)
        )
        seen = x[(slice(None), *cells)].reshape(len(x), -1, x.shape[-1])
        made[(slice(None), *place)] = seen.max(axis=1) if "max" in layer.kind else seen.mean(axis=1)
    return made


def elementwise(function: Callable[[Array], Array]) -> Callable[..., Array]:
    return lambda layer, weights, x: function(x)


def total(layer: Any, weights: dict[str, Array], *values: Array) -> Array:
    found = aligned(values)
    return sum(found[1:], found[0])


def times(layer: Any, weights: dict[str, Array], *values: Array) -> Array:
    found: Any = 1
    for value in aligned(values):
        found = found * value
    return found


LAYERS: dict[str, Callable[..., Any]] = {
    "identity": lambda layer, weights, *values: values,
    "dense": lambda layer, w, x: x @ w["kernel"] + w.get("bias", 0),
    "conv": conv,
    "local": local,
    "conv_transpose": conv_transpose,
    "upsample": upsample,
    "pixel_shuffle": pixel_shuffle,
    "adaptive_avgpool": adaptive,
    "adaptive_maxpool": adaptive,
    "rnn": recurrent,
    "gru": recurrent,
    "lstm": recurrent,
    "orbit_pool": lambda layer, weights, x: getattr(x, layer.keep)(axis=-2),
    "maxpool": pool,
    "avgpool": pool,
    "subsample": subsample,
    "global_avgpool": elementwise(lambda x: x.mean(axis=tuple(range(1, x.ndim - 1)))),
    "global_maxpool": elementwise(lambda x: x.max(axis=tuple(range(1, x.ndim - 1)))),
    "rbf": lambda layer, weights, x: ((x[:, None, :] - np.array(layer.codes)) ** 2).sum(axis=-1),
    "flatten": elementwise(lambda x: x.reshape(x.shape[0], -1)),
    "reshape": lambda layer, weights, x: x.reshape(x.shape[0], *layer.shape),
    "concat": lambda layer, weights, *values: np.concatenate(values, axis=-1),
    "add": total,
    "mul": times,
    "dropout": elementwise(lambda x: x),
    "batchnorm": batchnorm,
    "layernorm": layernorm,
    "rmsnorm": rmsnorm,
    "groupnorm": groupnorm,
    "embedding": embedding,
    "position": position,
    "attention": attention,
    "softmax": elementwise(softmax),
    "log_softmax": elementwise(lambda x: np.log(softmax(x))),
    "relu": elementwise(lambda x: np.maximum(x, 0)),
    "leaky_relu": lambda layer, weights, x: np.where(x > 0, x, layer.slope * x),
    "elu": lambda layer, weights, x: np.where(x > 0, x, layer.alpha * np.expm1(np.minimum(x, 0))),
    "gelu": gelu,
    "silu": elementwise(lambda x: x / (1 + np.exp(-x))),
    "softplus": elementwise(lambda x: np.logaddexp(x, 0)),
    "sigmoid": elementwise(sigmoid),
    "tanh": elementwise(np.tanh),
    "exp": elementwise(np.exp),
    "abs": elementwise(np.abs),
    "sin": elementwise(np.sin),
    "cos": elementwise(np.cos),
    "selu": elementwise(lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))),
    "relu6": elementwise(lambda x: np.clip(x, 0, 6)),
    "hard_sigmoid": elementwise(lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    "hard_swish": elementwise(lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    "hard_tanh": elementwise(lambda x: np.clip(x, -1, 1)),
    "prelu": lambda layer, w, x: np.where(x > 0, x, w["slope"] * x),
    "swiglu": swiglu,
    "lrn": lrn,
    "droppath": elementwise(lambda x: x),
    "gaussian_noise": elementwise(lambda x: x),
    "maxout": lambda layer, weights, x: x.reshape(*x.shape[:-1], -1, layer.k).max(axis=-1),
    "split": lambda layer, weights, x: tuple(np.split(x, layer.parts, axis=layer.axis)),
    "slice": lambda layer, weights, x: x[..., slice(layer.start, layer.stop, layer.step)],
    "pad": pad,
    "crop": lambda layer, weights, x: x[
        tuple(slice(a, n - b) for n, (a, b) in zip(x.shape, around(layer, x), strict=True))
    ],
    "arithmetic": arithmetic,
    "negate": elementwise(lambda x: -x),
    "matmul": lambda layer, weights, x, *other: x @ (weights["kernel"] if layer.shape else other[0]),
    "read": lambda layer, weights: weights["weight"],
}
