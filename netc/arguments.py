"""Table entries and their arguments: what a layer, loss, data set and the like accepts.

An `Entry` is a frozen dataclass whose docstring documents it and whose fields are its arguments,
each declared by `argument(...)` with a meaning, what it accepts and a default. Binding a call's
arguments to an entry is `bind`, the one place where they are checked.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from typing import Any, ClassVar, Protocol


@dataclass(frozen=True)
class Symbol:
    """A bare word that means something to the argument that gets it: `same`, `up`."""

    name: str

    def __str__(self) -> str:
        return self.name


class Rejected:
    """What `Accepts.read` gives for a value that it does not accept."""


REJECTED = Rejected()


class Accepts(Protocol):
    """What an argument can be: reads a compile-time value, or gives `REJECTED`."""

    def read(self, value: object) -> Any: ...
    def describe(self) -> str: ...
    @property
    def words(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Integer:
    """A whole number in a range, both ends included."""

    low: int | None = 1
    high: int | None = None
    words: tuple[str, ...] = ()

    def read(self, value: object) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            return REJECTED
        inside = (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
        return value if inside else REJECTED

    def describe(self) -> str:
        if self.low is not None and self.high is not None:
            return f"a whole number from {self.low:,} to {self.high:,}"
        return "a whole number" if self.low is None else f"a whole number of at least {self.low}"


@dataclass(frozen=True)
class Real:
    """A number between `low` and `high`; `below` excludes the upper end, `above` the lower one."""

    low: float | None = None
    high: float | None = None
    below: bool = False
    above: bool = False
    words: tuple[str, ...] = ()

    def read(self, value: object) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
            return REJECTED
        low = self.low is None or (value > self.low if self.above else value >= self.low)
        high = self.high is None or (value < self.high if self.below else value <= self.high)
        return float(value) if low and high else REJECTED

    def describe(self) -> str:
        if self.low is not None and self.high is not None and not self.above and not self.below:
            return f"a number from {self.low:g} to {self.high:g}"
        low = "" if self.low is None else f"{'above' if self.above else 'of at least'} {self.low:g}"
        high = "" if self.high is None else f"{'below' if self.below else 'of at most'} {self.high:g}"
        return " ".join(["a number", " and ".join(part for part in (low, high) if part)]).strip()


@dataclass(frozen=True)
class Part:
    """Accepts a part of a whole as a number above 0 and below 1, or how many of its pieces as a whole number."""

    pieces: str
    low: int = 1
    words: tuple[str, ...] = ()

    def read(self, value: object) -> Any:
        whole = Integer(self.low, 2**31 - 1).read(value)
        return Real(0, 1, above=True, below=True).read(value) if whole is REJECTED else whole

    def describe(self) -> str:
        return f"a part above 0 and below 1, or a whole number of {self.pieces} of at least {self.low}"


@dataclass(frozen=True)
class Truth:
    """`true` or `false`."""

    words: tuple[str, ...] = ()

    def read(self, value: object) -> Any:
        return value if isinstance(value, bool) else REJECTED

    def describe(self) -> str:
        return "`true` or `false`"


@dataclass(frozen=True)
class Text:
    """A string between double quotes."""

    words: tuple[str, ...] = ()

    def read(self, value: object) -> Any:
        return value if isinstance(value, str) else REJECTED

    def describe(self) -> str:
        return "a string"


@dataclass(frozen=True)
class OneOf:
    """One of some bare words; read as a string."""

    words: tuple[str, ...]

    def read(self, value: object) -> Any:
        return value.name if isinstance(value, Symbol) and value.name in self.words else REJECTED

    def describe(self) -> str:
        listed = ", ".join(f"`{word}`" for word in self.words)
        return listed if len(self.words) == 1 else f"one of {listed}"


@dataclass(frozen=True)
class Extents:
    """Whole numbers, one per axis: `5x5`, `[5, 5]`, or one number for every axis (read as a 1-tuple)."""

    low: int = 1
    words: tuple[str, ...] = ()

    def read(self, value: object) -> Any:
        items = value if isinstance(value, tuple) else (value,)
        read = tuple(Integer(self.low).read(item) for item in items)
        return REJECTED if not items or any(item is REJECTED for item in read) else read

    def describe(self) -> str:
        return f"a size such as `3x3`, or a whole number of at least {self.low}"


@dataclass(frozen=True)
class ListOf:
    """A list (or a single item, read as a list of one)."""

    item: Accepts
    words: tuple[str, ...] = ()

    def read(self, value: object) -> Any:
        items = value if isinstance(value, tuple) else (value,)
        read = tuple(self.item.read(item) for item in items)
        return REJECTED if any(item is REJECTED for item in read) else read

    def describe(self) -> str:
        return f"a list in which each is {self.item.describe()}"


@dataclass(frozen=True)
class Either:
    """Whatever one of the choices accepts, tried in turn."""

    choices: tuple[Accepts, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for choice in self.choices for word in choice.words)

    def read(self, value: object) -> Any:
        for choice in self.choices:
            if (read := choice.read(value)) is not REJECTED:
                return read
        return REJECTED

    def describe(self) -> str:
        return ", or ".join(choice.describe() for choice in self.choices)


@dataclass(frozen=True)
class Argument:
    """What the docs and the checker know of one argument."""

    name: str
    meaning: str
    accepts: Accepts
    default: object

    @property
    def required(self) -> bool:
        return self.default is MISSING


def argument(meaning: str, accepts: Accepts, default: Any = MISSING, *, keyword_only: bool = False) -> Any:
    """Declares a field of an `Entry` as an argument."""
    given = {} if default is MISSING else {"default": default}
    return dataclasses.field(**given, kw_only=keyword_only, metadata={"meaning": meaning, "accepts": accepts})


@dataclass(frozen=True)
class Entry:
    """A row of a table: its name in the language, its documentation and its arguments."""

    kind: ClassVar[str]
    elsewhere: ClassVar[tuple[str, ...]] = ()
    """What other libraries and papers call it, in small letters and without `_`: a message then says its name here."""
    lacking: ClassVar[Mapping[str, str]] = {}
    """Arguments of others of its table that it has not, each with a way out."""

    def __init_subclass__(cls, kind: str | None = None) -> None:
        cls.kind = kind or re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def arguments(cls) -> tuple[Argument, ...]:
        """The arguments in positional order."""
        return tuple(
            Argument(field.name, field.metadata["meaning"], field.metadata["accepts"], field.default)
            for field in dataclasses.fields(cls)
            if "meaning" in field.metadata
        )

    def given(self) -> dict[str, Any]:
        """The arguments that differ from their defaults, by name."""
        return {a.name: v for a in self.arguments() if (v := getattr(self, a.name)) != a.default}


def called_here(name: str, entries: Iterable[type[Entry]]) -> str:
    """A help text for a name that other libraries have for one of these rows; empty for all others."""
    plain = name.replace("_", "").lower()
    found = next((entry.kind for entry in entries if plain in entry.elsewhere), None)
    return f"it is called `{found}` here" if found else ""


@dataclass(frozen=True)
class Misuse:
    """A call's argument that does not fit: `what` is one of missing, extra, unknown, twice, type."""

    what: str
    name: str
    position: int | None = None
    value: object = None
    accepts: str = ""
    way_out: str = ""


