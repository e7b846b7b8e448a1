"""Text in, syntax tree out, or the problem that stops it. Reads no files but its own tables.

The LALR tables are generated from `grammar/netc.lark` into `tables.json` (`python -m netc.syntax.generate`),
so that no command builds the grammar; a test checks that they are current.
"""

from collections import deque
from operator import itemgetter
from pathlib import Path
from typing import Any, cast

from lark import Lark, Token, Transformer, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken
from lark.grammar import Rule, Terminal

from netc.problems import Problem, nearest
from netc.source import Source, Span, Word
from netc.syntax import tree
from netc.syntax.limits import nested, pieces, refuse_size
from netc.syntax.problems import (
    EmptyFile,
    MissingArrow,
    StrayCharacter,
    SyntaxProblem,
    UnclosedBracket,
    UnknownKeyword,
)
from netc.syntax.tables import NETC, load

MOST_NESTING = 100

FILE_KEYWORDS = ("use", "activation", "block", "net", "train", "default")
BODY_KEYWORDS = ("input", "output", "layer", "weight", "assert", "default", "constrain", "block")
KEYWORDS = frozenset((*FILE_KEYWORDS, *BODY_KEYWORDS, "for", "in", "if", "then", "else", "repeat", "over_time"))
CLOSERS = {"(": ")", "[": "]", "{": "}"}

# How terminals are called in messages; terminals left out here are never suggested.
SPOKEN = {
    "NAME": "a name",
    "INT": "a number",
    "STRING": "a string",
    "__ANON_0": "`->`",
    "EQUAL": "`=`",
    "COLON": "`:`",
    "COMMA": "`,`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "THEN": "`then`",
    "ELSE": "`else`",
    "IN": "`in`",
    "$END": "the end of the file",
}
STATEMENTS = {
    "NET": "a definition such as `net Name { ... }`",
    "OUTPUT": "a statement such as `output y = x -> relu`",
}
# What other languages write, and how it is written here.
FOREIGN = {
    "//": "comments start with `#`; `//` divides whole numbers",
    "**": "a power is written `^`: `3 ^ 2`",
    "->": "a flow begins with a value: `image -> flatten`",
    "=>": "a flow is written with `->`: `image -> flatten`",
    ",": "values side by side stand in brackets, `(a, b) -> concat`; statements need no end mark",
    "return": "what a net gives is `output y = x -> relu`",
    "let": "a value needs no word before its name: `y = x -> relu`",
    "var": "a value needs no word before its name: `y = x -> relu`",
    "def": "layers that belong together are a block: `block name(width) = dense(width) -> relu`",
}
TYPE = "a type is a shape in square brackets, behind a colon: `input image: [28, 28, 1]`"


def parse(source: Source) -> tree.Start | Problem:
    """Parses a source into a `Start`, or gives the first syntax problem in it."""
    if large := refuse_size(source):
        return large
    if "\0" in source.text:
        offset = source.text.index("\0")
        return StrayCharacter(span=Span(source, offset, offset + 1), character="\0")
    try:
        parsed = parser().parse(source.text)
    except UnexpectedInput as failure:
        return explain(failure, source)
    if not parsed.children:
        return EmptyFile(span=Span(source, 0, 0))
    if deep := too_deep(parsed, source):
        return deep
    return _Builder(source).transform(parsed)


_parser: Lark | None = None


def parser() -> Lark:
    """The parser, loaded from the generated tables once per process."""
    global _parser
    if _parser is None:
        _parser = parser_of(NETC)
        pass_on_alone(cast(Any, _parser)._callbacks)
    return _parser


def parser_of(tables: Path) -> Lark:
    """A parser from its generated tables."""
    data, memo = load(tables)
    made = Lark.__new__(Lark)
    cast(Any, made)._load({"data": data, "memo": memo})
    return made


def pass_on_alone(callbacks: dict[Rule, Any]) -> None:
    """Hands a node up through the levels of precedence that it stands in alone: four in five reductions of a text.

    It comes out as Lark's own callbacks give it, which also look for the place of what they do not make.
    """
    for rule in callbacks:
        symbol = rule.expansion[0] if len(rule.expansion) == 1 else None
        if rule.options.expand1 and symbol and not (isinstance(symbol, Terminal) and symbol.filter_out):
            callbacks[rule] = itemgetter(0)


def camel(rule: str) -> str:
    return "".join(part.capitalize() for part in rule.split("_"))


NODES: dict[str, type[tree.Node]] = {
    name: node for name, node in vars(tree).items() if isinstance(node, type) and issubclass(node, tree.Node)
}


