"""Bad input: no text crashes the checker, and every mistake is reported at once; tests/golden/errors has the cases."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.compiler import check_text
from netc.rendering import as_json, concise, render_all
from netc.syntax.generate import TABLES, tables

MISSPELT = """
net X { input x: [3]  output y = x -> dnse(3) }
"""


def test_a_problem_has_three_forms() -> None:
    (problem,) = check_text(MISSPELT).problems
    assert problem.message() in render_all([problem])
    assert concise(problem) == "<text>:2:39: error[unknown-name]: there is no layer, value or constant `dnse`"
    (data,) = as_json([problem])
    assert (data["code"], data["file"], data["line"], data["column"]) == ("unknown-name", "<text>", 2, 39)
    assert (data["severity"], data["help"]) == ("error", "did you mean `dense`?")


def test_unused_names_are_warnings() -> None:
    checked = check_text("net X { input x: [3] a = x -> relu output y = x -> tanh }")
    assert [p.code for p in checked.problems] == ["unused"]
    assert checked.programs


def test_all_mistakes_are_reported_at_once() -> None:
    text = "net X { input x: [3] a = x -> rlu  b = x -> tahn  output y = x }"
    assert [p.code for p in check_text(text).errors] == ["unknown-name", "unknown-name"]


WORDS = "net X { } input x : [ 3 ] output y = -> dense ( ) 2 , relu for in repeat 5x5 . T @ + if"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=25))
def test_no_text_crashes_the_checker(words: list[str]) -> None:
    render_all(check_text(" ".join(words)).problems)


@pytest.mark.parametrize(("grammar", "path"), TABLES.items(), ids=[grammar.stem for grammar in TABLES])
def test_shipped_tables_are_those_of_the_grammar(grammar: Path, path: Path) -> None:
    assert path.read_text() == tables(grammar.read_text()), "run `make tables`"
