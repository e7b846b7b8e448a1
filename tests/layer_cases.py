"""The table of layers in use that the layer tests walk, and how one is run from its lowering alone."""

from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import lax
from layer_types import IMAGE, SEQUENCE, VOLUME, Types, f32, over
from vision_cases import VISION

from netc.kernels import attention, gates, local, modules, norms, orbits, recurrent, resample, transpose
from netc.layers import LAYERS
from netc.layers.activations import Elu, Gelu, LeakyRelu, Relu
from netc.layers.attention import Attention
from netc.layers.base import Layer, Refusal
from netc.layers.conv import Conv
from netc.layers.digit_codes import DIGIT_CODES
from netc.layers.initialisers import Constant, FanIn, He, Normal
from netc.layers.linear import Dense
from netc.layers.local import Local
from netc.layers.normalise import Batchnorm, Dropout, Groupnorm, Layernorm, Rmsnorm
from netc.layers.orbits import Flip, OrbitPool, Rot4, Rot4Flip, Scale
from netc.layers.output import Rbf
from netc.layers.pool import Avgpool, GlobalAvgpool, GlobalMaxpool, Maxpool, Subsample
from netc.layers.recurrent import Gru, Lstm, Rnn
from netc.layers.sequence import Embedding, Position, Prepend
from netc.layers.shape import Add, Concat, Flatten, Identity, Mul, Reshape, Windows
from netc.types import F32, I32, Element, Type

SUPPORTING = (modules, local, norms, attention, orbits, recurrent, transpose, resample, gates)
SUPPORT = {name: thing for module in SUPPORTING for name, thing in vars(module).items()}
"""What emitted source can use beyond Flax."""

LENET_TABLE = (
    "X...XXX..XXXX.XX",
    "XX...XXX..XXXX.X",
    "XXX...XXX..X.XXX",
    ".XXX..XXXX..X.XX",
    "..XXX..XXXX.XX.X",
    "...XXX..XXXX.XXX",
)
SMALL_TABLE = ("X.X", ".XX")


def tokens(size: int, *shape: int) -> Type:
    return Type(shape, Element("token", size))


