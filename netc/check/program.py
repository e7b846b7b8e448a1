"""A file in, everything that it defines out: `check` is the entry of this stage. Reads no files itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from netc.check.apply import apply
from netc.check.binding import Given, bind_parameters, parameter_bindings
from netc.check.builder import Builder
from netc.check.context import Context, Env
from netc.check.elaborate import elaborate, without_orbits
from netc.check.expressions import evaluate
from netc.check.file import File, Load, define_file
from netc.check.limits import MOST_NUMBERS
from netc.check.networks import finish
from netc.check.problems import (
    MissingArgument,
    MissingPart,
    TooLarge,
    Unchecked,
    UnknownName,
)
from netc.check.recipe import check_alone, check_recipe
from netc.check.scope import Scope
from netc.check.settings import parameter_texts, parse_settings, report_unused_settings, settings_of
from netc.check.statements import Body
from netc.check.things import Definition, Poison, Thing
from netc.ir.network import Network, Program, Recipe
from netc.ir.symmetry import Claim
from netc.ir.verify import verify
from netc.problems import Problem
from netc.source import Source, Span, Word
from netc.syntax import tree
from netc.syntax.limits import nested


@dataclass(frozen=True)
class Checked:
    """What a file defines, and the problems with it. Programs and recipes that have errors are left out.

    `parameters` are the texts that stand for each net's parameters, by net and name; `used` the files of its
    `use` lines; `claims` what nets assert of their symmetry, by net; `recipe_problems` those of the problems that are
    no obstacle to what is about the nets alone.
    """

    source: Source | None
    programs: tuple[Program, ...]
    recipes: tuple[Recipe, ...]
    problems: tuple[Problem, ...]
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    used: tuple[Source, ...] = ()
    claims: Mapping[str, tuple[Claim, ...]] = field(default_factory=dict)
    recipe_problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity == "error")

    @property
    def net_errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.errors if p not in self.recipe_problems)


def check(
    source: Source, load: Load, net: str | None, settings: Mapping[str, str], recipe: str | None = None
) -> Checked:
    """Checks a source; `settings` override parameters of nets and fields of recipes, as texts in the language.

    A setting `net.NAME` is a parameter's alone, `train.NAME` a field's alone. Where a `net` or `recipe` is given,
    others are left out.
    """
    context = Context(evaluate, elaborate, apply)
    try:
        return check_all(source, load, net, settings, recipe, context)
    except RecursionError:
        # Each within its limit, expressions and the blocks they stand in may be deeper together than Python goes.
        place = context.trail[-1][1].span if context.trail else Span(source, 0, 0)
        return Checked(source, (), (), (nested(place),))


def check_all(
    source: Source, load: Load, net: str | None, settings: Mapping[str, str], recipe: str | None, context: Context
) -> Checked:
    file = define_file(source, load, context, (source.name,))
    if file is None:
        return Checked(source, (), (), tuple(context.problems))
    parsed = parse_settings(settings, context)
    of_nets, of_recipes = settings_of("net", parsed), settings_of("train", parsed)
    used: set[str] = set()
    chosen = chosen_nets(file, net, context)
    checked = (check_net(definition, of_nets, context, used) for definition in chosen)
    programs = {program.root.name: program for program in checked if program is not None}
    before_recipes = len(context.problems)
    recipes = check_recipes(file, chosen_recipes(file, recipe, context), programs, net, of_recipes, context, used)
    recipe_problems = tuple(context.problems[before_recipes:])
    report_unchecked(chosen, file, net, of_nets, context)
    report_unused_settings(parsed, used, file, context)
    problems = sorted(
        context.problems, key=lambda p: (p.span.source is not source, p.span.start) if p.span else (False, 0)
    )
    parameters = {str(d.node.name): parameter_texts(d, of_nets) for d in chosen}
    claims = {name: tuple(context.claims.get(name, ())) for name in programs}
    return Checked(
        source,
        tuple(programs.values()),
        tuple(recipes),
        tuple(problems),
        parameters,
        claims=claims,
        recipe_problems=recipe_problems,
    )


def check_recipes(
    file: File,
    recipes: list[tuple[tree.Train, Scope]],
    programs: Mapping[str, Program],
    net: str | None,
    settings: Mapping[str, tree.Node],
    context: Context,
    used: set[str],
) -> list[Recipe]:
    """The recipes of the nets that are checked; those of others are checked as far as they go alone."""
    nets = {str(definition.node.name) for definition in file.nets}
    found: list[Recipe] = []
    for node, scope in recipes:
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


def chosen_recipes(file: File, recipe: str | None, context: Context) -> list[tuple[tree.Train, Scope]]:
    names = [str(node.name) for node, _ in file.recipes]
    if recipe is not None and recipe not in names:
        context.report(UnknownName(what="recipe", name=recipe, known=tuple(names)))
    return [(node, scope) for node, scope in file.recipes if recipe in (None, node.name)]


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
    scope.names = parameter_bindings(node, bound)
    inner = Env(context, scope, builder)
    outputs = without_orbits(node, Body(inner, str(node.name), node.body, None, node.name.span).run(), inner)
    if not builder.inputs and not isinstance(outputs, Poison):
        example = "write `input x: [784]`"
        context.report(MissingPart(span=node.name.span, owner=f"the net `{node.name}`", part="input", example=example))
    if isinstance(outputs, Poison) or sum(p.severity == "error" for p in context.problems) > errors:
        return None
    made = finish(builder, context.network_name(str(node.name)), outputs, inner, node.name.span)
    program = Program(in_order(made.network, context))
    verify(program)
    owned = context.counter.owned(program.root)
    if owned.params + owned.state > MOST_NUMBERS:
        what, limit = f"the net `{node.name}`", "2^40 numbers in its weights"
        context.report(TooLarge(span=node.name.span, what=what, limit=limit))
        return None
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
