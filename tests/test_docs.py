"""The documentation is real: examples are checked, and commands are run and print what it says they print.

A ```net block is checked, and in canonical layout; `net not-yet` says that and nothing else; `net NAME.net` is a file
for the commands of the ```console blocks of its page.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from netc.check.problems import NotYet
from netc.compiler import check_text
from netc.problems import Problem
from netc.rendering import render_all
from netc.syntax.format import format_text

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```(net|console)(?: ([\w.-]+))?\n(.*?)^```", re.M | re.S)
BLOCKS = [(page, *found) for page in PAGES for found in BLOCK.findall(page.read_text())]
NETS = [(page, note, text) for page, language, note, text in BLOCKS if language == "net"]
CONSOLES = [(page, text) for page, language, _, text in BLOCKS if language == "console"]
EXAMPLES = [pytest.param(note, text, id=f"{page.stem}-{i}") for i, (page, note, text) in enumerate(NETS)]


@pytest.mark.parametrize(("note", "text"), EXAMPLES)
def test_example_is_checked_and_in_canonical_layout(note: str, text: str) -> None:
    problems = check_text(text).problems
    if note == "not-yet":
        assert problems and all(isinstance(p, NotYet) for p in problems), render_all(problems)
    else:
        assert bool(problems) == bool(note), render_all(problems)
    formatted = format_text(text)
    assert not isinstance(formatted, Problem)
    assert formatted == text


@pytest.mark.parametrize(("page", "text"), CONSOLES, ids=lambda x: x.stem if isinstance(x, Path) else None)
def test_commands_print_what_the_page_says(page: Path, text: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    for other, note, content in NETS:
        if other == page and note.endswith(".net"):
            (tmp_path / note).write_text(content)
    for command, expected in re.findall(r"^\$ netc (.*)\n((?:(?!\$ ).*\n)*)", text, re.M):
        line = [sys.executable, "-m", "netc", *command.split()]
        done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.stdout + done.stderr == expected.rstrip("\n") + "\n"
