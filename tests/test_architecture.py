"""Imports go one way (docs/architecture.md), and the front half leaves JAX and NumPy to the other."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FRONT = (
    "source",
    "problems",
    "rendering",
    "arguments",
    "types",
    "syntax",
    "layers",
    "ir",
    "recipes",
    "check",
    "passes",
    "emit",
)
FRONT_ON_FILES = ("files", "compiler", "examples", "explain", "reference", "api")
BACK = ("kernels", "model", "verification", "export", "importing", "training", "diagnosis")
ORDER = (*FRONT, *FRONT_ON_FILES, *BACK, "cli", "__main__")
"""Each part may import those before it, and itself."""
ARRAYS = {
    "jax",
    "flax",
    "optax",
    "numpy",
    "yaml",
    "safetensors",
    "sklearn",
    "PIL",
    "rich",
    "torch",
    "h5py",
    "tensorboardX",
    "ray",
}


def imported(tree: ast.Module, anywhere: bool) -> Iterator[str]:
    """The modules that a module imports when it is imported itself, or ever."""
    nodes = ast.walk(tree) if anywhere else iter(tree.body)
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module="netc", names=names):
                yield from (f"netc.{alias.name}" for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module
            case _:
                pass


def part(module: str) -> str:
    return module.split(".")[1]


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text())
    for path in sorted((ROOT / "netc").rglob("*.py"))
    if path != ROOT / "netc" / "__init__.py"
}


def test_every_part_has_its_place() -> None:
    assert {part(module) for module in MODULES} == set(ORDER)


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module: str) -> None:
    own = part(module)
    used = {part(name) for name in imported(MODULES[module], anywhere=False) if name.startswith("netc.")}
    used &= set(ORDER)
    assert {other for other in used if ORDER.index(other) > ORDER.index(own)} == set()


@pytest.mark.parametrize("module", [module for module in MODULES if part(module) in FRONT])
def test_the_pure_half_knows_no_arrays(module: str) -> None:
    """`yaml` alone is imported, by the function that writes it."""
    names = {name.split(".")[0] for name in imported(MODULES[module], anywhere=True)}
    assert names & (ARRAYS - {"yaml"}) == set()
    assert {name.split(".")[0] for name in imported(MODULES[module], anywhere=False)} & ARRAYS == set()


LOADED = "import sys{}; assert not {{'jax', 'flax', 'optax', 'numpy'}} & set(sys.modules), 'loaded'"


@pytest.mark.parametrize("modules", ["netc", "netc.cli.main, netc.cli.front", "netc.explain", "netc.reference"])
def test_what_needs_no_jax_leaves_it_unloaded(modules: str) -> None:
    subprocess.run([sys.executable, "-c", LOADED.format(f", {modules}")], check=True, cwd=ROOT)


def test_that_test_can_fail() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(", netc.model")], check=False, cwd=ROOT, capture_output=True
    )
    assert b"loaded" in done.stderr