def bind(entry: type[Entry], positional: Sequence[object], named: Mapping[str, object]) -> Entry | list[Misuse]:
    """Makes an entry from a call's arguments, or says all that is wrong with them."""
    declared = entry.arguments()
    by_name = {a.name: a for a in declared}
    wrong: list[Misuse] = []
    values: dict[str, Any] = {}
    sources: dict[str, int | None] = {}
    for position, value in enumerate(positional):
        if position >= len(declared):
            wrong.append(Misuse("extra", "", position, value))
            continue
        values[declared[position].name] = value
        sources[declared[position].name] = position
    for name, value in named.items():
        if name not in by_name:
            wrong.append(Misuse("unknown", name, way_out=entry.lacking.get(name, "")))
        elif name in values:
            wrong.append(Misuse("twice", name))
        else:
            values[name], sources[name] = value, None
    # What is missing may be what has a wrong name.
    misspelt = any(misuse.what == "unknown" for misuse in wrong)
    for a in declared:
        if a.name not in values:
            if a.required and not misspelt:
                wrong.append(Misuse("missing", a.name, accepts=a.accepts.describe()))
            continue
        read = a.accepts.read(values[a.name])
        if read is REJECTED:
            wrong.append(Misuse("type", a.name, sources[a.name], values[a.name], a.accepts.describe()))
        values[a.name] = read
    return wrong or entry(**values)
