"""The limits of the checker: none that a net needs, all that keep a hostile text from taking time or memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

from netc.check.problems import TooLarge
from netc.check.things import (
    Chain,
    DefinedRecipe,
    ForRecipe,
    KindRecipe,
    Label,
    LoopBody,
    Thing,
    WeightExpression,
)
from netc.source import Span
from netc.syntax.limits import MOST_ITEMS
from netc.types import show_shape

LARGEST = 10**15
MOST_NUMBERS = 2**40
MOST_LAYERS = 1_000_000
MOST_NODES = 100_000
MOST_REPEATS = 100_000
MOST_BLOCKS_DEEP = 40
MOST_DEPTH = 40
MOST_WAITING = 40
MOST_ERRORS = 500
MOST_COPIES = 10_000_000


@dataclass
class Measures:
    """How many items compile-time things hold, those inside others counted each time, and how deep they nest.

    Things share their parts, so a short text can make ones that nothing could walk through. Each is
    measured once, when it is made.
    """

    known: dict[int, tuple[Thing, int, int]] = field(default_factory=dict)
    copies: int = 0
    full: bool = False

    def measure(self, thing: Thing) -> tuple[int, int]:
        """The number of items and the depth; the things inside have been measured before."""
        if not isinstance(thing, COMPOUND):
            return 1, 0
        if id(thing) not in self.known:
            inner = [self.measure(part) for part in parts(thing)]
            count, depth = sum((n for n, _ in inner), 1), 1 + max((d for _, d in inner), default=0)
            self.known[id(thing)] = (thing, count, depth)
            self.copies += len(thing) if isinstance(thing, str) else len(inner)
        return self.known[id(thing)][1:]

    def refuse(self, thing: Thing, span: Span) -> TooLarge | None:
        """The limit that a thing goes beyond."""
        count, depth = self.measure(thing)
        what = "a list" if isinstance(thing, tuple) else "this"
        if count > MOST_ITEMS:
            return TooLarge(span=span, what=what, limit=f"{MOST_ITEMS:,} items")
        if depth > MOST_DEPTH:
            return TooLarge(span=span, what=what, limit=f"{MOST_DEPTH} levels, one in the other")
        if self.copies > MOST_COPIES and not self.full:
            self.full = True
            return TooLarge(span=span, what="this file", limit=f"{MOST_COPIES:,} items in all lists and strings")
        return None


COMPOUND = (str, tuple, Chain, Label, DefinedRecipe, ForRecipe, LoopBody, KindRecipe, WeightExpression)


def parts(thing: Thing) -> Iterator[Thing]:
    """What a compile-time thing is made of."""
    match thing:
        case tuple():
            yield from thing
        case Chain(steps=steps):
            yield from steps
        case Label(recipe=recipe):
            yield recipe
        case DefinedRecipe(arguments=arguments):
            yield from (argument for _, argument in arguments)
        case ForRecipe(items=items) | LoopBody(items=items):
            yield from items
        case KindRecipe(views=views):
            yield from (view for _, view in views)
        case WeightExpression(operands=operands):
            yield from operands
        case _:
            pass


def spelled(thing: Thing) -> tuple[str, ...]:
    """The plain numbers in a thing as texts, in order: Python takes `1`, `1.0` and `true` for equal, and the
    language does not."""
    if isinstance(thing, int | float):
        return (repr(thing),)
    return tuple(text for part in parts(thing) for text in spelled(part)) if isinstance(thing, COMPOUND) else ()


def too_many_numbers(what: str, shape: tuple[int, ...], span: Span) -> TooLarge | None:
    """The refusal of a value or weight that no memory holds."""
    if prod(shape) <= MOST_NUMBERS:
        return None
    return TooLarge(span=span, what=f"a {what} of {show_shape(shape)}", limit="2^40 numbers")
