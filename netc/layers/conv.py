"""Convolution: one feature detector replicated over positions."""

from dataclasses import dataclass
from math import prod

from netc.arguments import Extents, Integer, ListOf, Text, Truth, argument
from netc.layers.base import AXES, Cost, Initialiser, Layer, Lowering, Refusal, Target, WeightSpec, one_input
from netc.layers.initialisers import LECUN, ZEROS, AnInitialiser
from netc.layers.local import set_weights, tiled_lowering
from netc.layers.orbits import AnOrbit
from netc.layers.products import block_of
from netc.layers.symmetry import Motion, Transformed
from netc.layers.window import NAMES, PADDING, Window, show_padding, show_size, spread, window
from netc.types import Orbit, Type


@dataclass(frozen=True)
class Conv(Layer):
    """Slides one set of weights over all positions, so that a feature is found wherever it stands (LeCun et al.
    1989). A map is one channel of an image: each map that comes out looks for one feature in all maps that go in.

    Takes sequences `[time, channels]`, images `[height, width, channels]` and volumes. Without `pad` the window
    stays inside, and a 5x5 window makes an image 4 rows and columns smaller; `pad = same` keeps its size. The
    weight `kernel` is `[window..., channels in / groups, channels out]`.

    A `connect` table says which maps feed which, as table I of LeCun et al. 1998: a list of strings, a row for each
    map that goes in and a column for each that comes out, `X` where they are connected and `.` where not. Absent
    connections have no weight, and `kernel` is then `[window..., connections]`, column by column. A table can say what
    `groups` says and more, and the two do not go together.

    With `tile = k`, k by k sets of weights take turns (Ngiam et al. 2010, tiled convolutional networks): the position
    in row i and column j uses the set `i mod k`, `j mod k`, so that neighbours share nothing and can learn what stays
    when an image moves. `kernel` is then `[sets..., window..., channels in / groups, channels out]` and the bias, one
    for each set and map, `[sets..., channels out]`. There are never more sets on an axis than positions: from there
    on this is `local`. It costs as much as without.

    An `orbit` says how the one kernel is used besides: `rot4` turned by 0, 90, 180 and 270 degrees, `flip` also
    mirrored left to right, `rot4_flip` both, `scale(n)` at n sizes. What comes out is over that orbit: it has
    `channels` maps for each copy, the answers of one detector side by side. On an image this lifts it to the orbit; on
    a value over the same orbit it is the group convolution (Cohen & Welling 2016, equations 10 and 11), with the
    kernel `[height, width, orbit, channels in, channels out]`. The bias is one for each map, whatever its copy.
    """

    elsewhere = ("conv1d", "conv2d", "convolution", "convolution2d")
    example = "conv(6, 3x3)"
    keeps_orbit = True

    channels: int = argument("how many maps come out", Integer(1))
    size: tuple[int, ...] = argument("the window", Extents())
    stride: tuple[int, ...] = argument("the step between windows", Extents(), (1,))
    pad: str | tuple[int, ...] = argument(
        "zeros around the input; `same` gives as many positions as go in, divided by the stride", PADDING, "valid"
    )
    dilation: tuple[int, ...] = argument("the step between the window's taps", Extents(), (1,))
    groups: int = argument("into how many groups the maps are divided, each of which sees only itself", Integer(1), 1)
    connect: tuple[str, ...] | None = argument("which maps feed which; all, if left out", ListOf(Text()), None)
    orbit: Orbit | None = argument("the copies of the kernel that are used; itself alone, if left out", AnOrbit(), None)
    bias: bool = argument("whether to add a trainable bias", Truth(), True)
    init: Initialiser = argument("how the kernel starts", AnInitialiser(), LECUN)
    bias_init: Initialiser = argument("how the bias starts", AnInitialiser(), ZEROS)
    tile: tuple[int, ...] = argument("how many sets of weights take turns on each axis", Extents(), (1,))

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)):
            return refusal
        refusals = (self.refuse_groups, self.refuse_table, self.refuse_tile, self.refuse_orbit)
        if refusal := next(filter(None, (refuse(inputs[0]) for refuse in refusals)), None):
            return refusal
        slid = self.window(inputs[0])
        return slid if isinstance(slid, Refusal) else (Type((*slid.out, self.channels), orbit=self.orbit),)

    def window(self, input: Type) -> Window | Refusal:
        """The window over the positions; that of the largest copy of an orbit."""
        if self.orbit is None:
            return window(self.kind, input, self.size, self.stride, self.pad, self.dilation)
        size = self.orbit.windows(self.size)[-1]
        name = f"conv` with `orbit = {self.orbit}"
        return window(name, input, size, self.stride, self.pad, self.dilation)

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
        widths = [len(row) for row in self.connect]
        uneven = next((row for row, width in enumerate(widths, 1) if width != self.channels), None)
        if uneven and len(set(widths)) > 1:
            return Refusal(
                f"row {uneven} of the table of `conv` has {counted(widths[uneven - 1], 'column')}, for "
                f"{counted(self.channels, 'output map')}",
                TABLE,
            )
        if uneven or len(self.connect) != input.channels:
            shown = widths[0] if widths else 0
            return Refusal(
                f"the table of `conv` has {counted(len(self.connect), 'row')} of {shown} columns, for "
                f"{counted(input.channels, 'input map')} and {counted(self.channels, 'output map')}",
                TABLE,
            )
        for row, text in enumerate(self.connect, 1):
            if stray := next((char for char in text if char not in "X."), None):
                return Refusal(
                    f"row {row} of the table of `conv` has the character {stray!r} in column {text.index(stray) + 1}",
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
        if self.is_tiled() and (self.connect is not None or self.orbit is not None):
            other = "connect" if self.connect is not None else "orbit"
            return Refusal(
                f"`conv` is given both `tile` and `{other}`", f"`{other}` is for one set of weights: leave out one"
            )
        return None

    def is_tiled(self) -> bool:
        return set(self.tile) != {1}

    def sets(self, slid: Window) -> tuple[int, ...]:
        """How many sets of weights take turns on each axis: no more than it has positions."""
        return tuple(map(min, spread(self.tile, len(slid.out)), slid.out))

    def refuse_orbit(self, input: Type) -> Refusal | None:
        if input.orbit is not None and self.orbit != input.orbit:
            given = f"with `orbit = {self.orbit}`" if self.orbit else "without `orbit`"
            return Refusal(
                f"`conv` {given} is given {input}",
                f"`orbit = {input.orbit}` convolves over its orbit; `orbit_pool(max)` first makes it invariant",
            )
        if self.orbit is None:
            return None
        if len(input.shape) != 3:
            return Refusal(f"`conv` with `orbit = {self.orbit}` takes an image, and is given {input}", AXES)
        if self.groups > 1 or self.connect is not None:
            other = "groups" if self.groups > 1 else "connect"
            return Refusal(
                f"`conv` is given both `orbit` and `{other}`", "over an orbit every map feeds every map: leave one out"
            )
        if not self.orbit.square:
            return None
        for what, extents in (("window", self.size), ("stride", self.stride), ("dilation", self.dilation)):
            if len(set(extents)) > 1:
                return Refusal(
                    f"`conv` with `orbit = {self.orbit}` is given a {what} of {show_size(extents)}",
                    f"turned by 90 degrees it would be another: give it a square {what}",
                )
        if input.shape[0] != input.shape[1] or (not isinstance(self.pad, str) and len(set(self.pad)) > 1):
            what = "padded unevenly" if input.shape[0] == input.shape[1] else "not square"
            return Refusal(
                f"`conv` with `orbit = {self.orbit}` is given {input}, which is {what}",
                "turned by 90 degrees it would be of another shape; `orbit = flip` takes any image",
            )
        return None

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
            orbit = inputs[0].orbit
            seen = (orbit.size,) if orbit is not None and orbit.mixes else ()
            shape = (*extents, *seen, inputs[0].channels // self.groups, self.channels)
            axes = (*NAMES[rank], *("orbit" for _ in seen), "in", "out")
            kernel = WeightSpec("kernel", shape, self.init, axes)
        bias = WeightSpec("bias", (self.channels,), self.bias_init, ("out",))
        return (kernel, bias) if self.bias else (kernel,)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        extents, orbit = spread(self.size, len(inputs[0].shape) - 1), inputs[0].orbit
        windows = (extents,) if self.orbit is None else self.orbit.windows(extents)
        seen = orbit.size if orbit is not None and orbit.mixes else 1
        links = prod(outputs[0].shape[:-1]) * sum(map(prod, windows)) * seen * self.pairs(inputs[0])
        biases = outputs[0].size if self.bias else 0
        return Cost(connections=links + biases, flops=2 * links + biases)

    def symmetry(self, given: Transformed) -> Motion | None:
        slid = self.window(given.inputs[0])
        assert isinstance(slid, Window)
        if self.orbit is not None and given.symmetry.turn is not None:
            return given.windowed(slid, even=True) if given.symmetry.name in self.orbit.exchanged_by else None
        return given.windowed(slid, "kernel" in given.unchanged, self.sets(slid))

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return self.lower_by("", inputs)

    def lower_for(self, target: Target, inputs: tuple[Type, ...], given: bool) -> Lowering | None:
        """XLA's own gradients of convolutions are slow within loops on a CPU, and with few channels everywhere; with
        padding as wide as the window they are wrong."""
        if self.orbit is not None or self.is_tiled():
            return None if target.in_loop else self.lower(inputs)
        if target.in_loop and (given or self.connect):
            return None
        slid = self.window(inputs[0])
        assert isinstance(slid, Window)
        block = block_of(slid, inputs[0].channels // self.groups, self.channels) if target.device == "cpu" else None
        if block is not None and self.groups == 1:
            return self.lower_by(f"products({block!r})", inputs)
        own = target.in_loop or (target.device == "cpu" and beyond(slid))
        return self.lower_by("convolution" if own else "", inputs)

    def lower_by(self, function: str, inputs: tuple[Type, ...]) -> Lowering:
        """The code that convolves by a function with the arguments of `lax.conv_general_dilated`; that itself, if
        empty."""
        slid = self.window(inputs[0])
        assert isinstance(slid, Window)
        options = self.options(slid)
        fed = inputs[0].channels
        if self.is_tiled():
            inits = {"kernel": self.init, **({"bias": self.bias_init} if self.bias else {})}
            return tiled_lowering(slid, self.sets(slid), fed, self.channels, self.groups, inits)
        variables = {"kernel": "kernel", "bias": "bias"} if self.bias else {"kernel": "kernel"}
        inits = "" if self.bias else ", use_bias=False"
        if self.init != LECUN or self.connect or self.orbit:
            inits += f", kernel_init={self.init.flax()}"
        if self.bias_init != ZEROS:
            inits += f", bias_init={self.bias_init.flax()}"
        if self.orbit is not None:
            return self.over_orbit(self.orbit, inputs, slid, inits)
        by = f", conv_general_dilated={function}" if function else ""
        needed = (function.partition("(")[0],) if function else ()
        if self.connect:
            table = "[" + ", ".join(f'"{row}"' for row in self.connect) + "]"
            module = f"TableConv({table}, {slid.size!r}{options}{inits}{by}, rngs=rngs)"
            support: tuple[str, ...] = ("TableConv", *needed)
            kernel = f"table_kernel({{kernel}}, {table})"
            using = ("convolve", "table_kernel", *needed)
        else:
            groups = f", feature_group_count={self.groups}" if self.groups > 1 else ""
            module = f"nnx.Conv({fed}, {self.channels}, {slid.size!r}{options}{groups}{inits}{by}, rngs=rngs)"
            support, kernel, using = needed, "{kernel}", ("convolve", *needed)
        bias = " + {bias}" if self.bias else ""
        groups = f", groups={self.groups}" if self.groups > 1 else ""
        call = f"convolve({{0}}, {kernel}{options}{groups}{by}){bias}"
        return Lowering("{self}({0})", module, call, variables, support, using)

    def over_orbit(self, orbit: Orbit, inputs: tuple[Type, ...], slid: Window, inits: str) -> Lowering:
        """A convolution with the copies of an orbit; those that differ in size are each padded to be aligned."""
        kernel, *bias = self.weights(inputs)
        if orbit.mixes:
            name, copies, options = "Orbit", f'"{orbit.kind}"', self.options(slid)
        else:
            name, copies = "Scale", str(orbit.size)
            options = f", padding={slid.pad!r}{''.join(self.steps(slid))}"
        function = f"{name.lower()}_convolve"
        return Lowering(
            "{self}({0})",
            f"{name}Conv({copies}, {kernel.shape!r}{options}{inits}, rngs=rngs)",
            f"{function}({{0}}, {{kernel}}, {copies}{options}){' + {bias}' if bias else ''}",
            {spec.name: spec.name for spec in (kernel, *bias)},
            (f"{name}Conv",),
            (function,),
        )

    def options(self, slid: Window) -> str:
        """Strides, padding and dilation as Flax writes them, defaults left out."""
        pad = show_padding(slid.pad, self.pad)
        strides, dilation = self.steps(slid)
        return strides + (f", padding={pad}" if pad != '"SAME"' else "") + dilation

    def steps(self, slid: Window) -> tuple[str, str]:
        """Strides and dilation as Flax writes them, empty where they are 1."""
        strides = f", strides={slid.stride!r}" if set(slid.stride) != {1} else ""
        return strides, f", kernel_dilation={slid.dilation!r}" if set(slid.dilation) != {1} else ""


def beyond(slid: Window) -> bool:
    """Whether some position sees padding alone."""
    return any(max(pad) >= reach for (reach, _, _), pad in zip(slid.axes(), slid.pad, strict=True))


TABLE = "a table has a row for each input map and a column for each output map"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
