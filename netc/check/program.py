"""A file in, everything that it defines out: `check` is the entry of this stage. Reads no files itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netc.check.apply import apply
from netc.check.binding import Given, bind_parameters, parameter_words, report_doubled
from netc.check.builder import Builder
from netc.check.context import Context, Env
from netc.check.defaults import set_default
from netc.check.elaborate import elaborate
from netc.check.expressions import evaluate
from netc.check.names import evaluate_lazy
from netc.check.networks import finish
from netc.check.problems import (
    Cycle,
    DefinedTwice,
    MissingArgument,
    MissingPart,
    TooLarge,
    Unchecked,
    UnknownName,
    WrongKind,
)
from netc.check.recipe import check_alone, check_recipe
from netc.check.scope import Binding, Lazy, Scope
from netc.check.statements import Body
from netc.check.things import Definition, Poison, Thing
from netc.ir.network import Network, Program, Recipe
from netc.ir.verify import verify
from netc.problems import Problem
from netc.source import Source, Span, Word
from netc.syntax import tree
from netc.syntax.parse import parse

MOST_FILES_DEEP = 40

Load = Callable[[tree.Use], Source | Problem]
"""Finds the file that a `use` line names."""


@dataclass(frozen=True)
class Checked:
    """What a file defines, and the problems with it. Programs and recipes that have errors are left out."""

    source: Source | None
    programs: tuple[Program, ...]
    recipes: tuple[Recipe, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity == "error")


@dataclass
class File:
    """One file's definitions, those of the files it uses among them."""

    scope: Scope
    nets: list[Definition]
    recipes: list[tuple[tree.Train, Scope]]


def check(source: Source, load: Load, net: str | None, settings: Mapping[str, str]) -> Checked:
    """Checks a source; `settings` override parameters of nets and fields of recipes, as texts in the language."""
    context = Context(evaluate, elaborate, apply)
    file = define_file(source, load, context, (source.name,))
    if file is None:
        return Checked(source, (), (), tuple(context.problems))
    parsed = parse_settings(settings, context)
    used: set[str] = set()
    chosen = chosen_nets(file, net, context)
    checked = (check_net(definition, parsed, context, used) for definition in chosen)
    programs = {program.root.name: program for program in checked if program is not None}
    recipes = check_recipes(file, programs, net, parsed, context, used)
    report_unchecked(chosen, file, net, parsed, context)
    report_unused_settings(parsed, used, file, context)
    problems = sorted(
        context.problems, key=lambda p: (p.span.source is not source, p.span.start) if p.span else (False, 0)
    )
    return Checked(source, tuple(programs.values()), tuple(recipes), tuple(problems))


def check_recipes(
    file: File,
    programs: Mapping[str, Program],
    net: str | None,
    settings: Mapping[str, tree.Node],
    context: Context,
    used: set[str],
) -> list[Recipe]:
    """The recipes of the nets that are checked; those of others are checked as far as they go alone."""
    nets = {str(definition.node.name) for definition in file.nets}
    found: list[Recipe] = []
    for node, scope in file.recipes:
        word, env = node.net or node.name, Env(context, scope)
        if word not in nets and not file.scope.incomplete:
            context.report(UnknownName(span=word.span, what="net", name=word, known=tuple(sorted(nets))))
        elif word in programs:
            recipe = check_recipe(node, programs[word], settings, env, used)
            found += [recipe] if recipe else []
        elif word in nets and net is None:
            check_alone(node, env)
    return found


def report_unchecked(
    chosen: list[Definition], file: File, net: str | None, settings: Mapping[str, tree.Node], context: Context
) -> None:
    """Nets that were left out as a parameter has no value: an error where they are asked for or trained."""
    wanted = {net, *(str(node.net or node.name) for node, _ in file.recipes)}
    for definition in chosen:
        name, missing = definition.node.name, missing_parameter(definition, settings)
        if missing is None:
            continue
        if name in wanted:
            way_out = f"give it a default, `{missing} = 8`, or a value on the command line, `--set {missing}=8`"
            context.report(MissingArgument(span=missing.span, callee=name, name=missing, way_out=way_out))
        elif definition not in context.elaborated:
            context.report(Unchecked(span=missing.span, name=name, parameter=missing))


