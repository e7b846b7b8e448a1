"""A source in, the definitions of its file out, with those of the files that it uses."""

from collections.abc import Callable
from dataclasses import dataclass

from netc.check.binding import parameter_words, report_doubled
from netc.check.context import Context, Env
from netc.check.defaults import set_default
from netc.check.names import evaluate_lazy
from netc.check.problems import Cycle, DefinedTwice, TooLarge
from netc.check.scope import Binding, Lazy, Scope
from netc.check.things import Definition, Thing
from netc.problems import Problem
from netc.source import Source, Word
from netc.syntax import tree
from netc.syntax.parse import parse

MOST_FILES_DEEP = 40

Load = Callable[[tree.Use], Source | Problem]
"""Finds the file that a `use` line names."""


@dataclass
class File:
    """One file's definitions, those of the files it uses among them."""

    scope: Scope
    nets: list[Definition]
    recipes: list[tuple[tree.Train, Scope]]


def define_file(source: Source, load: Load, context: Context, path: tuple[str, ...]) -> File | None:
    """Parses a file and defines its names; constants wait until they are asked for."""
    parsed = parse(source)
    if isinstance(parsed, Problem):
        context.report(parsed)
        return None
    file = File(Scope(), [], [])
    env = Env(context, file.scope)
    for item in parsed.items:
        match item:
            case tree.Use():
                use_file(item, load, file, context, path)
            case tree.Constant():
                define(item.name, Lazy(item, lambda item=item: env.evaluate(item.flow)), "constant", file.scope, env)
            case tree.Activation() | tree.Block():
                report_doubled(parameter_words(item), env)
                define(item.name, Definition(item, file.scope), "definition", file.scope, env)
            case tree.Net():
                report_doubled(parameter_words(item), env)
                definition = Definition(item, file.scope)
                define(item.name, definition, "net", file.scope, env)
                file.nets.append(definition)
            case tree.Train():
                if first := next((node for node, _ in file.recipes if node.name == item.name), None):
                    context.report(DefinedTwice(span=item.name.span, name=item.name, first=first.name.span))
                file.recipes.append((item, file.scope))
            case _:
                pass
    for item in parsed.items:
        if isinstance(item, tree.Default):
            set_default(item, env)
    for binding in list(file.scope.names.values()):
        if isinstance(binding.thing, Lazy):
            # Used or not: its problems show.
            binding.thing = evaluate_lazy(binding.thing, binding.thing.node.name, env)
    return file


def define(word: Word, thing: Thing | Lazy, what: str, scope: Scope, env: Env) -> None:
    first = scope.names.get(word)
    if first and first.span and first.span.source is word.span.source:
        env.report(DefinedTwice(span=word.span, name=word, first=first.span))
        return
    scope.names[str(word)] = Binding(thing, word.span, what)


def use_file(item: tree.Use, load: Load, file: File, context: Context, path: tuple[str, ...]) -> None:
    """Brings in the definitions of another file; its nets can be used, and are not checked for themselves."""
    source = load(item)
    if not isinstance(source, Problem) and source.name in path:
        way_out = "put what both files need into a third one"
        source = Cycle(span=item.span, path=(*path[path.index(source.name) :], source.name), way_out=way_out)
    elif len(path) > MOST_FILES_DEEP:
        source = TooLarge(span=item.span, what="the nesting of `use`", limit=f"{MOST_FILES_DEEP} files")
    if isinstance(source, Problem):
        context.report(source)
        file.scope.incomplete = True
        return
    if source.name not in context.files:
        context.files[source.name] = define_file(source, load, context, (*path, source.name))
    used = context.files[source.name]
    if used is None:
        file.scope.incomplete = True
        return
    file.scope.incomplete = file.scope.incomplete or used.scope.incomplete
    for name, binding in used.scope.names.items():
        file.scope.names.setdefault(name, binding)
