"""Rows of the layer tests: layers for images, and those between layers; what they take, and what they refuse."""

from layer_types import IMAGE, SEQUENCE, VOLUME, Types, f32, over

from netc.layers.activations import Gelu
from netc.layers.base import Layer
from netc.layers.gates import Maxout, Prelu, Swiglu
from netc.layers.initialisers import Constant, He
from netc.layers.noise import Droppath, GaussianNoise
from netc.layers.orbits import Flip, Rot4
from netc.layers.part import ChannelShuffle, Crop, Pad, Slice, Split
from netc.layers.resample import AdaptiveAvgpool, AdaptiveMaxpool, PixelShuffle, Upsample
from netc.layers.response import Lrn
from netc.layers.transpose import ConvTranspose
from netc.types import I32, Type

VISION: tuple[tuple[Layer, Types], ...] = (
    (ConvTranspose(3, (3,)), (SEQUENCE,)),
    (ConvTranspose(3, (3,), (2,), (1,), (1,)), (SEQUENCE,)),
    (ConvTranspose(5, (3, 2), (2, 3)), (IMAGE,)),
    (ConvTranspose(2, (3, 4), (2, 1), "same", bias=False, init=He()), (IMAGE,)),
    (ConvTranspose(2, (2,), (3,), "same"), (f32(2, 3, 2),)),
    (ConvTranspose(6, (3,), (2,), (1, 2), (1, 0), (2, 1), 2, bias_init=Constant(0.5)), (f32(3, 4, 4),)),
    (ConvTranspose(2, (2,), (2,), (3,)), (f32(5, 6, 3),)),
    (ConvTranspose(2, (2, 1, 3), (1, 2, 2), "valid", (0, 1, 0)), (f32(2, 3, 2, 3),)),
    (Upsample((2,)), (SEQUENCE,)),
    (Upsample((1, 3)), (IMAGE,)),
    (Upsample((1,)), (IMAGE,)),
    (Upsample((2,)), (over(Rot4(), 3, 3, 2),)),
    (Upsample((3,), "bilinear"), (SEQUENCE,)),
    (Upsample((2, 3), "bilinear"), (IMAGE,)),
    (Upsample((2,), "bilinear"), (f32(2, 3, 1, 2),)),
    (Upsample((2,), "bilinear"), (over(Rot4(), 3, 3, 2),)),
    (PixelShuffle(2), (f32(3, 2, 8),)),
    (PixelShuffle(3), (f32(1, 2, 9),)),
    *(
        (pool(size), (input,))
        for pool in (AdaptiveAvgpool, AdaptiveMaxpool)
        for size, input in (
            ((3,), SEQUENCE),
            ((4, 7), IMAGE),
            ((3, 5), IMAGE),
            ((9,), IMAGE),
            ((2, 5, 1), VOLUME),
            ((2,), over(Rot4(), 6, 6, 2)),
            ((4,), over(Rot4(), 6, 6, 2)),
        )
    ),
    (Split(2), (IMAGE,)),
    (Split((1, 4, 3), 0), (IMAGE,)),
    (Split(1), (f32(3),)),
    (Split(3), (Type((2, 6), I32),)),
    (Split((1, 2), -1), (over(Rot4(), 2, 2, 3),)),
    (Split(2, 0), (over(Flip(), 4, 3, 2),)),
    (Slice(1, 3), (IMAGE,)),
    (Slice(-3, axis=0), (IMAGE,)),
    (Slice(1, -1, -2, 2), (IMAGE,)),
    (Slice(axis=-2), (over(Rot4(), 4, 4, 3),)),
    (Slice(1, 2), (over(Rot4(), 4),)),
    (Slice(2, 7, 0), (Type((9,), I32),)),
    *(
        (Pad(cells, mode), (input,))
        for mode in ("zero", "reflect", "edge")
        for cells, input in ((((2, 2),), IMAGE), (((0, 1), (3, 2)), IMAGE), (((1, 0),), over(Rot4(), 4, 4, 2)))
    ),
    (Pad(((3, 0),)), (SEQUENCE,)),
    (Crop(((1, 1),)), (IMAGE,)),
    (Crop(((0, 1), (3, 0))), (IMAGE,)),
    (Crop(((1, 0),)), (over(Rot4(), 4, 4, 2),)),
    (ChannelShuffle(2), (f32(3, 2, 6),)),
    (ChannelShuffle(3), (over(Flip(), 2, 2, 6),)),
    (Droppath(0.25), (IMAGE,)),
    (GaussianNoise(0.5), (over(Rot4(), 4),)),
    (Lrn(), (f32(3, 2, 7),)),
    (Lrn(3, 0.5, 0.6, 1.5), (SEQUENCE,)),
    (Lrn(3, 0.5), (over(Rot4(), 3, 3, 4),)),
    (Prelu(), (IMAGE,)),
    (Prelu(True, Constant(-0.5)), (IMAGE,)),
    (Prelu(), (over(Rot4(), 3, 3, 2),)),
    (Maxout(2), (IMAGE,)),
    (Maxout(3), (over(Flip(), 6),)),
    (Swiglu(5), (f32(3),)),
    (Swiglu(3, bias=False, init=He()), (SEQUENCE,)),
    (Swiglu(2, bias_init=Constant(0.5)), (IMAGE,)),
    (Gelu(True), (IMAGE,)),
)

