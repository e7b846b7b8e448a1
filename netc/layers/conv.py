"""Convolution: one feature detector replicated over positions."""

from dataclasses import dataclass
from math import prod

from netc.arguments import Extents, Integer, ListOf, Text, Truth, argument
from netc.layers.base import Cost, Initialiser, Layer, Lowering, Refusal, WeightSpec, one_input
from netc.layers.initialisers import LECUN, ZEROS, AnInitialiser
from netc.layers.local import set_weights, tiled_lowering
from netc.layers.symmetry import Motion, Transformed
from netc.layers.window import NAMES, PADDING, Window, show_padding, spread, window
from netc.types import Type


@dataclass(frozen=True)
class Conv(Layer):
    """Slides one set of weights over all positions, so that a feature is found wherever it stands (LeCun et al.
    1989). A map is one channel of an image: each map that comes out looks for one feature in all maps that go in.

    Takes sequences `[time, channels]`, images `[height, width, channels]` and volumes. Without `pad` the window
    stays inside, and a 5x5 window makes an image 4 rows and columns smaller; `pad = same` keeps its size. The
    weight `kernel` is `[window..., channels in / groups, channels out]`.

    A `connect` table says which maps feed which, as table I of LeCun et al. 1998: a list of strings, a row for each
    map that goes in and a column for each that comes out, `X` where they are connected and `.` where not. Absent
    connections have no weight, and `kernel` is then `[window..., connections]`, column by column.

    With `tile = k`, k by k sets of weights take turns (Ngiam et al. 2010, tiled convolutional networks): the position
    in row i and column j uses the set `i mod k`, `j mod k`, so that neighbours share nothing and can learn what stays
    when an image moves. `kernel` is then `[sets..., window..., channels in / groups, channels out]` and the bias, one
    for each set and map, `[sets..., channels out]`. There are never more sets on an axis than positions: from there
    on this is `local`. It costs as much as without.
    """

    example = "conv(6, 3x3)"

    channels: int = argument("how many maps come out", Integer(1))
    size: tuple[int, ...] = argument("the window", Extents())
    stride: tuple[int, ...] = argument("the step between windows", Extents(), (1,))
    pad: str | tuple[int, ...] = argument(
        "zeros around the input; `same` gives as many positions as go in, divided by the stride", PADDING, "valid"
    )
    dilation: tuple[int, ...] = argument("the step between the window's taps", Extents(), (1,))
    groups: int = argument("into how many groups the maps are divided, each of which sees only itself", Integer(1), 1)
    connect: tuple[str, ...] | None = argument("which maps feed which; all, if left out", ListOf(Text()), None)
    bias: bool = argument("whether to add a trainable bias", Truth(), True)
    init: Initialiser = argument("how the kernel starts", AnInitialiser(), LECUN)
    bias_init: Initialiser = argument("how the bias starts", AnInitialiser(), ZEROS)
    tile: tuple[int, ...] = argument("how many sets of weights take turns on each axis", Extents(), (1,))

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)):
            return refusal
        if refusal := self.refuse_groups(inputs[0]) or self.refuse_table(inputs[0]) or self.refuse_tile(inputs[0]):
            return refusal
        slid = self.window(inputs[0])
        return slid if isinstance(slid, Refusal) else (Type((*slid.out, self.channels)),)

    def window(self, input: Type) -> Window | Refusal:
        return window(self.kind, input, self.size, self.stride, self.pad, self.dilation)

    def refuse_groups(self, input: Type) -> Refusal | None:
        if input.channels % self.groups or self.channels % self.groups:
            return Refusal(
                f"`conv` cannot divide {input.channels} input and {self.channels} output maps by {self.groups}",
                "both must be multiples of `groups`",
            )
        return None

    def refuse_table(self, input: Type) -> Refusal | None:
        if self.connect is None:
            return None
        if self.groups > 1:
            return Refusal("`conv` is given both `groups` and `connect`", "write the groups into the table")
        widths = {len(row) for row in self.connect}
        if len(self.connect) != input.channels or widths != {self.channels}:
            shown = " or ".join(map(str, sorted(widths or {0})))
            return Refusal(
                f"the table of `conv` has {counted(len(self.connect), 'row')} of {shown} columns, for "
                f"{counted(input.channels, 'input map')} and {counted(self.channels, 'output map')}",
                "a table has a row for each input map and a column for each output map",
            )
        for row, text in enumerate(self.connect, 1):
            if stray := next((char for char in text if char not in "X."), None):
                return Refusal(
                    f"row {row} of the table of `conv` has the character {stray!r}",
                    "`X` connects two maps and `.` does not",
                )
        for column in range(self.channels):
            if all(row[column] == "." for row in self.connect):
                return Refusal(
                    f"column {column + 1} of the table of `conv` connects its output map to nothing",
                    "put an `X` into it, or leave the map out",
                )
        return None

    def refuse_tile(self, input: Type) -> Refusal | None:
        rank = len(input.shape) - 1
        if len(self.tile) not in (1, rank):
            return Refusal(
                f"`conv` is given a tile of {len(self.tile)} axes for {input}, which has {rank} before its channels",
                "one number tiles every axis: `tile = 2`",
            )
        if self.is_tiled() and self.connect is not None:
            return Refusal(
                "`conv` is given both `tile` and `connect`", "a table is for one set of weights: leave out one"
            )
        return None

    def is_tiled(self) -> bool:
        return set(self.tile) != {1}

    def sets(self, slid: Window) -> tuple[int, ...]:
        """How many sets of weights take turns on each axis: no more than it has positions."""
        return tuple(map(min, spread(self.tile, len(slid.out)), slid.out))

    def connections(self) -> list[tuple[int, int]]:
        """The (input map, output map) pairs of the table, output map by output map."""
        assert self.connect is not None
        return [(i, o) for o in range(self.channels) for i, row in enumerate(self.connect) if row[o] == "X"]

    def pairs(self, input: Type) -> int:
        """How many pairs of maps are connected."""
        return len(self.connections()) if self.connect else input.channels * self.channels // self.groups

    def weights(self, inputs: tuple[Type, ...]) -> tuple[WeightSpec, ...]:
        rank = len(inputs[0].shape) - 1
        extents = spread(self.size, rank)
        if self.is_tiled():
            slid, bias = self.window(inputs[0]), self.bias_init if self.bias else None
            assert isinstance(slid, Window)
            fed = inputs[0].channels // self.groups
            return set_weights(self.sets(slid), extents, fed, self.channels, self.init, bias)
        if self.connect:
            kernel = WeightSpec("kernel", (*extents, self.pairs(inputs[0])), self.init, (*NAMES[rank], "connection"))
        else:
            shape = (*extents, inputs[0].channels // self.groups, self.channels)
            kernel = WeightSpec("kernel", shape, self.init, (*NAMES[rank], "in", "out"))
        bias = WeightSpec("bias", (self.channels,), self.bias_init, ("out",))
        return (kernel, bias) if self.bias else (kernel,)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        positions = outputs[0].size // self.channels
        links = positions * prod(spread(self.size, len(inputs[0].shape) - 1)) * self.pairs(inputs[0])
        biases = outputs[0].size if self.bias else 0
        return Cost(connections=links + biases, flops=2 * links + biases)

    def symmetry(self, given: Transformed) -> Motion | None:
        slid = self.window(given.inputs[0])
        assert isinstance(slid, Window)
        return given.windowed(slid, "kernel" in given.unchanged, self.sets(slid))

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        slid = self.window(inputs[0])
        assert isinstance(slid, Window)
        options = self.options(slid)
        fed = inputs[0].channels
        if self.is_tiled():
            inits = {"kernel": self.init, **({"bias": self.bias_init} if self.bias else {})}
            return tiled_lowering(slid, self.sets(slid), fed, self.channels, self.groups, inits)
        variables = {"kernel": "kernel", "bias": "bias"} if self.bias else {"kernel": "kernel"}
        inits = "" if self.bias else ", use_bias=False"
        if self.init != LECUN or self.connect:
            inits += f", kernel_init={self.init.flax()}"
        if self.bias_init != ZEROS:
            inits += f", bias_init={self.bias_init.flax()}"
        if self.connect:
            table = "[" + ", ".join(f'"{row}"' for row in self.connect) + "]"
            module = f"TableConv({table}, {slid.size!r}{options}{inits}, rngs=rngs)"
            support: tuple[str, ...] = ("TableConv",)
            kernel = f"table_kernel({{kernel}}, {table})"
            given = ("convolve", "table_kernel")
        else:
            groups = f", feature_group_count={self.groups}" if self.groups > 1 else ""
            module = f"nnx.Conv({fed}, {self.channels}, {slid.size!r}{options}{groups}{inits}, rngs=rngs)"
            support, kernel, given = (), "{kernel}", ("convolve",)
        bias = " + {bias}" if self.bias else ""
        groups = f", groups={self.groups}" if self.groups > 1 else ""
        function = f"convolve({{0}}, {kernel}{options}{groups}){bias}"
        return Lowering("{self}({0})", module, function, variables, support, given)

    def options(self, slid: Window) -> str:
        """Strides, padding and dilation as Flax writes them, defaults left out."""
        text = f", strides={slid.stride!r}" if set(slid.stride) != {1} else ""
        pad = show_padding(slid.pad, self.pad)
        text += f", padding={pad}" if pad != '"SAME"' else ""
        return text + (f", kernel_dilation={slid.dilation!r}" if set(slid.dilation) != {1} else "")


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
