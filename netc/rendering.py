"""Problems as text for people (`render_all`), a line each (`concise`) and as data (`as_json`)."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from netc.problems import Label, Problem
from netc.source import Source, Span

WIDEST = 110
COLOURS = {"error": "\033[1;31m", "warning": "\033[1;33m", "blue": "\033[1;34m", "bold": "\033[1m", "end": "\033[0m"}


def render_all(problems: Iterable[Problem], color: bool = False) -> str:
    """Problems one after another, with a blank line between."""
    return "\n\n".join(render(problem, color) for problem in problems)


def render(problem: Problem, color: bool = False) -> str:
    """A problem with the lines that it is about, what is marked in them, and the way out."""
    paint = COLOURS if color else dict.fromkeys(COLOURS, "")
    head = f"{paint[problem.severity]}{problem.severity}[{problem.code}]{paint['end']}"
    lines = [f"{head}{paint['bold']}: {printable(problem.message())}{paint['end']}"]
    lines += snippets(problem, paint)
    if problem.help():
        lines.append(f"   = help: {printable(problem.help())}")
    return "\n".join(lines)


def snippets(problem: Problem, paint: dict[str, str]) -> list[str]:
    """The marked lines, file by file, the problem's own file first."""
    if problem.span is None:
        return []
    marks = [(Label(problem.span, problem.label()), "^")]
    trail = {label.span: label for label in problem.trail if label.span != problem.span}
    others = [label for label in problem.others() if label.span not in trail]
    marks += [(label, "-") for label in (*others, *trail.values())]
    sources: list[Source] = []
    for label, _ in marks:
        if label.span.source not in sources:
            sources.append(label.span.source)
    lines: list[str] = []
    for i, source in enumerate(sources):
        own = [(label, mark) for label, mark in marks if label.span.source is source]
        arrow = "-->" if i == 0 else ":::"
        lines.append(f"  {paint['blue']}{arrow}{paint['end']} {printable(str(own[0][0].span))}")
        if source.text:
            lines += snippet(source, own, paint)
    return lines


def snippet(source: Source, marks: list[tuple[Label, str]], paint: dict[str, str]) -> list[str]:
    numbers = sorted({label.span.line for label, _ in marks})
    width = len(str(numbers[-1]))
    blank = f"{paint['blue']}{' ' * width} |{paint['end']}"
    lines = [f" {blank}"]
    last = numbers[0]
    for number in numbers:
        if number > last + 1:
            lines.append(f" {paint['blue']}{'.' * min(3, width + 2)}{paint['end']}")
        last = number
        here = sorted((m for m in marks if m[0].span.line == number), key=lambda m: m[0].span.start)
        lines += marked_line(source, number, here, width, blank, paint)
    return lines


def marked_line(
    source: Source, number: int, marks: list[tuple[Label, str]], width: int, blank: str, paint: dict[str, str]
) -> list[str]:
    """A line of the source with a row of marks below it; marks that would overlap get rows of their own."""
    text = source.line(number)
    columns = [column_range(label.span, number) for label, _ in marks]
    cut = window(text, columns[0][0])
    shown = printable(text[cut : cut + WIDEST])
    lead, tail = ("..." if cut else ""), ("..." if len(text) > cut + WIDEST else "")
    lines = [f" {paint['blue']}{number:>{width}} |{paint['end']} {lead}{shown}{tail}"]
    rows: list[str] = []
    for (label, mark), (start, end) in zip(marks, columns, strict=True):
        before = printed_width(text[cut:start]) + len(lead)
        marked = mark * max(1, printed_width(text[start : min(end, cut + WIDEST)]))
        note = f" {printable(label.text)}" if label.text else ""
        colour = paint["error"] if mark == "^" else paint["blue"]
        if rows and not marks[0][0].text and before >= len(rows[-1]) + 1 and len(rows) == 1 and "\033" not in rows[-1]:
            rows[-1] = (
                rows[-1] + " " * (before - len(rows[-1])) + colour + marked + note + (paint["end"] if colour else "")
            )
        else:
            rows.append(" " * before + colour + marked + note + (paint["end"] if colour else ""))
    return lines + [f" {blank} {row}" for row in rows]


def column_range(span: Span, number: int) -> tuple[int, int]:
    """The characters of a line, from 0, that a span covers."""
    start = span.source.line_starts[number - 1]
    length = len(span.source.line(number))
    first = min(span.start - start, length)
    return first, max(first, min(span.end - start, length))


def window(text: str, column: int) -> int:
    """Where to begin a long line so that a column shows."""
    return 0 if len(text) <= WIDEST or column < WIDEST - 20 else max(0, column - WIDEST // 2)


def printable(text: str) -> str:
    """Text that can do nothing to a terminal: control and direction characters are escaped, tabs are one space."""
    return "".join(shown_character(char) for char in text)


def shown_character(char: str) -> str:
    if char == "\t":
        return " "
    return f"\\u{ord(char):04x}" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") else char


def printed_width(text: str) -> int:
    """How many columns a text takes; wide characters take two."""
    shown = printable(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in shown)


def concise(problem: Problem) -> str:
    """`file:line:column: error[code]: message`."""
    place = f"{printable(str(problem.span))}: " if problem.span else ""
    return f"{place}{problem.severity}[{problem.code}]: {printable(problem.message())}"


def as_json(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems as data: code, severity, message, help, place and further places."""
    return [
        {
            "code": problem.code,
            "severity": problem.severity,
            "message": problem.message(),
            "help": problem.help(),
            **place(problem.span),
            "label": problem.label(),
            "others": [{**place(label.span), "label": label.text} for label in (*problem.others(), *problem.trail)],
        }
        for problem in problems
    ]


def place(span: Span | None) -> dict[str, Any]:
    if span is None:
        return {"file": None, "line": None, "column": None, "end_line": None, "end_column": None}
    line, column = span.source.place(span.start)
    end_line, end_column = span.source.place(span.end)
    return {"file": span.source.name, "line": line, "column": column, "end_line": end_line, "end_column": end_column}
