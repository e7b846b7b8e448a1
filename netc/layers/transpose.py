"""Transposed convolution: windows that write where those of a convolution read."""

from dataclasses import dataclass
from math import prod

from netc.arguments import Extents, Integer, Truth, argument
from netc.layers.base import Cost, Initialiser, Layer, Lowering, Refusal, Target, WeightSpec, one_input
from netc.layers.initialisers import LECUN, ZEROS, AnInitialiser
from netc.layers.local import show_bias
from netc.layers.window import NAMES, PADDING, refuse_axes, show_size, spread
from netc.types import Type


@dataclass(frozen=True)
class Spread:
    """Windows that are laid over each other: every field has one number an axis, `cut` a pair, how many cells are cut
    off before and behind, or added where it is negative."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    cut: tuple[tuple[int, int], ...]
    out: tuple[int, ...]


@dataclass(frozen=True)
class ConvTranspose(Layer):
    """The way back of a convolution: every number writes its multiple of the window, the windows stand `stride` cells
    apart, and what they write in one place adds up. So a small image becomes a larger one (Zeiler et al. 2010,
    "Deconvolutional networks"; Dumoulin & Visin 2016, chapter 4).

    Takes sequences `[time, channels]`, images `[height, width, channels]` and volumes. On each axis comes out

        (n - 1) * stride - 2 * pad + dilation * (size - 1) + 1 + output_pad

    as in PyTorch: `pad` takes away what a `conv` with that `pad` would add, and `output_pad` says which of the sizes is
    meant that such a `conv` makes equal. `pad = same` gives `n * stride`, as in Keras; it is the way back of a `conv`
    with `pad = same`.

    The weight `kernel` is `[window..., channels out / groups, channels in]`, which is that of the convolution from what
    comes out to what goes in; nothing is turned around. So `conv_transpose(1, 5x5, kernel = encoder.kernel)` is the
    transpose of the layer `encoder = conv(20, 5x5)`. It starts with the fan-in of its own direction. Connections and
    flops are those of all windows, the cells that `pad` cuts off included.
    """

    elsewhere = ("convtranspose2d", "conv2dtranspose", "deconv", "deconvolution")
    example = "conv_transpose(6, 3x3, stride = 2)"

    channels: int = argument("how many maps come out", Integer(1))
    size: tuple[int, ...] = argument("the window", Extents())
    stride: tuple[int, ...] = argument("the step between windows in what comes out", Extents(), (1,))
    pad: str | tuple[int, ...] = argument(
        "cells that are cut off at each border; `same` gives as many positions as go in, times the stride",
        PADDING,
        "valid",
    )
    output_pad: tuple[int, ...] = argument("cells that are added behind", Extents(0), (0,))
    dilation: tuple[int, ...] = argument("the step between the window's taps", Extents(), (1,))
    groups: int = argument("into how many groups the maps are divided, each of which sees only itself", Integer(1), 1)
    bias: bool = argument("whether to add a trainable bias", Truth(), True)
    init: Initialiser = argument("how the kernel starts", AnInitialiser(), LECUN)
    bias_init: Initialiser = argument("how the bias starts", AnInitialiser(), ZEROS)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)) or self.refuse(inputs[0]):
            return refusal
        laid = self.lay(inputs[0])
        for axis, extent in enumerate(laid.out):
            if extent < 1:
                return Refusal(
                    f"`conv_transpose` cuts off all that windows of {show_size(laid.size)} give for {inputs[0]} in "
                    f"{NAMES[len(laid.out)][axis]}",
                    "use a smaller `pad`",
                )
        return (Type((*laid.out, self.channels)),)

    def refuse(self, input: Type) -> Refusal | None:
        sides = () if isinstance(self.pad, str) else self.pad
        settings = {"size": self.size, "stride": self.stride, "dilation": self.dilation}
        settings |= {"padding": sides or (0,), "padding behind": self.output_pad}
        if refusal := refuse_axes(self.kind, input, settings):
            return refusal
        if input.channels % self.groups or self.channels % self.groups:
            return Refusal(
                f"`conv_transpose` cannot divide {input.channels} input and {self.channels} output maps by "
                f"{self.groups}",
                "both must be multiples of `groups`",
            )
        if self.pad == "same" and set(self.output_pad) != {0}:
            return Refusal(
                "`conv_transpose` is given both `pad = same` and `output_pad`", "`same` says the size: leave one out"
            )
        rank = len(input.shape) - 1
        steps = zip(spread(self.stride, rank), spread(self.dilation, rank), strict=True)
        for added, most in zip(spread(self.output_pad, rank), map(max, steps), strict=True):
            if added and added >= most:
                return Refusal(
                    f"`conv_transpose` is given an output padding of {added} for a step of {most}",
                    "it must be below the stride or the dilation: `upsample` or `pad` make more of an image",
                )
        return None

    def lay(self, input: Type) -> Spread:
        """How its windows lie over what comes out."""
        rank = len(input.shape) - 1
        size, stride, dilation = (spread(e, rank) for e in (self.size, self.stride, self.dilation))
        added = spread(self.output_pad, rank)
        cut, out = [], []
        for axis, n in enumerate(input.shape[:-1]):
            reach = dilation[axis] * (size[axis] - 1) + 1
            before, behind = self.cut(axis, rank, reach - stride[axis])
            cut.append((before, behind - added[axis]))
            out.append((n - 1) * stride[axis] + reach - sum(cut[-1]))
        return Spread(size, stride, dilation, tuple(cut), tuple(out))

    def cut(self, axis: int, rank: int, beyond: int) -> tuple[int, int]:
        """What is cut off before and behind; windows reach `beyond` cells over those of the next."""
        match self.pad:
            case "valid":
                return 0, 0
            case "same":
                before = max(beyond, 0) // 2
                return before, beyond - before
        assert not isinstance(self.pad, str)
        around = spread(self.pad, rank)[axis]
        return around, around

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        rank = len(inputs[0].shape) - 1
        # In groups, no axis alone tells apart what comes into each map.
        fed = "in" if self.groups == 1 else "group_in"
        shape = (*spread(self.size, rank), self.channels // self.groups, inputs[0].channels)
        kernel = WeightSpec("kernel", shape, self.init, (*NAMES[rank], "out", fed))
        bias = WeightSpec("bias", (self.channels,), self.bias_init, ("out",))
        return (kernel, bias) if self.bias else (kernel,)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        taps = prod(spread(self.size, len(inputs[0].shape) - 1))
        links = inputs[0].size * taps * self.channels // self.groups
        biases = outputs[0].size if self.bias else 0
        return Cost(connections=links + biases, flops=2 * links + biases)

    def lower_for(self, target: Target, inputs: tuple[Type, ...], given: bool) -> Lowering | None:
        return None if target.in_loop else self.lower(inputs)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        laid = self.lay(inputs[0])
        start = f"exchange_start({self.init.flax()}{f', {self.groups}' if self.groups > 1 else ''})"
        options = f"strides={laid.stride!r}"
        options += f", padding={laid.cut!r}" if any(sides != (0, 0) for sides in laid.cut) else ""
        options += f", kernel_dilation={laid.dilation!r}" if set(laid.dilation) != {1} else ""
        options += f", groups={self.groups}" if self.groups > 1 else ""
        inits = f"kernel_init={start}{show_bias(self.bias, self.bias_init)}"
        made = f"{inputs[0].channels}, {self.channels}, {laid.size!r}"
        return Lowering(
            call="{self}({0})",
            module=f"ConvTranspose({made}, {options}, {inits}, rngs=rngs)",
            function=f"conv_transpose({{0}}, {{kernel}}, {options})" + (" + {bias}" if self.bias else ""),
            variables={"kernel": "kernel", **({"bias": "bias"} if self.bias else {})},
            support=("ConvTranspose", "exchange_start"),
            function_support=("conv_transpose",),
            starts={"kernel": start},
            start_support=("exchange_start",),
        )
