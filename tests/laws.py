"""What must hold of any text: it gives problems or a program, and never an exception."""

import json
import re
from collections import Counter

from netc.compiler import check_text, flax_source
from netc.emit.recipe import emit_recipe
from netc.ir.data import from_data, to_data
from netc.ir.dot import dot
from netc.ir.read import parse_program
from netc.ir.show import json_data, table
from netc.ir.text import print_program
from netc.ir.verify import verify
from netc.problems import Problem
from netc.rendering import as_json, concise, render_all
from netc.source import Source
from netc.syntax.format import format_text
from netc.syntax.limits import PIECE
from netc.syntax.parse import parse


def holds(text: str) -> bool:
    """Whether the text compiles, with at least one net; raises where a law is broken."""
    problems_are_shown(text)
    layout_is_canonical(text)
    checked = check_text(text)
    if checked.errors:
        return False
    for program in checked.programs:
        verify(program)
        for portable in (False, True):
            compile(flax_source(program, portable, places=True).source, "<emitted>", "exec")
        assert table(program) and dot(program)
        json.dumps(json_data(program))
        assert parse_program(print_program(program)) == program
        assert from_data(json.loads(json.dumps(to_data(program)))) == program
    for recipe in checked.recipes:
        compile(emit_recipe(recipe), "<recipe>", "exec")
    return bool(checked.programs)


def problems_are_shown(text: str) -> None:
    """Each has a message, a place inside the text and a sound rendering; nothing in it can steer a terminal."""
    problems = check_text(text).problems
    shown = render_all(problems) + "\n".join(map(concise, problems))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    json.dumps(as_json(problems))
    for problem in problems:
        assert problem.message() and problem.code
        if problem.span is not None:
            assert 0 <= problem.span.start <= problem.span.end <= len(problem.span.source.text)


def layout_is_canonical(text: str) -> None:
    """Formatting keeps meaning and comments, and changes nothing the second time."""
    formatted = format_text(text)
    if isinstance(formatted, Problem):
        assert isinstance(parse(Source("<text>", text)), Problem)
        return
    assert format_text(formatted) == formatted
    assert parse(Source("a", formatted)) == parse(Source("b", text))
    assert comments(formatted) == comments(text)


def comments(text: str) -> Counter[str]:
    return Counter(piece[0].strip() for piece in PIECE.finditer(text) if piece[0].startswith("#"))
