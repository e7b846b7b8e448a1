"""A recipe's `start`: a row of its table, with names of weights that are there. No file is opened."""

from dataclasses import replace

from netc.check.constraints import problem
from netc.check.paths import path_of
from netc.check.rows import Checking, Fields, applied, row
from netc.ir.constraints import matches, none_found, slots
from netc.ir.network import Applied, Constrained
from netc.layers.constraints import Frozen
from netc.recipes.starts import STARTS, Run
from netc.source import Span
from netc.syntax import tree

ROWS = {entry.kind: entry for entry in STARTS}


def check_start(fields: Fields, recipe: Checking) -> Applied | None:
    if "start" not in fields:
        return None
    node = with_paths(fields["start"])
    made = row(node, ROWS, "start", recipe)
    if made is None:
        return None
    assert isinstance(made, Run)
    refuse_unknown(made, node, recipe)
    return applied(made, node.span)


def with_paths(node: tree.Node) -> tree.Node:
    """The call with the paths of `fresh` as strings: they are names of weights, not of the file."""
    if not isinstance(node, tree.Call):
        return node
    return replace(node, arguments=tuple(map(with_texts, node.arguments)))


def with_texts(argument: tree.Node) -> tree.Node:
    if isinstance(argument, tree.Named):
        return replace(argument, value=texts(argument.value)) if argument.name == "fresh" else argument
    return texts(argument)


def texts(node: tree.Node) -> tree.Node:
    """`[a.b, c]` and `a.b` as strings; other nodes as they are."""
    if isinstance(node, tree.List):
        return replace(node, items=tuple(texts(item) for item in node.items))
    path = path_of(node)
    return node if path is None else tree.String(path, span=node.span)


def refuse_unknown(made: Run, node: tree.Node, recipe: Checking) -> None:
    """Reports what `fresh` names and the net has not."""
    program = recipe.program
    names = [name for name, _ in program.weights()] if program.networks else []
    for selector in made.fresh if program.networks else ():
        if not any(matches(selector, name) for name in names):
            found = slots(program.root, program.by_name)
            wrong = none_found(selector, found, program.root, program.by_name)
            recipe.report(problem(Constrained(selector, Frozen(), span_of(node, selector)), wrong))


def span_of(node: tree.Node, text: str) -> Span:
    """Where a string stands among the arguments of a call, or in lists there; else the whole call."""
    arguments = node.arguments if isinstance(node, tree.Call) else ()
    values = [a.value if isinstance(a, tree.Named) else a for a in arguments]
    listed = [item for value in values for item in (value.items if isinstance(value, tree.List) else (value,))]
    return next((s.span for s in listed if isinstance(s, tree.String) and s.value == text), node.span)
