"""Whether a training has gone on for long enough: a recipe's `stop`, on the lines of metrics.jsonl.

What it says follows from these lines alone, so that a training that goes on later stops where it would have stopped.
"""

import math
from collections.abc import Sequence
from typing import Any

from netc.ir.network import Applied, Recipe
from netc.recipes.stops import LOSS, NUMBERS, STOPS, Patience

ROWS = {row.kind: row for row in STOPS}
Record = dict[str, Any]


def why_stop(recipe: Recipe, history: Sequence[Record]) -> str:
    """Why training ends after these epochs, in words; empty if it goes on."""
    if recipe.stop is None or not history:
        return ""
    row = ROWS[recipe.stop.name](**dict(recipe.stop.named))
    assert isinstance(row, Patience)
    best = latest_best([value_of(recipe, row.metric, record) for record in history], row.by)
    if len(history) - best < row.epochs:
        return ""
    part = "validation" if "validation" in history[-1] else "test"
    return f"the {part} set's {row.metric} has been no better since epoch {history[best - 1]['epoch']}"


def judged(record: Record) -> Record:
    """The measures that an epoch is judged by: those of the validation set, or of the test set if there is no other."""
    return record.get("validation", record["test"])


def value_of(recipe: Recipe, metric: str, record: Record) -> float:
    """What an epoch came to, smaller is better: on the validation set, or the test set if there is no other."""
    measured = judged(record)
    if metric == LOSS:
        return measured[LOSS]
    name = next(name for name, term in recipe.metrics if isinstance(term, Applied) and term.name == metric)
    return -measured[name] if NUMBERS[metric] else measured[name]


def latest_best(values: Sequence[float], by: float) -> int:
    """The last value, counted from 1, that was better by some amount than the best before it."""
    best, place = math.inf, 0
    for number, value in enumerate(values, 1):
        if value < best - by:
            best, place = value, number
    return place
