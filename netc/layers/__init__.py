"""The table of layer kinds: every kind that the language has a name for, and `ALL_KINDS` with those it has not."""

from netc.layers.activations import (
    Abs,
    Cos,
    Elu,
    Exp,
    Gelu,
    LeakyRelu,
    Log,
    LogSoftmax,
    Relu,
    Sigmoid,
    Silu,
    Sin,
    Softmax,
    Softplus,
    Sqrt,
    Tanh,
)
from netc.layers.arithmetic import OPERATIONS
from netc.layers.attention import Attention
from netc.layers.base import Layer
from netc.layers.conv import Conv
from netc.layers.linear import Dense
from netc.layers.local import Local
from netc.layers.normalise import Batchnorm, Dropout, Groupnorm, Layernorm, Rmsnorm
from netc.layers.orbits import OrbitPool
from netc.layers.output import Rbf
from netc.layers.pool import Avgpool, GlobalAvgpool, GlobalMaxpool, Maxpool, Subsample
from netc.layers.recurrent import Gru, Lstm, Rnn
from netc.layers.sequence import Embedding, Position
from netc.layers.shape import Add, Concat, Flatten, Identity, Mul, Reshape

LAYERS: tuple[type[Layer], ...] = (
    Identity,
    Dense,
    Conv,
    Local,
    OrbitPool,
    Subsample,
    Maxpool,
    Avgpool,
    GlobalMaxpool,
    GlobalAvgpool,
    Rbf,
    Rnn,
    Gru,
    Lstm,
    Embedding,
    Position,
    Attention,
    Flatten,
    Reshape,
    Concat,
    Add,
    Mul,
    Dropout,
    Batchnorm,
    Layernorm,
    Rmsnorm,
    Groupnorm,
    Softmax,
    LogSoftmax,
    Relu,
    LeakyRelu,
    Elu,
    Gelu,
    Silu,
    Softplus,
    Sigmoid,
    Tanh,
    Exp,
    Log,
    Sqrt,
    Abs,
    Sin,
    Cos,
)

ALL_KINDS: dict[str, type[Layer]] = {layer.kind: layer for layer in (*LAYERS, *OPERATIONS)}
