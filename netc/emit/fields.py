"""A checked recipe in, its fields as .net text out, every default written out: what a run folder keeps of it.

The text checks to the same recipe again (`netc.check.check` takes it as settings).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from netc.arguments import Entry
from netc.check.augment import ROWS as AUGMENTATION_ROWS
from netc.emit.recipe import binds_weaker
from netc.ir.network import Applied, Arithmetic, DataField, Output, Recipe, Term
from netc.recipes.adjustments import ADJUSTMENTS
from netc.recipes.averages import AVERAGES
from netc.recipes.checkpoints import CHECKPOINTS
from netc.recipes.data import DATASETS
from netc.recipes.fields import ADJUST, CONSTRAIN
from netc.recipes.losses import LOSSES
from netc.recipes.metrics import METRICS
from netc.recipes.optimizers import TOTAL_STEPS, Row, schedules, transforms
from netc.recipes.prepare import PREPARATIONS
from netc.recipes.starts import STARTS
from netc.recipes.stops import STOPS

ROWS: dict[str, type[Entry]] = {
    entry.kind: entry
    for entry in (*DATASETS, *LOSSES, *METRICS, *PREPARATIONS, *AVERAGES, *STOPS, *STARTS, *ADJUSTMENTS, *CHECKPOINTS)
}


def recipe_fields(recipe: Recipe) -> dict[str, str]:
    """The fields that the recipe has, by name, as the language writes them."""
    length = "epochs" if recipe.steps is None else "steps"
    return {
        "data": term_text(recipe.data),
        **({"validation": str(recipe.validation)} if recipe.validation else {}),
        **({"prepare": " -> ".join(term_text(step) for step in recipe.prepare)} if recipe.prepare else {}),
        **(
            {"augment": " -> ".join(term_text(step, AUGMENTATION_ROWS) for step in recipe.augment)}
            if recipe.augment
            else {}
        ),
        "likelihood" if recipe.maximise else "loss": term_text(recipe.loss),
        "metric": "[" + ", ".join(term_text(metric) for _, metric in recipe.metrics) + "]",
        "optimizer": " -> ".join(optax_text(call, transforms()) for call in recipe.optimizer),
        "batch": str(recipe.batch),
        "accumulate": str(recipe.accumulate),
        length: str(getattr(recipe, length)),
        "seed": str(recipe.seed),
        "precision": recipe.precision,
        "decay": recipe.decay,
        **({"start": term_text(recipe.start)} if recipe.start else {}),
        **({"stop": term_text(recipe.stop)} if recipe.stop else {}),
        **({"average": term_text(recipe.average)} if recipe.average else {}),
        "ensemble": str(recipe.ensemble),
        **({"shared": value_text(recipe.shared)} if recipe.shared else {}),
        **({} if recipe.checkpoint is None else {"checkpoint": term_text(recipe.checkpoint)}),
        CONSTRAIN: f" {CONSTRAIN} ".join(constraint_texts(recipe)),
        ADJUST: f" {ADJUST} ".join(adjustment_texts(recipe)),
    }


def constraint_texts(recipe: Recipe) -> list[str]:
    """What follows each `constrain` of the recipe."""
    texts = []
    for one in recipe.constraints:
        numbers = ", ".join(map(value_text, one.constraint.given().values()))
        texts.append(f"{one.selector}: {one.constraint.kind}" + (f"({numbers})" if numbers else ""))
    return texts


def adjustment_texts(recipe: Recipe) -> list[str]:
    """What follows each `adjust` of the recipe."""
    return [f"{one.selector}: {term_text(one.adjustment)}" for one in recipe.adjustments]


def term_text(term: Term, rows: Mapping[str, type[Entry]] = ROWS) -> str:
    """A row of a table with all its arguments, an output or field, a number, or arithmetic of those."""
    match term:
        case Output(name=name) | DataField(name=name):
            return name
        case Applied():
            settings = (f"{name} = {text}" for name, text in settings_of(term, rows))
            arguments = ", ".join((*(term_text(operand) for operand in term.positional), *settings))
            return f"{term.name}({arguments})" if arguments else term.name
        case Arithmetic(operator=operator, left=left, right=right):
            return f"{grouped(left, operator, 0)} {operator} {grouped(right, operator, 1)}"
        case _:
            return value_text(term)


def settings_of(term: Applied, rows: Mapping[str, type[Entry]]) -> Iterator[tuple[str, str]]:
    """A row's arguments as texts, those that are left out at their defaults; what is `none` cannot be written."""
    given: dict[str, Any] = dict(term.named)
    for argument in rows[term.name].arguments():
        value = given.get(argument.name, argument.default)
        if value is not None:
            is_word = isinstance(value, str) and value in argument.accepts.words
            yield argument.name, value if is_word else term_text(value)


def grouped(term: Term, operator: str, side: int) -> str:
    """An operand, in brackets where it would be read otherwise; `side` is 0 on the left, 1 on the right."""
    return f"({term_text(term)})" if binds_weaker(term, operator, side) else term_text(term)


def optax_text(call: Applied, rows: Mapping[str, Row]) -> str:
    """A call of Optax by the names of its row; what depends on the length of the run stays left out."""
    row = next(row for row in rows.values() if row.optax_name == call.name and fits(row, call))
    given = dict(call.named)
    arguments = []
    for parameter in row.parameters:
        value = given.get(parameter.optax_name, parameter.default)
        if value is not None and value != TOTAL_STEPS:
            text = optax_text(value, schedules()) if isinstance(value, Applied) else value_text(value)
            arguments.append(f"{parameter.name} = {text}")
    name = next(name for name, other in rows.items() if other is row)
    return f"{name}({', '.join(arguments)})"


def fits(row: Row, call: Applied) -> bool:
    """Whether a row can say what a call does: one that lasts the whole run needs a row that knows of that."""
    unsaid = {name for name, value in call.named if value == TOTAL_STEPS}
    return unsaid <= {p.optax_name for p in row.parameters if p.default == TOTAL_STEPS}


def value_text(value: Term) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
            return f'"{escaped}"'
        case tuple():
            return "[" + ", ".join(value_text(item) for item in value) + "]"
        case _:
            assert isinstance(value, int | float)
            return repr(value)
