"""What is to be trained: a recipe of a .net file, or of a run that is repeated. Nothing is loaded yet."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from netc.api import check_any, spell
from netc.check.problems import UnknownName
from netc.check.program import Checked
from netc.check.recipe import EITHER
from netc.compiler import SPECS, check_source, folder_of
from netc.ir.network import Program, Recipe
from netc.problems import CompileError, Problem, RunError
from netc.recipes.problems import BadConfig, NoRecipe
from netc.source import Source
from netc.syntax import tree
from netc.syntax.problems import Unreadable
from netc.training.config import Config, config_path, read_config
from netc.training.matching import is_folder
from netc.training.run import SOURCE

SHIPPED = "specs:"
"""Stands for the folder of the shipped specs, which is another one on another machine."""


@dataclass(frozen=True)
class Plan:
    """A checked file, the net and recipe chosen of it, and its data: None, a folder, or the data themselves.

    `base` is the folder from which the paths in the recipe start; `workers` is how many processes read data on disk.
    """

    checked: Checked
    program: Program
    recipe: Recipe
    base: Path
    data: Any
    workers: int = 0


def plan_file(
    source: str | os.PathLike[str],
    data: Any = None,
    set: Mapping[str, object] | None = None,
    net: str | None = None,
    recipe: str | None = None,
) -> Plan:
    """The recipe of that name in a file or text, or the only one, or the one that has the name of its net."""
    return plan_checked(check_any(source, net, set or {}, recipe), data)


def plan_checked(checked: Checked, data: Any = None) -> Plan:
    """The only recipe of a file that has been checked, or the one that has the name of its net."""
    program, chosen = choose(checked)
    assert checked.source is not None
    return Plan(checked, program, chosen, folder_of(checked.source).absolute(), data)


def choose(checked: Checked) -> tuple[Program, Recipe]:
    """The only recipe, or of several the one that has the name of its net, with that net."""
    if checked.errors:
        raise CompileError(checked.errors)
    recipes = checked.recipes
    plain = [recipe for recipe in recipes if recipe.name == recipe.net]
    if len(recipes) != 1 and len(plain) != 1:
        reason = "there are several recipes" if recipes else "the file has no recipe"
        raise RunError([NoRecipe(reason=reason, known=tuple(recipe.name for recipe in recipes))])
    recipe = recipes[0] if len(recipes) == 1 else plain[0]
    return next(p for p in checked.programs if p.root.name == recipe.net), recipe


def plan_config(
    path: Path,
    data: Any = None,
    set: Mapping[str, object] | None = None,
    source: str | None = None,
    net: str | None = None,
    recipe: str | None = None,
) -> Plan:
    """What a run.yaml says, from its folder alone. `set` and `data` replace what it says; the source, net and recipe
    may be named again, but not others."""
    path = config_path(path)
    config = read_config(path)
    refuse_contradictions(path, config, source, net, recipe)
    if config.from_python and data is None:
        reason = "the run's data were given from Python, and are not kept"
        way_out = "repeat it from Python: `netc.train(..., data=...)`, or name a folder with `--data`"
        raise RunError([BadConfig(path=str(path), key="from_python", reason=reason, way_out=way_out)])
    return restored(path, config, {key: spell(v) for key, v in (set or {}).items()}, data)


def refuse_contradictions(path: Path, config: Config, source: str | None, net: str | None, recipe: str | None) -> None:
    for what, given, kept in (("net", net, config.net), ("recipe", recipe, config.recipe)):
        if given not in (None, kept):
            reason, way_out = f"it is of `{kept}`, and `{given}` is asked for", f"leave `{given}` or `--config` out"
            raise RunError([BadConfig(path=str(path), key=what, reason=reason, way_out=way_out)])
    if source is None:
        return
    ours, theirs = Path(source), path.parent / SOURCE
    if not ours.is_file() or not theirs.is_file() or ours.read_bytes().strip() != theirs.read_bytes().strip():
        reason = f"the run keeps its own source, and `{source}` is another"
        way_out = f"leave `{source}` out to repeat the run, or leave `--config` out"
        raise RunError([BadConfig(path=str(path), key="files", reason=reason, way_out=way_out)])


def restored(path: Path, config: Config, own: Mapping[str, str] | None = None, data: Any = None) -> Plan:
    """The plan of a run, from what its folder keeps; `own` settings replace those of the run."""
    settings = config.settings()
    replaced = {bare(name) for name in own or {}} | {EITHER.get(bare(name), "") for name in own or {}}
    settings = {name: text for name, text in settings.items() if bare(name) not in replaced} | dict(own or {})
    sources = read_sources(path, config)

    def find(name: str, use: tree.Use) -> Source | Problem:
        reason = f"the run's folder keeps no copy of it (`files` in {path})"
        return sources.get(name) or Unreadable(span=use.span, path=name, reason=reason)

    main = sources[machine_name(config.files[SOURCE])]
    checked = check_source(main, config.net, settings, config.recipe, find)
    blame(path, checked, config.settings().keys() - replaced)
    program, recipe = choose(checked)
    if "metric" not in replaced:
        names = tuple(config.train.get("metric", {}))
        recipe = replace(recipe, metrics=tuple(zip(names, (term for _, term in recipe.metrics), strict=True)))
    return Plan(checked, program, recipe, Path(config.folder), config.data if data is None else data)


def bare(name: str) -> str:
    return name.removeprefix("net.").removeprefix("train.")


def blame(path: Path, checked: Checked, names: set[str]) -> None:
    """Problems with a net, recipe or setting of the run.yaml are problems of that file."""
    for problem in checked.errors:
        if (key := blamed(problem)) in names | {"net", "recipe"}:
            shown = f"parameters.{bare(key)}" if key.startswith("net.") else key
            raise RunError([BadConfig(path=str(path), key=shown, reason=problem.message(), way_out=problem.help())])


def blamed(problem: Problem) -> str:
    """The setting that a problem is in, or `net` or `recipe` where there is none of the name asked for."""
    if problem.span is not None:
        return problem.span.source.name.removeprefix("--set ")
    if isinstance(problem, UnknownName):
        return problem.name if problem.what == "setting" else problem.what
    return ""


def kept_names(checked: Checked) -> dict[str, Source]:
    """Where a run's folder keeps the sources of a file."""
    assert checked.source is not None
    used = {f"use/{i}-{Path(source.name).name}": source for i, source in enumerate(checked.used, 1)}
    return {SOURCE: checked.source, **used}


def kept_files(checked: Checked) -> dict[str, str]:
    """The kept names, with the names that `use` lines and problems know the sources by."""
    return {name: portable_name(source.name) for name, source in kept_names(checked).items()}


def portable_name(name: str) -> str:
    path = Path(name)
    return SHIPPED + path.relative_to(SPECS).as_posix() if path.is_relative_to(SPECS) else name


def machine_name(name: str) -> str:
    return str(SPECS / name.removeprefix(SHIPPED)) if name.startswith(SHIPPED) else name


def read_sources(path: Path, config: Config) -> dict[str, Source]:
    """The kept sources by their names on this machine."""
    found: dict[str, Source] = {}
    for name, original in config.files.items():
        try:
            text = (path.parent / name).read_bytes().decode()
        except (OSError, UnicodeDecodeError) as failure:
            reason = f"the kept source `{name}` cannot be read ({failure})"
            raise RunError([BadConfig(path=str(path), key="files", reason=reason)]) from failure
        found[machine_name(original)] = Source(machine_name(original), text)
    return found


def data_folder(data: Any) -> str | None:
    """What a run.yaml says of where the data are."""
    return str(Path(data).absolute()) if data is not None and is_folder(data) else None