ORBITED = (over(Rot4(), 5, 5, 4), over(Rot4(), 4), f32(4), over(Rot4(), 1), f32())
CASES: tuple[tuple[Layer, Types], ...] = (
    (Identity(), (IMAGE,)),
    (Dense(5), (f32(7),)),
    (Dense(5, bias=False, init=He()), (IMAGE,)),
    (Dense(5, bias_init=Constant(0.5)), (SEQUENCE,)),
    (Conv(6, (3,)), (SEQUENCE,)),
    (Conv(6, (3,), (2,), (2,), (2,)), (SEQUENCE,)),
    (Conv(6, (3, 2)), (IMAGE,)),
    (Conv(6, (3,), (2,), "same"), (IMAGE,)),
    (Conv(6, (3,), pad="same", dilation=(2,)), (IMAGE,)),
    (Conv(6, (3, 2), (2, 1), (1, 0), bias=False), (IMAGE,)),
    (Conv(6, (3,), groups=2, init=FanIn(2.4), bias_init=Constant(1.0)), (IMAGE,)),
    (Conv(3, (2,)), (VOLUME,)),
    (Conv(3, (2, 3, 1), (2,), "same"), (VOLUME,)),
    (Conv(3, (2,), connect=SMALL_TABLE), (f32(6, 2),)),
    (Conv(3, (2, 3), connect=SMALL_TABLE, init=FanIn(2.4)), (f32(6, 5, 2),)),
    (Conv(3, (3,), (2,), (1,), (2,), connect=SMALL_TABLE, bias=False), (VOLUME,)),
    (Conv(3, (3,), tile=(2,)), (SEQUENCE,)),
    (Conv(3, (3, 2), tile=(2, 3)), (IMAGE,)),
    (Conv(3, (3,), (2,), "same", tile=(2,), bias=False), (IMAGE,)),
    (Conv(4, (2,), pad=(1, 0), dilation=(2,), groups=2, tile=(3, 1), bias_init=Constant(0.5)), (IMAGE,)),
    (Conv(2, (2,), tile=(9,), init=He()), (f32(4, 4, 2),)),
    (Conv(2, (2,), tile=(2, 1, 3)), (VOLUME,)),
    (Local(3, (3,)), (SEQUENCE,)),
    (Local(3, (3, 2), (2, 1), (1, 0)), (IMAGE,)),
    (Local(2, (3,), (2,), "same", bias=False, init=FanIn(2.4)), (IMAGE,)),
    (Local(2, (2, 3, 1), (2,), bias_init=Constant(0.1)), (VOLUME,)),
    *VISION,
    (Rnn(5), (SEQUENCE,)),
    (Rnn(3, True, True, activation="relu", bias_init=Constant(0.2)), (SEQUENCE,)),
    (Gru(3), (SEQUENCE,)),
    (Gru(3, last=True, init=He()), (f32(1, 2),)),
    (Gru(3, reverse=True), (SEQUENCE,)),
    (Lstm(3), (SEQUENCE,)),
    (Lstm(3, last=True, recurrent_init=Constant(0.3), bias_init=Constant(0.1), forget=0.5), (SEQUENCE,)),
    (Lstm(2, last=True, reverse=True), (SEQUENCE,)),
    (Embedding(7, 5), (tokens(7, 9),)),
    (Embedding(1, 4, Normal(1.0)), (tokens(1, 3, 2),)),
    (Embedding(5, 3), (tokens(5),)),
    (Position(9), (SEQUENCE,)),
    (Position(12, init=Normal(1.0)), (SEQUENCE,)),
    (Position(30, "sinusoidal"), (f32(21, 6),)),
    (Position(4, "sinusoidal"), (f32(4, 5),)),
    (Prepend(), (SEQUENCE,)),
    (Prepend(3, Normal(1.0)), (f32(1, 5),)),
    (Attention(2), (SEQUENCE,)),
    (Attention(3, True, bias=False, init=He()), (f32(5, 6),)),
    (Attention(4, causal=True, kv_heads=2, head_width=6, rotary=True), (f32(7, 5),)),
    (Attention(6, kv_heads=1, out_init=He(), bias_init=Normal(0.5)), (f32(4, 6), f32(7, 2))),
    (Attention(2, head_width=2, rotary=True, rotary_base=50.0, dropout=0.4), (f32(1, 3),)),
    (Attention(2, causal=True, dropout=0.4), (f32(6, 4), f32(6, 4))),
    (Conv(3, (3,), orbit=Rot4()), (f32(6, 6, 2),)),
    (Conv(3, (2,), (2,), orbit=Rot4(), bias=False), (over(Rot4(), 6, 6, 2),)),
    (Conv(2, (3,), pad="same", orbit=Rot4Flip(), init=FanIn(2.4)), (f32(5, 5, 1),)),
    (Conv(2, (3,), pad=(1,), dilation=(2,), orbit=Rot4Flip()), (over(Rot4Flip(), 6, 6, 2),)),
    (Conv(3, (3, 2), (1, 2), orbit=Flip(), bias_init=Constant(1.0)), (f32(6, 5, 2),)),
    (Conv(3, (2, 3), pad="same", orbit=Flip()), (over(Flip(), 6, 5, 2),)),
    (Conv(3, (3,), orbit=Scale(3)), (f32(8, 9, 2),)),
    (Conv(3, (2, 3), (2,), "same", (2,), orbit=Scale(2), init=He()), (over(Scale(2), 7, 8, 2),)),
    (OrbitPool("max"), (over(Rot4(), 6, 5, 2),)),
    (OrbitPool("mean"), (over(Scale(3), 4),)),
    (Subsample((2,)), (SEQUENCE,)),
    (Subsample((2, 3)), (IMAGE,)),
    (Subsample((2,), init=Constant(0.3), bias_init=Constant(0.1)), (VOLUME,)),
    *(
        (pool(size, stride, pad, rounding), (input,))
        for pool in (Maxpool, Avgpool)
        for size, stride, pad, rounding, input in (
            ((2,), None, "valid", "down", SEQUENCE),
            ((2, 3), None, "valid", "down", IMAGE),
            ((3,), (2,), "valid", "down", IMAGE),
            ((3,), (2,), "valid", "up", IMAGE),
            ((2,), (3,), "valid", "up", IMAGE),
            ((3,), (2,), "same", "down", IMAGE),
            ((3,), (2,), (1,), "up", IMAGE),
            ((2, 3), (2,), (1, 0), "down", IMAGE),
            ((3,), (2,), "valid", "up", VOLUME),
            ((3,), (2,), (1,), "up", over(Rot4(), 6, 6, 2)),
        )
    ),
    (GlobalMaxpool(), (IMAGE,)),
    (GlobalMaxpool(), (SEQUENCE,)),
    (GlobalAvgpool(), (IMAGE,)),
    (GlobalMaxpool(), (over(Rot4(), 5, 5, 3),)),
    (GlobalAvgpool(), (over(Scale(3), 5, 4, 3),)),
    (GlobalAvgpool(), (VOLUME,)),
    (Rbf(DIGIT_CODES), (f32(84),)),
    (Rbf(((1.0, -2.5, 0.0), (1e-7, 3.0, 1.0))), (f32(3),)),
    (Flatten(), (IMAGE,)),
    (Flatten(), (f32(),)),
    (Windows((3, 2)), (IMAGE,)),
    (Windows((3,), (2,)), (IMAGE,)),
    (Reshape((8, 28)), (IMAGE,)),
    (Concat(), (f32(4, 2), f32(4, 3), f32(4, 1))),
    (Concat(), (Type((3,), I32), Type((2,), I32))),
    (Concat(), (over(Rot4(), 4, 4, 3), over(Rot4(), 4, 4, 2))),
    *(
        (joined(), inputs)
        for joined in (Add, Mul)
        for inputs in (
            (IMAGE, IMAGE, IMAGE),
            (IMAGE, f32(4)),
            (f32(), IMAGE),
            (f32(4), f32(1)),
            (f32(1), f32()),
            ORBITED,
        )
    ),
    (Dropout(0.25), (IMAGE,)),
    (Batchnorm(), (f32(5),)),
    (Batchnorm(0.8, 1e-3), (IMAGE,)),
    (Batchnorm(), (over(Flip(), 4, 4, 3),)),
    (Layernorm(), (f32(5),)),
    (Layernorm(False, 1e-3), (IMAGE,)),
    (Layernorm(), (over(Rot4(), 4, 4, 3),)),
    (Rmsnorm(), (SEQUENCE,)),
    (Rmsnorm(0.1), (over(Flip(), 4, 3, 2),)),
    (Groupnorm(2), (IMAGE,)),
    (Groupnorm(3, 1e-2), (f32(6),)),
    (Groupnorm(4), (SEQUENCE,)),
    (Groupnorm(2), (over(Scale(3), 4, 3, 4),)),
    (Gelu(True), (IMAGE,)),
    (Relu(), (over(Rot4Flip(), 4, 4, 3),)),
    (Elu(0.3), (IMAGE,)),
    (LeakyRelu(0.2), (IMAGE,)),
    *((kind(), (IMAGE,)) for kind in LAYERS if kind.elementwise or kind.kind in ("softmax", "log_softmax")),
)
POSITIVE = ("log", "sqrt")
"""Kinds that are defined for positive numbers alone."""


