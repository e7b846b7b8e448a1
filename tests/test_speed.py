"""What makes commands that compute faster costs nobody else anything: kept programs, and the allocator."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from netc.cli import speed

JAX = "JAX_COMPILATION_CACHE_DIR"


@pytest.fixture
def none_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Nothing of it is set, and what a test sets is undone."""
    for name in (JAX, "JAX_COMPILATION_CACHE_MAX_SIZE", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", speed.CACHE):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(speed, "keep_memory", lambda: None)
    yield monkeypatch


def test_programs_are_kept_by_processor_in_the_users_cache(none_set: pytest.MonkeyPatch, tmp_path: Path) -> None:
    none_set.setattr(sys, "platform", "linux")
    none_set.setenv("XDG_CACHE_HOME", str(tmp_path))
    speed.prepare()
    folder = Path(os.environ[JAX])
    assert folder.parent == tmp_path / "netc" and folder.name == f"compiled-{speed.processor()}" and folder.is_dir()
    assert os.environ["JAX_COMPILATION_CACHE_MAX_SIZE"] == str(2**30)


def test_what_the_user_sets_stays_and_off_is_off(none_set: pytest.MonkeyPatch, tmp_path: Path) -> None:
    none_set.setenv(speed.CACHE, "off")
    speed.prepare()
    assert JAX not in os.environ
    none_set.setenv(speed.CACHE, str(tmp_path))
    none_set.setenv(JAX, "theirs")
    speed.prepare()
    assert os.environ[JAX] == "theirs" and not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_is_no_obstacle(none_set: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    none_set.setenv(speed.CACHE, str(file))
    speed.prepare()
    assert JAX not in os.environ


def test_a_damaged_program_is_dropped_without_a_word(none_set: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[str] = []
    none_set.setattr(warnings, "showwarning", lambda message, *place: said.append(message))
    none_set.setenv(speed.CACHE, str(tmp_path))
    speed.prepare()
    folder = Path(os.environ[JAX])
    for name in ("jit_step-12-cache", "jit_step-12-atime", "jit_steps-3-cache"):
        (folder / name).write_text("?")
    text = "Error reading persistent compilation cache entry for 'jit_step': ZstdError: no"
    warnings.showwarning(text, UserWarning, "compiler.py", 1)
    assert [path.name for path in folder.iterdir()] == ["jit_steps-3-cache"] and not said
    warnings.showwarning("Something else", UserWarning, "compiler.py", 1)
    assert said == ["Something else"]


def test_only_commands_that_compute_set_it() -> None:
    code = (
        "import os, sys, netc, netc.cli.main as main\n"
        "main.group.get_command(None, 'check')\n"
        "assert 'netc.cli.speed' not in sys.modules and 'jax' not in sys.modules\n"
        "main.group.get_command(None, 'train')\n"
        "assert os.environ['JAX_COMPILATION_CACHE_DIR'].startswith(os.environ['NETC_CACHE'])\n"
    )
    bare = {name: value for name, value in os.environ.items() if name != JAX}
    subprocess.run([sys.executable, "-c", code], check=True, env={**bare, "NETC_CACHE": os.environ[JAX]})
