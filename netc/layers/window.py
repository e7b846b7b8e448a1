"""What slides a window over positions: extents, strides and padding, shared by convolution and pooling."""

from collections.abc import Mapping
from dataclasses import dataclass

from netc.arguments import Either, Extents, OneOf
from netc.layers.base import Refusal
from netc.types import Type

PADDING = Either((OneOf(("valid", "same")), Extents(0)))
NAMES = {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}


@dataclass(frozen=True)
class Window:
    """A window over the positions of one value: every field has one number an axis, `pad` a pair."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pad: tuple[tuple[int, int], ...]
    out: tuple[int, ...]

    def axes(self) -> list[tuple[int, int, int]]:
        """The reach, stride and padding before of each axis."""
        rows = zip(self.size, self.stride, self.dilation, self.pad, strict=True)
        return [(dilation * (size - 1) + 1, stride, before) for size, stride, dilation, (before, _) in rows]


def window(
    kind: str,
    input: Type,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    pad: str | tuple[int, ...],
    dilation: tuple[int, ...] = (1,),
    up: bool = False,
) -> Window | Refusal:
    """The window over `[positions..., channels]`, or why it does not fit.

    `same` pads so that the output has input / stride positions, rounded up, the odd cell behind
    (TensorFlow's and Flax's convention). `up` lets a last window reach past the end (Caffe's pooling).
    """
    positions = input.shape[:-1]
    rank = len(positions)
    if refusal := refuse_axes(kind, input, {"size": size, "stride": stride, "dilation": dilation}):
        return refusal
    if not isinstance(pad, str) and len(pad) not in (1, rank):
        return Refusal(
            f"`{kind}` is given padding for {len(pad)} axes, and {input} has {rank} before its channels",
            "one number pads every axis: `pad = 1`",
        )
    size, stride, dilation = (spread(extents, rank) for extents in (size, stride, dilation))
    pads, out = [], []
    for axis in range(rank):
        reach = dilation[axis] * (size[axis] - 1) + 1
        before, after = padding(pad, axis, rank, positions[axis], reach, stride[axis])
        room = positions[axis] + before + after - reach
        if room < 0:
            name = NAMES[rank][axis]
            return Refusal(
                f"`{kind}` has a window of {show_size(size)} that is larger than {input} in {name}",
                f"its reach is {reach}, and the {name} is {positions[axis] + before + after}: use `pad`",
            )
        count = room // stride[axis] + 1
        if up and room % stride[axis]:
            extra = stride[axis] - room % stride[axis]
            if count * stride[axis] < positions[axis] + before:
                count, after = count + 1, after + extra
        pads.append((before, after))
        out.append(count)
    return Window(size, stride, dilation, tuple(pads), tuple(out))


def refuse_axes(kind: str, input: Type, settings: Mapping[str, tuple[int, ...]]) -> Refusal | None:
    """The refusal of settings that have neither one number nor one for each axis of positions."""
    rank = len(input.shape) - 1
    for what, extents in settings.items():
        if len(extents) not in (1, rank):
            return Refusal(
                f"`{kind}` is given a {what} of {len(extents)} axes for {input}, which has {rank} before its channels",
                "an image is [height, width, channels]: `reshape` adds an axis for the channels",
            )
    return None


def show_size(size: tuple[int, ...]) -> str:
    """A window as the language writes it: `5x5`."""
    return "x".join(map(str, size))


def spread(extents: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return extents * rank if len(extents) == 1 else extents


def padding(
    pad: str | tuple[int, ...], axis: int, rank: int, positions: int, reach: int, stride: int
) -> tuple[int, int]:
    if pad == "valid":
        return 0, 0
    if pad == "same":
        total = max((-(-positions // stride) - 1) * stride + reach - positions, 0)
        return total // 2, total - total // 2
    assert not isinstance(pad, str)
    around = spread(pad, rank)[axis]
    return around, around


def show_padding(pads: tuple[tuple[int, int], ...], pad: str | tuple[int, ...]) -> str:
    """Padding as Flax writes it."""
    if isinstance(pad, str):
        return f'"{pad.upper()}"'
    return repr(pads) if any(sides != (0, 0) for sides in pads) else '"VALID"'