def label(value: object) -> str:
    if isinstance(value, Layer):
        settings = ",".join(f"{k}={v}" for k, v in value.given().items() if k != "codes")
        return f"{value.kind}({settings})"
    if callable(value):
        return "numpy"
    return "+".join(map(str, value)) if isinstance(value, tuple) else str(value)


def accepted(layer: Layer, inputs: Types) -> Types:
    outputs = layer.gives(inputs)
    assert not isinstance(outputs, Refusal), outputs.message
    return outputs


def arrays(layer: Layer, inputs: Types, batch: int = 2) -> list[jax.Array]:
    """Random numbers of the input types, with a batch axis."""
    random = np.random.default_rng(len(inputs))
    numbers = [
        random.integers(0, t.element.size, (batch, *t.shape))
        if t.element.size
        else random.normal(size=(batch, *t.array_shape))
        for t in inputs
    ]
    if layer.kind in POSITIVE:
        numbers = [np.abs(x) + 0.1 for x in numbers]
    return [
        jnp.asarray(x, jnp.float32 if t.element == F32 else jnp.int32) for x, t in zip(numbers, inputs, strict=True)
    ]


def make(layer: Layer, inputs: Types) -> Any:
    """A module of one's own, with random weights; None for a layer that keeps nothing."""
    module = made(layer, inputs)
    return None if module is None else nnx.clone(module)


