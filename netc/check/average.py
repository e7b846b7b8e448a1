"""A recipe's `average`: a row of its table."""

from netc.check.rows import Checking, Fields, applied, row
from netc.ir.network import Applied
from netc.recipes.averages import AVERAGES

ROWS = {entry.kind: entry for entry in AVERAGES}


def check_average(fields: Fields, recipe: Checking) -> Applied | None:
    if "average" not in fields:
        return None
    made = row(fields["average"], ROWS, "average of weights", recipe)
    return None if made is None else applied(made, fields["average"].span)
