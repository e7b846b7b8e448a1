"""The examples of the documentation are real: each is checked; a `net not-yet` one says that and nothing else."""

import re
from pathlib import Path

import pytest

from netc.check.problems import NotYet
from netc.compiler import check_text
from netc.problems import Problem
from netc.rendering import render_all
from netc.syntax.format import format_text

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```net( not-yet)?\n(.*?)^```", re.M | re.S)
EXAMPLES = [
    pytest.param(kind, text, id=f"{page.stem}-{i}")
    for page in PAGES
    for i, (kind, text) in enumerate(BLOCK.findall(page.read_text()))
]


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_example_is_checked_and_in_canonical_layout(kind: str, text: str) -> None:
    problems = check_text(text).problems
    assert all(isinstance(p, NotYet) for p in problems) if kind else not problems, render_all(problems)
    assert bool(problems) == bool(kind)
    formatted = format_text(text)
    assert not isinstance(formatted, Problem)
    assert formatted == text
