"""The types that the text declares: `[28, 28, 1]`, `i32[1024]`, `token(50257)[1024]`, `class(10)`."""

from netc.check.context import Env
from netc.check.limits import too_many_numbers
from netc.check.problems import BadArgument, MissingArgument, UnknownName, WrongKind
from netc.check.things import POISON, Poison, describe, show
from netc.syntax import tree
from netc.types import F32, PLAIN, SIZED, Element, Type


def evaluate_type(node: tree.Type, env: Env) -> Type | Poison:
    """The type that a piece of syntax stands for."""
    element = evaluate_element(node.element, env) if node.element else F32
    extents = [extent(item, env) for item in node.shape.items] if node.shape else []
    if isinstance(element, Poison) or any(isinstance(e, Poison) for e in extents):
        return POISON
    type_ = Type(tuple(e for e in extents if isinstance(e, int)), element)
    large = too_many_numbers("value", type_.shape, node.span)
    return env.report(large) if large else type_


def extent(node: tree.Node, env: Env) -> int | Poison:
    thing = env.evaluate(node)
    if isinstance(thing, float) and thing.is_integer():
        thing = int(thing)
    if isinstance(thing, int) and not isinstance(thing, bool) and thing >= 1:
        return thing
    if isinstance(thing, Poison):
        return POISON
    return env.report(WrongKind(span=node.span, wanted="a whole number of at least 1", found=describe(thing)))


def evaluate_element(node: tree.Element, env: Env) -> Element | Poison:
    name = str(node.name)
    if name not in SIZED + PLAIN:
        way_out = "a type is a shape, such as `[28, 28, 1]`; before it may stand " + ", ".join(SIZED + PLAIN)
        known = SIZED + PLAIN
        return env.report(
            UnknownName(span=node.name.span, what="element type", name=name, known=known, way_out=way_out)
        )
    arguments = [a.value if isinstance(a, tree.Named) else a for a in node.arguments]
    if name in PLAIN and not arguments:
        return Element(name)
    if name in SIZED and len(arguments) == 1:
        size = extent(arguments[0], env)
        return POISON if isinstance(size, Poison) else Element(name, size)
    accepts = "a whole number, how many there are" if name in SIZED else "left out"
    if not arguments:
        way_out = f"write `{name}(10)`"
        return env.report(MissingArgument(span=node.span, callee=name, name="size", accepts=accepts, way_out=way_out))
    given = ", ".join(show(env.evaluate(a)) for a in arguments)
    return env.report(BadArgument(span=node.span, callee=name, name="size", given=given, accepts=accepts))
