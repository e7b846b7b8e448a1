"""The IR's text and YAML load back equal, and broken ones are refused in words."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_nets import PROGRAMS, compiled

from netc.compiler import flax_source
from netc.ir.data import from_data, parse_yaml, print_yaml, to_data
from netc.ir.network import Derived, Program, View
from netc.ir.read import parse_program, parser
from netc.ir.text import KEYWORDS, print_program
from netc.ir.verify import verify
from netc.ir.views import OPERATIONS
from netc.syntax.generate import GRAMMARS

each = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
FORMS: dict[str, Callable[[Program], Program]] = {
    "text": lambda program: parse_program(print_program(program)),
    "yaml": lambda program: parse_yaml(print_yaml(program)),
    "json": lambda program: from_data(json.loads(json.dumps(to_data(program)))),
}
in_each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)


@each
@in_each_form
def test_a_program_loads_back_equal(program: Program, form: Callable[[Program], Program]) -> None:
    loaded = form(program)
    verify(loaded)
    assert loaded == program
    assert repr(loaded) == repr(program)  # Tells 1 from 1.0 and 0.0 from -0.0, which are equal.


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "hostile"])
@in_each_form
def test_a_loaded_program_emits_the_same_source(name: str, form: Callable[[Program], Program]) -> None:
    assert flax_source(form(PROGRAMS[name])).source == flax_source(PROGRAMS[name]).source


@each
def test_forms_do_not_change_by_going_round(program: Program) -> None:
    text = print_program(parse_program(print_program(program)))
    assert print_program(parse_program(text)) == text
    assert without_places(text) == without_places(print_program(program))
    assert to_data(from_data(to_data(program))) == to_data(program)


def without_places(text: str) -> list[str]:
    return [line.rpartition("  # ")[0].rstrip() or line for line in text.splitlines()]


def test_hostile_names_never_become_code() -> None:
    hostile = PROGRAMS["hostile"]
    name = '"""\nraise SystemExit\n"""'
    renamed = Program((*hostile.networks[:-1], replace(hostile.root, name=name)))
    for program in (hostile, parse_program(print_program(renamed)), parse_yaml(print_yaml(renamed))):
        source = flax_source(program).source
        assert "SystemExit\n" not in source
        exec(compile(source, "hostile", "exec"), {})


def test_the_programs_have_every_operation_on_weights() -> None:
    def operations(view: View) -> set[str]:
        if not isinstance(view, Derived):
            return set()
        return {view.operation}.union(*map(operations, view.operands))

    views = [v for p in PROGRAMS.values() for n in p.networks for i in n.instances for _, v in i.views]
    assert set().union(*map(operations, views)) == OPERATIONS.keys()


def test_places_are_those_of_the_source_and_of_the_text() -> None:
    text = print_program(PROGRAMS["siamese"])
    assert place(text, "v4:").endswith("specs/siamese.net:8")
    loaded = parse_program(text, "tower.ir")
    call = loaded.root.calls[1]
    assert call.span is not None
    assert text.splitlines()[call.span.line - 1].split() == f"b: [2] = right -> tower # {place(text, 'b:')}".split()
    assert str(call.span).startswith("tower.ir:")


def place(text: str, start: str) -> str:
    return next(line.split("# ")[1] for line in text.splitlines() if line.strip().startswith(start))


STEPS = (
    "relu",
    "dense(4)",
    "named: dense(4, init = he)",
    "repeat 2 { dense(4) -> tanh }",
    "repeat 3 { shared }",
    "for n in [3, 4] { dense(n) }",
    "[identity, dense(2) -> relu] -> concat -> dense(4)",
    "dense(4, kernel = W.T)",
    "dense(2, kernel = (W[0:2] * 0.5).T, bias = false) -> dense(4)",
    "tied",
    "tied -> repeat 2 { tied }",
)
AROUND = """
block tied {{ input x  weight V: [4, 4]  output x @ V -> dense(4, kernel = V.T) }}
net N {{ input x: [4]  weight W: [4, 4]  layer shared = dense(4) -> relu
         h = x @ W -> shared  output y = h -> {} }}
"""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=5, unique=True))
def test_any_net_loads_back(steps: list[str]) -> None:
    program = compiled(AROUND.format(" -> ".join(steps)))
    for form in FORMS.values():
        assert form(program) == program


# The grammar.


def test_the_words_of_the_grammar_are_quoted_as_names() -> None:
    words = {t.pattern.value for t in parser().terminals if t.pattern.type == "str" and t.pattern.value.isidentifier()}
    assert words == set(KEYWORDS.pattern.split("|"))


def test_yaml_is_one_plain_document() -> None:
    text = print_yaml(PROGRAMS["lenet5"])
    assert text.startswith("---\n") and yaml.safe_load(text) == to_data(PROGRAMS["lenet5"])


def test_the_example_of_the_docs_is_current() -> None:
    page = (GRAMMARS.parent / "docs" / "ir.md").read_text()
    shown, source = re.findall(r"```(?:net)?\n(.*?)```", page, re.S)[:2]
    program = compiled(source)
    assert shown == "\n".join(without_places(print_program(program))) + "\n"
    assert parse_program(shown) == program
