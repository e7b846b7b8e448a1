"""For the formatter: the pieces of one statement in, its lines out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from netc.syntax.pieces import ATOMS, Piece, space

WIDEST_ALIGNED = 100
"""Nothing is aligned to what stands further right, so that one long line does not blow up the others."""
WIDEST_HANGING = 80
"""Lines inside a bracket are indented to it, if it does not stand further right."""
UNBROKEN_AFTER = frozenset(
    [
        "USE",
        "ACTIVATION",
        "BLOCK",
        "NET",
        "TRAIN",
        "FOR",
        "DEFAULT",
        "INPUT",
        "OUTPUT",
        "LAYER",
        "WEIGHT",
        "ASSERT",
        "CONSTRAIN",
        "IN",
        "REPEAT",
        "COLON",
        "NOT",
    ]
)


@dataclass
class Line:
    """A line of the result: `blank` asks for an empty line before, `padding` for more space before the comment."""

    indent: int
    text: str
    blank: bool = False
    comment: str = ""
    padding: int = 0

    @property
    def width(self) -> int:
        return self.indent + len(self.text)

    def show(self) -> str:
        comment = "  " + " " * self.padding + self.comment if self.comment else ""
        return "\n" * self.blank + " " * self.indent + self.text + comment + "\n"


@dataclass
class Brackets:
    """For each piece the bracket around it, for each bracket its closer; `listing` are those of several items."""

    around: list[int | None] = field(default_factory=list)
    closer: dict[int, int] = field(default_factory=dict)
    listing: set[int] = field(default_factory=set)


def brackets(pieces: Sequence[Piece]) -> Brackets:
    found = Brackets()
    opened: list[int] = []
    for i, piece in enumerate(pieces):
        if piece.closes and opened:
            found.closer[opened.pop()] = i
        found.around.append(opened[-1] if opened else None)
        if piece.type == "COMMA" and opened and pieces[opened[-1]].type != "LBRACE":
            found.listing.add(opened[-1])
        if piece.opens:
            opened.append(i)
    return found


def layout(pieces: Sequence[Piece], indent: int, padding: int) -> list[Line]:
    """The lines of a statement; `padding` more spaces stand before its `=`."""
    nesting = brackets(pieces)
    spaces = spacing(pieces, nesting)
    broken = line_breaks(pieces, nesting, spaces)
    for i, more in aligned_arrows(pieces, nesting, spaces, broken).items():
        spaces[i] += " " * more
    if padding:
        spaces[next(i for i, piece in enumerate(pieces) if piece.type == "EQUAL")] += " " * padding
    return Writer(pieces, nesting, spaces, broken, indent).write()


def width(pieces: Sequence[Piece], until: str) -> int:
    """The width of a statement up to its first piece of a type."""
    stop = next(i for i, piece in enumerate(pieces) if piece.type == until)
    spaces = spacing(pieces[:stop], brackets(pieces[:stop]))
    return sum(len(s) + len(piece.text) for s, piece in zip(spaces, pieces[:stop], strict=True))


def spacing(pieces: Sequence[Piece], nesting: Brackets) -> list[str]:
    """What stands before each piece if no line is broken there."""
    spaces = [""]
    for i in range(1, len(pieces)):
        opener = nesting.around[i]
        index = opener is not None and opener > 0 and pieces[opener].type == "LSQB" and pieces[opener - 1].type in ATOMS
        whole = (
            [piece.type for piece in pieces[i - 1 : i + 2]] == ["INT", "DOT", "INT"]
            and i > 1
            and pieces[i - 2].type not in ("DOT", "CONSTRAIN")
        )
        spaces.append(space(pieces[i - 1], pieces[i], index, whole))
    return spaces


def line_breaks(pieces: Sequence[Piece], nesting: Brackets, spaces: list[str]) -> list[bool]:
    """Before which pieces a line is broken: where the user did and it is fit, and behind comments."""
    broken = [False] * len(pieces)
    for i in range(1, len(pieces)):
        piece, before = pieces[i], pieces[i - 1]
        if piece.comments:
            broken[i] = True
        elif before.arrow:
            broken[i - 1] |= piece.breaks > 0
        elif piece.breaks and not piece.closes:
            inside = nesting.around[i] is not None
            fit = spaces[i] and piece.type not in ("EQUAL", "LBRACE") and before.type not in UNBROKEN_AFTER
            broken[i] = before.opens or bool(fit and not (before.type == "EQUAL" and inside))
    for opener, closer in nesting.closer.items():
        broken[opener + 1] = broken[closer] = broken[opener + 1] or bool(pieces[closer].comments)
    return broken


def aligned_arrows(pieces: Sequence[Piece], nesting: Brackets, spaces: list[str], broken: list[bool]) -> dict[int, int]:
    """More space for the second arrow of lines that follow one another and start with an arrow."""
    padding: dict[int, int] = {}
    group: dict[int, int] = {}
    starts = [i for i in range(1, len(pieces)) if broken[i]]
    around: int | None = None
    for start, end in zip(starts, [*starts, len(pieces)][1:], strict=True):
        if not pieces[start].arrow or pieces[start].breaks > 1 or nesting.around[start] != around:
            padding |= pad(group)
            group = {}
        around = nesting.around[start]
        seconds = (i for i in range(start + 1, end) if pieces[i].arrow and nesting.around[i] == around)
        if pieces[start].arrow and (second := next(seconds, None)) is not None:
            reach = sum(len(spaces[i]) + len(pieces[i].text) for i in range(start + 1, second))
            if reach <= WIDEST_ALIGNED:
                group[second] = reach
    return padding | pad(group)


def pad(group: dict[int, int]) -> dict[int, int]:
    return {i: max(group.values()) - reach for i, reach in group.items()}


@dataclass
class Frame:
    """An open bracket: the indents of the lines in it, of a line with its closer, and of arrows beyond the first."""

    inner: int
    closer: int
    arrow: int


@dataclass
class Writer:
    """Writes the lines of one statement; `base` is where the content of the current line starts."""

    pieces: Sequence[Piece]
    nesting: Brackets
    spaces: list[str]
    broken: list[bool]
    indent: int
    frames: list[Frame] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    base: int = 0

    def write(self) -> list[Line]:
        self.lines.append(Line(self.indent, ""))
        self.base = self.indent
        parts: list[str] = []
        column = self.indent
        for i, piece in enumerate(self.pieces):
            frame = self.frames.pop() if piece.closes and self.frames else None
            if self.broken[i]:
                self.lines[-1].text = "".join(parts)
                parts = []
                self.new_line(i, frame)
                column = self.lines[-1].indent
            else:
                parts.append(self.spaces[i])
                column += len(self.spaces[i])
            parts.append(piece.text)
            column += len(piece.text)
            if piece.opens:
                self.frames.append(self.frame(i, column))
        self.lines[-1].text = "".join(parts)
        return self.lines

    def new_line(self, i: int, closed: Frame | None) -> None:
        """Starts the line of a piece, with the comments before it."""
        piece, before = self.pieces[i], self.pieces[i - 1]
        indent = closed.closer if closed else self.indent_of(piece)
        for comment in piece.comments:
            if comment.own_line:
                blank = comment.blank and not before.opens
                self.lines.append(Line(closed.inner if closed else indent, comment.text, blank))
            else:
                self.lines[-1].comment = comment.text
        begins = before.opens or before.type == "EQUAL"
        blank = piece.breaks > 1 and not piece.closes and (bool(piece.comments) or not begins)
        self.lines.append(Line(indent, "", blank))
        self.base = indent + (3 if piece.arrow else 0)

    def indent_of(self, piece: Piece) -> int:
        if not self.frames:
            return self.indent + 2
        frame = self.frames[-1]
        return frame.inner + (frame.arrow if piece.arrow else 0)

    def frame(self, i: int, column: int) -> Frame:
        arrow = 2 if i in self.nesting.listing else 0
        if i + 1 < len(self.pieces) and self.broken[i + 1]:
            return Frame(self.base + 2, self.base, arrow)
        hanging = column + (self.pieces[i].type == "LBRACE")
        return Frame(hanging if hanging <= WIDEST_HANGING else self.base + 4, self.base, arrow)
