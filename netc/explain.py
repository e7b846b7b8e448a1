"""What `netc explain` says: the documentation that problems, table entries and Optax's rows carry themselves.

The facts here are shared with the generated pages (`netc.reference`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import cleandoc
from textwrap import fill, wrap

from netc.arguments import Entry, called_here
from netc.check import problems as check_problems
from netc.examples import example_of
from netc.ir import problems as ir_problems
from netc.ir.network import Term
from netc.layers import LAYERS
from netc.layers.base import Layer
from netc.layers.constraints import CONSTRAINTS
from netc.layers.initialisers import INITIALISERS, Constant
from netc.layers.orbits import ORBITS
from netc.problems import Problem, nearest
from netc.recipes import problems as recipe_problems
from netc.recipes.adjustments import ADJUSTMENTS
from netc.recipes.augment import AUGMENTATIONS, Augmentation
from netc.recipes.averages import AVERAGES
from netc.recipes.checkpoints import CHECKPOINTS
from netc.recipes.data import DATASETS, DataSet
from netc.recipes.fields import FIELDS, RecipeField
from netc.recipes.losses import LOSSES, Loss
from netc.recipes.metrics import METRICS, Metric
from netc.recipes.optimizers import TOTAL_STEPS, Parameter, Row, schedules, transforms
from netc.recipes.prepare import PREPARATIONS
from netc.recipes.starts import STARTS
from netc.recipes.stops import STOPS
from netc.syntax import problems as syntax_problems

PROBLEMS: tuple[type[Problem], ...] = (
    *syntax_problems.PROBLEMS,
    *check_problems.PROBLEMS,
    *ir_problems.PROBLEMS,
    *recipe_problems.PROBLEMS,
)
WIDTH = 100

Explained = type[Problem] | type[Entry] | Row | RecipeField


def by_kind(entries: tuple[type[Entry], ...]) -> dict[str, Explained]:
    return {entry.kind: entry for entry in entries}


GROUPS: dict[str, Mapping[str, Explained]] = {
    "layers": by_kind(LAYERS),
    "initialisers": by_kind(INITIALISERS),
    "constraints": by_kind(CONSTRAINTS),
    "orbits": by_kind(ORBITS),
    "fields of a recipe": {field.name: field for field in FIELDS},
    "data sets": by_kind(DATASETS),
    "preparations": by_kind(PREPARATIONS),
    "augmentations": by_kind(AUGMENTATIONS),
    "starts": by_kind(STARTS),
    "stops": by_kind(STOPS),
    "adjustments": by_kind(ADJUSTMENTS),
    "averages": by_kind(AVERAGES),
    "checkpoints": by_kind(CHECKPOINTS),
    "losses": by_kind(LOSSES),
    "metrics": by_kind(METRICS),
    "optimizers": transforms(),
    "schedules": schedules(),
    "problems": {problem.code: problem for problem in PROBLEMS},
}


def explain_name(name: str) -> tuple[bool, str]:
    """Whether there is such a name, and all that has it explained, or the nearest name."""
    found = [(group, entries[name]) for group, entries in GROUPS.items() if name in entries]
    if found:
        return True, "\n\n".join(explain(thing, group) for group, thing in found)
    if here := called_here(name, (*LAYERS, *LOSSES, *AUGMENTATIONS)):
        return False, f"nothing is called `{name}`: {here}"
    near = nearest(name, [known for entries in GROUPS.values() for known in entries])
    return False, f"nothing is called `{name}`: " + (
        f"did you mean `{near}`?" if near else "`netc explain` lists names"
    )


def list_names() -> str:
    """All that can be explained, group by group."""
    parts = [
        f"{group}\n"
        + fill(", ".join(entries), WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
        for group, entries in GROUPS.items()
    ]
    return "\n\n".join(["`netc explain NAME` explains one of these.", *parts])


def explain(thing: Explained, group: str) -> str:
    """The page of one thing, as plain text."""
    if isinstance(thing, Row):
        return page(signature(thing), group, f"Optax's `{thing.optax_name}`.", parameter_lines(thing))
    if isinstance(thing, RecipeField):
        default = f" Default: {thing.default}." if thing.default else ""
        planned = " This version does not know it yet." if thing.planned else ""
        return page(thing.name, group, f"{thing.meaning[:1].upper()}{thing.meaning[1:]}.{default}{planned}", [])
    if issubclass(thing, Problem):
        return page(f"{thing.severity}[{thing.code}]", group, documentation(thing), [])
    return page(signature(thing), group, documentation(thing), entry_lines(thing))


def page(head: str, group: str, text: str, lines: list[str]) -> str:
    return "\n".join([f"{head}    ({group})", "", text, *([""] if lines else []), *lines])


def documentation(thing: type[Problem] | type[Entry]) -> str:
    return cleandoc(thing.__doc__ or "")


@dataclass(frozen=True)
class Line:
    """An argument as pages show it; `default` is None for one that must be given."""

    name: str
    meaning: str
    accepts: str
    default: str | None


def arguments_of(entry: type[Entry]) -> list[Line]:
    """The arguments of an entry; the operands of losses and metrics are no arguments."""
    return [
        Line(a.name, a.meaning, a.accepts.describe(), None if a.required else shown(a.default))
        for a in entry.arguments()
    ]


def signature(thing: type[Entry] | Row) -> str:
    """How a call is written, what may be left out as dots: `conv(channels, size, ...)`."""
    if isinstance(thing, Row):
        name, required = thing.name, [p.name for p in thing.parameters if p.required]
        optional = len(required) < len(thing.parameters)
    else:
        operands = list(thing.operands) if issubclass(thing, Loss | Metric) else []
        name, required = thing.kind, operands + [a.name for a in thing.arguments() if a.required]
        optional = any(not a.required for a in thing.arguments())
    parts = required + ["..."] * optional
    return f"{name}({', '.join(parts)})" if required else name


def parameter(p: Parameter) -> str:
    if p.required:
        return p.name
    return f"{p.name} = {'...' if p.default is None else shown_term(p.default)}"


def shown_term(term: Term) -> str:
    """A default of a row as the language writes it."""
    match term:
        case bool():
            return str(term).lower()
        case str() if term == TOTAL_STEPS:
            return "(all)"
        case str():
            return f'"{term}"'
        case int() | float():
            return f"{term:g}"
        case _:
            return ""


def shown(default: object) -> str:
    """A default as the language writes it; empty where leaving out has a meaning of its own."""
    match default:
        case bool():
            return str(default).lower()
        case Constant(value=value):
            return f"{value:g}"
        case Entry():
            return default.kind
        case tuple():
            return "x".join(map(str, default))
        case int() | float():
            return f"{default:g}"
        case None:
            return ""
        case _:
            return str(default)


def entry_lines(entry: type[Entry]) -> list[str]:
    lines = [text for line in arguments_of(entry) for text in argument_lines(line)]
    if issubclass(entry, DataSet) and fields_of(entry):
        lines += [*([""] if lines else []), f"fields: {fields_of(entry)}"]
    if issubclass(entry, Augmentation):
        lines += ["", "for example", f"  augment = {entry.example}"]
    if issubclass(entry, Layer):
        lines += [*([""] if lines else []), *example_lines(entry)]
    return lines


def argument_lines(line: Line) -> list[str]:
    default = "" if not line.default else f" (default: {line.default})"
    return wrap(
        f"{line.name}: {line.meaning}; {line.accepts}{default}", WIDTH, initial_indent="  ", subsequent_indent="    "
    )


def parameter_lines(row: Row) -> list[str]:
    return [f"  {parameter(p)}: {p.describe()}" for p in row.parameters]


def example_lines(kind: type[Layer]) -> list[str]:
    """An example with its output's shape, its weights and its cost, and the Flax that is emitted for it."""
    example = example_of(kind)
    weights = [f"  {w.name} {list(w.shape)}: {', '.join(w.axes)}" for w in example.instance.weights if w.trainable]
    weights += [f"  {w.name} {list(w.shape)}: state, not trained" for w in example.instance.weights if not w.trainable]
    return [
        "for example",
        *(f"  input {name}: {type_}" for name, type_ in example.inputs),
        f"  output y: {example.output} = {example.flow}",
        *(["weights there", *weights] if weights else []),
        "in Flax",
        *(f"  {line}" for line in example.flax.splitlines()),
    ]


def fields_of(entry: type[DataSet]) -> str:
    """The fields of a data set and their types; empty where they depend on its arguments."""
    fields = None if any(a.required for a in entry.arguments()) else entry().fields()
    return ", ".join(f"`{name}` {type_}" for name, type_ in fields.items()) if fields else ""
