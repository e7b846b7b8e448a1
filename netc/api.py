"""Compiling from Python: `compile` a file or text, then make the net's Flax module or print its source."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from netc.check.program import Checked
from netc.compiler import check_file, check_text, flax_source, programs
from netc.ir.network import Program, Recipe
from netc.problems import Problem

if TYPE_CHECKING:
    from netc.model import Model


@dataclass(frozen=True)
class CompiledNet:
    """A net that has been checked: its IR, the recipes that fit it, and the warnings about its file, with what is wrong
    with its other recipes."""

    program: Program
    recipes: tuple[Recipe, ...]
    warnings: tuple[Problem, ...]

    @property
    def name(self) -> str:
        return self.program.root.name

    def init(self, seed: int = 0) -> "Model":
        """The net as a `flax.nnx.Module` with fresh weights."""
        from netc.model import build_module

        return build_module(self.program, seed)

    def source(self, portable: bool = False) -> str:
        """The Flax source of the net; portable source needs jax and flax alone."""
        return flax_source(self.program, portable).source


def compile(
    source: str | os.PathLike[str], *, net: str | None = None, set: Mapping[str, object] | None = None
) -> CompiledNet:
    """Compiles a .net file (a path) or text (a string with a line break or brace in it).

    `net` chooses one of several nets (the last one, if left out); `set` gives values to its parameters.
    Raises `CompileError` with every problem, unless recipes alone have any.
    """
    checked = check_any(source, net, set or {})
    program = programs(checked)[-1]
    recipes = tuple(recipe for recipe in checked.recipes if recipe.net == program.root.name)
    return CompiledNet(program, recipes, checked.problems)


def check_any(
    source: str | os.PathLike[str], net: str | None, set: Mapping[str, object], recipe: str | None = None
) -> Checked:
    """Checks a path or a text."""
    settings = {key: spell(value) for key, value in set.items()}
    if isinstance(source, str) and ("\n" in source or "{" in source):
        return check_text(source, net=net, settings=settings, recipe=recipe)
    return check_file(os.fspath(source), net, settings, recipe)


def spell(value: object) -> str:
    """A Python value as the language writes it."""
    match value:
        case bool():
            return str(value).lower()
        case list() | tuple():
            return "[" + ", ".join(spell(item) for item in value) + "]"
        case _:
            return str(value)
