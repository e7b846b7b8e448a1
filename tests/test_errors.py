"""Bad input: each mistake gives one problem with its code and place, and never a traceback."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.compiler import check_text
from netc.rendering import as_json, concise, render_all
from netc.syntax.tables import load

CASES = {
    "": "empty-file",
    "net X { input x: [3] output y = x -> dense(3 -> relu }": "unclosed-bracket",
    "ntw X {}": "unknown-keyword",
    "net X { input x: [3] output y = x -> dense(3) relu -> flatten }": "missing-arrow",
    "net X { output y = $ }": "stray-character",
    "a = 3 4": "syntax-problem",
    "a = " + "[" * 5000 + "1" + "]" * 5000: "too-large",
    "net X { input x: [3] output y = x -> dnse(3) }": "unknown-name",
    "net X { input x: [3] output y = x -> dense(3, chanels = 2) }": "unknown-argument",
    "net X { input x: [3] output y = x -> dense() }": "missing-argument",
    "net X { input x: [3] output y = x -> dense(0) }": "bad-argument",
    "net X { input x: [3] output y = x -> dense(1, true, he, 0, 3) }": "extra-argument",
    "net X { input x: [3] output y = x -> conv(3, 3x3) }": "shape-mismatch",
    "net X { input x: [3] y = x -> relu  y = x -> tanh  output z = y }": "defined-twice",
    "net X { input x: [3] a = b -> relu  b = x -> relu  output z = a }": "used-before-definition",
    "block a = b  block b = a  net X { input x: [3] output y = x -> a }": "cycle",
    "a = b  b = a": "cycle",
    "net X { input x: [3] output y = x -> dense(2) assert params == 9 }": "failed-assert",
    "net X { input x: [3] output y = x -> repeat 10^12 { relu } }": "too-large",
    "a = 9^9^9": "too-large",
    "a = 1 / 0": "bad-arithmetic",
    "net X { input x: [3] output y = x -> local(3, 5x5) }": "not-yet",
    "net X { input x: [3] output y = x -> relu constrain y.*: frozen }": "not-yet",
    "net X { input x: [3] output y = x -> 3 }": "wrong-kind",
    "net X { input x: [3] output y = x.depth }": "unknown-attribute",
    "net X { input x: [3] layer e = dense(2) output y = x -> dense(3, kernel = e.kernel.T) }": "unbound-layer",
    "net X { input x: [3] output y = x -> repeat 2 { dense(x.channels) } }": "outside-value",
    "net X { input x: [3] }": "missing-part",
    'use "nowhere.net"': "unreadable",
    "net X { input x: [8, 8, 1] output y = x -> flatten }\n"
    "train X { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 1) }": "recipe-mismatch",
}


@pytest.mark.parametrize(("text", "code"), CASES.items(), ids=[f"{i}-{c}" for i, c in enumerate(CASES.values())])
def test_one_mistake_gives_one_message(text: str, code: str) -> None:
    problems = [p for p in check_text(text).problems if p.severity == "error"]
    assert [p.code for p in problems] == [code]
    assert problems[0].message() in render_all(problems)
    assert code in concise(problems[0])
    assert as_json(problems)[0]["code"] == code


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


def test_tables_are_of_the_grammar() -> None:
    _, _, made_from = load()
    assert sha256((Path(__file__).parents[1] / "grammar" / "netc.lark").read_bytes()).hexdigest() == made_from


def test_the_front_half_leaves_jax_unloaded() -> None:
    code = "import sys, netc.compiler, netc.cli.front; assert not {'jax', 'flax', 'optax', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
