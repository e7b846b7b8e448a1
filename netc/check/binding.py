"""Binding: arguments to the declared arguments of table entries, and to the parameters of blocks and nets."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from netc.arguments import Accepts, Entry, Misuse, Symbol, bind
from netc.check.context import Env
from netc.check.problems import BadArgument, DefinedTwice, ExtraArgument, MissingArgument, UnknownArgument
from netc.check.scope import Binding, Scope
from netc.check.things import (
    POISON,
    WEIGHT_THINGS,
    DefinedRecipe,
    Definition,
    EntryName,
    Function,
    KindName,
    KindRecipe,
    Poison,
    Thing,
    show,
)
from netc.layers.base import Initialiser, Layer
from netc.problems import Problem
from netc.source import Span, Word
from netc.syntax import tree


@dataclass(frozen=True)
class Given:
    """The evaluated arguments of a call and where each stands."""

    positional: tuple[Thing, ...]
    named: dict[str, Thing]
    spans: dict[int | str, Span]
    span: Span

    def place(self, key: int | str | None) -> Span:
        return self.spans.get(key, self.span) if key is not None else self.span

    def without_first(self) -> "Given":
        spans = {key - 1 if isinstance(key, int) else key: span for key, span in self.spans.items()}
        return Given(self.positional[1:], self.named, spans, self.span)


STARTS = {"init": "kernel", "recurrent_init": "recurrent", "bias_init": "bias"}
"""By which argument each weight of a layer starts. Where the weight is somebody else's, that starts nothing."""


def no_arguments(span: Span) -> Given:
    return Given((), {}, {}, span)


def bind_kind(kind: type[Layer], given: Given, env: Env) -> Thing:
    """A layer kind with arguments; those that are weights fill its weight slots."""
    slots = {name: thing for name, thing in given.named.items() if isinstance(thing, WEIGHT_THINGS)}
    if idle := next((name for name in given.named if STARTS.get(name) in slots), None):
        slot = STARTS[idle]
        return env.report(ExtraArgument(span=given.place(idle), callee=kind.kind, takes=(), idle=idle, beside=slot))
    plain = {name: thing for name, thing in given.named.items() if name not in slots}
    layer = bind_entry(kind, Given(given.positional, plain, given.spans, given.span), env)
    if isinstance(layer, Poison):
        return POISON
    assert isinstance(layer, Layer)
    spans = tuple(given.place(name) for name in slots)
    return KindRecipe(layer, tuple(slots.items()), spans)


def default_kind(name: KindName, env: Env, span: Span) -> KindRecipe | Poison:
    """A layer kind by its bare name, with its default arguments."""
    layer = bind_entry(name.kind, no_arguments(span), env)
    return KindRecipe(layer) if isinstance(layer, Layer) else POISON


def bind_entry(entry: type[Entry], given: Given, env: Env) -> Entry | Poison:
    """An entry of a table made from arguments, with what `default` statements add."""
    accepts = {a.name: a.accepts for a in entry.arguments()}
    declared = list(accepts)
    named = dict(given.named)
    for name, thing in env.scope.default(entry.kind).items():
        if name in declared and name not in named and declared.index(name) >= len(given.positional):
            named[name] = thing
    named = {name: meant(thing, accepts.get(name)) for name, thing in named.items()}
    first = [meant(thing, a) for thing, a in zip_longest(given.positional, accepts.values())]
    made = bind(entry, first[: len(given.positional)], named)
    if isinstance(made, Entry):
        return made
    for misuse in made:
        env.report(misuse_problem(misuse, entry.kind, tuple(declared), given))
    return POISON


def meant(thing: Thing, accepts: Accepts | None) -> Thing:
    """What a name means to the argument that gets it: a word of its own, even if layers or functions are called so."""
    if accepts is not None and isinstance(thing, KindName) and thing.kind.kind in accepts.words:
        return Symbol(thing.kind.kind)
    if accepts is not None and isinstance(thing, Function) and thing.name in accepts.words:
        return Symbol(thing.name)
    return initialiser(thing)


def initialiser(thing: Thing) -> Thing:
    """A bare initialiser name stands for the initialiser with its defaults, if it has them."""
    if isinstance(thing, EntryName):
        made = bind(thing.kind, (), {})
        if isinstance(made, Initialiser):
            return made
    return thing


