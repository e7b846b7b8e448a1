"""Layers that move numbers and compute nothing, and those that join several values into one."""

from dataclasses import dataclass
from math import prod

from netc.arguments import Extents, argument
from netc.layers.arithmetic import MIXED, beside, stands_beside
from netc.layers.base import Cost, Layer, Lowering, Refusal, one_input
from netc.layers.symmetry import Motion, Transformed
from netc.layers.window import Window, window
from netc.types import Type, show_shape


@dataclass(frozen=True)
class Identity(Layer):
    """Gives what it is given: the straight side of a residual connection, `[identity, body] -> add`, which is
    `x + body(x)`."""

    example = "identity"
    keeps_orbit = True

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return inputs

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise() if len(given.inputs) == 1 else None

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering("{all}")


@dataclass(frozen=True)
class Flatten(Layer):
    """All numbers of a value as one vector, row by row: between convolutions and a `dense` layer that sees them all."""

    example = "flatten"

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        return one_input(self.kind, inputs) or (Type((inputs[0].size,)),)

    def everywhere(self, inputs: tuple[Type, ...]) -> Layer | None:
        positions = inputs[0].shape[:-1]
        return Windows(positions) if positions else Identity()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(f"{{0}}.reshape(-1, {inputs[0].size})")


@dataclass(frozen=True)
class Windows(Layer):
    """The cells under each window as one vector, row by row with their channels: `windows(5x5) -> dense(120)` is
    `conv(120, 5x5)`, and what `flatten -> dense(120)` does to a 5x5 image it does at every position of a larger one.
    Known as im2col, and as `unfold` in PyTorch, which has the channels first."""

    example = "windows(3x3) -> dense(4)"

    size: tuple[int, ...] = argument("the window", Extents())
    stride: tuple[int, ...] = argument("the step between windows", Extents(), (1,))

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs, (2, 3, 4)):
            return refusal
        slid = self.window(inputs[0])
        if isinstance(slid, Refusal):
            return slid
        return (Type((*slid.out, prod(slid.size) * inputs[0].channels)),)

    def window(self, input: Type) -> Window | Refusal:
        return window(self.kind, input, self.size, self.stride, "valid")

    def symmetry(self, given: Transformed) -> Motion | None:
        slid = self.window(given.inputs[0])
        assert isinstance(slid, Window)
        return given.windowed(slid)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        slid = self.window(inputs[0])
        assert isinstance(slid, Window)
        strides = f", strides={slid.stride!r}" if set(slid.stride) != {1} else ""
        return Lowering(f"windows({{0}}, {slid.size!r}{strides})", support=("windows",))


@dataclass(frozen=True)
class Reshape(Layer):
    """The same numbers in another shape, in the same order: `reshape([8, 8, 1])` makes an image of a vector of 64."""

    example = "reshape([64, 3])"

    shape: tuple[int, ...] = argument("the new shape, without the batch axis", Extents())

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs):
            return refusal
        if prod(self.shape) != inputs[0].size:
            return Refusal(
                f"`reshape` is given {inputs[0]}, of {inputs[0].size} numbers, for {show_shape(self.shape)}, "
                f"of {prod(self.shape)}",
                "both shapes must hold as many numbers; `flatten` makes a vector of any",
            )
        return (Type(self.shape),)

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(f"{{0}}.reshape(-1, {', '.join(map(str, self.shape))})")


@dataclass(frozen=True)
class Concat(Layer):
    """Several values side by side along their last axis, so that channels add up; all other axes must agree."""

    example = "[conv(4, 1x1), conv(8, 3x3, pad = same)] -> concat"
    keeps_orbit = True

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if not inputs:
            return Refusal("`concat` takes at least one value")
        for other in inputs:
            if not other.shape or other.shape[:-1] != inputs[0].shape[:-1] or other.element != inputs[0].element:
                same_element = other.element == inputs[0].element
                way_out = (
                    "all axes but the last must agree" if same_element else "all must hold the same kind of number"
                )
                return Refusal(f"`concat` is given {inputs[0]} and {other}", way_out)
            if other.orbit != inputs[0].orbit:
                return Refusal(f"`concat` is given {inputs[0]} and {other}", MIXED)
        channels = sum(t.channels for t in inputs)
        return (Type((*inputs[0].shape[:-1], channels), inputs[0].element, inputs[0].orbit),)

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering("jnp.concatenate([{all}], axis=-1)")


@dataclass(frozen=True)
class Joined(Layer):
    """What `add` and `mul` share."""

    keeps_orbit = True

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if not inputs:
            return Refusal(f"`{self.kind}` takes at least one value")
        if any(t.element.name != "f32" for t in inputs):
            return Refusal(f"`{self.kind}` computes with f32 numbers, and is given {' and '.join(map(str, inputs))}")
        wide = max(inputs, key=lambda t: (t.size, len(t.shape)))
        for other in inputs:
            if not stands_beside(other, wide):
                return Refusal(
                    f"`{self.kind}` is given {wide} and {other}",
                    "shapes must agree, or the others be numbers or vectors of its channels"
                    if other.orbit == wide.orbit
                    else MIXED,
                )
        return (wide,)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        return Cost(flops=outputs[0].size * (len(inputs) - 1))

    def in_any_order(self) -> bool:
        return True

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def joined(self, inputs: tuple[Type, ...], symbol: str) -> Lowering:
        rank = max(len(t.array_shape) for t in inputs)
        parts = [f"{{{i}}}{beside(t.array_shape, rank)}" for i, t in enumerate(inputs)]
        return Lowering(f" {symbol} ".join(parts))


@dataclass(frozen=True)
class Add(Joined):
    """The sum of several values. Besides those of the full shape there may be vectors with a number for each channel,
    and single numbers; these count at every position."""

    example = "[identity, conv(3, 3x3, pad = same) -> relu] -> add"

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return self.joined(inputs, "+")


@dataclass(frozen=True)
class Mul(Joined):
    """The product of several values, number by number. Besides those of the full shape there may be vectors with a
    number for each channel, and single numbers: so a gate opens and closes channels."""

    example = "[identity, global_avgpool -> dense(3) -> sigmoid] -> mul"

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return self.joined(inputs, "*")
