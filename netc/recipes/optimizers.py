"""Optimizers, gradient transforms and schedules: Optax's, under Optax's names.

A call from a recipe in; the same call with every argument checked, and called as Optax calls it, out. The rows
stand in `netc.recipes.optax_rows`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from netc.arguments import REJECTED, Accepts, Integer, Real, Truth
from netc.ir.network import Applied, Term
from netc.layers.base import Refusal
from netc.recipes.optax_rows import SCHEDULE_ROWS, SHORT_ROWS, TRANSFORM_ROWS
from netc.source import Span

TOTAL_STEPS = "total_steps"
"""In a checked recipe: the number of steps of the run, which is known when the data are."""


@dataclass(frozen=True)
class StringOf:
    """One of some strings."""

    choices: tuple[str, ...]
    words: tuple[str, ...] = ()

    def read(self, value: object) -> object:
        return value if value in self.choices else REJECTED

    def describe(self) -> str:
        return "one of " + ", ".join(f'"{choice}"' for choice in self.choices)


OPTAX_NAMES = {"rate": "learning_rate", "seed": "key"}

# What a parameter accepts beyond "a number", by its name in Optax: where Optax itself would fail, or make NaN.
RANGES: dict[str, Accepts] = {
    name: accepts
    for names, accepts in (
        ("decay_steps transition_steps memory_size k min_dim_size_to_factor", Integer(1, 2**31 - 1)),
        ("warmup_steps transition_begin decay_offset step_offset key", Integer(0, 2**31 - 1)),
        ("b1 b2 b3", Real(0, 1, below=True)),
        ("momentum decay rho pct_start pct_final", Real(0, 1)),
        ("learning_rate weight_decay max_norm max_delta threshold clipping eps eps_root epsilon", Real(0)),
        ("decay_rate div_factor final_div_factor", Real(0, above=True)),
    )
    for name in names.split()
}
RANGES["scale_by_sm3.b2"] = Real(0, 1)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a row. `filled` says that its default is the language's, so that Optax must be told.

    `schedule` is `~` for one that may be a schedule, `!` for one that must, else empty.
    """

    name: str
    optax_name: str
    accepts: Accepts
    default: Term
    required: bool
    filled: bool
    schedule: str

    def describe(self) -> str:
        number = self.accepts.describe()
        return f"{number}, or a schedule such as `cosine(0.1)`" if self.schedule else number


@dataclass(frozen=True)
class Row:
    """A function of Optax and its parameters, in positional order."""

    name: str
    optax_name: str
    parameters: tuple[Parameter, ...]


def read_rows(text: str) -> dict[str, Row]:
    rows = {}
    for line in text.replace("\n    ", " ").strip().split("\n"):
        names, _, parameters = line.partition(":")
        name, _, optax_name = names.partition("=")
        row = optax_name or name
        rows[name] = Row(name, row, tuple(read_parameter(p, row) for p in parameters.split()))
    return rows


PARAMETER = re.compile(r"(?P<name>\w+)(>(?P<optax>\w+))?(?P<schedule>[~!]?)((?P<equals>:?=)(?P<default>.+))?")


def read_parameter(text: str, row: str) -> Parameter:
    found = PARAMETER.fullmatch(text)
    assert found, text
    name, default = found["name"], found["default"] or "none"
    optax_name = found["optax"] or OPTAX_NAMES.get(name, name)
    accepts = RANGES.get(f"{row}.{optax_name}") or RANGES.get(optax_name) or accepted(default)
    required, filled = found["equals"] is None, found["equals"] == ":="
    return Parameter(name, optax_name, accepts, read_default(default, accepts), required, filled, found["schedule"])


def accepted(default: str) -> Accepts:
    """What a parameter of that default accepts."""
    if default in ("true", "false"):
        return Truth()
    if default[0] == "'":
        return StringOf(tuple(choice.strip("'") for choice in default.split("|")))
    return Real()


def read_default(text: str, accepts: Accepts) -> Term:
    match accepts:
        case _ if text == "none":
            return None
        case _ if text == "total":
            return TOTAL_STEPS
        case Truth():
            return text == "true"
        case StringOf(choices=choices):
            return choices[0]
        case Integer():
            return int(text)
        case _:
            return float(text)


@cache
def transforms() -> dict[str, Row]:
    """Optimizers and gradient transforms by name."""
    return read_rows(TRANSFORM_ROWS)


