"""Golden texts: what netc says about every kind of mistake, and what it makes of every shipped spec.

A case of a mistake is `golden/errors/CODE/CASE.net`; beside it stands `CASE.txt` with the source and the problems
as they are shown. A first line `# netc check CASE.net --set key=value` gives settings. Folders below CODE hold
files that cases `use`. Mistakes that no .net file can hold are situations (situations.py and those beside it).
"""

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import GOLDEN, Golden
from data_situations import DATA_SITUATIONS
from run_situations import RUN_SITUATIONS
from shipped import LARGE, SPECS
from situations import SITUATIONS
from weight_situations import WEIGHT_SITUATIONS

from netc.check.program import Checked
from netc.compiler import check_file, flax_source
from netc.explain import PROBLEMS
from netc.ir.network import Program
from netc.ir.show import json_data, table
from netc.ir.text import print_program
from netc.problems import Problem
from netc.rendering import render_all

ERRORS = GOLDEN / "errors"
MADE = SITUATIONS | DATA_SITUATIONS | RUN_SITUATIONS | WEIGHT_SITUATIONS
CASES = sorted(ERRORS.glob("*/*.net"))
FORMS: dict[str, Callable[[Program], str]] = {
    "table.txt": lambda program: table(program) + "\n",
    "ir.txt": lambda program: print_program(program).replace(f"# {SPECS[0].parent}/", "# specs/"),
    "json": lambda program: json.dumps(json_data(program), indent=2) + "\n",
    "ir": lambda program: re.sub(r" *# \S+:\d+$", "", print_program(program), flags=re.M),
    "flax.py": lambda program: flax_source(program).source,
}
# The JSON of a large spec says weight by weight what its IR says block by block.
FORMS_OF = {spec: [form for form in FORMS if form != "json" or spec.stem not in LARGE] for spec in SPECS}
RULE = "\n" + "-" * 80 + "\n"


def case_name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def checked_case(case: Path, monkeypatch: pytest.MonkeyPatch) -> Checked:
    monkeypatch.chdir(case.parent)
    first = case.read_text().partition("\n")[0]
    words = shlex.split(first) if first.startswith("# netc check ") else []
    settings = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    return check_file(case.name, None, dict(pair.split("=", 1) for pair in settings))


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_mistake(case: Path, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = checked_case(case, monkeypatch)
    golden.check(case.with_suffix(".txt"), case.read_text() + RULE + render_all(checked.problems) + "\n")
    assert {problem.code for problem in checked.problems} == {case.parent.name}


@pytest.mark.parametrize("name", MADE)
def test_situation(name: str, golden: Golden, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    situation = MADE[name]
    monkeypatch.chdir(tmp_path)
    problems: tuple[Problem, ...] = situation(tmp_path)
    rendered = render_all(problems).replace(str(tmp_path), "TMP")
    golden.check(ERRORS / f"{name}.txt", f"{situation.__doc__}\n{RULE}{rendered}\n")
    assert {problem.code for problem in problems} == {name.partition("/")[0]}


@pytest.mark.parametrize(
    ("spec", "form"),
    [(s, f) for s, forms in FORMS_OF.items() for f in forms],
    ids=lambda part: getattr(part, "stem", part),
)
def test_spec(spec: Path, form: str, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(spec.parents[1])
    programs = check_file(f"specs/{spec.name}").programs
    golden.check(GOLDEN / "specs" / f"{spec.stem}.{form}", "---\n".join(map(FORMS[form], programs)))


def test_no_golden_file_is_left_over(golden: Golden) -> None:
    texts = {case.with_suffix(".txt") for case in CASES} | {ERRORS / f"{name}.txt" for name in MADE}
    golden.check_no_more(ERRORS, texts | set(ERRORS.rglob("*.net")))
    golden.check_no_more(
        GOLDEN / "specs", {GOLDEN / "specs" / f"{s.stem}.{f}" for s, forms in FORMS_OF.items() for f in forms}
    )


def test_every_problem_has_a_case() -> None:
    shown = {case.parent.name for case in CASES} | {name.partition("/")[0] for name in MADE}
    assert {problem.code for problem in PROBLEMS} == shown
