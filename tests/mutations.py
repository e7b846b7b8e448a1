"""Hypothesis strategies for texts that are almost right: shipped specs with pieces dropped, doubled and changed."""

from typing import Any

from hypothesis import strategies as st

from netc.syntax.limits import PIECE

NUMBERS = (
    "0", "-1", "1", "2", "0.5", "-0.0", "1e300", "1e-400", "10**30", "1" + "0" * 30, "10^15", "2^40", "3x3", "nan",
    "inf", "true", '"s"', "[]", "[1, 2]", "(x, y)", "relu",
)  # fmt: skip
PIECES = (
    "->", "=", ",", ":", ".", "@", "^", "-", "(", ")", "[", "]", "{", "}", "# x\n", '"', "\0", "\u202e", "\ud800",
    "\r", "\t", ".T", "[0]", "[0:1]", "if", "repeat 2 {", "for i in [1, 2] {", "layer", "weight", "not", "and",
    "net N {",
)  # fmt: skip


@st.composite
def mutated(draw: Any, texts: list[str]) -> str:
    """One of the texts with up to three changes."""
    pieces = cut(draw(st.sampled_from(texts)))
    for _ in range(draw(st.integers(1, 3))):
        change = draw(st.sampled_from((drop, double, swap, number, number, insert, rename, rename, copy)))
        change(draw, pieces)
    return "".join(pieces)


@st.composite
def altered(draw: Any, text: str) -> str:
    """A text with one small change after its last `net`, so that it often still compiles."""
    start = text.rindex("\nnet ")
    pieces = cut(text[start:])
    draw(st.sampled_from((small_number, rename, rename, copy)))(draw, pieces)
    return text[:start] + "".join(pieces)


def cut(text: str) -> list[str]:
    """The words and signs of a text, each with the space before it."""
    ends = [piece.end() for piece in PIECE.finditer(text)]
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


def place(draw: Any, pieces: list[str]) -> int:
    return draw(st.integers(0, len(pieces) - 1))


def words(pieces: list[str], of: str) -> list[int]:
    """The places of names or numbers."""
    return [i for i, piece in enumerate(pieces) if getattr(piece.strip()[:1], of)()]


def drop(draw: Any, pieces: list[str]) -> None:
    pieces[place(draw, pieces)] = " "


def double(draw: Any, pieces: list[str]) -> None:
    i = place(draw, pieces)
    pieces.insert(i, pieces[i] + " ")


def swap(draw: Any, pieces: list[str]) -> None:
    i, j = place(draw, pieces), place(draw, pieces)
    pieces[i], pieces[j] = pieces[j], pieces[i]


def number(draw: Any, pieces: list[str]) -> None:
    if found := words(pieces, "isdigit"):
        pieces[draw(st.sampled_from(found))] = " " + draw(st.sampled_from(NUMBERS))


def small_number(draw: Any, pieces: list[str]) -> None:
    if found := words(pieces, "isdigit"):
        pieces[draw(st.sampled_from(found))] = f" {draw(st.integers(0, 4))}"


def insert(draw: Any, pieces: list[str]) -> None:
    pieces.insert(place(draw, pieces), draw(st.sampled_from(PIECES)))


def rename(draw: Any, pieces: list[str]) -> None:
    """One name stands where another stood."""
    if found := words(pieces, "isalpha"):
        pieces[draw(st.sampled_from(found))] = pieces[draw(st.sampled_from(found))]


def copy(draw: Any, pieces: list[str]) -> None:
    """A stretch of the text stands at another place too."""
    i, j = place(draw, pieces), place(draw, pieces)
    pieces[j:j] = pieces[i : i + draw(st.integers(1, 8))]
