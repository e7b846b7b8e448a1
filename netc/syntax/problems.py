"""What can be wrong with a text before its meaning is looked at."""

import unicodedata
from dataclasses import dataclass

from netc.problems import Label, Problem, did_you_mean
from netc.source import Span


@dataclass(frozen=True, kw_only=True)
class Unreadable(Problem):
    """A file cannot be read as text.

    A .net file is UTF-8 text. This one is missing, is a folder, may not be read, or holds bytes
    that are no UTF-8 (a picture, an archive, or text in an older encoding: save it as UTF-8).
    """

    path: str
    reason: str

    def message(self) -> str:
        return f"cannot read `{self.path}`: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class SyntaxProblem(Problem):
    """The text does not follow the grammar at this place.

    The message lists what could stand there instead. The whole grammar is one short file,
    `grammar/netc.lark`; docs/language.md teaches it by examples.
    """

    found: str
    expected: tuple[str, ...]

    def message(self) -> str:
        return f"{self.found} cannot stand here"

    def help(self) -> str:
        if self.way_out or not self.expected:
            return self.way_out
        listed = ", ".join(self.expected[:-1])
        return f"expected {listed} or {self.expected[-1]}" if listed else f"expected {self.expected[0]}"


@dataclass(frozen=True, kw_only=True)
class StrayCharacter(Problem):
    """A character that means nothing in the language.

    Names are made of letters, digits and `_`; strings stand between double quotes on one line;
    comments start with `#`.
    """

    character: str

    def message(self) -> str:
        if self.character == '"':
            return "a string starts here that does not end as it should"
        name = "" if self.character.isascii() else f" ({unicodedata.name(self.character, 'without a name').lower()})"
        return f"the character {self.character!r}{name} means nothing in a .net file"

    def help(self) -> str:
        if self.character in MEANT:
            return MEANT[self.character]
        if self.character.isalnum():
            return "names are made of the letters a to z and A to Z, digits and `_`"
        return "remove it"


MEANT = {
    '"': 'a string ends with `"` on its line; in it, `\\` may stand before `"`, `\\`, `n` and `t` alone',
    "'": 'strings stand between double quotes: "digits"',
    "\u201c": 'strings stand between plain double quotes: "digits"',
    "\u201d": 'strings stand between plain double quotes: "digits"',
    ";": "statements need no end mark: remove it",
    "&": "write `and`",
    "|": "write `->` between layers, `or` in conditions",
    "!": "write `not`, or `!=` for a comparison",
    "\u2192": "write `->`",
    "\u00d7": "write `x` in sizes (`3x3`) and `*` in products",
    "\u2013": "write `-`",
    "\u2212": "write `-`",
}


@dataclass(frozen=True, kw_only=True)
class UnclosedBracket(Problem):
    """A bracket is opened and never closed, closed by one of another kind, or closes nothing.

    Every `(`, `[` and `{` needs its own `)`, `]` and `}`.
    """

    bracket: str
    closer: str
    closed_by: Span | None

    def message(self) -> str:
        if not self.closer:
            return f"`{self.bracket}` closes nothing"
        if self.closed_by:
            return f"`{self.bracket}` is closed by `{self.closed_by.text}`"
        return f"`{self.bracket}` is never closed"

    def others(self) -> tuple[Label, ...]:
        return (Label(self.closed_by, f"expected `{self.closer}`"),) if self.closed_by else ()

    def help(self) -> str:
        return f"add `{self.closer}`" if self.closer else "remove it, or open a bracket for it"


@dataclass(frozen=True, kw_only=True)
class MissingArrow(Problem):
    """Two layers stand side by side with nothing between them.

    `->` is the one way to compose: `conv(6, 5x5) -> relu`. New lines mean nothing, so a
    forgotten arrow at the end of a line is not made up for by the line's end.
    """

    name: str

    def message(self) -> str:
        return f"`{self.name}` follows what stands before it with no `->` between"

    def help(self) -> str:
        return self.way_out or f"write `-> {self.name}`"


@dataclass(frozen=True, kw_only=True)
class UnknownKeyword(Problem):
    """A statement starts with a word that starts none.

    Files hold `use`, `activation`, `block`, `net`, `train`, `default` and constants; nets and blocks
    hold `input`, `output`, `layer`, `weight`, `assert`, `default`, `constrain`, `block` and
    `name = flow`.
    """

    word: str
    known: tuple[str, ...]

    def message(self) -> str:
        return f"`{self.word}` starts no statement"

    def help(self) -> str:
        return self.way_out or did_you_mean(self.word, self.known, "one of: " + ", ".join(self.known))


@dataclass(frozen=True, kw_only=True)
class EmptyFile(Problem):
    """A file holds no definition at all: it is empty, or all comments."""

    def message(self) -> str:
        return "this file defines nothing"

    def help(self) -> str:
        return "a net is written `net Name { input x: [784]  output y = x -> dense(10) }`"


@dataclass(frozen=True, kw_only=True)
class TooLarge(Problem):
    """A text is nested or sized beyond what any net needs.

    The limits keep a hostile or broken file from taking the machine down: files of up to 16 MB and
    500,000 words and signs, nesting up to 100 levels deep (40 for blocks that use blocks), numbers up to
    10^15, lists of up to 10,000 items, values and weights of up to 2^40 numbers, up to 1,000,000 layers in a
    net. docs/language.md lists them all.
    """

    what: str
    limit: str

    def message(self) -> str:
        return f"{self.what} goes beyond the limit of {self.limit}"


PROBLEMS = (
    Unreadable,
    SyntaxProblem,
    StrayCharacter,
    UnclosedBracket,
    MissingArrow,
    UnknownKeyword,
    EmptyFile,
    TooLarge,
)
