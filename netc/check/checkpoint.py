"""The `checkpoint` of a recipe: `every(epochs = 2, best = accuracy)`, whose `best` names the loss or a metric."""

from dataclasses import replace

from netc.arguments import Entry
from netc.check.problems import RecipeMismatch, UnknownName, WrongKind
from netc.check.rows import Checking, Fields, applied, bind_row, named_call, row, row_arguments
from netc.check.terms import METRIC_ROWS
from netc.check.things import Poison, describe
from netc.ir.network import Applied, Term
from netc.recipes.checkpoints import CHECKPOINTS, LOSS, SPANS, Every
from netc.recipes.metrics import Metric
from netc.source import Span
from netc.syntax import tree

CHECKPOINT_ROWS: dict[str, type[Entry]] = {entry.kind: entry for entry in CHECKPOINTS}
BEST = "best"


def check_checkpoint(fields: Fields, metrics: tuple[tuple[str, Term], ...], recipe: Checking) -> Applied | None:
    """When checkpoints are saved; None if the recipe does not say it."""
    node = fields.get("checkpoint")
    if node is None:
        return None
    name, arguments = named_call(node)
    if name not in CHECKPOINT_ROWS:
        row(node, CHECKPOINT_ROWS, "checkpoint setting", recipe)
        return None
    best = [a for a in arguments if isinstance(a, tree.Named) and a.name == BEST]
    others = tuple(a for a in arguments if a not in best[:1])
    given = row_arguments(str(name), others, node.span, recipe)
    named = best_name(best[0].value, metrics, recipe) if best else None
    if given is None or (best and named is None):
        return None
    made = bind_row(Every, replace(given, named={**given.named, **({BEST: named} if best else {})}), recipe)
    if not isinstance(made, Every):
        return None
    refuse_several(made, node.span, recipe)
    return applied(made, node.span)


def refuse_several(made: Every, span: Span, recipe: Checking) -> None:
    said = [f"`{name}`" for name in SPANS if getattr(made, name) is not None]
    if said[1:]:
        text = (
            f"checkpoints are saved after so many {' or '.join(name.strip('`') for name in said)}, not several of them"
        )
        recipe.report(RecipeMismatch(span=span, text=text, way_out=f"leave out {' or '.join(said)}"))


def best_name(node: tree.Node, metrics: tuple[tuple[str, Term], ...], recipe: Checking) -> str | None:
    """The name of a metric, as it is or as a string; reported if nothing says what its best is."""
    thing = node.word if isinstance(node, tree.Name) else recipe.evaluate(node)
    if isinstance(thing, Poison):
        return None
    if not isinstance(thing, str):
        way_out = "for example `best = loss`"
        recipe.report(WrongKind(span=node.span, wanted="the name of a metric", found=describe(thing), way_out=way_out))
        return None
    known = {LOSS: None, **dict(metrics)}
    if thing not in known:
        recipe.report(UnknownName(span=node.span, what="metric of the recipe", name=str(thing), known=tuple(known)))
        return None
    if thing != LOSS and direction(known[thing]) is None:
        text = f"nothing says whether more or less of `{thing}` is better"
        way_out = "`best` is the loss, or a metric that stands alone: `best = accuracy`"
        recipe.report(RecipeMismatch(span=node.span, text=text, way_out=way_out))
        return None
    return str(thing)


def direction(term: Term) -> bool | None:
    """Whether more of a metric is better; None if nothing says so."""
    row = METRIC_ROWS.get(term.name) if isinstance(term, Applied) else None
    return row.higher_is_better if row is not None and issubclass(row, Metric) else None


def more_is_better(name: str, metrics: tuple[tuple[str, Term], ...]) -> bool:
    """The direction of a checked `best`: of the loss, less is better."""
    return name != LOSS and bool(direction(dict(metrics)[name]))
