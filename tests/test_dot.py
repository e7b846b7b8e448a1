"""Graphs of nets: lines that Graphviz reads, values along the edges, and sharing as dashed edges."""

import re

import pytest
from click.testing import CliRunner
from ir_nets import PROGRAMS, SPECS, compiled

from netc.cli.front import SHOW, show
from netc.ir.data import from_data, parse_yaml
from netc.ir.dot import dot
from netc.ir.network import Program
from netc.ir.read import parse_program

TEXT = r'"(?:[^"\\]|\\.)*"'
ATTRIBUTES = rf"\[\w+={TEXT}(?:, \w+={TEXT})*\]"
PLAIN = r"\[\w+=(?:\"[^\"]*\"|[\w.]+)(?:, \w+=(?:\"[^\"]*\"|[\w.]+))*\]"
LINES = {
    "open": re.compile(rf"digraph {TEXT} \{{|subgraph cluster_\d+ \{{"),
    "close": re.compile(r"\}"),
    "node": re.compile(rf"n(\d+) {ATTRIBUTES}"),
    "edge": re.compile(rf"n(\d+) -> n(\d+) ({ATTRIBUTES})"),
    "style": re.compile(rf"(?:graph|node|edge) (?:{ATTRIBUTES}|{PLAIN})"),
}


def read(text: str) -> list[tuple[str, re.Match[str]]]:
    """The lines of a graph by their kinds; a line of no kind fails."""
    found = []
    for line in text.splitlines():
        kinds = [(kind, match) for kind, form in LINES.items() if (match := form.fullmatch(line.strip()))]
        assert len(kinds) == 1, line
        found += kinds
    return found


def shared(text: str) -> list[tuple[str, str, str]]:
    """The dashed edges: the labels of the owner and of the user, and of the edge."""
    labels = dict(re.findall(rf"(?m)^ *n(\d+) \[label=({TEXT})", text))
    edges = [m.groups() for kind, m in read(text) if kind == "edge" and "dashed" in m[3]]
    return [(labels[a], labels[b], re.findall(TEXT, attributes)[0]) for a, b, attributes in edges]


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_graph_is_well_formed(program: Program) -> None:
    lines = read(dot(program))
    assert [kind for kind, _ in lines].count("open") == [kind for kind, _ in lines].count("close")
    nodes = [m[1] for kind, m in lines if kind == "node"]
    assert len(set(nodes)) == len(nodes)
    assert {end for kind, m in lines if kind == "edge" for end in m.groups()[:2]} <= set(nodes)


def test_hostile_names_stay_text() -> None:
    text = dot(PROGRAMS["hostile"])
    assert text.splitlines()[0] == r'digraph "a\"]; { } \\ \\u000a # -> é \\u0000" {'


def test_towers_with_one_set_of_weights_are_joined() -> None:
    text = dot(PROGRAMS["siamese"])
    assert text.count("subgraph") == 2
    assert shared(text) == [
        (label, label, f'" tower.{name} again"')
        for name, label in [
            ("conv1", r'"conv1\nconv(20, [5, 5])"'),
            ("conv2", r'"conv2\nconv(50, [5, 5])"'),
            ("ip1", r'"ip1\ndense(500)"'),
            ("ip2", r'"ip2\ndense(10)"'),
            ("feat", r'"feat\ndense(2)"'),
        ]
    ]


def test_views_are_joined_to_their_owners() -> None:
    tied = shared(dot(PROGRAMS["tied_autoencoder"]))
    assert [(owner, edge) for owner, _, edge in tied] == [
        (rf'"encode{i}\ndense({width})"', f'" encode{i}.kernel.T"')
        for i, width in [(4, 30), (3, 250), (2, 500), (1, 1000)]
    ]
    assert shared(dot(PROGRAMS["logistic"])) == [(r'"w\n[64, 1]"', '"x @ w"', '" w"'), (r'"b\n[1]"', '"b"', '" b"')]


def test_weights_are_found_through_captures_and_rows() -> None:
    deep = shared(dot(PROGRAMS["captured layers"]))
    assert [edge for _, _, edge in deep] == ['" tower.dense1 again"'] * 2
    rows = shared(dot(PROGRAMS["rows of rows and weights inside them"]))
    assert [edge for _, _, edge in rows] == ['" body.1.dense1.kernel.T"', '" body.0.repeat1.1.dense1.kernel"']


def test_a_row_is_drawn_once_and_says_its_number() -> None:
    text = dot(
        compiled("net N { input x: [4]  layer s = dense(4)  output y = x -> repeat 9 { relu } -> repeat 3 { s } }")
    )
    assert r'label="y.repeat1\n9 in a row"' in text
    assert r'label="s\ndense(4)\n3 times, with the same weights"' in text


def shown(form: str, file: str) -> str:
    result = CliRunner().invoke(show, [file, "--as", form], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_show_writes_every_form() -> None:
    for form in SHOW:
        assert shown(form, str(SPECS[0])).endswith("\n")


def test_show_writes_several_nets_as_several_documents(tmp_path) -> None:
    file = tmp_path / "two.net"
    file.write_text("net A { input x: [2]  output y = x -> relu }\nnet B { input x: [2]  output y = x -> tanh }")
    documents = shown("ir", str(file)).split("---\n")
    assert [parse_program(document).root.name for document in documents] == ["A", "B"]
    import yaml

    assert [from_data(data).root.name for data in yaml.safe_load_all(shown("yaml", str(file)))] == ["A", "B"]
    assert parse_yaml(shown("yaml", str(SPECS[0]))) == PROGRAMS[SPECS[0].stem]
    assert shown("dot", str(file)).count("digraph") == 2
