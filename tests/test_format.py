"""`netc fmt`: the shipped specs are in canonical layout, formatting twice changes nothing, and nothing is lost."""

from pathlib import Path

import pytest
from small_runs import run_netc

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


def test_bad_files_are_all_reported_and_good_ones_formatted(tmp_path: Path) -> None:
    texts = {"a": "a = (", "b": "b  =  1", "c": "c = [", "d": "d   = 2", "e": "e = 3\n", "f": "f  = 4"}
    for name, text in texts.items():
        (tmp_path / f"{name}.net").write_text(text)
    (tmp_path / "f.net.part").mkdir()
    files = [tmp_path / f"{name}.net" for name in (*texts, "nowhere")]
    looked = run_netc("fmt", "--check", *files)
    assert looked.code == 1 and [path.read_text() for path in files[:6]] == [*texts.values()]
    done = run_netc("fmt", *files)
    assert (done.code, done.out) == (1, "")
    assert [path.read_text() for path in files[:6]] == ["a = (", "b = 1\n", "c = [", "d = 2\n", "e = 3\n", "f  = 4"]
    lines = done.err.splitlines()
    assert lines[:3] == [f"changed {files[1]}", f"changed {files[3]}", f"cannot write `{files[5]}`: Is a directory"]
    assert done.err.count("error[unclosed-bracket]") == 2 and f"cannot read `{files[6]}`" in done.err
    assert run_netc("fmt", "--check", *files[1:5:3], files[3]).code == 0
