"""A hypothesis strategy for .net texts that must compile: small nets of layers, blocks, shared layers, views, loops."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

Shape = tuple[int, ...]
Drawn = tuple[str, Shape]
"""A layer in the language, and the shape that it gives."""

POINTWISE = ("relu", "tanh", "sigmoid", "elu(0.7)", "leaky_relu(0.2)", "gelu", "silu", "softplus", "sin", "abs")
POINTWISE += ("selu", "relu6", "hard_sigmoid", "hard_swish", "hard_tanh", "prelu", "prelu(true)")
FLAT = ("identity", "dropout(0.3)", "batchnorm", "softmax", "log_softmax")
FLAT += ("droppath(0.3)", "gaussian_noise(0.1)", "lrn(3, alpha = 0.5)")
INPUTS: tuple[Shape, ...] = ((3,), (4,), (5, 3), (6, 4), (5, 4, 2), (4, 4, 3), (6, 5, 2), (5, 5, 1), (6, 6, 2))


@dataclass
class Writer:
    """Writes one net: `names` are its values so far with their shapes."""

    draw: Any
    lines: list[str] = field(default_factory=list)
    names: list[tuple[str, Shape]] = field(default_factory=list)
    layers: list[tuple[str, Shape, Shape]] = field(default_factory=list)
    kernels: list[tuple[str, Shape]] = field(default_factory=list)
    blocks: list[tuple[str, Shape, Shape]] = field(default_factory=list)
    count: int = 0
    bodies: int = 0
    """How many bodies of loops and blocks the text stands in; labels of the net are not seen there."""

    def one_of(self, items: Any) -> Any:
        return self.draw(st.sampled_from(list(items)))

    def whole(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def chance(self, percent: int) -> bool:
        return self.whole(1, 100) <= percent

    def name(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    # Layers

    def flow(self, shape: Shape, depth: int) -> Drawn:
        """A chain of a few layers."""
        steps = []
        for _ in range(self.whole(1, 3)):
            text, shape = self.step(shape, depth)
            steps.append(text)
        return " -> ".join(steps), shape

    def same(self, shape: Shape, depth: int) -> str:
        """A layer that gives the shape that it is given."""
        text, shape_of_flow = self.flow(shape, depth)
        if shape_of_flow == shape:
            return text
        back = f"dense({shape[-1]})" if shape_of_flow[:-1] == shape[:-1] else f"flatten -> dense({size(shape)})"
        text = f"{text} -> {back}"
        return text if shape_of_flow[:-1] == shape[:-1] else f"{text} -> reshape([{', '.join(map(str, shape))}])"

    def body(self, make: Callable[[], Any]) -> Any:
        """What is written inside a loop's or block's body."""
        self.bodies += 1
        made = make()
        self.bodies -= 1
        return made

    def step(self, shape: Shape, depth: int) -> Drawn:
        makers: list[Callable[[Shape, int], Drawn]] = [self.pointwise, self.dense, self.flat, self.named, self.view]
        makers += [self.part]
        if len(shape) > 1:
            makers += [self.conv, self.conv, self.pool, self.global_pool, self.reshape, self.resampled]
            makers += [self.orbited] * (3 if len(shape) == 3 else 0)
            makers += [self.over_time] * (depth > 0) + [self.recurrent] * (len(shape) == 2)
        if depth > 0:
            makers += [self.fork, self.residual, self.repeat, self.for_each, self.choice, self.block]
        return self.one_of(makers)(shape, depth)

    def pointwise(self, shape: Shape, depth: int) -> Drawn:
        return self.one_of((*POINTWISE, "bent", "bent(3)")), shape

    def flat(self, shape: Shape, depth: int) -> Drawn:
        return self.one_of(FLAT), shape

    def dense(self, shape: Shape, depth: int) -> Drawn:
        n = self.whole(1, 5)
        options = self.one_of(("", ", bias = false", ", init = he", ", bias_init = 0.5", ", init = normal(0.5)"))
        return f"dense({n}{options})", (*shape[:-1], n)

    def conv(self, shape: Shape, depth: int) -> Drawn:
        rank, n = len(shape) - 1, self.whole(1, 4)
        stride, pad = self.whole(1, 2), self.one_of(("same", "1", "valid"))
        size = [self.whole(1, 3) for _ in range(rank)]
        if pad == "valid":
            size = [min(s, extent) for s, extent in zip(size, shape, strict=False)]
        text = f"conv({n}, [{', '.join(map(str, size))}], stride = {stride}, pad = {pad}"
        room = {"valid": 0, "1": 2}.get(pad, 0)
        spans = list(zip(shape, size, strict=False))
        if pad == "same":
            out = [-(-extent // stride) for extent, _ in spans]
        else:
            out = [(extent + room - s) // stride + 1 for extent, s in spans]
        if self.chance(15):
            return f"local{text[4:]})", (*out, n)
        if self.chance(20):
            text += f", tile = {self.whole(1, 3)}"
        if shape[-1] > 1 and n % shape[-1] == 0 and self.chance(40):
            text += f", groups = {shape[-1]}"
        elif "tile" not in text and self.chance(20):
            rows = [[self.one_of("X.") for _ in range(n)] for _ in range(shape[-1])]
            rows[self.whole(0, shape[-1] - 1)] = ["X"] * n
            text += ", connect = [" + ", ".join('"' + "".join(row) + '"' for row in rows) + "]"
        return text + self.one_of((")", ", bias = false)", ", init = fan_in(2.4))")), (*out, n)

    def pool(self, shape: Shape, depth: int) -> Drawn:
        if self.chance(20):
            size = [min(self.whole(1, 2), extent) for extent in shape[:-1]]
            out = [extent // s for extent, s in zip(shape, size, strict=False)]
            return f"subsample([{', '.join(map(str, size))}])", (*out, shape[-1])
        kind, stride = self.one_of(("maxpool", "avgpool")), self.whole(1, 2)
        if self.chance(50):
            return f"{kind}(2, stride = {stride}, pad = same)", (*(-(-e // stride) for e in shape[:-1]), shape[-1])
        size = min(2, *shape[:-1])
        return f"{kind}({size}, stride = {size})", (*(e // size for e in shape[:-1]), shape[-1])

    def resampled(self, shape: Shape, depth: int) -> Drawn:
        """Other numbers of positions than strides give; of large ones fewer, so that a net stays small."""
        extents, n = shape[:-1], shape[-1]
        few = [min(extent, self.whole(1, 4)) for extent in extents]
        size = f"[{', '.join(map(str, few))}]"
        made = [(f"adaptive_{self.one_of(('avgpool', 'maxpool'))}({size})", (*few, n))]
        if min(extents) > 1:
            made += [("pad(1, mode = reflect)", (*(extent + 2 for extent in extents), n))]
        if max(extents) < 9:
            mode = self.one_of(("nearest", "bilinear"))
            made += [(f"upsample(2, {mode})", (*(2 * extent for extent in extents), n)), self.conv_transpose(shape)]
            if len(shape) == 3 and n % 4 == 0:
                made += [("pixel_shuffle(2)", (2 * shape[0], 2 * shape[1], n // 4))]
            elif len(shape) == 3:
                made += [("dense(8) -> pixel_shuffle(2)", (2 * shape[0], 2 * shape[1], 2))]
        return self.one_of(made)

    def conv_transpose(self, shape: Shape) -> Drawn:
        stride, groups = self.whole(1, 2), shape[-1] if self.chance(30) else 1
        n, size, dilation = groups * self.whole(1, 2), self.whole(1, 3), self.whole(1, 2)
        reach = dilation * (size - 1) + 1
        pad = self.one_of(("same", "valid", "1"))
        if pad == "1" and reach < 3:
            pad = "valid"
        options = f"stride = {stride}, pad = {pad}, dilation = {dilation}, groups = {groups}"
        behind = stride - 1 if pad != "same" and self.chance(50) else 0
        options += f", output_pad = {behind}" if behind else ""
        cut = {"valid": 0, "1": 2}.get(pad, 0)
        out = (e * stride if pad == "same" else (e - 1) * stride - cut + reach + behind for e in shape[:-1])
        return f"conv_transpose({n}, {size}, {options}{self.one_of(('', ', bias = false'))})", (*out, n)

    def global_pool(self, shape: Shape, depth: int) -> Drawn:
        return self.one_of(("global_avgpool", "global_maxpool")), shape[-1:]

    def part(self, shape: Shape, depth: int) -> Drawn:
        n, rest = shape[-1], shape[:-1]
        made = [(f"slice(-{self.whole(1, n)}, step = {n})", (*rest, 1)), (f"swiglu({n + 1})", (*rest, n + 1))]
        if n % 2 == 0:
            made += [("split(2) -> add", (*rest, n // 2)), ("maxout(2)", (*rest, n // 2))]
        if rest:
            made += [(f"pad(1, mode = {self.one_of(('zero', 'edge'))})", (*(extent + 2 for extent in rest), n))]
        if rest and min(rest) > 1:
            made += [("crop([[0, 1]])", (*(extent - 1 for extent in rest), n))]
        return self.one_of(made)

    def reshape(self, shape: Shape, depth: int) -> Drawn:
        if self.chance(50):
            return "flatten", (size(shape),)
        turned = shape[::-1]
        return f"reshape([{', '.join(map(str, turned))}])", turned

    # Orbits

    def orbited(self, shape: Shape, depth: int) -> Drawn:
        """An image lifted to an orbit, what is done to all copies there, and their pool."""
        squares = 2 * ("rot4", "rot4_flip") if shape[0] == shape[1] else ()
        orbit = self.one_of(("flip", "scale(2)", "scale(3)", *squares))
        text, shape = self.orbit_conv(shape, orbit)
        for _ in range(self.whole(0, 2)):
            more, shape = self.one_of((self.orbit_conv, self.orbit_pointwise, self.orbit_windowed))(shape, orbit)
            text += f" -> {more}"
        return f"{text} -> orbit_pool({self.one_of(('max', 'mean'))})", shape

    def orbit_conv(self, shape: Shape, orbit: str) -> Drawn:
        """A convolution over an orbit, of square windows with odd sides, so that all copies fit everywhere."""
        n, size, pad = self.whole(1, 3), self.one_of((1, 3)), self.one_of(("same", "2", "valid"))
        largest = size + 2 * (int(orbit[6:-1]) - 1 if orbit.startswith("scale") else 0)
        room = {"valid": 0, "2": 4}.get(pad, 0)
        if largest > min(shape[:2]) + room:
            pad = "same"
        stride = self.whole(1, 2)
        out = (-(-e // stride) if pad == "same" else (e + room - largest) // stride + 1 for e in shape[:2])
        options = self.one_of(("", ", bias = false", ", init = fan_in(2.4)", ", bias_init = 0.5"))
        return f"conv({n}, {size}x{size}, orbit = {orbit}, stride = {stride}, pad = {pad}{options})", (*out, n)

    def orbit_pointwise(self, shape: Shape, orbit: str) -> Drawn:
        """What works on every number, or joins several values over one orbit."""
        again = f"conv({shape[2]}, 3x3, orbit = {orbit}, pad = same)"
        forms = (f"[identity, {again}] -> add", f"[{again} -> tanh, {again}] -> mul", f"repeat 2 {{ {again} }}")
        if self.chance(20):
            return f"[identity, {again}] -> concat", (*shape[:2], 2 * shape[2])
        return self.one_of((*POINTWISE, "batchnorm", "dropout(0.3)", *forms)), shape

    def orbit_windowed(self, shape: Shape, orbit: str) -> Drawn:
        if min(shape[:2]) == 1:
            return "identity", shape
        kind = self.one_of(("maxpool", "avgpool"))
        return f"{kind}(2, stride = 1)", (shape[0] - 1, shape[1] - 1, shape[2])

    # Layers of layers

    def fork(self, shape: Shape, depth: int) -> Drawn:
        n = self.whole(1, 3)
        if self.chance(50):
            flows = [self.same(shape, depth - 1) for _ in range(2)]
            return f"[{', '.join(flows)}] -> {self.one_of(('add', 'mul'))}", shape
        return f"[dense({n}), identity, {self.same(shape, depth - 1)}] -> concat", (*shape[:-1], n + 2 * shape[-1])

    def residual(self, shape: Shape, depth: int) -> Drawn:
        inner = self.same(shape, depth - 1)
        return self.one_of((f"residual({inner})", f"residual(residual({inner}))", f"twice({inner})")), shape

    def repeat(self, shape: Shape, depth: int) -> Drawn:
        if self.chance(25):
            n = shape[-1] + 2
            return f"repeat {self.whole(1, 3)} {{ dense({n}) -> tanh }}", (*shape[:-1], n)
        inner = self.body(lambda: self.same(shape, depth - 1))
        return f"repeat {self.whole(0, 3)} {{ {inner} }}", shape

    def for_each(self, shape: Shape, depth: int) -> Drawn:
        counts = [self.whole(1, 4) for _ in range(self.whole(1, 3))]
        if self.chance(50):
            inner = self.body(lambda: self.same((*shape[:-1], 4), depth - 1))
            return f"for n in [{', '.join(map(str, counts))}] {{ dense(n) -> dense(4) -> {inner} }}", (*shape[:-1], 4)
        pairs = ", ".join(f"[{n}, {self.one_of(POINTWISE)}]" for n in counts)
        return f"for n, f in [{pairs}] {{ dense(n) -> f }}", (*shape[:-1], counts[-1])

    def over_time(self, shape: Shape, depth: int) -> Drawn:
        text, out = self.body(lambda: self.flow(shape[1:], depth - 1))
        return f"over_time {{ {text} }}", (shape[0], *out)

    def recurrent(self, shape: Shape, depth: int) -> Drawn:
        n, last = self.whole(1, 4), self.one_of(("", ", last = true"))
        options = last + self.one_of(("", ", reverse = true"))
        if self.chance(30):
            return f"rnn({n}{options}, activation = {self.one_of(('tanh', 'relu'))})", (n,) if last else (shape[0], n)
        return f"{self.one_of(('gru', 'lstm'))}({n}{options})", (n,) if last else (shape[0], n)

    def choice(self, shape: Shape, depth: int) -> Drawn:
        inner = self.same(shape, depth - 1)
        sides = f"({inner}) else (dense(7) -> relu)", f"(dense(7) -> relu) else ({inner})"
        yes = self.chance(50)
        return f"(if depth {'>=' if yes else '<'} 2 then {sides[0] if yes else sides[1]})", shape

    def block(self, shape: Shape, depth: int) -> Drawn:
        """A block of the file's, or one that the net itself defines, which may see its layers and weights."""
        fitting = [b for b in self.blocks if b[1] == shape]
        if fitting and self.chance(60):
            name, _, out = self.one_of(fitting)
            return name, out
        n = self.whole(1, 4)
        kinds = (f"turn({n})", f"turn(n = {n}, f = sigmoid)", f"shared({n})", f"gated({n})", f"wide({n})", "scaled")
        text = self.one_of(kinds)
        return text, shape if text == "scaled" else (*shape[:-1], n)

    # Sharing

    def named(self, shape: Shape, depth: int) -> Drawn:
        fitting = [layer for layer in self.layers if layer[1] == shape]
        if not fitting:
            return self.dense(shape, depth)
        name, _, out = self.one_of(fitting)
        return (f"repeat {self.whole(1, 3)} {{ {name} }}" if out == shape and self.chance(40) else name), out

    def view(self, shape: Shape, depth: int) -> Drawn:
        """A dense layer whose kernel is made of others."""
        kernel = self.kernel(shape[-1])
        return (
            (f"dense({kernel[1][1]}, kernel = {kernel[0]})", (*shape[:-1], kernel[1][1]))
            if kernel
            else (self.dense(shape, depth))
        )

    def kernel(self, rows: int) -> tuple[str, Shape] | None:
        """A weight of two axes and so many rows."""
        seen = [(text, shape) for text, shape in self.kernels if not (self.bodies and text.startswith("d"))]
        found = [(text, shape) for text, shape in seen if shape[0] == rows]
        found += [(f"{text}.T", shape[::-1]) for text, shape in seen if shape[1] == rows]
        found += [(f"{text}[0:{rows}]", (rows, shape[1])) for text, shape in seen if shape[0] > rows]
        found += [(f"{text}[:, -{rows}:].T", (rows, shape[0])) for text, shape in seen if shape[1] > rows]
        if not found:
            return None
        text, shape = self.one_of(found)
        match self.whole(0, 7):
            case 0:
                return f"flip({text}, {self.whole(-2, 1)})", shape
            case 1:
                return f"({text} + {text}) / 2", shape
            case 2:
                return f"-{text} * 0.5", shape
            case 3:
                return f"concat({text}, 2 * {text})", (shape[0], 2 * shape[1])
            case 4 if shape[0] == shape[1]:
                return f"({text} - rot90({text}))", shape
            case _:
                return text, shape

    # Statements

    def value(self, text: str, shape: Shape) -> None:
        name = self.name("h")
        self.lines.append(f"{name} = {text}")
        self.names.append((name, shape))

    def statement(self) -> None:
        kinds = (self.chain, self.chain, self.arithmetic, self.layer, self.weight, self.inner_block, self.label)
        self.one_of((*kinds, self.window_weight))()

    def chain(self) -> None:
        name, shape = self.one_of(self.names)
        text, out = self.flow(shape, 2)
        if size(out) <= 200:
            self.value(f"{name} -> {text}", out)

    def label(self) -> None:
        """A labelled layer, whose kernel others can take."""
        name, shape = self.one_of(self.names)
        label, n = self.name("d"), self.whole(1, 5)
        self.value(f"{name} -> {label}: dense({n}) -> tanh", (*shape[:-1], n))
        self.kernels.append((f"{label}.kernel", (shape[-1], n)))

    def layer(self) -> None:
        """A named layer, used at once; later it may be used again."""
        name, shape = self.one_of(self.names)
        layer = self.name("l")
        if self.chance(40):
            n = self.whole(1, 5)
            text, out = f"dense({n})", (*shape[:-1], n)
            self.kernels.append((f"{layer}.kernel", (shape[-1], n)))
        else:
            text, out = self.flow(shape, 1)
        if size(out) > 200:
            return
        self.lines.append(f"layer {layer} = {text}")
        self.value(f"{name} -> {layer}", out)
        self.layers.append((layer, shape, out))
        self.value(f"({name} * 0.5) -> {layer}", out)

    def weight(self) -> None:
        name, shape = self.one_of(self.names)
        weight, n = self.name("w"), self.whole(1, 4)
        start = self.one_of(("", " = normal(0.3)", " = glorot", " = 0.25"))
        if self.chance(50):
            self.lines.append(f"weight {weight}: [{shape[-1]}, {n}]{start}")
            self.kernels.append((weight, (shape[-1], n)))
            self.value(f"{name} @ {weight}", (*shape[:-1], n))
        else:
            start = self.one_of((" = normal(1)", " = 0.25", " = fan_in(1)"))
            self.lines.append(f"weight {weight}: [{shape[-1]}]{start}")
            forms = (f"{weight} * {name} + {weight}", f"{name} - {weight}", f"{weight} - {name}")
            self.value(self.one_of(forms), shape)

    def window_weight(self) -> None:
        """A kernel that two convolutions see, one of them by a view: plain ones, over an orbit, tiled or local."""
        images = [(name, shape) for name, shape in self.names if len(shape) == 3]
        if not images:
            self.weight()
            return
        name, (height, width, fed) = self.one_of(images)
        kernel, n, side = self.name("k"), self.whole(1, 3), self.one_of((1, 2))
        orbit = self.one_of(("flip", "scale(2)", *(("rot4", "rot4_flip") if height == width else ())))
        sets = tuple(min(2, extent) for extent in (height, width))
        kinds = {
            "conv": ("", "", ()),
            "orbit": (f", orbit = {orbit}", " -> orbit_pool(mean)", ()),
            "tile": (", tile = 2", "", sets),
            "local": ("", "", (height, width)),
        }
        kind = self.one_of(kinds)
        options, tail, grid = kinds[kind]
        shape = (*grid, side, side, fed, n)
        self.lines.append(f"weight {kernel}: [{', '.join(map(str, shape))}] = normal(0.3)")
        middle = len(grid)
        views = (kernel, f"flip({kernel}, {middle + 1})", f"-{kernel} * 0.5", f"({kernel} + flip({kernel}, {middle}))")
        rest = f"{options}, pad = same){tail}"
        layer = "local" if kind == "local" else "conv"
        parts = (f"{layer}({n}, {side}x{side}, kernel = {seen}{rest}" for seen in (kernel, self.one_of(views)))
        self.value(f"{name} -> [{', '.join(parts)}] -> add", (height, width, n))

    def arithmetic(self) -> None:
        name, shape = self.one_of(self.names)
        others = [n for n, s in self.names if s in (shape, shape[-1:], (1,))]
        other = self.one_of(others)
        forms = (
            f"{name} + {other}", f"2 * {name} - {other}", f"{name} * {other}", f"-{name} / 4", f"tanh({name}) ^ 2",
            f"(1 - {name}) * ({other} + 1)", f"({name} -> tanh) + ({other} -> relu)", f"bent({name}, 2)",
            f"2 ^ tanh({name})", f"({name}, {other}) -> add -> relu", f"({other}, {name}) -> mul",
            f"-({name} ^ 2)", f"(-{name}) ^ 2", f"({name} - {other}) - ({other} - {name})", f"1 / (1 + {name} ^ 2)",
            f"(-0.0) ^ ({name} * 0)", f"{name} - (2 - {other}) * -3", f"-(-{name} - {other})",
        )  # fmt: skip
        self.value(self.one_of(forms), shape)

    def inner_block(self) -> None:
        """A block in the net, that sees what the net has named."""
        name, shape = self.one_of(self.names)
        block = self.name("b")
        text, out = self.body(lambda: self.flow(shape, 1))
        if size(out) > 200:
            return
        if self.chance(50):
            self.lines.append(f"block {block} = {text}")
        else:
            self.lines.append(f"block {block} {{ input x  y = x -> {text}  output y * 0.5 }}")
        self.blocks.append((block, shape, out))
        self.value(f"{name} -> {block}", out)