def missing_parameter(definition: Definition, settings: Mapping[str, tree.Node]) -> Word | None:
    """The first parameter of a net that has neither a default nor a setting."""
    parameters = definition.node.parameters.items if definition.node.parameters else ()
    return next((p.name for p in parameters if p.default is None and p.name not in settings), None)


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
    used = define_file(source, load, context, (*path, source.name))
    if used is None:
        file.scope.incomplete = True
        return
    file.scope.incomplete = file.scope.incomplete or used.scope.incomplete
    for name, binding in used.scope.names.items():
        file.scope.names.setdefault(name, binding)


def parse_settings(settings: Mapping[str, str], context: Context) -> dict[str, tree.Node]:
    """`--set key=value`: each value is an expression of the language."""
    parsed_settings: dict[str, tree.Node] = {}
    for key, text in settings.items():
        parsed = parse(Source(f"--set {key}", f"value = {text}"))
        if isinstance(parsed, Problem):
            context.report(parsed)
        elif len(parsed.items) == 1 and isinstance(parsed.items[0], tree.Constant):
            parsed_settings[key] = parsed.items[0].flow
        else:
            span = Span(Source(f"--set {key}", text), 0, len(text))
            context.report(WrongKind(span=span, wanted="a value", found="more than one"))
    return parsed_settings


def chosen_nets(file: File, net: str | None, context: Context) -> list[Definition]:
    names = [str(definition.node.name) for definition in file.nets]
    if net is None:
        return file.nets
    if net not in names:
        context.report(UnknownName(what="net", name=net, known=tuple(names)))
        return []
    return [definition for definition in file.nets if definition.node.name == net]


def check_net(
    definition: Definition, settings: Mapping[str, tree.Node], context: Context, used: set[str]
) -> Program | None:
    """A net by itself, with its parameters at their defaults or as settings say; None if it has errors."""
    node = definition.node
    assert isinstance(node, tree.Net)
    errors = sum(p.severity == "error" for p in context.problems)
    parameters = list(node.parameters.items) if node.parameters else []
    env = Env(context, definition.scope)
    given: dict[str, Thing] = {}
    for parameter in parameters:
        if parameter.name in settings:
            used.add(parameter.name)
            given[str(parameter.name)] = env.evaluate(settings[parameter.name])
    if missing_parameter(definition, settings):
        return None
    context.start_net()
    bound = bind_parameters(parameters, Given((), given, {}, node.name.span), str(node.name), definition, env)
    if isinstance(bound, Poison):
        return None
    builder = Builder(str(node.name), None)
    scope = Scope(definition.scope)
    scope.names = {name: Binding(thing, None, "parameter", used=True) for name, thing in bound}
    inner = Env(context, scope, builder)
    outputs = Body(inner, str(node.name), node.body, None, node.name.span).run()
    if not builder.inputs and not isinstance(outputs, Poison):
        example = "write `input x: [784]`"
        context.report(MissingPart(span=node.name.span, owner=f"the net `{node.name}`", part="input", example=example))
    if isinstance(outputs, Poison) or sum(p.severity == "error" for p in context.problems) > errors:
        return None
    made = finish(builder, context.network_name(str(node.name)), outputs, inner, node.name.span)
    program = Program(in_order(made.network, context))
    verify(program)
    return program


def in_order(root: Network, context: Context) -> tuple[Network, ...]:
    """The networks that the root is made of, callees before callers, the root last."""
    ordered: dict[str, Network] = {}

    def visit(network: Network) -> None:
        used = [i.network for i in network.instances] + [c.network for c in network.calls]
        for name in used:
            if name and name not in ordered:
                visit(context.networks[name])
        ordered[network.name] = network

    visit(root)
    return tuple(ordered.values())


def report_unused_settings(settings: Mapping[str, tree.Node], used: set[str], file: File, context: Context) -> None:
    """A setting that sets nothing is an error, never ignored."""
    known = {str(p.name) for d in file.nets if d.node.parameters for p in d.node.parameters.items}
    known |= {"batch", "epochs", "steps", "seed", "rate"}
    for key in settings:
        if key not in used:
            context.report(UnknownName(what="setting", name=key, known=tuple(sorted(known))))
