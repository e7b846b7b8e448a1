"""Golden files: `pytest --update-golden` writes them anew; without it, one that is missing or differs fails.

XLA compiles each program once in a session: its executables are kept on disk for other tests, workers and subprocesses.
"""

import difflib
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
RENEW = "look at the difference; if the new text is right, run `pytest --update-golden`"


@dataclass(frozen=True)
class Golden:
    """Compares texts with the files that hold what they should be."""

    update: bool

    def check(self, path: Path, text: str) -> None:
        """Compares a text with a golden file, or writes the file anew."""
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            return
        name = path.relative_to(GOLDEN.parent)
        if not path.exists():
            pytest.fail(f"the golden file {name} is missing: {RENEW}\n\n{text}", pytrace=False)
        kept = path.read_text()
        if kept != text:
            difference = difflib.unified_diff(kept.splitlines(), text.splitlines(), str(name), "now", lineterm="")
            pytest.fail(f"{name} is not current: {RENEW}\n\n" + "\n".join(difference), pytrace=False)

    def check_no_more(self, folder: Path, wanted: set[Path]) -> None:
        """Fails for files of a folder that nothing makes any more, or removes them."""
        orphans = {path for path in folder.rglob("*") if path.is_file()} - wanted
        if self.update:
            for path in orphans:
                path.unlink()
        elif orphans:
            listed = "\n".join(str(path.relative_to(GOLDEN.parent)) for path in sorted(orphans))
            pytest.fail(f"nothing makes these files any more: {RENEW}\n\n{listed}", pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    """Before JAX is imported; workers and subprocesses inherit it. It is removed at the end of the session, unless that
    is killed."""
    if not hasattr(config, "workerinput"):
        compiled = tempfile.TemporaryDirectory(prefix="netc-tests-")
        config.add_cleanup(compiled.cleanup)
        os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled.name
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(bool(request.config.getoption("--update-golden")))


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C as on a terminal, for this process and those that it starts: what a shell runs in its background ignores
    it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