@cache
def made(layer: Layer, inputs: Types) -> Any:
    """The module that the layer's constructor expression makes, with random weights."""
    lowering = layer.lower(inputs)
    if lowering.module is None:
        return None
    constructor, support = lowering.module, lowering.support + initialisers(layer, inputs)

    def construct() -> Any:
        return evaluate(constructor, support, {"rngs": nnx.Rngs(0)})

    # The shapes are enough where all numbers are replaced, and quicker to make.
    replaced = bool(lowering.variables) and lowering.function_module is None
    module = nnx.eval_shape(construct) if replaced else construct()
    module.eval()
    for i, attribute in enumerate(lowering.variables.values()):
        variable = getattr(module, attribute)
        numbers = np.random.default_rng(i).uniform(0.5, 1.5, variable.shape)
        variable.set_value(jnp.asarray(numbers, jnp.float32))
    return module


def initialisers(layer: Layer, inputs: Types) -> tuple[str, ...]:
    return tuple(name for spec in layer.weights(inputs) for name in spec.init.support)


def evaluate(expression: str, support: tuple[str, ...], names: dict[str, Any]) -> Any:
    """Evaluates emitted Python with nothing but what the emitted file would have."""
    library = {"jax": jax, "jnp": jnp, "lax": lax, "nnx": nnx}
    return eval(expression, library | {name: SUPPORT[name] for name in support} | names)


def run(layer: Layer, inputs: Types, module: Any, values: list[jax.Array]) -> Any:
    """One use of the layer by its module."""
    lowering = layer.lower(inputs)
    names = {f"x{i}": value for i, value in enumerate(values)}
    call = lowering.call.format(*names, all=", ".join(names), self="module")
    return evaluate(call, lowering.support, names | {"module": module})


def run_with_given(layer: Layer, inputs: Types, weights: dict[str, jax.Array], values: list[jax.Array]) -> Any:
    """One use of the layer with weights that live elsewhere."""
    lowering = layer.lower(inputs)
    assert lowering.function is not None
    names: dict[str, Any] = {f"x{i}": value for i, value in enumerate(values)}
    own = {name: f"w_{name}" for name in weights} | {"self": "module"}
    call = lowering.function.format(*names, all=", ".join(names), **own)
    if lowering.function_module:
        names["module"] = evaluate(lowering.function_module, (), {"rngs": nnx.Rngs(0)})
        names["module"].eval()
    return evaluate(call, lowering.function_support, names | {f"w_{name}": w for name, w in weights.items()})


def weights_of(layer: Layer, inputs: Types, module: Any) -> dict[str, jax.Array]:
    return {name: getattr(module, path)[...] for name, path in layer.lower(inputs).variables.items()}
