"""Every example runs, in a folder of its own, and comes to what it says."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))

GOOD: dict[str, Callable[[Any, str], bool]] = {
    "compile_and_call": lambda made, said: made.shape == (3, 4) and "did you mean `dense`?" in said,
    "ensemble": lambda made, said: made[0] > 0.85 and made[1] > 0.9,
    "from_pytorch": lambda made, said: np.allclose(*made, atol=1e-5) and "difference" in said,
    "own_data": lambda made, said: made > 0.9 and "runs/Spirals" in said,
    "part_of_a_module": lambda made, said: made[1] < made[0] / 3,
    "without_netc": lambda made, said: made[0].shape == (4, 10) and np.allclose(*made, rtol=1e-5),
}
"""What an example's `main` gives and prints."""


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    made = runpy.run_path(str(path))["main"]()
    assert GOOD[path.stem](made, capsys.readouterr().out)


def test_every_result_has_its_example() -> None:
    assert GOOD.keys() == {path.stem for path in EXAMPLES}
