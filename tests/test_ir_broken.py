"""IR in text, data and YAML that does not load: refused in words with its place, and never by another exception."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_nets import PROGRAMS

from netc.ir.data import from_data, parse_yaml, print_yaml, to_data
from netc.ir.network import Program
from netc.ir.read import parse_program, parser
from netc.ir.text import print_program
from netc.ir.verify import verify
from netc.problems import CompileError
from netc.rendering import as_json, render_all

SMALL = """network body {
  capture W: [4, 4]
  input x: [4]
  v: [4] = x -> d: dense(4)
    owns bias: [4] = 0.0 over out
    views kernel = W
  output out = v
}
network N {
  weight V: [4, 4] = lecun
  input x: [4]
  y: [4] = x -> t: repeat 2 network body
    binds W = V.T
  z: [4] = y -> e: leaky_relu
  output z = z
}
"""
BROKEN = [
    ("network N {", "network N", "`weight` cannot stand here"),
    ("output z = z\n}", "output z = z\n", "the text ends too early"),
    ("lecun", "lecun $", "'$' cannot stand here"),
    ("lecun", '"lecun"', "a weight starts as an initialiser such as `he` or `normal(0.01)`, or a number"),
    ("lecun", "lecn", "a weight starts as an initialiser such as `he` or `normal(0.01)`, or a number"),
    ("lecun", "lecn()", "there is no `lecn`, did you mean `lecun`?"),
    ("lecun", "normal(-1)", "`std` of `normal` must be a number"),
    ("dense(4)", "dnse(4)", "there is no `dnse`, did you mean `dense`?"),
    ("dense(4)", "dense", "`dense` needs `channels`, a whole number of at least 1"),
    ("dense(4)", "dense(4, 4)", "`bias` of `dense` must be `true` or `false`"),
    ("dense(4)", "dense(4, chanels = 2)", "`dense` has no argument `chanels`; it takes `channels`, `bias`"),
    ("dense(4)", "dense(4, channels = 2)", "`dense` is given `channels` twice"),
    ("dense(4)", "dense(4, bias = true, bias = true)", "`dense` is given `bias` twice"),
    ("leaky_relu", "leaky_relu(1, 2)", "`leaky_relu` is given too many arguments; it takes `slope`"),
    ("leaky_relu", f"leaky_relu({'1' * 400})", "cannot stand here"),
    ("x -> d", "u -> d", "the value `u` is not there yet"),
    ("output z = z", "output z = u", "network N: output z is value u, which is not there"),
    ("network body\n    b", "network bdy\n    b", "there is no network `bdy` before this one"),
    ("y: [4] =", "y: [5] =", "network N: t is not of the types of its network body"),
    ("y: [4] =", "y: i64[4] =", "there is no element type `i64`"),
    ("y: [4] =", "y: token[4] =", "there is no element type `token`"),
    ("y: [4] =", "y: [-4] =", "a shape has no negative extents"),
    ("W: [4, 4]", "W: [3, 3]", "network body: d needs weights"),
    ("= V.T", "= U.T", "there is no weight `U` here"),
    ("= V.T", "= V[9]", "index 9 is outside axis 0 of a weight of [4, 4]"),
    ("= V.T", "= V[0:3]", "network N: t binds W to a weight of [3, 4]"),
    ("= V.T", "= turn(V)", "there is no function `turn` of weights"),
    ("= V.T", "= add(V, V)", "there is no function `add` of weights"),
    ("= V.T", "= rot90(V, V)", "`rot90` cannot take 2 weights"),
    ("= V.T", "= (V * V)", "`*` cannot join these"),
    ("= V.T", "= layer e", "network N: t binds W to a layer"),
    ("    binds W = V.T\n", "", "network N: t binds [], and its network captures ['W']"),
    ("repeat 2", "repeat 0", "network N: t is a row of 0 from 0"),
    ("y -> e: leaky_relu", "y -> t\n views kernel = V", "the weights of `t` are said where it is made"),
    ("network N {", "network body {", "network body: its name is taken"),
    ("network N {", "network M { capture W: [1] input x: [4] output x = x } network N {", ""),
    ("= V.T", "= V" + ".T" * 5000, "limit of 100 levels"),
    ("lecun", "normal(" + "[" * 5000 + "]" * 5000 + ")", "limit of 100 levels"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN, ids=[message[:40] or "lawful" for _, _, message in BROKEN])
def test_a_broken_text_is_refused_in_words(old: str, new: str, message: str) -> None:
    assert SMALL.count(old) == 1, old
    text = SMALL.replace(old, new)
    if not message:
        assert parse_program(text).root.name == "N"
        return
    with pytest.raises(CompileError) as raised:
        parse_program(text, "small.ir")
    (problem,) = raised.value.problems
    assert message in problem.message()
    assert problem.span is not None and str(problem.span).startswith("small.ir:")
    assert "small.ir:" in render_all([problem])


def test_a_text_of_nothing_is_refused() -> None:
    for text in ("", "# nothing\n", "\0", '"'):
        with pytest.raises(CompileError):
            parse_program(text)


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


NET, BODY = ("networks", 1), ("networks", 0)
BROKEN_DATA: list[tuple[tuple[str | int, ...], object, str]] = [
    ((), [], "a mapping with networks is needed here"),
    (("networks",), {}, "networks: a list is needed here"),
    (("networks",), [], "networks: there is no network"),
    ((*NET, "colour"), 1, "networks[1]: there is no key 'colour'"),
    ((*NET, "name"), 7, "networks[1].name: a string is needed here"),
    ((*NET, "name"), None, "networks[1].name: a string is needed here"),
    ((*NET, "calls", 0, "times"), 0, "networks: network N: t runs 0 times"),
    ((*NET, "calls", 0, "times"), True, "networks[1].calls[0].times: a whole number is needed here"),
    ((*NET, "calls", 0, "inputs"), "x", "networks[1].calls[0].inputs: a list is needed here"),
    ((*NET, "values", 0, "shape", 0), -1, "networks[1].values[0].shape[0]: a whole number from 0 up is needed here"),
    ((*NET, "values", 0, "element"), "token", "networks[1].values[0].element: there is no element `token` without"),
    ((*NET, "values", 0, "size"), 3, "networks[1].values[0].size: an element is of this size"),
    ((*NET, "weights", 0, "trainable"), "no", "networks[1].weights[0].trainable: true or false is needed here"),
    ((*NET, "weights", 0, "init", "kind"), "lecn", "init: there is no `lecn`, did you mean `lecun`?"),
    ((*NET, "weights", 0, "init"), 0.5, "networks[1].weights[0].init: a mapping with kind is needed here"),
    ((*NET, "instances", 1, "layer", "slope"), "steep", "`slope` of `leaky_relu` must be a number"),
    ((*NET, "instances", 1, "layer", "slope"), 10**400, "a number, string, list or initialiser is needed here"),
    ((*NET, "instances", 1, "network"), "body", "network N: e must be either a layer or a network"),
    ((*NET, "instances", 0, "captures", 0, "layer"), "e", "a capture is bound either to a view or to a layer"),
    ((*NET, "instances", 0, "captures", 0, "view", "operation"), "turn", "there is no operation `turn` on weights"),
    ((*NET, "instances", 0, "captures", 0, "view", "operands"), [], "`transpose` cannot take 0 weights"),
    ((*NET, "instances", 0, "captures", 0, "view", "settings"), [1], "`transpose` cannot take the settings [1]"),
    ((*NET, "instances", 0, "captures", 0, "view", "shape"), [1], "view.shape: this view has the shape [4, 4]"),
    ((*NET, "instances", 0, "captures", 0, "view", "operands", 0, "weight"), "U", "there is no weight U"),
]


@pytest.mark.parametrize(("path", "value", "message"), BROKEN_DATA, ids=[m[:60] for _, _, m in BROKEN_DATA])
def test_broken_data_are_refused_in_words(path: tuple[str | int, ...], value: object, message: str) -> None:
    data: Any = to_data(parse_program(SMALL))
    if path:
        at(data, path[:-1])[path[-1]] = value
    else:
        data = value
    with pytest.raises(CompileError) as raised:
        from_data(data)
    (problem,) = raised.value.problems
    assert message in problem.message()
    assert as_json([problem])[0]["code"] == "broken-program"


def test_every_key_of_the_data_is_needed_or_has_a_default() -> None:
    """Leaving any key out gives a program or a problem, and never another exception."""
    whole = to_data(PROGRAMS["views"])
    for path in paths(whole):
        data: Any = copy.deepcopy(whole)
        del at(data, path[:-1])[path[-1]]
        outcome(from_data, data)


def paths(data: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [found for key, value in steps for found in ((*path, key), *paths(value, (*path, key)))]


def outcome(load: Callable[[Any], Program], form: object) -> Program | None:
    """The program, or None where it is refused as it should be."""
    try:
        program = load(form)
    except CompileError as refused:
        assert render_all(refused.problems)
        return None
    verify(program)
    return program


JUNK: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([]), st.just({}), st.just([[1]])
)
WORDS = ("x", "y", "W", "v2", "conv1", "kernel", "0", "-1", "[4]", "[]", "inf", "-", '""', "network", "as", "repeat 0")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_text_crashes_the_reader(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(PROGRAMS)))
    tokens = [str(t) for t in parser().parse_interactive(print_program(PROGRAMS[name])).exhaust_lexer()]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(tokens) - 1))
        length = data.draw(st.integers(0, 2))
        tokens[start : start + length] = data.draw(st.lists(st.sampled_from((*WORDS, *tokens)), max_size=2))
    loaded = outcome(parse_program, " ".join(tokens))
    if loaded is not None:
        assert parse_program(print_program(loaded)) == loaded


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_data_crash_the_reader(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(PROGRAMS)))
    form: Any = copy.deepcopy(to_data(PROGRAMS[name]))
    everywhere = paths(form)
    path = data.draw(st.sampled_from(everywhere))
    other = data.draw(st.sampled_from(everywhere))
    at(form, path[:-1])[path[-1]] = data.draw(st.one_of(JUNK, st.just(copy.deepcopy(at(form, other)))))
    loaded = outcome(from_data, form)
    if loaded is not None:
        assert parse_yaml(print_yaml(loaded)) == loaded == parse_program(print_program(loaded))


YAML = (
    "{",
    "a: !!python/object:os.system x",
    "!!int ''",
    "!!bool maybe",
    "!!timestamp x",
    "[" * 5000,
    "- " * 5000,
    "2001-99-99",
    "networks: &a [*a]",
    f"networks: {'9' * 5000}",
    "\x00",
    "",
)


@pytest.mark.parametrize("text", YAML)
def test_no_yaml_crashes_the_reader(text: str) -> None:
    with pytest.raises(CompileError):
        parse_yaml(text)
