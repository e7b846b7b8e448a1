"""Convolution that shares less: by sets of weights in turn (`tile` of `conv`), or nothing at all (`local`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from netc.arguments import Extents, Integer, Truth, argument
from netc.layers.base import Cost, Initialiser, Layer, Lowering, Refusal, WeightSpec, one_input
from netc.layers.initialisers import LECUN, ZEROS, AnInitialiser
from netc.layers.window import NAMES, PADDING, Window, window
from netc.types import Type


@dataclass(frozen=True)
class Local(Layer):
    """Slides a window over all positions as `conv` does, with weights of its own at each of them: it sees locally
    and shares nothing (the locally connected layers of LeCun 1989, "Generalization and network design strategies").
    For images in which a place has a meaning, such as faces that are centred.

    The weight `kernel` is `[positions out..., window..., channels in, channels out]`, so that `kernel[0, 0]` is the
    kernel of a `conv` at the first position; the bias is `[positions out..., channels out]`. Each position starts by
    itself, with the fan-in of its window. Between this and `conv` stands `conv(..., tile = k)`.
    """

    example = "local(6, 3x3)"

    channels: int = argument("how many maps come out", Integer(1))
    size: tuple[int, ...] = argument("the window", Extents())
    stride: tuple[int, ...] = argument("the step between windows", Extents(), (1,))
    pad: str | tuple[int, ...] = argument(
        "zeros around the input; `same` gives as many positions as go in, divided by the stride", PADDING, "valid"
    )
    bias: bool = argument("whether to add a trainable bias", Truth(), True)
    init: Initialiser = argument("how the kernel starts", AnInitialiser(), LECUN)
    bias_init: Initialiser = argument("how the bias starts", AnInitialiser(), ZEROS)

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)):
            return refusal
        slid = window(self.kind, inputs[0], self.size, self.stride, self.pad)
        return slid if isinstance(slid, Refusal) else (Type((*slid.out, self.channels)),)

    def window(self, input: Type) -> Window:
        slid = window(self.kind, input, self.size, self.stride, self.pad)
        assert isinstance(slid, Window)
        return slid

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        slid, fed = self.window(inputs[0]), inputs[0].channels
        return set_weights(slid.out, slid.size, fed, self.channels, self.init, self.bias_init if self.bias else None)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        links = outputs[0].size * prod(self.window(inputs[0]).size) * inputs[0].channels
        biases = outputs[0].size if self.bias else 0
        return Cost(connections=links + biases, flops=2 * links + biases)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        slid = self.window(inputs[0])
        start = separate_start(self.init, len(slid.out))
        options = f"strides={slid.stride!r}{show_pads(slid)}"
        inits = f"kernel_init={start}{show_bias(self.bias, self.bias_init)}"
        made = f"{slid.out!r}, {inputs[0].channels}, {self.channels}, {slid.size!r}"
        return Lowering(
            call="{self}({0})",
            module=f"LocalConv({made}, {options}, {inits}, rngs=rngs)",
            function=f"local({{0}}, {{kernel}}, {options})" + (" + {bias}" if self.bias else ""),
            variables={"kernel": "kernel", **({"bias": "bias"} if self.bias else {})},
            support=("LocalConv", "separately"),
            function_support=("local",),
            starts={"kernel": start},
            start_support=("separately",),
        )


def set_weights(
    sets: tuple[int, ...],
    size: tuple[int, ...],
    fed: int,
    channels: int,
    init: Initialiser,
    bias_init: Initialiser | None,
) -> tuple[WeightSpec, ...]:
    """A kernel `[sets..., window..., in, out]` and, if it has a start, a bias `[sets..., out]`."""
    taps = NAMES[len(sets)]
    grid = tuple(f"{name}_set" for name in taps)
    kernel = WeightSpec("kernel", (*sets, *size, fed, channels), init, (*grid, *taps, "in", "out"))
    if bias_init is None:
        return (kernel,)
    return kernel, WeightSpec("bias", (*sets, channels), bias_init, (*grid, "out"))


def tiled_lowering(
    slid: Window, sets: tuple[int, ...], fed: int, channels: int, groups: int, inits: Mapping[str, Initialiser]
) -> Lowering:
    """`conv` with sets of weights in turn; `inits` has `bias` if there is one."""
    start = separate_start(inits["kernel"], len(sets))
    options = f"strides={slid.stride!r}{show_pads(slid)}"
    options += f", kernel_dilation={slid.dilation!r}" if set(slid.dilation) != {1} else ""
    options += f", groups={groups}" if groups > 1 else ""
    made = f"{sets!r}, {fed}, {channels}, {slid.size!r}"
    bias = "bias" in inits
    text = f"kernel_init={start}{show_bias(bias, inits.get('bias', ZEROS))}"
    function = f"tiled({{0}}, {{kernel}}, {options})"
    return Lowering(
        call="{self}({0})",
        module=f"TiledConv({made}, {options}, {text}, rngs=rngs)",
        function=f"add_tiled({function}, {{bias}})" if bias else function,
        variables={name: name for name in inits},
        support=("TiledConv", "separately"),
        function_support=("tiled", "add_tiled") if bias else ("tiled",),
        starts={"kernel": start},
        start_support=("separately",),
    )


def separate_start(init: Initialiser, axes: int) -> str:
    return f"separately({init.flax()}, {axes})"


def show_pads(slid: Window) -> str:
    """Padding as pairs of numbers, left out where there is none."""
    return f", padding={slid.pad!r}" if any(sides != (0, 0) for sides in slid.pad) else ""


def show_bias(bias: bool, init: Initialiser) -> str:
    if not bias:
        return ", use_bias=False"
    return "" if init == ZEROS else f", bias_init={init.flax()}"
