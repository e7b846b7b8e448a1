"""The table of layer kinds: every kind that the language has a name for, and `ALL_KINDS` with those it has not."""

from netc.layers.activations import (
    Abs,
    Cos,
    Elu,
    Exp,
    Gelu,
    HardSigmoid,
    HardSwish,
    HardTanh,
    LeakyRelu,
    Log,
    LogSoftmax,
    Relu,
    Relu6,
    Selu,
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
from netc.layers.gates import Maxout, Prelu, Swiglu
from netc.layers.linear import Dense
from netc.layers.local import Local
from netc.layers.noise import Droppath, GaussianNoise
from netc.layers.normalise import Batchnorm, Dropout, Groupnorm, Layernorm, Rmsnorm
from netc.layers.orbits import OrbitPool
from netc.layers.output import Rbf
from netc.layers.part import ChannelShuffle, Crop, Pad, Slice, Split
from netc.layers.pool import Avgpool, GlobalAvgpool, GlobalMaxpool, Maxpool, Subsample
from netc.layers.recurrent import Gru, Lstm, Rnn
from netc.layers.resample import AdaptiveAvgpool, AdaptiveMaxpool, PixelShuffle, Upsample
from netc.layers.response import Lrn
from netc.layers.sequence import Embedding, Position, Prepend
from netc.layers.shape import Add, Concat, Flatten, Identity, Mul, Reshape, Windows
from netc.layers.transpose import ConvTranspose

LAYERS: tuple[type[Layer], ...] = (
    Identity,
    Dense,
    Conv,
    ConvTranspose,
    Local,
    OrbitPool,
    Subsample,
    Maxpool,
    Avgpool,
    GlobalMaxpool,
    GlobalAvgpool,
    Upsample,
    PixelShuffle,
    AdaptiveAvgpool,
    AdaptiveMaxpool,
    Rbf,
    Rnn,
    Gru,
    Lstm,
    Embedding,
    Position,
    Prepend,
    Attention,
    Flatten,
    Windows,
    Reshape,
    Concat,
    Add,
    Mul,
    Split,
    Slice,
    Pad,
    Crop,
    ChannelShuffle,
    Dropout,
    Batchnorm,
    Layernorm,
    Rmsnorm,
    Groupnorm,
    Droppath,
    GaussianNoise,
    Lrn,
    Prelu,
    Maxout,
    Swiglu,
    Softmax,
    LogSoftmax,
    Relu,
    LeakyRelu,
    Elu,
    Selu,
    Gelu,
    Silu,
    Relu6,
    HardSigmoid,
    HardSwish,
    HardTanh,
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
