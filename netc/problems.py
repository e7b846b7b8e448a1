"""What a problem is: a value with a code, places and the data to explain itself.

Each stage defines its own problems as subclasses of `Problem` in its `problems.py`; their class
docstrings are what `netc explain CODE` prints. Rendering is left to `netc.rendering`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from netc.source import Span


@dataclass(frozen=True)
class Label:
    """A place in a source that takes part in a problem, and what is to be said of it."""

    span: Span
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One mistake, or one warning, with the place where it shows (None: no place in a text)."""

    code: ClassVar[str]
    severity: ClassVar[Literal["error", "warning"]] = "error"

    span: Span | None = None
    trail: tuple[Label, ...] = ()
    """The uses of blocks that led to the place, innermost first; shown after `others()`."""
    way_out: str = ""

    def __init_subclass__(cls) -> None:
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()

    def message(self) -> str:
        """One sentence: the forbidden thing, with the names and shapes that the user wrote."""
        raise NotImplementedError

    def label(self) -> str:
        """What stands under the place itself; empty for the marker alone."""
        return ""

    def others(self) -> tuple[Label, ...]:
        """Further places that explain the problem."""
        return ()

    def help(self) -> str:
        """The way out; empty where the message already says it."""
        return self.way_out

    def subject(self) -> str:
        """What it is about, where one place can have several problems of a code: they are told apart by it."""
        return ""


class NetcError(Exception):
    """Raised at the edge of the public API with all the problems that were found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        from netc.rendering import render_all

        return "\n" + render_all(self.problems)


class CompileError(NetcError):
    """A .net text does not compile."""


class RunError(NetcError):
    """Data, a run folder or a training goes wrong."""


MOST_COMPARED = 300


def comparable(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """The known names, in order; of very many, those that begin as `name` does and are about as long."""
    found = set(known)
    if len(found) > MOST_COMPARED:
        start = name[:1].lower()
        found = {other for other in found if other[:1].lower() == start and abs(len(other) - len(name)) < 3}
    return tuple(sorted(found)[:MOST_COMPARED])


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be: one much like it, or the only one of whose words it is one,
    as `weight_decay` for `decay`."""
    import difflib

    known = comparable(name, known)
    folded = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    parts = [other for small, other in folded.items() if name.lower() in small.split("_")]
    return folded[found[0]] if found else parts[0] if len(parts) == 1 else None


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A help text that names the nearest known name, or else lists what there is."""
    found = nearest(name, known)
    return f"did you mean `{found}`?" if found else otherwise
