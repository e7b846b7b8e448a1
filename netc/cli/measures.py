"""The loss and metrics of a run as text: numbers on a line each, tables with the classes at their edges."""

from collections.abc import Mapping
from typing import Any


def measured(name: str, value: Any) -> str:
    """A measure with its name; of a table, rows are the classes and columns the answers."""
    if isinstance(value, dict):
        return "\n".join(of_members(name, *one) for one in value.items() if not isinstance(one[1][0], list))
    return f"{name}:\n{table(value)}" if isinstance(value, list) else f"{name}: {value:.4f}"


def of_members(name: str, measure: str, values: list[float]) -> str:
    """What the members of an average measure by themselves: their mean, and each."""
    listed = ", ".join(f"{value:.4f}" for value in values)
    return f"{name} {measure}: {sum(values) / len(values):.4f} on average ({listed})"


def table(counts: list[list[int]]) -> str:
    """Counts by class (rows) and answer (columns)."""
    width = max(len(str(number)) for row in counts for number in (*row, len(counts)))
    lines = [("", *range(len(counts))), *((i, *row) for i, row in enumerate(counts))]
    return "\n".join("  ".join(f"{cell:>{width}}" for cell in line) for line in lines)


def brief(measures: Mapping[str, Any], part: str = "test") -> str:
    """The numbers among measures of the test set, or of another part of the data, on one line."""
    return "".join(
        f"  {part} {name} {value:.4f}" for name, value in measures.items() if not isinstance(value, list | dict)
    )
