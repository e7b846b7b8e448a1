"""Names with gaps, as a map of weights writes them: `layer{i}.{j}.conv1.kernel` for `layer{i}.{j-1}.conv1.weight`.

`{i}` is a number, the same wherever it stands; a source's name may count otherwise: `{i+1}`, `{2*i}`, `{3*i-1}`.
`{a|b|c}` stands for each of these texts in turn, the first group of a name going with the first of the other's.
`*` is any text, in names of tensors to ignore.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

GAP = re.compile(r"\{([^{}]*)\}")
NUMBER = re.compile(r"(?:(\d{1,6})\*)?([a-z][a-z0-9_]*)([+-]\d{1,6})?")
ANY_NUMBER = r"(?:0|[1-9]\d{0,8})"


class Malformed(ValueError):
    """A text that is no name with gaps, and why."""


@dataclass(frozen=True)
class Number:
    """`{factor*name+offset}`."""

    name: str
    factor: int = 1
    offset: int = 0

    @property
    def plain(self) -> bool:
        return (self.factor, self.offset) == (1, 0)


@dataclass(frozen=True)
class Pattern:
    """Texts and numbers in turn."""

    text: str
    parts: tuple[str | Number, ...]

    @property
    def numbers(self) -> frozenset[str]:
        return frozenset(part.name for part in self.parts if isinstance(part, Number))

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """What it stands for, as a regular expression; a number that comes again is the same one."""
        seen: set[str] = set()
        written: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                written.append(".*".join(map(re.escape, part.split("*"))))
            elif part.name in seen:
                written.append(f"(?P={part.name})")
            else:
                seen.add(part.name)
                written.append(f"(?P<{part.name}>{ANY_NUMBER})")
        return re.compile("".join(written))

    def match(self, name: str) -> dict[str, int] | None:
        """The numbers in a name, or None for a name that is none of its."""
        found = self.expression.fullmatch(name)
        return None if found is None else {key: int(digits) for key, digits in found.groupdict().items()}

    def fill(self, numbers: Mapping[str, int]) -> str:
        """The name with its numbers in."""
        return "".join(
            part if isinstance(part, str) else str(part.factor * numbers[part.name] + part.offset)
            for part in self.parts
        )


def groups_of(text: str) -> list[list[str]]:
    """The texts of each `{a|b|c}`."""
    return [gap.split("|") for gap in GAP.findall(text) if "|" in gap]


def choices(groups: Sequence[Sequence[str]]) -> Iterator[tuple[int, ...]]:
    """Which text of each group is taken, for all of them."""
    yield from product(*(range(len(group)) for group in groups))


def taken(text: str, choice: Sequence[int]) -> str:
    """A text in which one text of each group is taken."""
    turn = iter(choice)
    return GAP.sub(lambda gap: gap[1].split("|")[next(turn)] if "|" in gap[1] else gap[0], text)


def chosen(text: str, choice: Sequence[int]) -> Pattern:
    """A name in which one text of each group is taken; raises `Malformed`."""
    name = taken(text, choice)
    pieces = GAP.split(name)
    if any(char in piece for piece in pieces[::2] for char in "{}"):
        raise Malformed(f"the braces of `{text}` do not match")
    parts = [number(piece) if i % 2 else piece for i, piece in enumerate(pieces)]
    return Pattern(name, tuple(part for part in parts if part != ""))


def number(gap: str) -> Number:
    found = NUMBER.fullmatch(gap.replace(" ", ""))
    if found is None:
        raise Malformed(f"`{{{gap}}}` is no number such as `{{i}}`, `{{i+1}}` or `{{2*i}}`, and no choice as `{{a|b}}`")
    factor, name, offset = found.groups()
    return Number(name, int(factor or 1), int(offset or 0))
