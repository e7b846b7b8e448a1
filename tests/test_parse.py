"""The parser from the generated tables builds the trees that the grammar says, and their places."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from netc.source import Source
from netc.syntax import tree
from netc.syntax.generate import GRAMMARS, build
from netc.syntax.parse import _Builder, parse

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.net"))
BRACKETS = 'net N { input x: [4]  y = ((x))  a = ((2 + 3)) * -(4)  output z = (y) -> (dense(a) -> relu) -> f(("s")) }'


@pytest.fixture(scope="module")
def plain() -> Any:
    """A parser fresh from the grammar."""
    return build((GRAMMARS / "netc.lark").read_text())


@pytest.mark.parametrize("text", [*(path.read_text() for path in SPECS), BRACKETS], ids=lambda text: text[:30])
def test_trees_and_places_are_those_of_the_grammar(text: str, plain: Any) -> None:
    source = Source("text", text)
    assert places(parse(source)) == places(_Builder(source).transform(plain.parse(text)))


def places(thing: Any) -> Any:
    """A tree as plain data, each node with its class and where it stands."""
    match thing:
        case tree.Node():
            children = [places(getattr(thing, f.name)) for f in fields(thing) if f.name != "span"]
            return type(thing).__name__, thing.span.start, thing.span.end, children
        case list() | tuple():
            return [places(item) for item in thing]
        case _:
            return thing, getattr(getattr(thing, "span", None), "start", None)
