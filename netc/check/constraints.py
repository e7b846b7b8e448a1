"""Constraints on the weights of a finished network: the weights that selectors mean, and what cannot hold of them."""

from collections.abc import Callable

from netc.check.problems import ContradictoryConstraints, NoSuchWeight, UnfitConstraint
from netc.check.things import Poison
from netc.ir.constraints import Clash, Networks, NoneFound, Wrong, wrong_constraints
from netc.ir.network import Constrained, Network
from netc.problems import Problem

Report = Callable[[Problem], Poison]


def check_constraints(
    constraints: tuple[Constrained, ...], network: Network, networks: Networks, report: Report, below: bool = True
) -> bool:
    """Reports selectors that mean nothing, weights that cannot be constrained so, and contradictions; whether all is
    well."""
    wrong = list(wrong_constraints(constraints, network, networks, below))
    for one, what in wrong:
        report(problem(one, what))
    return not wrong


def problem(one: Constrained, wrong: Wrong) -> Problem:
    match wrong:
        case NoneFound(known=known, layer=layer, bare=bare):
            return NoSuchWeight(span=one.span, selector=one.selector, known=known, layer=layer, bare=bare)
        case Clash(weight=weight, first=first, second=second, reason=reason):
            return ContradictoryConstraints(
                span=one.span,
                weight=weight,
                reason=reason,
                first=str(first.constraint),
                second=str(second.constraint),
                place=first.span,
            )
        case _:
            return UnfitConstraint(span=one.span, reason=wrong.reason, weight=wrong.weight, way_out=wrong.way_out)
