"""`netc fmt`: the shipped specs are in canonical layout, formatting twice changes nothing, and nothing is lost."""

from pathlib import Path

import pytest

from netc.problems import Problem
from netc.source import Source
from netc.syntax.format import format_text
from netc.syntax.parse import parse

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.net"))


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_specs_are_in_canonical_layout(spec: Path) -> None:
    assert format_text(spec.read_text()) == spec.read_text()


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_a_squeezed_text_keeps_its_meaning_and_comments(spec: Path) -> None:
    text = spec.read_text()
    squeezed = "\n".join(" ".join(line.split()) for line in text.splitlines())
    formatted = format_text(squeezed)
    assert not isinstance(formatted, Problem)
    assert format_text(formatted) == formatted
    assert parse(Source("a", formatted)) == parse(Source("b", text))
    assert formatted.count("#") == text.count("#")
