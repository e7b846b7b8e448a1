"""A recipe's `stop`: a row of its table, that looks at something which the recipe measures."""

from netc.check.problems import RecipeMismatch
from netc.check.rows import Checking, Fields, applied, row
from netc.ir.network import Applied, Term
from netc.recipes.stops import LOSS, STOPS, Patience

ROWS = {entry.kind: entry for entry in STOPS}


def check_stop(fields: Fields, recipe: Checking, metrics: tuple[tuple[str, Term], ...] | None = None) -> Applied | None:
    """`metrics` are those of the recipe, where they are known."""
    if "stop" not in fields:
        return None
    node = fields["stop"]
    made = row(node, ROWS, "rule for stopping", recipe)
    if made is None:
        return None
    assert isinstance(made, Patience)
    measured = (LOSS, *dict.fromkeys(term.name for _, term in metrics or () if isinstance(term, Applied)))
    if metrics is not None and made.metric not in measured and "metric" not in recipe.misspelt:
        text = f"`stop` looks at `{made.metric}`, and the recipe measures {', '.join(f'`{name}`' for name in measured)}"
        way_out = f"add it: `metric = {made.metric}(...)`, or look at `loss`"
        recipe.report(RecipeMismatch(span=node.span, text=text, way_out=way_out))
    return applied(made, node.span)