@cache
def schedules() -> dict[str, Row]:
    """Schedules by Optax's names and by the language's short ones."""
    return read_rows(SCHEDULE_ROWS) | read_rows(SHORT_ROWS)


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a call of an optimizer or schedule: one of unknown, argument, missing, extra, type.

    `table` says which of the two was looked for, `value` what an argument of the wrong type was, `span` where
    the call stands.
    """

    what: str
    name: str
    callee: str
    position: int | None = None
    known: tuple[str, ...] = ()
    accepts: str = ""
    value: Term = None
    span: Span | None = None
    table: str = "optimizer"


def bind_row(term: Applied, rows: dict[str, Row]) -> Applied | list[Wrong]:
    """The call with every argument by its Optax name, or all that is wrong with it."""
    row = rows.get(term.name)
    if row is None:
        table = "schedule" if rows is schedules() else "optimizer"
        return [Wrong("unknown", term.name, term.name, known=tuple(rows), span=term.span, table=table)]
    given, wrong = arrange(term, row)
    bound: list[tuple[str, Term]] = []
    for p in row.parameters:
        if p.name in given:
            checked = check_value(*given[p.name], p, term)
            if isinstance(checked, list):
                wrong += checked
            else:
                bound.append((p.optax_name, checked))
        elif p.required and not any(w.what == "argument" for w in wrong):
            wrong.append(Wrong("missing", p.name, term.name, accepts=p.describe(), span=term.span))
        elif p.filled:
            bound.append((p.optax_name, p.default))
    checked_call = Applied(row.optax_name, (), tuple(bound), term.span)
    return wrong or too_long_a_warmup(checked_call, term) or checked_call


def arrange(term: Applied, row: Row) -> tuple[dict[str, tuple[Term, int | None]], list[Wrong]]:
    """A call's arguments, with their positions, by the names of the row's parameters; those that have none."""
    names = tuple(p.name for p in row.parameters)
    called = {p.optax_name: p.name for p in row.parameters} | {name: name for name in names}
    given: dict[str, tuple[Term, int | None]] = {}
    wrong: list[Wrong] = []
    for position, value in enumerate(term.positional):
        if position < len(names):
            given[names[position]] = (value, position)
        else:
            wrong.append(Wrong("extra", "", term.name, position, names, span=term.span))
    for name, value in term.named:
        if name not in called:
            wrong.append(Wrong("argument", name, term.name, known=names, span=term.span))
        elif called[name] in given:
            wrong.append(Wrong("extra", name, term.name, known=names, span=term.span))
        else:
            given[called[name]] = (value, None)
    return given, wrong


def check_value(value: Term, position: int | None, parameter: Parameter, call: Applied) -> Term | list[Wrong]:
    """The value as Optax takes it, or what is wrong with it or inside its schedule."""
    if isinstance(value, Applied) and parameter.schedule:
        return bind_row(value, schedules())
    read = parameter.accepts.read(value)
    if read is REJECTED:
        accepts = parameter.describe()
        return [Wrong("type", parameter.name, call.name, position, accepts=accepts, value=value, span=call.span)]
    if parameter.schedule == "!":
        return Applied("constant_schedule", (), (("value", read),), call.span)
    return read


def too_long_a_warmup(bound: Applied, call: Applied) -> list[Wrong]:
    """A warm-up that leaves no step for the decay, where both are written out."""
    named = dict(bound.named)
    warmup, steps = named.get("warmup_steps"), named.get("decay_steps")
    if not isinstance(warmup, int) or not isinstance(steps, int) or warmup < steps:
        return []
    name = next(p.name for p in schedules()[call.name].parameters if p.optax_name == "warmup_steps")
    accepts = f"less than the schedule's {steps:,} steps"
    return [Wrong("type", name, call.name, accepts=accepts, value=warmup, span=call.span)]


def refuse_steps(optimizer: tuple[Applied, ...], total_steps: int) -> Refusal | None:
    """Why a checked optimizer cannot be used for a run of that many steps: its schedule warms up for longer."""
    for call in (inner for transform in optimizer for inner in calls(transform)):
        named = dict(call.named)
        warmup = named.get("warmup_steps")
        if named.get("decay_steps") == TOTAL_STEPS and isinstance(warmup, int) and warmup >= total_steps:
            message = f"the rate warms up for {warmup:,} steps, and the whole run has {total_steps:,}"
            return Refusal(message, "train for more epochs, or warm up for fewer steps")
    return None


def calls(term: Applied) -> Iterator[Applied]:
    """A call and the calls among its arguments."""
    yield term
    for _, value in term.named:
        if isinstance(value, Applied):
            yield from calls(value)
