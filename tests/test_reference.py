"""The generated pages of docs/ are what `netc.reference` makes of the tables, and `netc explain` knows every name."""

import subprocess
import sys
from pathlib import Path

import pytest

from netc.explain import GROUPS, PROBLEMS, explain_name, list_names
from netc.reference import PAGES, ROOT

NAMES = sorted({name for entries in GROUPS.values() for name in entries})


@pytest.mark.parametrize("name", PAGES)
def test_page_is_current(name: str) -> None:
    page = ROOT / "docs" / name
    assert page.exists() and page.read_text() == PAGES[name]() + "\n", f"docs/{name} is not current: run `make docs`"


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_explained(name: str) -> None:
    found, text = explain_name(name)
    assert found and name in text and len(text.splitlines()) > 2
    assert name in list_names()


def test_codes_are_unique_and_documented() -> None:
    assert len({problem.code for problem in PROBLEMS}) == len(PROBLEMS)
    assert all(problem.__doc__ and not problem.__doc__.startswith(problem.__name__ + "(") for problem in PROBLEMS)


def test_an_unknown_name_gets_the_nearest() -> None:
    assert explain_name("shape-mismach") == (False, "nothing is called `shape-mismach`: did you mean `shape-mismatch`?")
    assert explain_name("qqqqq") == (False, "nothing is called `qqqqq`: `netc explain` lists names")


def test_explaining_what_goes_wrong_in_a_run_leaves_jax_unloaded() -> None:
    code = (
        "import sys\nfrom netc.explain import explain_name\nassert explain_name('not-finite')[0]\n"
        "assert explain_name('conv')[0]\n"
        "assert not {'jax', 'flax', 'optax', 'numpy', 'yaml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