def misuse_problem(misuse: Misuse, callee: str, known: tuple[str, ...], given: Given) -> Problem:
    place = given.place(misuse.name if misuse.position is None else misuse.position)
    match misuse.what:
        case "missing":
            return MissingArgument(span=given.span, callee=callee, name=misuse.name, accepts=misuse.accepts)
        case "unknown":
            way_out = misuse.way_out
            return UnknownArgument(span=place, callee=callee, name=misuse.name, known=known, way_out=way_out)
        case "extra":
            return ExtraArgument(span=place, callee=callee, takes=known)
        case "twice":
            return ExtraArgument(span=place, callee=callee, takes=known, twice=misuse.name)
        case _:
            value: Any = misuse.value
            return BadArgument(span=place, callee=callee, name=misuse.name, given=show(value), accepts=misuse.accepts)


def bind_parameters(
    parameters: list[tree.Parameter], given: Given, callee: str, definition: Definition, env: Env
) -> tuple[tuple[str, Thing], ...] | Poison:
    names = tuple(str(p.name) for p in parameters)
    bound = dict(zip(names, given.positional, strict=False))
    wrong = False
    if len(given.positional) > len(parameters):
        env.report(ExtraArgument(span=given.place(len(parameters)), callee=callee, takes=names))
        wrong = True
    for name, thing in given.named.items():
        if name not in names:
            env.report(UnknownArgument(span=given.place(name), callee=callee, name=name, known=names))
            wrong = True
        elif name in bound:
            env.report(ExtraArgument(span=given.place(name), callee=callee, takes=names, twice=name))
            wrong = True
        bound[name] = thing
    for name, thing in env.scope.default(callee).items():
        if name in names:
            bound.setdefault(name, thing)
    # What is missing may be what has a wrong name.
    misspelt = any(name not in names for name in given.named)
    for parameter in parameters:
        if str(parameter.name) in bound or (misspelt and parameter.default is None):
            continue
        if parameter.default is None:
            way_out = "its parameters are: " + ", ".join(names)
            env.report(MissingArgument(span=given.span, callee=callee, name=parameter.name, way_out=way_out))
            wrong = True
            continue
        inner = Env(env.context, default_scope(definition, bound), env.builder, env.prefix)
        bound[str(parameter.name)] = thing = inner.evaluate(parameter.default)
        wrong = wrong or isinstance(thing, Poison)
    return POISON if wrong else tuple((name, bound[name]) for name in names)


def parameter_words(node: tree.Block | tree.Net | tree.Activation) -> tuple[Word, ...]:
    return tuple(parameter.name for parameter in node.parameters.items) if node.parameters else ()


def report_doubled(words: tuple[Word, ...], env: Env) -> None:
    """Reports names that stand twice in one list of parameters or loop names."""
    first: dict[str, Word] = {}
    for word in words:
        if first.setdefault(str(word), word) is not word:
            env.report(DefinedTwice(span=word.span, name=word, first=first[str(word)].span))


def parameter_bindings(
    node: tree.Net | tree.Block | tree.Activation, bound: Iterable[tuple[str, Thing]]
) -> dict[str, Binding]:
    """What the parameters of a definition are called in its body."""
    places = {str(word): word.span for word in parameter_words(node)}
    return {name: Binding(thing, places[name], "parameter", used=True) for name, thing in bound}


def default_scope(definition: Definition, bound: dict[str, Thing]) -> Scope:
    """Defaults may use the parameters before them."""
    scope = Scope(definition.scope)
    scope.names = {name: Binding(thing, None, "parameter") for name, thing in bound.items()}
    return scope


def recipe_of(definition: Definition, given: Given, env: Env) -> DefinedRecipe | Poison:
    """A block, net or activation with arguments. An activation's first parameter is its value, and not bound here."""
    node = definition.node
    parameters = list(node.parameters.items) if node.parameters else []
    if isinstance(node, tree.Activation):
        parameters = parameters[1:]
    bound = bind_parameters(parameters, given, str(node.name), definition, env)
    return POISON if isinstance(bound, Poison) else DefinedRecipe(definition, bound)
