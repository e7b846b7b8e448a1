"""Losses and metrics of a recipe: rows of their tables on outputs of the net and fields of the data, and arithmetic."""

from collections.abc import Mapping
from dataclasses import replace

from netc.arguments import called_here
from netc.check.problems import MissingArgument, RecipeMismatch, UnknownName, WrongKind
from netc.check.rows import Checking, Fields, Types, bind_row, named_call, row_arguments
from netc.check.things import POISON, Poison, describe
from netc.ir.network import Applied, Arithmetic, DataField, Output, Term
from netc.recipes.losses import LOSSES, Loss
from netc.recipes.metrics import METRICS, Metric
from netc.syntax import tree
from netc.types import Type

Rows = Mapping[str, type[Loss] | type[Metric]]
LOSS_ROWS: Rows = {entry.kind: entry for entry in LOSSES}
METRIC_ROWS: Rows = {entry.kind: entry for entry in METRICS}
OPERATORS = ("+", "-", "*", "/")


def check_loss(fields: Fields, types: Types | None, recipe: Checking) -> tuple[Term, bool]:
    """The loss, or likelihood, and whether it is made large; None if there is none."""
    if "loss" in fields and "likelihood" in fields:
        text, way_out = "a recipe has either a `loss` or a `likelihood`", "remove one of them"
        recipe.report(RecipeMismatch(span=fields["likelihood"].span, text=text, way_out=way_out))
    name = "likelihood" if "likelihood" in fields else "loss"
    if name not in fields:
        recipe.missing("loss", "write `loss = cross_entropy(digit, label)`")
        return None, False
    term = check_term(fields[name], LOSS_ROWS, "loss", types, recipe)
    if not isinstance(term, Poison) and not any_applied(term):
        found, way_out = f"`{fields[name].span.text}`", "there are: " + ", ".join(LOSS_ROWS)
        recipe.report(WrongKind(span=fields[name].span, wanted="a loss", found=found, way_out=way_out))
    return (None if isinstance(term, Poison) else term), name == "likelihood"


def check_metrics(fields: Fields, types: Types | None, recipe: Checking) -> tuple[tuple[str, Term], ...]:
    """The metrics by their names in reports: the row's name, or the text where that is taken."""
    node = fields.get("metric")
    nodes = () if node is None else node.items if isinstance(node, tree.List) else (node,)
    found: list[tuple[str, Term]] = []
    for item in nodes:
        term = check_term(item, METRIC_ROWS, "metric", types, recipe)
        if isinstance(term, Poison):
            continue
        name = term.name if isinstance(term, Applied) else item.span.text
        if any(name == other for other, _ in found):
            name = item.span.text
        found.append((name, term))
    return tuple(found)


def check_term(node: tree.Node, table: Rows, what: str, types: Types | None, recipe: Checking) -> Term | Poison:
    """A loss or metric as a term."""
    if isinstance(node, tree.Binary) and node.operator in OPERATORS:
        left, right = (check_term(side, table, what, types, recipe) for side in (node.left, node.right))
        if isinstance(left, Poison) or isinstance(right, Poison):
            return POISON
        if whole := next((side for side in (left, right) if isinstance(side, Applied) and is_of_all(side)), None):
            text = f"`{whole.name}` is of all examples together, and no part of arithmetic on those of each"
            way_out = "list it beside the others: `metric = [..., ...]`"
            return recipe.report(RecipeMismatch(span=node.span, text=text, way_out=way_out))
        return Arithmetic(str(node.operator), left, right)
    name, arguments = named_call(node)
    if name is not None and isinstance(node, tree.Call):
        if name not in table:
            way_out = called_here(name, table.values())
            known = () if way_out else tuple(table)
            return recipe.report(UnknownName(span=name.span, what=what, name=name, known=known, way_out=way_out))
        return applied_term(node, table[name], arguments, types, recipe)
    if isinstance(node, tree.Name) and node.word in operand_names(types, recipe):
        found, way_out = f"`{node.word}` alone", f"a {what} takes it: `{next(iter(table))}({node.word}, label)`"
        return recipe.report(WrongKind(span=node.span, wanted=f"a {what}", found=found, way_out=way_out))
    thing = recipe.evaluate(node)
    if isinstance(thing, Poison):
        return POISON
    if isinstance(thing, int | float) and not isinstance(thing, bool):
        return thing
    return recipe.report(WrongKind(span=node.span, wanted=f"a {what} or number", found=describe(thing)))