class _Builder(Transformer[Token, tree.Start]):
    """Rule `for_each` becomes `tree.ForEach(children..., span)`; tokens become `Word`s."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def __default__(self, data: str, children: list[Any], meta: Any) -> Any:
        start, end = (0, 0) if meta.empty else (meta.start_pos, meta.end_pos)
        return NODES[camel(data)].build(children, Span(self.source, start, end))

    def __default_token__(self, token: Token) -> Word:
        assert token.start_pos is not None and token.end_pos is not None
        return Word.at(str(token), Span(self.source, token.start_pos, token.end_pos))


def too_deep(parsed: Tree[Token], source: Source) -> Problem | None:
    """Guards the recursive stages behind this one against a hostile depth."""
    stack = [(parsed, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MOST_NESTING:
            return nested(Span(source, node.meta.start_pos, min(node.meta.end_pos, node.meta.start_pos + 40)))
        stack.extend((child, depth + 1) for child in node.children if isinstance(child, Tree) and not child.meta.empty)
    return None


def explain(failure: UnexpectedInput, source: Source) -> Problem:
    """Turns Lark's failure into the most telling problem that the text shows."""
    offset = len(source.text) if failure.pos_in_stream in (None, -1) else failure.pos_in_stream
    assert offset is not None
    bracket = bracket_problem(source)
    match failure:
        case UnexpectedCharacters():
            return StrayCharacter(span=Span(source, offset, offset + 1), character=source.text[offset])
        case UnexpectedToken(token=token) if token.type != "$END":
            found = unexpected_token(failure, token, source)
            return bracket if bracket and isinstance(found, SyntaxProblem) else found
        case UnexpectedToken() | UnexpectedEOF():
            if bracket:
                return bracket
            end = len(source.text.rstrip())
            return SyntaxProblem(
                span=Span(source, max(0, end - 1), end), found="the end of the file", expected=spoken(failure)
            )
        case _:
            raise AssertionError(failure)


def unexpected_token(failure: UnexpectedToken, token: Token, source: Source) -> Problem:
    assert token.start_pos is not None and token.end_pos is not None
    here = Span(source, token.start_pos, token.end_pos)
    before = last_piece(source, token.start_pos)
    named = before is not None and before.text.isidentifier() and before.text not in KEYWORDS
    # Where a `)` could stand, `name =` would be an argument, and begin no statement.
    begins_statement = "EQUAL" in failure.accepts and "RPAR" not in failure.accepts
    if before is not None and named and token not in ("=", ",") and begins_statement:
        word, span = before.text, before
        in_body = bool(bracket_problem(Source(source.name, source.text[: span.start])))
        known = BODY_KEYWORDS if in_body else FILE_KEYWORDS
        ahead = last_piece(source, span.start)
        begins = not in_body and (ahead is None or ahead.text == "}")
        if word in FOREIGN or begins or (token.type == "NAME" and (not in_body or nearest(word, known))):
            return UnknownKeyword(span=span, word=word, known=known, way_out=FOREIGN.get(word, ""))
        number = ahead is not None and ahead.text[:1].isdigit()
        way_out = f"write `* {word}` for a product, `-> {word}` for a flow" if number else ""
        return MissingArrow(span=span, name=word, way_out=way_out)
    return misplaced(token, here, failure)


def misplaced(token: Token, here: Span, failure: UnexpectedToken) -> SyntaxProblem:
    """A token that cannot stand where it does; two characters that are one in other languages are taken together."""
    text = here.source.text
    if text[here.start - 1 : here.end] in FOREIGN:
        here = Span(here.source, here.start - 1, here.end)
    if text[here.start : here.end + 1] in FOREIGN:
        here = Span(here.source, here.start, here.end + 1)
    way_out = FOREIGN.get(here.text, "")
    if here.text == "=" and "COMPARISON" in failure.accepts:
        way_out = "equality is written `==`"
    before = last_piece(here.source, here.start)
    if before is not None and before.text == "->":
        way_out = "a layer stands after each `->`"
    ahead = last_piece(here.source, before.start) if before is not None else None
    if before is not None and ahead is not None and ahead.text == "->" and here.text == "=":
        way_out = f"a layer gets its name by a colon: `-> {before.text}: dense(10)`"
    if failure.accepts == {"NAME", "LSQB"} or (here.text == "[" and "COLON" in failure.accepts):
        way_out = TYPE
    if before is not None and ahead is not None and ahead.text == "weight" and here.text == "=":
        name = before.text
        way_out = (
            f"a weight has a shape, `weight {name}: [4, 4] = normal(0.1)`; a view of one is a name, `{name} = W.T`"
        )
    return SyntaxProblem(span=here, found=f"`{here.text[:40]}`", expected=spoken(failure), way_out=way_out)


def spoken(failure: UnexpectedInput) -> tuple[str, ...]:
    """What could stand at the place of a failure. Where a statement could, a name could too, and is left out."""
    accepts = failure.accepts if isinstance(failure, UnexpectedToken) else set[str]()
    if starts := tuple(text for terminal, text in STATEMENTS.items() if terminal in accepts):
        accepts = accepts - {"NAME"}
    return starts + tuple(text for terminal, text in SPOKEN.items() if terminal in accepts)


def last_piece(source: Source, offset: int) -> Span | None:
    """The piece of text that stands before an offset; comments are none."""
    last = deque(pieces(source.text, offset), maxlen=1)
    return Span(source, *last[0].span()) if last else None


def bracket_problem(source: Source) -> Problem | None:
    """The first bracket that is closed by another kind or closes nothing, or else the last one left open."""
    opened: list[Span] = []
    for piece in pieces(source.text):
        here = Span(source, *piece.span())
        if piece[0] in CLOSERS:
            opened.append(here)
        elif piece[0] in (")", "]", "}"):
            # Statements hold no bracket across a brace: `)` in `{ ... )` is one too many.
            if not opened or (opened[-1].text == "{" and piece[0] != "}"):
                return UnclosedBracket(span=here, bracket=piece[0], closer="", closed_by=None)
            bracket = opened.pop()
            if CLOSERS[bracket.text] != piece[0]:
                return UnclosedBracket(span=bracket, bracket=bracket.text, closer=CLOSERS[bracket.text], closed_by=here)
    if not opened:
        return None
    last = opened[-1]
    return UnclosedBracket(span=last, bracket=last.text, closer=CLOSERS[last.text], closed_by=None)
