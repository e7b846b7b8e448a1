"""Asserts on counts and shapes: evaluated when the body that they stand in is complete."""

from dataclasses import replace

from netc.check.apply import finish
from netc.check.context import Env, Made
from netc.check.names import find_instance
from netc.check.numbers import COMPARISONS
from netc.check.problems import FailedAssert, NotYet, UnknownAttribute, WrongKind
from netc.check.scope import Binding, Scope
from netc.check.things import POISON, InstancePath, NamedLayer, Poison, Tensor, Thing, describe, show
from netc.ir.counts import Count, count_instance, count_network
from netc.syntax import tree

MEASURES = ("params", "connections", "flops")
SYMMETRIES = ("equivariant", "invariant")


def check_assert(node: tree.Assertion, env: Env, outputs: list[tuple[str, Tensor]]) -> None:
    """Reports an assert that does not hold, with both sides of a comparison."""
    condition = node.condition
    if isinstance(condition, tree.Call) and isinstance(condition.function, tree.Name) and condition.function.word in SYMMETRIES:
        env.report(NotYet(span=node.span, what=f"`assert {condition.function.word}(...)`"))
        return
    for part in conjuncts(condition):
        check_part(part, env, outputs)