def applied_term(
    node: tree.Call,
    entry: type[Loss] | type[Metric],
    arguments: tuple[tree.Node, ...],
    types: Types | None,
    recipe: Checking,
) -> Term | Poison:
    """A row with its operands, which come first, and its settings."""
    positional = [a for a in arguments if not isinstance(a, tree.Named)]
    count = len(entry.operands)
    found = [operand(a, types, recipe) for a in positional[:count]]
    operands = tuple(o for o in found if not isinstance(o, Poison))
    rest = (*positional[count:], *(a for a in arguments if isinstance(a, tree.Named)))
    settings = row_arguments(entry.kind, rest, node.span, recipe, entry=entry)
    if settings is None or len(operands) < len(found):
        return POISON
    if len(operands) < count:
        name, accepts = entry.operands[len(operands)], "an output of the net or a field of the data"
        return recipe.report(MissingArgument(span=node.span, callee=entry.kind, name=name, accepts=accepts))
    if takes_smallest(entry) and "smallest" not in settings.named and gives_distances(operands[0], recipe):
        settings = replace(settings, named={**settings.named, "smallest": True})
    made = bind_row(entry, settings, recipe, entry.operands)
    if made is None:
        return POISON
    assert isinstance(made, Loss | Metric)
    known = [type_of(o, types, recipe) for o in operands]
    unfit = any(isinstance(o, DataField) and o.name in recipe.unfit for o in operands)
    if types is not None and not unfit and (refusal := made.refuse(tuple(t for t in known if t is not None))):
        return recipe.report(RecipeMismatch(span=node.span, text=refusal.message, way_out=refusal.help))
    return Applied(entry.kind, operands, tuple(made.given().items()), node.span)


def operand(node: tree.Node, types: Types | None, recipe: Checking) -> Output | DataField | Poison:
    """A name in a loss or metric: an output of the net, or a field of the data."""
    outputs = tuple(name for name, _ in recipe.program.root.outputs)
    if not isinstance(node, tree.Name):
        wanted = "an output of the net or a field of the data"
        found, way_out = f"`{node.span.text}`", "give a flow a name in the net: `output name = ...`"
        way_out = way_out if isinstance(node, tree.Chain | tree.Call | tree.Binary) else ""
        return recipe.report(WrongKind(span=node.span, wanted=wanted, found=found, way_out=way_out))
    if node.word in outputs:
        return Output(str(node.word), node.span)
    if types is None or node.word in types:
        return DataField(str(node.word), node.span)
    known, what = operand_names(types, recipe), "output of the net or field of the data"
    return recipe.report(UnknownName(span=node.span, what=what, name=node.word, known=known))


def operand_names(types: Types | None, recipe: Checking) -> tuple[str, ...]:
    return (*(name for name, _ in recipe.program.root.outputs), *(types or ()))


def type_of(operand: Output | DataField, types: Types | None, recipe: Checking) -> Type | None:
    root = recipe.program.root
    if isinstance(operand, Output):
        return root.types[dict(root.outputs)[operand.name]]
    return types.get(operand.name) if types else None


def takes_smallest(entry: type[Loss] | type[Metric]) -> bool:
    return any(a.name == "smallest" for a in entry.arguments())


def gives_distances(operand: Output | DataField, recipe: Checking) -> bool:
    """Whether the smallest score of an output is the answer."""
    root = recipe.program.root
    if not isinstance(operand, Output):
        return False
    value = dict(root.outputs)[operand.name]
    call = next((c for c in root.calls if value in c.outputs), None)
    instance = root.by_name.get(call.instance) if call else None
    return instance is not None and instance.layer is not None and instance.layer.smallest_wins


def is_of_all(term: Applied) -> bool:
    """Whether a term is a metric that is no mean over the examples."""
    row = METRIC_ROWS.get(term.name)
    return row is not None and issubclass(row, Metric) and row.of_all


def any_applied(term: Term) -> bool:
    if isinstance(term, Arithmetic):
        return any_applied(term.left) or any_applied(term.right)
    return isinstance(term, Applied)