def size(shape: Shape) -> int:
    total = 1
    for extent in shape:
        total *= extent
    return total


FILE = """depth = 2
activation bent(v, s = 1.5) = s * tanh(2 * v / 3) - v * 0.1
block residual(f) = [identity, f] -> add
block twice(f) = f -> f
block turn(n, f = tanh) = dense(n) -> f
block shared(n) {
  input x
  layer step = dense(x.channels)
  output x -> step -> tanh -> step -> dense(n)
}
block gated(n) {
  input x
  a = x -> dense(n)
  b = x -> turn(n, sigmoid)
  output a * b
}
block pair { input p, q  output (p, q) -> concat }
block wide(n) {
  input x
  block both(m) = [turn(m), dense(m)]
  output x -> both(n) -> add
}
block scaled { input x  weight gain: [x.channels] = 1  output x * gain }
net Inner(n = 3) { input x: [4]  layer e = dense(n)  h = x -> e -> tanh  output y = h -> dense(4, kernel = e.kernel.T) }
"""


@st.composite
def net_texts(draw: Any) -> str:
    """A file whose last net is `Made`."""
    writer = Writer(draw)
    inputs = [draw(st.sampled_from(INPUTS)) for _ in range(writer.whole(1, 2))]
    lines = [f"  input i{i}: [{', '.join(map(str, shape))}]" for i, shape in enumerate(inputs)]
    writer.names = [(f"i{i}", shape) for i, shape in enumerate(inputs)]
    for _ in range(writer.whole(1, 7)):
        writer.statement()
    lines += [f"  {line}" for line in writer.lines]
    made = writer.names[len(inputs) :]
    last, shape = made[-1] if made else writer.names[0]
    tail = " -> Inner" if shape[-1:] == (4,) and len(shape) == 1 and writer.chance(50) else ""
    lines.append(f"  output last = {last}{tail}" if tail or not made else f"  output {last}x = {last} -> identity")
    if len(writer.names) > 1:
        other, _ = writer.one_of(writer.names)
        lines.append(f"  output other = {other} * 2")
    return FILE + "net Made {\n" + "\n".join(lines) + "\n}\n"


@st.composite
def resampled_texts(draw: Any) -> str:
    """A net of resampling layers one after the other, which among all others are drawn too seldom."""
    writer = Writer(draw)
    shape = writer.one_of(shape for shape in INPUTS if len(shape) > 1)
    text, extents = "x", ", ".join(map(str, shape))
    for _ in range(3):
        step, shape = writer.resampled(shape, 0)
        text += f" -> {step}"
    return f"net Resampled {{\n  input x: [{extents}]\n  output y = {text}\n}}\n"
