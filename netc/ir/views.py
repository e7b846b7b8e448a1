"""Views: weights computed from other weights. A table of operations with shape, JAX expression and .net spelling."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from netc.ir.network import Derived, Reference, View
from netc.layers.base import Refusal
from netc.types import show_shape

Shape = tuple[int, ...]
Ruled = tuple[Shape, tuple[object, ...]] | Refusal


@dataclass(frozen=True)
class Operation:
    """`rule` gives the shape and the settings with their defaults; the templates take operands by number.

    `operands` says how many there are (None: one or more), `settings` whether these are of the right kind.
    """

    rule: Callable[[tuple[Shape, ...], tuple[Any, ...]], Ruled]
    jax: Callable[[tuple[Any, ...]], str]
    text: Callable[[tuple[Any, ...]], str]
    operands: int | None = 1
    settings: Callable[[tuple[object, ...]], bool] = lambda settings: not settings


def transpose(shapes: tuple[Shape, ...], settings: tuple[Any, ...]) -> Ruled:
    return shapes[0][::-1], ()


def slice_(shapes: tuple[Shape, ...], settings: tuple[Any, ...]) -> Ruled:
    shape = shapes[0]
    if len(settings) > len(shape):
        return Refusal(
            f"a weight of {show_shape(shape)} is given {len(settings)} indices",
            f"there is one for each axis, at most {len(shape)}",
        )
    out: list[int] = []
    fixed: list[object] = []
    for axis, bound in enumerate(settings):
        extent = shape[axis]
        if isinstance(bound, int):
            if not -extent <= bound < extent:
                text = f"index {bound} is outside axis {axis} of a weight of {show_shape(shape)}"
                return Refusal(text, f"its indices are 0 to {extent - 1}")
            fixed.append(bound)
            continue
        start, stop, _ = slice(*bound).indices(extent)
        asked = [b for b in bound if b is not None]
        if start >= stop or any(abs(b) > extent for b in asked):
            text = ":".join("" if b is None else str(b) for b in bound)
            inside = all(abs(b) <= extent for b in asked)
            found = "is empty in" if inside else "does not lie in"
            way_out = "it goes up to its second number, which is left out" if inside else f"`0:{extent}` is all of it"
            return Refusal(f"the slice `{text}` of axis {axis} {found} a weight of {show_shape(shape)}", way_out)
        fixed.append((start, stop))
        out.append(stop - start)
    return (*out, *shape[len(settings) :]), tuple(fixed)


def flip(shapes: tuple[Shape, ...], settings: tuple[Any, ...]) -> Ruled:
    axis = settings[0] if settings else 0
    if len(shapes) != 1 or len(settings) > 1 or not -len(shapes[0]) <= axis < len(shapes[0]):
        return Refusal(
            f"`flip` takes a weight and one of its axes; {axis} is none of {show_shape(shapes[0])}",
            "axes are counted from 0: `flip(W, 0)` turns the rows around",
        )
    return shapes[0], (axis,)


def rot90(shapes: tuple[Shape, ...], settings: tuple[Any, ...]) -> Ruled:
    turns = settings[0] if settings else 1
    if len(shapes) != 1 or len(settings) > 1 or len(shapes[0]) < 2:
        return Refusal(f"`rot90` takes a weight of at least two axes, and is given {show_shape(shapes[0])}")
    first, second, *rest = shapes[0]
    return ((second, first, *rest) if turns % 2 else shapes[0]), (turns,)


def same(shapes: tuple[Shape, ...], settings: tuple[Any, ...]) -> Ruled:
    if len(set(shapes)) > 1:
        return Refusal(
            f"weights of {show_shape(shapes[0])} and {show_shape(shapes[1])} cannot be added", "their shapes must agree"
        )
    return shapes[0], ()


def scaled(shapes: tuple[Shape, ...], settings: tuple[Any, ...]) -> Ruled:
    return shapes[0], settings


def divided(shapes: tuple[Shape, ...], settings: tuple[Any, ...]) -> Ruled:
    return Refusal("a weight cannot be divided by zero") if settings[0] == 0 else (shapes[0], settings)


def concat(shapes: tuple[Shape, ...], settings: tuple[Any, ...]) -> Ruled:
    rank = len(shapes[0])
    axis = settings[0] if settings else rank - 1
    if not -rank <= axis < rank:
        return Refusal(f"axis {axis} is none of {show_shape(shapes[0])}")
    axis %= rank
    for shape in shapes:
        if len(shape) != rank or any(
            a != b for i, (a, b) in enumerate(zip(shape, shapes[0], strict=True)) if i != axis
        ):
            return Refusal(
                f"weights of {show_shape(shapes[0])} and {show_shape(shape)} cannot be joined along axis {axis}",
                "all other axes must agree",
            )
    joined = sum(shape[axis] for shape in shapes)
    return (*shapes[0][:axis], joined, *shapes[0][axis + 1 :]), (axis,)


def is_whole(thing: object) -> bool:
    return isinstance(thing, int) and not isinstance(thing, bool)


def one_whole(settings: tuple[object, ...]) -> bool:
    return len(settings) <= 1 and all(map(is_whole, settings))


def one_number(settings: tuple[object, ...]) -> bool:
    return len(settings) == 1 and (is_whole(settings[0]) or isinstance(settings[0], float))


def all_bounds(settings: tuple[object, ...]) -> bool:
    return all(
        is_whole(bound) or (isinstance(bound, tuple) and len(bound) == 2 and all(map(is_whole, bound)))
        for bound in settings
    )


def bounds(settings: tuple[Any, ...]) -> str:
    return ", ".join(str(b) if isinstance(b, int) else f"{b[0]}:{b[1]}" for b in settings)


OPERATIONS: dict[str, Operation] = {
    "transpose": Operation(transpose, lambda s: "{0}.T", lambda s: "{0}.T"),
    "slice": Operation(slice_, lambda s: f"{{0}}[{bounds(s)}]", lambda s: f"{{0}}[{bounds(s)}]", settings=all_bounds),
    "flip": Operation(flip, lambda s: f"jnp.flip({{0}}, {s[0]})", lambda s: f"flip({{0}}, {s[0]})", settings=one_whole),
    "rot90": Operation(
        rot90, lambda s: f"jnp.rot90({{0}}, {s[0]})", lambda s: f"rot90({{0}}, {s[0]})", settings=one_whole
    ),
    "add": Operation(same, lambda s: "({0} + {1})", lambda s: "({0} + {1})", operands=2),
    "subtract": Operation(same, lambda s: "({0} - {1})", lambda s: "({0} - {1})", operands=2),
    "multiply": Operation(scaled, lambda s: f"({{0}} * {s[0]!r})", lambda s: f"({{0}} * {s[0]})", settings=one_number),
    "divide": Operation(divided, lambda s: f"({{0}} / {s[0]!r})", lambda s: f"({{0}} / {s[0]})", settings=one_number),
    "negate": Operation(scaled, lambda s: "(-{0})", lambda s: "(-{0})"),
    "concat": Operation(
        concat,
        lambda s: f"jnp.concatenate([{{all}}], axis={s[0]})",
        lambda s: f"concat({{all}}, {s[0]})",
        operands=None,
        settings=one_whole,
    ),
}


def derive(operation: str, operands: tuple[View, ...], settings: tuple[Any, ...]) -> Derived | Refusal:
    """The view that an operation makes of others, or why it cannot."""
    ruled = OPERATIONS[operation].rule(tuple(operand.shape for operand in operands), settings)
    return ruled if isinstance(ruled, Refusal) else Derived(operation, operands, ruled[1], ruled[0])


def checked(operation: str, operands: tuple[View, ...], settings: tuple[object, ...]) -> Derived | Refusal:
    """The same of an operation, operands and settings that may be anything: read from a file, or made by a pass."""
    if operation not in OPERATIONS:
        return Refusal(f"there is no operation `{operation}` on weights")
    row = OPERATIONS[operation]
    if not operands or row.operands not in (None, len(operands)):
        return Refusal(f"`{operation}` cannot take {len(operands)} weight{'s' * (len(operands) != 1)}")
    if not row.settings(settings):
        return Refusal(f"`{operation}` cannot take the settings {list(settings)!r:.80}")
    return derive(operation, operands, settings)


def expression(view: View, reference: Callable[[str], str]) -> str:
    """A view as a JAX expression; `reference` gives the array of a path."""
    return write(view, reference, lambda operation, settings: OPERATIONS[operation].jax(settings))


def show_view(view: View) -> str:
    """A view as the language writes it."""
    return write(view, str, lambda operation, settings: OPERATIONS[operation].text(settings))


def write(view: View, reference: Callable[[str], str], template: Callable[[str, tuple[Any, ...]], str]) -> str:
    if isinstance(view, Reference):
        return reference(view.path)
    parts = [write(operand, reference, template) for operand in view.operands]
    return template(view.operation, view.settings).format(*parts, all=", ".join(parts))


def references(view: View) -> list[str]:
    """The paths of the weights that a view is made of."""
    if isinstance(view, Reference):
        return [view.path]
    return [path for operand in view.operands for path in references(operand)]


def operations(view: View) -> set[str]:
    """The names of the operations that a view is made by."""
    return set() if isinstance(view, Reference) else {view.operation}.union(*map(operations, view.operands))


def canonical(view: View, prefix: str, captured: Mapping[str, View]) -> View:
    """A view with canonical weight names in place of local paths and captures."""
    if isinstance(view, Reference):
        return captured.get(view.path) or Reference(prefix + view.path, view.shape)
    return replace(view, operands=tuple(canonical(operand, prefix, captured) for operand in view.operands))
