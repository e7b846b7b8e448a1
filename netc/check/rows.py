"""What the checks of a recipe share, and rows of tables with arguments: `mnist`, `pad(2)`, `pairs(mnist)`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from netc.arguments import Entry, Symbol, bind, called_here
from netc.check.binding import Given, misuse_problem
from netc.check.context import Env
from netc.check.names import BUILT_IN
from netc.check.problems import ExtraArgument, MissingPart, UnknownName, WrongKind
from netc.check.things import Poison, Thing
from netc.ir.network import Applied, Program
from netc.problems import Problem
from netc.recipes.data import DATASETS, DataSet
from netc.source import Span, Word
from netc.syntax import tree
from netc.types import Type

Types = dict[str, Type]
Fields = dict[str, tree.Node]
Table = Mapping[str, type[Entry]]

DATA_ROWS: dict[str, type[DataSet]] = {entry.kind: entry for entry in DATASETS}


@dataclass
class Checking:
    """A recipe being checked against the program of its net; `failed` once anything was reported.

    `unfit` are the fields of the data that do not fit the net's inputs, and those of the same shape: that losses and
    metrics do not fit them is no further mistake.
    """

    node: tree.Train
    program: Program
    env: Env
    failed: bool = False
    unfit: frozenset[str] = frozenset()
    misspelt: frozenset[str | None] = frozenset()
    """Fields that probably are there under names that are none."""

    def report(self, problem: Problem) -> Poison:
        self.failed = True
        return self.env.report(problem)

    def missing(self, part: str, example: str) -> None:
        if part in self.misspelt:
            return
        owner = f"the recipe `{self.node.name}`"
        self.report(MissingPart(span=self.node.name.span, owner=owner, part=part, example=example))

    def evaluate(self, node: tree.Node) -> Thing:
        thing = self.env.evaluate(node)
        self.failed = self.failed or isinstance(thing, Poison)
        return thing


def row(node: tree.Node, table: Table, what: str, recipe: Checking, nests: bool = True) -> Entry | None:
    """A row of a table by name, with or without arguments; where the table `nests`, a row may stand among the arguments
    of another."""
    name, arguments = named_call(node)
    if name is None:
        way_out = "there are: " + ", ".join(table)
        wanted = f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
        recipe.report(WrongKind(span=node.span, wanted=wanted, found=f"`{node.span.text}`", way_out=way_out))
        return None
    if name not in table:
        way_out = called_here(name, table.values())
        known = () if way_out else tuple(table)
        recipe.report(UnknownName(span=name.span, what=what, name=name, known=known, way_out=way_out))
        return None
    given = row_arguments(name, arguments, node.span, recipe, table if nests else None, what, table[name])
    return None if given is None else bind_row(table[name], given, recipe)


def bind_row(entry: type[Entry], given: Given, recipe: Checking, before: tuple[str, ...] = ()) -> Entry | None:
    """The row with its arguments, which come behind those `before`; misuses are reported."""
    made = bind(entry, given.positional, given.named)
    if isinstance(made, Entry):
        return made
    declared = tuple(a.name for a in entry.arguments())
    for misuse in made:
        known = (*before, *declared) if misuse.what == "extra" else declared
        recipe.report(misuse_problem(misuse, entry.kind, known, given))
    return None


def row_arguments(
    callee: str,
    arguments: tuple[tree.Node, ...],
    span: Span,
    recipe: Checking,
    table: Table | None = None,
    what: str = "",
    entry: type[Entry] | None = None,
) -> Given | None:
    """The evaluated arguments of a row; names of `table` among them are rows of their own, and the bare words
    that an argument of `entry` takes stand for themselves. So do unknown names there, so that what the
    argument takes is said of them."""
    positional: list[Thing] = []
    named: dict[str, Thing] = {}
    spans: dict[int | str, Span] = {}
    for argument in arguments:
        value = argument.value if isinstance(argument, tree.Named) else argument
        inner, _ = named_call(value)
        nested = table is not None and (inner in table or is_unknown(inner, recipe))
        words = words_at(entry, argument.name if isinstance(argument, tree.Named) else len(positional))
        if isinstance(value, tree.Name) and words and (value.word in words or is_unknown(inner, recipe)):
            thing = Symbol(str(value.word))
        else:
            thing = row(value, table, what, recipe) if table is not None and nested else recipe.evaluate(value)
        if thing is None or isinstance(thing, Poison):
            recipe.failed = True
            return None
        if isinstance(argument, tree.Named):
            if argument.name in named:
                recipe.report(ExtraArgument(span=argument.span, callee=callee, takes=(), twice=argument.name))
                return None
            named[str(argument.name)] = thing
            spans[str(argument.name)] = argument.span
        else:
            spans[len(positional)] = argument.span
            positional.append(thing)
    return Given(tuple(positional), named, spans, span)


def words_at(entry: type[Entry] | None, key: int | str) -> tuple[str, ...]:
    """The bare words that mean something to an argument of a row, by its name or position."""
    arguments = () if entry is None else entry.arguments()
    return next((a.accepts.words for i, a in enumerate(arguments) if key in (i, a.name)), ())


def is_unknown(name: Word | None, recipe: Checking) -> bool:
    """Whether a name is none of the file's and none of the language's."""
    return name is not None and name not in BUILT_IN and recipe.env.scope.find(name) is None


def named_call(node: tree.Node) -> tuple[Word | None, tuple[tree.Node, ...]]:
    """`name` and `name(arguments)` as a name and arguments."""
    match node:
        case tree.Name(word=word):
            return word, ()
        case tree.Call(function=tree.Name(word=word), arguments=arguments):
            return word, arguments
        case _:
            return None, ()


def steps(node: tree.Node | None) -> tuple[tree.Node, ...]:
    """`a -> b` as its steps."""
    return () if node is None else node.items if isinstance(node, tree.Chain) else (node,)


def applied(entry: Entry, span: Span) -> Applied:
    """A row with its arguments as a term; arguments that are rows themselves become terms too."""
    named = tuple((name, applied(v, span) if isinstance(v, Entry) else v) for name, v in entry.given().items())
    return Applied(entry.kind, (), named, span)


def data_entry(data: Applied) -> DataSet:
    """The row of the table that a checked term stands for."""
    named = {name: data_entry(v) if isinstance(v, Applied) else v for name, v in data.named}
    return DATA_ROWS[data.name](**named)


def one_word(name: str, what: str, known: Sequence[str], fields: Fields, recipe: Checking) -> str:
    """A field that is one of some words; the first of them if it is left out."""
    node = fields.get(name)
    if node is None:
        return known[0]
    if not isinstance(node, tree.Name):
        way_out, found = "there are: " + ", ".join(known), f"`{node.span.text}`"
        recipe.report(WrongKind(span=node.span, wanted=f"a {what}", found=found, way_out=way_out))
    elif node.word not in known:
        recipe.report(UnknownName(span=node.span, what=what, name=node.word, known=tuple(known)))
    else:
        return str(node.word)
    return known[0]
