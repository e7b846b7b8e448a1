"""How large a text may be: found in one scan before it is parsed, so that no text can take long or much memory."""

import re
from collections.abc import Iterator

from netc.source import Source, Span
from netc.syntax.problems import TooLarge

MOST_CHARACTERS = 16 * 1024 * 1024
MOST_PIECES = 500_000
MOST_BRACKETS = 100
MOST_ITEMS = 10_000
LONGEST_WORD = 1_000
LONGEST_STRING = 10_000

PIECE = re.compile(r'#[^\n]*|"(?:[^"\\\n]+|\\.)*+"?|[A-Za-z0-9_]+|->|[^\s]')
"""Words, signs, strings and comments, as the grammar's terminals cut them, or finer."""


def pieces(text: str, end: int | None = None) -> Iterator[re.Match[str]]:
    """The words, signs and strings of a text, comments left out."""
    found = PIECE.finditer(text) if end is None else PIECE.finditer(text, 0, end)
    return (piece for piece in found if not piece[0].startswith("#"))


def refuse_size(source: Source) -> TooLarge | None:
    """The first limit that a text goes beyond."""
    if len(source.text) > MOST_CHARACTERS:
        split = "divide it into files, and bring them together with `use`"
        return TooLarge(span=Span(source, 0, 0), what="this file", limit="16 MB", way_out=split)
    commas: list[int] = []
    for number, piece in enumerate(pieces(source.text)):
        start, end = piece.span()
        first = source.text[start]
        longest = LONGEST_STRING + 2 if first == '"' else LONGEST_WORD
        if end - start > longest:
            what, limit = ("this string", LONGEST_STRING) if first == '"' else ("this word", LONGEST_WORD)
            return TooLarge(span=Span(source, start, start + 40), what=what, limit=f"{limit:,} characters")
        if number == MOST_PIECES:
            way_out = "write what repeats as a block, `repeat` or `for`"
            limit = f"{MOST_PIECES:,} words and signs"
            return TooLarge(span=Span(source, start, end), what="this file", limit=limit, way_out=way_out)
        if first in "([{":
            commas.append(0)
            if len(commas) > MOST_BRACKETS:
                return nested(Span(source, start, end))
        elif first in ")]}" and commas:
            commas.pop()
        elif first == "," and commas:
            commas[-1] += 1
            if commas[-1] > MOST_ITEMS:
                return TooLarge(span=Span(source, start, end), what="this list", limit=f"{MOST_ITEMS:,} items")
    return None


def nested(span: Span) -> TooLarge:
    """The problem with what stands too deep in other things."""
    way_out = "give the inner parts names of their own"
    return TooLarge(span=span, what="the nesting", limit=f"{MOST_BRACKETS} levels", way_out=way_out)
