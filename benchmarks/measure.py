"""Times of several things taken in turn, so that whatever else the machine does meets all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

Seconds = dict[str, list[float]]
"""What each thing took, round by round."""


@dataclass(frozen=True)
class Row:
    """A line of a table: a figure, what it was meant to be (empty where it only informs), and whether it is."""

    what: str
    found: str
    target: str = ""
    met: bool | None = None


@dataclass(frozen=True)
class Table:
    title: str
    text: str
    rows: tuple[Row, ...]


def take_turns(things: Mapping[str, Callable[[], object]], rounds: int, warm: int = 1) -> Seconds:
    """Runs each thing once a round, beginning with another one each time. The first `warm` rounds do not count."""
    seconds: Seconds = {name: [] for name in things}
    names = list(things)
    for i in range(warm + rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            start = time.perf_counter()
            things[name]()
            if i >= warm:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratios(seconds: Seconds, name: str, to: str) -> list[float]:
    """How much longer one thing took than another, round by round."""
    return [a / b for a, b in zip(seconds[name], seconds[to], strict=True)]


def spread(numbers: Sequence[float], show: Callable[[float], str]) -> str:
    """The median, and the range of the middle half."""
    low, _, high = quantiles(numbers, n=4) if len(numbers) > 1 else (numbers[0],) * 3
    return f"{show(median(numbers))} ({show(low)} to {show(high)})"


def in_seconds(number: float) -> str:
    return f"{number:.3f} s" if number < 10 else f"{number:.1f} s"


def in_milliseconds(number: float) -> str:
    return f"{number * 1e3:.2f} ms"


def as_ratio(number: float) -> str:
    return f"{number:.3f}"


def at_most(what: str, numbers: Sequence[float], limit: float, show: Callable[[float], str]) -> Row:
    """A row whose median must not pass a limit."""
    return Row(what, spread(numbers, show), f"at most {limit:g}", median(numbers) <= limit)
