"""The optimizer of a recipe: a chain of Optax transforms, their schedules and numbers, as terms."""

from dataclasses import replace

from netc.check.problems import BadArgument, ExtraArgument, MissingArgument, UnknownArgument, UnknownName, WrongKind
from netc.check.rows import Checking, Fields, named_call, steps
from netc.check.things import POISON, Poison, describe, show
from netc.ir.network import Applied, Term
from netc.problems import Problem
from netc.recipes.optimizers import Row, Wrong, bind_row, schedules, transforms
from netc.source import Span
from netc.syntax import tree

RATE = "rate"


def check_optimizer(fields: Fields, rate: tree.Node | None, recipe: Checking) -> tuple[Applied, ...]:
    """The transforms in turn, arguments by Optax's names; `rate` replaces that of each transform that has one."""
    if "optimizer" not in fields:
        recipe.missing("optimizer", "write `optimizer = adam(rate = 0.001)`")
        return ()
    found = []
    for step in steps(fields["optimizer"]):
        term = optax_term(step, recipe)
        if isinstance(term, Poison):
            continue
        if not isinstance(term, Applied):
            recipe.report(WrongKind(span=step.span, wanted="an optimizer", found=describe(plain(term))))
            continue
        bound = bind_row(with_rate(term, rate, recipe), transforms())
        if isinstance(bound, Applied):
            found.append(bound)
            continue
        for wrong in bound:
            recipe.report(wrong_problem(wrong, step))
    return tuple(found)


def takes_rate(fields: Fields, recipe: Checking) -> bool:
    """Whether a transform of the optimizer has a rate to set."""
    names = (named_call(step)[0] for step in steps(fields.get("optimizer")))
    return any(has_rate(transforms().get(name)) for name in names if name is not None)


def has_rate(row: Row | None) -> bool:
    return row is not None and any(p.name == RATE for p in row.parameters)


def with_rate(term: Applied, rate: tree.Node | None, recipe: Checking) -> Applied:
    row = transforms().get(term.name)
    if rate is None or row is None or not has_rate(row):
        return term
    value = optax_term(rate, recipe)
    if isinstance(value, Poison):
        return term
    place = [p.name for p in row.parameters].index(RATE)
    if place < len(term.positional):
        return replace(term, positional=(*term.positional[:place], value, *term.positional[place + 1 :]))
    return replace(term, named=(*((n, v) for n, v in term.named if n not in (RATE, "learning_rate")), (RATE, value)))


def optax_term(node: tree.Node, recipe: Checking) -> Term | Poison:
    """A call of an optimizer or schedule, or a plain value, as a term."""
    name, arguments = named_call(node)
    rows = transforms().keys() | schedules().keys()
    if name is not None and (isinstance(node, tree.Call) or name in rows):
        return optax_call(str(name), arguments, node.span, recipe)
    if name is not None and recipe.env.scope.find(name) is None:
        known = tuple(sorted(rows))
        return recipe.report(UnknownName(span=name.span, what="optimizer or schedule", name=name, known=known))
    thing = recipe.evaluate(node)
    if isinstance(thing, int | float | bool | str):
        return thing
    if not isinstance(thing, Poison):
        recipe.report(WrongKind(span=node.span, wanted="an optimizer, schedule or number", found=describe(thing)))
    return POISON


def optax_call(name: str, arguments: tuple[tree.Node, ...], span: Span, recipe: Checking) -> Applied | Poison:
    positional: list[Term] = []
    named: list[tuple[str, Term]] = []
    for argument in arguments:
        value = optax_term(argument.value if isinstance(argument, tree.Named) else argument, recipe)
        if isinstance(value, Poison):
            return POISON
        if isinstance(argument, tree.Named):
            named.append((str(argument.name), value))
        else:
            positional.append(value)
    return Applied(name, tuple(positional), tuple(named), span)


def plain(term: Term) -> int | float | bool | str | None:
    return term if isinstance(term, int | float | bool | str) else None


def wrong_problem(wrong: Wrong, step: tree.Node) -> Problem:
    """What is wrong with a call of Optax, as a problem at the argument or the call."""
    call = find_call(step, wrong.span or step.span)
    span = argument_span(call, wrong) if call else wrong.span or step.span
    match wrong.what:
        case "unknown":
            name = call.function.span if call else span
            way_out = OTHER_TABLE[wrong.table] if wrong.name in transforms().keys() | schedules().keys() else ""
            return UnknownName(span=name, what=wrong.table, name=wrong.name, known=wrong.known, way_out=way_out)
        case "argument":
            return UnknownArgument(span=span, callee=wrong.callee, name=wrong.name, known=wrong.known)
        case "extra":
            return ExtraArgument(span=span, callee=wrong.callee, takes=wrong.known, twice=wrong.name or None)
        case "missing":
            return MissingArgument(span=span, callee=wrong.callee, name=wrong.name, accepts=wrong.accepts)
        case _:
            given = f"`{wrong.value.name}`" if isinstance(wrong.value, Applied) else show(plain(wrong.value))
            return BadArgument(span=span, callee=wrong.callee, name=wrong.name, given=given, accepts=wrong.accepts)


OTHER_TABLE = {
    "optimizer": "a schedule stands for a rate: `adam(rate = cosine(0.1))`",
    "schedule": "an optimizer stands by itself, or in a chain: `clip(1.0) -> adam(rate = 0.001)`",
}


def find_call(node: tree.Node, span: Span) -> tree.Call | None:
    """The call at a place, in a call or among its arguments; None where the call came from a setting."""
    if not isinstance(node, tree.Call) or node.span == span:
        return node if isinstance(node, tree.Call) else None
    inner = (argument.value if isinstance(argument, tree.Named) else argument for argument in node.arguments)
    return next((found for argument in inner if (found := find_call(argument, span))), None)


def argument_span(call: tree.Call, wrong: Wrong) -> Span:
    """Where an argument of a call stands; the whole call for one that is not there."""
    named = [a.span for a in call.arguments if isinstance(a, tree.Named) and a.name == wrong.name]
    positional = [a.span for a in call.arguments if not isinstance(a, tree.Named)]
    if wrong.position is not None and wrong.position < len(positional):
        return positional[wrong.position]
    return named[-1] if named else call.span
