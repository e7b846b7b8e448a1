"""For the formatter: the tokens of a text with the comments and line breaks before each, and the space between two."""

from dataclasses import dataclass

from netc.syntax.parse import parser

ATOMS = frozenset({"NAME", "INT", "FLOAT", "SIZE", "STRING", "TRUE", "FALSE", "RPAR", "RSQB"})
"""What a call's or an index's bracket may follow: there it stands without a space."""


@dataclass(frozen=True)
class Comment:
    """`own_line`: nothing stands before it on its line; `blank`: an empty line stands before it."""

    text: str
    own_line: bool
    blank: bool


@dataclass(frozen=True)
class Piece:
    """A token, the comments between it and the token before, and the line breaks (0, 1, or 2 for more)
    that stand directly before it."""

    text: str
    type: str
    start: int
    comments: tuple[Comment, ...]
    breaks: int
    unary: bool = False

    @property
    def opens(self) -> bool:
        return self.type in ("LPAR", "LSQB", "LBRACE")

    @property
    def closes(self) -> bool:
        return self.type in ("RPAR", "RSQB", "RBRACE")

    @property
    def arrow(self) -> bool:
        return self.text == "->"


def pieces(text: str, unary: set[int]) -> list[Piece]:
    """The tokens of a text that parses; the last one is empty and holds what follows them all.

    `unary` are the offsets of the minus signs that negate one number.
    """
    found: list[Piece] = []
    end = 0
    for token in parser().parse_interactive(text).exhaust_lexer():
        assert token.start_pos is not None and token.end_pos is not None
        comments, breaks = gap(text[end : token.start_pos], first=end == 0)
        found.append(Piece(str(token), token.type, token.start_pos, comments, breaks, token.start_pos in unary))
        end = token.end_pos
    comments, breaks = gap(text[end:], first=end == 0)
    return [*found, Piece("", "$END", len(text), comments, breaks)]


def gap(text: str, first: bool) -> tuple[tuple[Comment, ...], int]:
    """The comments in what stands between two tokens, and the line breaks behind the last of them."""
    comments: list[Comment] = []
    lines = text.split("\n")
    breaks = 1 if first else 0
    for i, line in enumerate(lines):
        stripped = line.strip()
        if stripped:
            comments.append(Comment(stripped, own_line=breaks > 0, blank=breaks > 1))
            breaks = 0
        if i < len(lines) - 1:
            breaks += 1
    return tuple(comments), min(2, breaks)


def space(before: Piece, piece: Piece, in_index: bool, whole: bool) -> str:
    """What stands between two pieces of a line.

    `in_index`: the innermost bracket open is that of an index, where `:` makes a slice. `whole`: `before` is
    a whole number that would turn into a decimal fraction if a point followed at once.
    """
    match before.type, piece.type:
        case ("LPAR" | "LSQB", _) | (_, "RPAR" | "RSQB" | "COMMA"):
            return ""
        case (_, "DOT"):
            return " " if whole else ""
        case ("DOT", _):
            return ""
        case (previous, "COLON"):
            return " " if previous == "COMMA" else ""
        case ("COLON", _):
            return "" if in_index else " "
        case (previous, "LPAR" | "LSQB") if previous in ATOMS:
            return ""
        case _:
            return "" if before.unary else " "
