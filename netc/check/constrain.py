"""A `constrain` statement by itself: its selector, and the row of the table of constraints with its arguments."""

from netc.check.binding import Given, bind_entry, no_arguments
from netc.check.calls import evaluate_arguments
from netc.check.context import Env
from netc.check.problems import UnknownName, WrongKind
from netc.check.rows import named_call
from netc.check.things import Poison
from netc.ir.entries import CONSTRAINT_KINDS
from netc.ir.network import Constrained
from netc.layers.constraints import Constraint
from netc.syntax import tree


def constrained(node: tree.Constrain, env: Env) -> Constrained | None:
    """A statement by itself; None if it has errors."""
    selector = ".".join(map(str, node.selector.items))
    name, _ = named_call(node.constraint)
    if name is None:
        way_out = "there are: " + ", ".join(CONSTRAINT_KINDS)
        found = f"`{node.constraint.span.text}`"
        env.report(WrongKind(span=node.constraint.span, wanted="a constraint", found=found, way_out=way_out))
        return None
    if name not in CONSTRAINT_KINDS:
        env.report(UnknownName(span=name.span, what="constraint", name=name, known=tuple(CONSTRAINT_KINDS)))
        return None
    given: Given | Poison = no_arguments(node.constraint.span)
    if isinstance(node.constraint, tree.Call):
        given = evaluate_arguments(node.constraint, env, name)
    made = given if isinstance(given, Poison) else bind_entry(CONSTRAINT_KINDS[name], given, env)
    return Constrained(selector, made, node.span) if isinstance(made, Constraint) else None
