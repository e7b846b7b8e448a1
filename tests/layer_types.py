"""Types of values that layers are tried on."""

from netc.types import Orbit, Type

Types = tuple[Type, ...]


def f32(*shape: int) -> Type:
    return Type(shape)


def over(orbit: Orbit, *shape: int) -> Type:
    return Type(shape, orbit=orbit)


SEQUENCE, IMAGE, VOLUME = f32(9, 4), f32(8, 7, 4), f32(5, 6, 7, 2)
