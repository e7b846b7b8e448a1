"""A recipe's `validation`: a part of the training set, or a number of examples."""

from netc.arguments import REJECTED, Part
from netc.check.problems import BadArgument
from netc.check.rows import Checking, Fields
from netc.check.things import Poison, show

ACCEPTS = Part("examples")


def check_validation(fields: Fields, recipe: Checking) -> float | int | None:
    if "validation" not in fields:
        return None
    node = fields["validation"]
    thing = recipe.evaluate(node)
    if isinstance(thing, Poison):
        return None
    read = ACCEPTS.read(thing)
    if read is REJECTED:
        accepts = ACCEPTS.describe()
        recipe.report(
            BadArgument(span=node.span, callee="train", name="validation", given=show(thing), accepts=accepts)
        )
        return None
    return read
