"""Asserts: evaluated when the body that they stand in is complete."""

from dataclasses import replace

from netc.check.claims import check_claim
from netc.check.context import Env
from netc.check.numbers import COMPARISONS
from netc.check.problems import FailedAssert, WrongKind
from netc.check.scope import Binding, Scope
from netc.check.things import Poison, Thing, describe, show
from netc.ir.counts import Count
from netc.ir.network import Network
from netc.ir.symmetry import EQUIVARIANT, INVARIANT
from netc.syntax import tree

LITERALS = (tree.Number, tree.Size, tree.String, tree.Boolean, tree.List)


def check_asserts(asserts: list[tree.Assertion], env: Env, finished: Network) -> None:
    """Reports the asserts that do not hold, each with what was found instead."""
    if not asserts:
        return
    counter = env.context.counter
    total = counter.total(finished) if not finished.captures else counter.owned(finished)
    scope = Scope(env.scope)
    scope.names = {name: Binding(thing, None, "measure") for name, thing in measures(total).items()}
    for node in asserts:
        check_one(node.condition, replace(env, scope=scope), finished)


def measures(count: Count) -> dict[str, Thing]:
    """What an assert can ask of a net or layer."""
    return {"params": count.params, "state": count.state, "connections": count.connections, "flops": count.flops}


def check_one(condition: tree.Node, env: Env, finished: Network) -> None:
    match condition:
        case tree.Binary(left=left, operator="and", right=right):
            check_one(left, env, finished)
            check_one(right, env, finished)
        case tree.Call(function=tree.Name(word=word)) if word in (EQUIVARIANT, INVARIANT):
            check_claim(condition, str(word), env, finished)
        case tree.Binary(left=left, operator=operator, right=right) if operator in COMPARISONS:
            sides = env.evaluate(left), env.evaluate(right)
            if any(isinstance(side, Poison) for side in sides):
                return
            if env.evaluate(condition) is False:
                found = measured(((left, sides[0]), (right, sides[1])))
                env.report(FailedAssert(span=condition.span, condition=condition.span.text, found=found))
        case _:
            check_truth(condition, env)


def measured(sides: tuple[tuple[tree.Node, Thing], ...]) -> str:
    """What the sides of a comparison come to, those left out that say so themselves."""
    said = [f"`{node.span.text}` is {show(thing)}" for node, thing in sides if not isinstance(node, LITERALS)]
    return " and ".join(dict.fromkeys(said))


def check_truth(condition: tree.Node, env: Env) -> None:
    thing = env.evaluate(condition)
    if thing is False:
        env.report(FailedAssert(span=condition.span, condition=condition.span.text, found="is false"))
    elif thing is not True and not isinstance(thing, Poison):
        way_out = f"compare it: `assert {condition.span.text} == 100`"
        env.report(WrongKind(span=condition.span, wanted="`true` or `false`", found=describe(thing), way_out=way_out))
