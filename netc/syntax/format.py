"""Text in, the same tokens and comments in the one canonical layout out (`netc fmt`).

Each statement starts a line of its own. Within a statement the user's line breaks stay, and nothing is wrapped.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from netc.problems import Problem
from netc.source import Source
from netc.syntax import tree
from netc.syntax.lines import WIDEST_ALIGNED, Line, layout, width
from netc.syntax.parse import parse
from netc.syntax.pieces import Piece, pieces

ALIGNED = frozenset({"Let", "Field", "Constant"})
"""Statements whose `=` stand below one another where they follow without a blank line or comment between."""
GROUPED = frozenset({"Use", "Constant", "Default", "Activation"})
"""Definitions of a file that may follow another of their kind without a blank line between."""


@dataclass(frozen=True)
class Statement:
    """A statement (the header alone, with its `{`, if it has a body), or the `}` of a body."""

    kind: str
    level: int
    pieces: tuple[Piece, ...]

    @property
    def closes(self) -> bool:
        return self.kind == "}"

    @property
    def first(self) -> Piece:
        return self.pieces[0]


def format_text(text: str, name: str = "<text>") -> str | Problem:
    """The canonical layout of a text, or the problem that keeps it from being read."""
    parsed = parse(Source(name, text))
    if isinstance(parsed, Problem):
        return parsed
    found = statements(parsed, text)
    padding = equals_padding(found)
    lines: list[Line] = []
    for i, statement in enumerate(found):
        blank = lay_gap(statement, found[i - 1] if i else None, lines)
        if statement.closes and lines[-1].text.endswith("{") and not lines[-1].comment:
            lines[-1].text += "}"
            continue
        laid = layout(statement.pieces, 2 * statement.level, padding[i])
        laid[0].blank = blank
        lines += laid
    align_comments(lines)
    return "".join(line.show() for line in lines).rstrip("\n") + "\n"


def statements(parsed: tree.Start, text: str) -> list[Statement]:
    """Cuts the tokens of a text into statements; the last one is the empty piece at the end."""
    kinds, bodies, unary = structure(parsed)
    found: list[Statement] = []
    closes_body: list[bool] = []
    current: list[Piece] = []
    kind, level = "", 0

    def finish() -> None:
        if current:
            found.append(Statement(kind, level, tuple(current)))
            current.clear()

    for piece in pieces(text, unary):
        starts_body = piece.start in bodies
        if piece.type == "LBRACE":
            closes_body.append(starts_body)
        ends_body = piece.type == "RBRACE" and closes_body.pop()
        if piece.start in kinds or ends_body or piece.type == "$END":
            finish()
            kind = "}" if ends_body else kinds.get(piece.start, "")
            level -= ends_body
        current.append(piece)
        if starts_body:
            finish()
            level += 1
    finish()
    return found


def structure(parsed: tree.Start) -> tuple[dict[int, str], set[int], set[int]]:
    """The offsets of statements (with their kinds), of the braces of bodies, and of negating minus signs."""
    kinds: dict[int, str] = {}
    bodies: set[int] = set()
    unary: set[int] = set()
    for node in walk(parsed):
        inside: tuple[tree.Node, ...] = ()
        match node:
            case tree.Start(items=items):
                inside = items
            case tree.Body(items=items):
                bodies.add(node.span.start)
                inside = items
            case tree.Train(fields=fields):
                bodies.add(opening_brace(node))
                inside = fields
            case tree.Unary(operator=operator) if operator == "-":
                unary.add(operator.span.start)
            case _:
                pass
        kinds |= {item.span.start: type(item).__name__ for item in inside}
    return kinds, bodies, unary


def opening_brace(node: tree.Train) -> int:
    """Where a recipe's brace stands: the first one behind its name that is not in a comment."""
    offset, text = (node.net or node.name).span.end, node.span.source.text
    while text[offset] != "{":
        offset = text.index("\n", offset) if text[offset] == "#" else offset + 1
    return offset


def walk(node: tree.Node) -> Iterator[tree.Node]:
    """A node and all below it."""
    stack: list[object] = [node]
    while stack:
        match stack.pop():
            case tree.Node() as found:
                yield found
                stack += vars(found).values()
            case tuple() as items:
                stack += items
            case _:
                pass


def lay_gap(statement: Statement, before: Statement | None, lines: list[Line]) -> bool:
    """Writes the comments before a statement, and says whether a blank line stands between them and it."""
    comments = statement.first.comments
    if comments and not comments[0].own_line:
        lines[-1].comment = comments[0].text
        comments = comments[1:]
    blanks = [*(comment.blank for comment in comments), statement.first.breaks > 1]
    if not any(blanks) and before is not None and not together(before, statement):
        blanks[0] = True
    if before is None or before.pieces[-1].type == "LBRACE":
        blanks[0] = False
    if statement.closes:
        blanks[-1] = False
    indent = 2 * (statement.level + statement.closes)
    lines += [Line(indent, comment.text, blank) for comment, blank in zip(comments, blanks, strict=False)]
    return blanks[-1]


def together(before: Statement, statement: Statement) -> bool:
    """Whether two statements may follow without a blank line between."""
    if statement.level or statement.closes or statement.first.type == "$END":
        return True
    return before.kind == statement.kind and statement.kind in GROUPED


def equals_padding(found: list[Statement]) -> list[int]:
    """How many more spaces each statement has before its `=`."""
    widths = [width(statement.pieces, "EQUAL") if statement.kind in ALIGNED else 0 for statement in found]
    padding = [0] * len(found)
    start = 0
    for i in range(1, len(found) + 1):
        if i == len(found) or not continues(found[i - 1], found[i]):
            members = [j for j in range(start, i) if 0 < widths[j] <= WIDEST_ALIGNED]
            widest = max((widths[j] for j in members), default=0)
            for j in members:
                padding[j] = widest - widths[j]
            start = i
    return padding


def continues(before: Statement, statement: Statement) -> bool:
    """Whether a statement belongs to the aligned group that the one before belongs to."""
    alone = statement.first.breaks < 2 and not any(comment.own_line for comment in statement.first.comments)
    return alone and statement.kind == before.kind and statement.level == before.level


def align_comments(lines: list[Line]) -> None:
    """Puts the comments at the ends of consecutive lines below one another."""
    start = 0
    for i in range(1, len(lines) + 1):
        if i == len(lines) or not lines[i].comment or lines[i].blank:
            members = [line for line in lines[start:i] if line.comment and line.width <= WIDEST_ALIGNED]
            widest = max((line.width for line in members), default=0)
            for line in members:
                line.padding = widest - line.width
            start = i
