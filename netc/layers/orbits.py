"""Orbits: one feature detector used turned, mirrored or at several sizes, and pooling over these copies."""

from dataclasses import dataclass

from netc.arguments import REJECTED, Integer, OneOf, Symbol, argument
from netc.layers.base import Cost, Layer, Lowering, Refusal, one_input
from netc.layers.symmetry import Motion, Transformed
from netc.types import Orbit, Type


@dataclass(frozen=True)
class Rot4(Orbit):
    """The four turns by 90 degrees, anticlockwise: 0, 90, 180, 270 (the group p4 of Cohen & Welling 2016)."""

    square = True
    exchanged_by = ("rot90", "rot180")

    @property
    def size(self) -> int:
        return 4


@dataclass(frozen=True)
class Flip(Orbit):
    """As it is, and mirrored left to right."""

    exchanged_by = ("flip",)

    @property
    def size(self) -> int:
        return 2


@dataclass(frozen=True)
class Rot4Flip(Orbit):
    """The four turns by 90 degrees, and the four of the mirror image: the symmetries of a square (the group p4m of
    Cohen & Welling 2016)."""

    square = True
    exchanged_by = ("rot90", "rot180", "flip", "flipud")

    @property
    def size(self) -> int:
        return 8


@dataclass(frozen=True)
class Scale(Orbit):
    """A detector at several sizes: its window of `k` cells grows by two from each to the next, `k`, `k + 2`, `k + 4`
    (Xu et al. 2014, "Scale-invariant convolutional neural networks"; Kanazawa, Sharma & Jacobs 2014 scale the image
    instead).

    Every number of the kernel spreads over the larger window as bilinear interpolation does, and is divided so that
    its parts add up to it: cell `p` of `K` lies at `u = (p + 1/2) k / K - 1/2`, cut off at the first and last cell
    of the kernel, and gets `max(0, 1 - |u - q|)` of number `q`, over the sum of this for all `p`. So all copies
    answer alike where the image is the same everywhere. The windows of all copies have the same centre.

    A convolution over scales acts on each by itself, with a window of that scale's size.
    """

    mixes = False

    sizes: int = argument("how many sizes", Integer(2, 32))

    @property
    def size(self) -> int:
        return self.sizes

    def windows(self, extents: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(extent + 2 * i for extent in extents) for i in range(self.sizes))


ORBITS: tuple[type[Orbit], ...] = (Rot4, Flip, Rot4Flip, Scale)
WORDS: dict[str, Orbit] = {"rot4": Rot4(), "flip": Flip(), "rot4_flip": Rot4Flip()}


@dataclass(frozen=True)
class AnOrbit:
    """Accepts `rot4`, `flip`, `rot4_flip` or `scale(3)`."""

    words: tuple[str, ...] = tuple(WORDS)

    def read(self, value: object) -> object:
        if isinstance(value, Symbol):
            return WORDS.get(value.name, REJECTED)
        return value if isinstance(value, Orbit) else REJECTED

    def describe(self) -> str:
        return "`rot4`, `flip`, `rot4_flip` or `scale(n)`"


@dataclass(frozen=True)
class OrbitPool(Layer):
    """The largest or the mean of the answers of an orbit's copies, map by map: what is left no longer says which of
    them it was. Over `rot4` a net is then the same for an image and its turns, if all before it is equivariant.

    Over `scale(n)` the largest says how well the feature is there at the size that fits best.
    """

    example = "conv(8, 3x3, orbit = rot4) -> orbit_pool(max)"
    keeps_orbit = True

    keep: str = argument("what is kept", OneOf(("max", "mean")))

    def outputs(self, inputs: tuple[Type, ...]) -> tuple[Type, ...] | Refusal:
        if refusal := one_input(self.kind, inputs):
            return refusal
        if inputs[0].orbit is None:
            return Refusal(
                f"`orbit_pool` is given {inputs[0]}, which is over no orbit",
                "`conv(8, 3x3, orbit = rot4)` before it makes one, or leave it out",
            )
        return (Type(inputs[0].shape),)

    def cost(self, inputs: tuple[Type, ...], outputs: tuple[Type, ...]) -> Cost:
        # A mean divides, too.
        return Cost(flops=inputs[0].size - (outputs[0].size if self.keep == "max" else 0))

    def symmetry(self, given: Transformed) -> Motion | None:
        return given.pointwise()

    def lower(self, inputs: tuple[Type, ...]) -> Lowering:
        return Lowering(f"{{0}}.{self.keep}(axis=-2)")
