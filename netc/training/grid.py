"""The members of a sweep: every combination of the values of some settings. Texts in, names and settings out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from netc.check.program import Checked
from netc.problems import CompileError, Problem, RunError
from netc.recipes.problems import BadSweep
from netc.rendering import render

Values = Mapping[str, Sequence[str]]
"""The values of each setting, as texts of the language; those with several are swept."""

RANGE = re.compile(r"\s*(-?\d+)\.\.(-?\d+)\s*")
OPENING, CLOSING = "([{", ")]}"
MOST = 10_000
LONGEST_NAME = 120


@dataclass(frozen=True)
class Member:
    """A run of a sweep: its folder's name, all of its settings, and those of them that are swept."""

    name: str
    settings: Mapping[str, str]
    swept: Mapping[str, str]


def split_values(text: str) -> list[str]:
    """`0.1,0.03` as two values and `0..4` as five; commas in brackets and quotes belong to a value."""
    found = RANGE.fullmatch(text)
    if found and 0 <= int(found[2]) - int(found[1]) < MOST:
        return [str(number) for number in range(int(found[1]), int(found[2]) + 1)]
    parts, depth, quoted = [""], 0, False
    for character in text:
        quoted ^= character == '"'
        depth += (not quoted) * ((character in OPENING) - (character in CLOSING))
        if character == "," and not quoted and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def members(values: Values) -> list[Member]:
    """All combinations, the last setting's values changing fastest; raises `RunError` where they make no sweep."""
    refuse(values)
    swept = [name for name, texts in values.items() if len(texts) > 1]
    found: list[Member] = []
    names: set[str] = set()
    for texts in product(*values.values()):
        settings = dict(zip(values, texts, strict=True))
        own = {name: settings[name] for name in swept}
        name = free_name(own, names)
        names.add(name)
        found.append(Member(name, settings, own))
    return found


def refuse(values: Values) -> None:
    """Reports what is wrong with the values themselves, all of it."""
    reasons = [reason for name, texts in values.items() for reason in faults(name, texts)]
    size = 1
    for texts in values.values():
        size *= len(texts)
    if size == 1 and not reasons:
        reasons = ["no setting has several values"]
    if size > MOST:
        reasons.append(f"there are {size:,} combinations, and {MOST:,} are the most")
    if reasons:
        raise RunError([BadSweep(reason=reason) for reason in reasons])


def faults(name: str, texts: Sequence[str]) -> Iterator[str]:
    if not texts:
        yield f"`{name}` has no values"
    if "" in texts:
        yield f"`{name}` has an empty value"
    yield from (f"`{name}` has {text} twice" for text in dict.fromkeys(texts) if text and texts.count(text) > 1)
    if found := next((RANGE.fullmatch(text) for text in texts if RANGE.fullmatch(text)), None):
        yield f"`{name}` goes from {found[1]} to {found[2]}, which are no values"


def free_name(swept: Mapping[str, str], taken: set[str]) -> str:
    """`rate=0.1,seed=0`: a name for a folder that needs no quotes, and that no other member has."""
    full = ",".join(f"{name}={tidy(text)}" for name, text in swept.items())[:LONGEST_NAME]
    name, i = full, 2
    while name in taken:
        name, i = f"{full}-{i}", i + 1
    return name


def tidy(text: str) -> str:
    return re.sub(r"[^\w.=+-]+", "_", re.sub(r"\s+", "", text)).strip("_")


def refuse_problems(checks: Sequence[Checked]) -> None:
    """Raises `CompileError` with what is wrong with any member, each mistake once, however many make it."""
    found: dict[str, Problem] = {}
    for checked in checks:
        for problem in checked.errors:
            found.setdefault(render(problem), problem)
    if found:
        raise CompileError(found.values())