NUMBERS = Type((8, 8, 1), I32)
ROT4 = over(Rot4(), 6, 6, 4)
VISION_REFUSALS: tuple[tuple[Layer, Types, str, str], ...] = (
    (ConvTranspose(4, (3,)), (f32(7),), "takes a value of 2, 3 or 4 axes", ""),
    (ConvTranspose(4, (3,)), (NUMBERS,), "f32 numbers, and is given i32[8, 8, 1]", ""),
    (ConvTranspose(4, (3,)), (ROT4,), "without an orbit", "`orbit_pool(max)`"),
    (ConvTranspose(4, (3, 3)), (SEQUENCE,), "a size of 2 axes for [9, 4]", "[height, width, channels]"),
    (ConvTranspose(4, (3,), output_pad=(0, 1, 0)), (IMAGE,), "a padding behind of 3 axes for [8, 7, 4]", ""),
    (ConvTranspose(4, (3,), pad=(1, 1, 1)), (IMAGE,), "a padding of 3 axes for [8, 7, 4]", ""),
    (ConvTranspose(4, (3,), groups=3), (IMAGE,), "4 input and 4 output maps by 3", "multiples"),
    (ConvTranspose(4, (2,), pad=(4,)), (f32(9, 7, 4),), "windows of 2x2 give for [9, 7, 4] in width", "smaller `pad`"),
    (ConvTranspose(4, (3,), (2,), output_pad=(2,)), (IMAGE,), "output padding of 2 for a step of 2", "`upsample`"),
    (ConvTranspose(4, (3,), (1, 2), output_pad=(1,)), (IMAGE,), "output padding of 1 for a step of 1", "below the"),
    (ConvTranspose(4, (3,), (2,), "same", (1,)), (IMAGE,), "both `pad = same` and `output_pad`", "leave one out"),
    (Upsample((2,)), (f32(4),), "2, 3 or 4 axes, and is given [4]", ""),
    (Upsample((2, 2)), (SEQUENCE,), "a factor of 2 axes for [9, 4]", ""),
    (Upsample((2,), "bilinear"), (NUMBERS,), "f32 numbers", ""),
    (PixelShuffle(2), (SEQUENCE,), "a value of 3 axes, and is given [9, 4]", ""),
    (PixelShuffle(3), (IMAGE,), "the 4 channels of [8, 7, 4] by 3 * 3", "`conv(9 * n, 3x3)`"),
    (PixelShuffle(2), (ROT4,), "without an orbit", "invariant"),
    (AdaptiveAvgpool((2,)), (f32(4),), "2, 3 or 4 axes", ""),
    (AdaptiveMaxpool((2, 2)), (SEQUENCE,), "a size of 2 axes for [9, 4]", ""),
    (AdaptiveMaxpool((2,)), (NUMBERS,), "f32 numbers", ""),
    (Split(3), (IMAGE,), "3 equal parts of axis 2 of [8, 7, 4], which has 4", "`split([4, 12])`"),
    (Split((3, 4), 0), (IMAGE,), "add up to 7, for axis 0 of [8, 7, 4], which has 8", "`slice`"),
    (Split(2, 3), (IMAGE,), "axis 3, and [8, 7, 4] has 3", "from -1 back"),
    (Split(1001), (f32(1001),), "1,001 parts", "at most 1,000"),
    (Split(2), (f32(),), "needs an axis", ""),
    (Split(2), (IMAGE, IMAGE), "takes one value, and is given 2", "concat"),
    (Slice(0, 5), (IMAGE,), "from 0 to 5 takes nothing, or more than there is, of axis 2 of [8, 7, 4]", "-4 and -1"),
    (Slice(2, 2), (IMAGE,), "from 2 to 2 takes nothing", ""),
    (Slice(-9, axis=0), (IMAGE,), "from -9 to the end takes nothing, or more", "0 and 8"),
    (Slice(0, 1, -4), (IMAGE,), "axis -4, and [8, 7, 4] has 3", ""),
    (Slice(), (f32(),), "needs an axis", ""),
    (Pad(((1, 1),)), (f32(4),), "2, 3 or 4 axes", ""),
    (Pad(((1, 1), (1, 1))), (SEQUENCE,), "cells for 2 axes, and [9, 4] has 1", "`pad(1)`"),
    (Pad(((0, 7),), "reflect"), (IMAGE,), "mirror 7 cells of [8, 7, 4], which has 7 in width", "`mode = edge`"),
    (Crop(((4, 3),)), (IMAGE,), "cuts 7 cells off [8, 7, 4], which has 7 in width", "left"),
    (Crop(((1, 1),) * 3), (IMAGE,), "cells for 3 axes, and [8, 7, 4] has 2", "`crop(1)`"),
    (Crop(((1, 1),)), (NUMBERS,), "f32 numbers", ""),
    (ChannelShuffle(3), (IMAGE,), "the 4 channels of [8, 7, 4] by 3", "`groups` must divide"),
    (ChannelShuffle(3), (f32(),), "is given []", ""),
    (Droppath(0.5), (NUMBERS,), "f32 numbers", ""),
    (GaussianNoise(0.5), (IMAGE, IMAGE), "takes one value", "concat"),
    (Lrn(4), (IMAGE,), "a size of 4", "3 or 5"),
    (Lrn(), (f32(),), "is given []", ""),
    (Prelu(), (NUMBERS,), "f32 numbers", ""),
    (Maxout(3), (IMAGE,), "the 4 channels of [8, 7, 4] by 3", "`k` must divide"),
    (Swiglu(3), (f32(),), "is given []", ""),
    (Swiglu(3), (ROT4,), "without an orbit", "invariant"),
)
