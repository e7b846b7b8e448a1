"""Training from Python and the command line: `train` a recipe into a run folder, `load` and `evaluate` it."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import yaml

from netc.api import check_any, spell
from netc.check.program import Checked
from netc.check.recipe import fed_by
from netc.check.rows import data_entry
from netc.compiler import check_text, flax_source
from netc.ir.network import Applied, Arithmetic, DataField, Output, Program, Recipe, Term
from netc.model import Model, build_module, set_weights, weights_of
from netc.problems import CompileError, RunError
from netc.recipes.losses import LOSSES
from netc.recipes.metrics import METRICS
from netc.recipes.problems import DataMismatch, NoRecipe
from netc.training import data as sets
from netc.training import run as folders
from netc.training.loop import Epoch, fit, functions
from netc.training.loop import evaluate as evaluate_model
from netc.training.prepare import Preparer, fit_preparation
from netc.training.run import Run
from netc.types import Element, Type

__all__ = ["Run", "evaluate", "load", "train"]


def train(
    source: str | os.PathLike[str],
    data: Any = None,
    out: str | os.PathLike[str] | None = None,
    set: Mapping[str, object] | None = None,
    net: str | None = None,
    recipe: str | None = None,
    watch: Callable[[Epoch], None] | None = None,
) -> Run:
    """Trains a recipe of a .net file or text, and leaves everything in the folder `out` (`runs/NAME` if left out).

    `data` is the folder of a named data set, or the data themselves: a dict or tuple of arrays, or an iterable of
    batches of them. `set` overrides fields of the recipe and parameters of the net. `watch` is called after
    each epoch. Raises `CompileError` or `RunError`.
    """
    checked = check_any(source, net, set or {})
    program, chosen = choose(checked, recipe)
    assert checked.source is not None
    base = Path(checked.source.name).parent if checked.source.name != "<text>" else Path()
    loaded, preparer, chosen = prepare(chosen, program, data, base)
    folder = Path(out) if out is not None else folders.free_folder(chosen.name)
    folders.create(folder)
    write_config(folder, checked, program, chosen, preparer, data, set or {})
    model = build_module(program, chosen.seed)
    emitted = flax_source(program)
    result = Run(folder, model)
    try:
        for epoch in fit(model, program, chosen, loaded.train, loaded.test):
            result.history.append(asdict(epoch))
            folders.append(folder / folders.METRICS, json.dumps(asdict(epoch)))
            if watch:
                watch(epoch)
    finally:
        folders.write_weights(folder, weights_of(model, emitted))
    model.prepare_with(preparer)
    return result


def choose(checked: Checked, name: str | None) -> tuple[Program, Recipe]:
    """The recipe of that name, or the only one, with its net."""
    if checked.errors:
        raise CompileError(checked.errors)
    names = tuple(recipe.name for recipe in checked.recipes)
    found = [recipe for recipe in checked.recipes if name in (None, recipe.name)]
    if len(found) != 1:
        reason = (
            "the file has no recipe"
            if not names
            else f"there is no recipe `{name}`"
            if name
            else "there are several recipes"
        )
        raise RunError([NoRecipe(reason=reason, known=names)])
    return next(p for p in checked.programs if p.root.name == found[0].net), found[0]


def prepare(recipe: Recipe, program: Program, data: Any, base: Path) -> tuple[sets.Data, Preparer, Recipe]:
    """The data of a recipe, checked and prepared; the recipe with its feeds made sure of."""
    if data is None or isinstance(data, str | os.PathLike):
        loaded = sets.load(data_entry(recipe.data), None if data is None else os.fspath(data), base)
    else:
        loaded = sets.from_python(data, fields_of(recipe))
    feeds = fed_by(program.root, {name: t for name, t in loaded.types.items() if t.shape or len(loaded.types) == 1})
    recipe = replace(recipe, feeds=feeds)
    sets.check_values(loaded, {})
    missing = [field for field in fields_of(recipe) if field not in loaded.types]
    if missing:
        text = f"the recipe uses the field `{missing[0]}`, and the data have {', '.join(loaded.types)}"
        raise RunError([DataMismatch(text=text)])
    refuse_types(recipe, program, loaded.types)
    images = [n for n, t in loaded.types.items() if t.shape and t.element.name == "f32"]
    preparer = fit_preparation(recipe.prepare, loaded.train[images[0]]) if images else Preparer([])
    train, test = (
        {n: preparer(a) if n in images else a for n, a in arrays.items()} for arrays in (loaded.train, loaded.test)
    )
    for name, field in recipe.feeds:
        if train[field].shape[1:] != program.root.types[name].shape:
            found = list(train[field].shape[1:])
            text = f"the input `{name}` is {program.root.types[name]}, and the data's `{field}` {found}"
            raise RunError([DataMismatch(text=text)])
    return replace(loaded, train=train, test=test), preparer, recipe


def refuse_types(recipe: Recipe, program: Program, types: Mapping[str, Type]) -> None:
    """Checks losses and metrics against data whose types were not known when the recipe was checked."""
    outputs = {name: program.root.types[value] for name, value in program.root.outputs}
    table = {entry.kind: entry for entry in (*LOSSES, *METRICS)}
    for term in applied_terms((recipe.loss, *(metric for _, metric in recipe.metrics))):
        found = [
            outputs[o.name] if isinstance(o, Output) else types[o.name]
            for o in term.positional
            if isinstance(o, Output | DataField)
        ]
        # Labels that happen not to reach the last class are labels of all the classes that the net tells apart.
        classes = found[0].channels if found[0].shape else 0
        found = [
            Type(t.shape, Element("class", max(classes, t.element.size)))
            if t.element.name == "class" and t.element.size
            else t
            for t in found
        ]
        refusal = table[term.name](**dict(term.named)).refuse(tuple(found))
        if refusal:
            raise RunError([DataMismatch(span=term.span, text=refusal.message, way_out=refusal.help)])


def applied_terms(terms: tuple[Term, ...]) -> list[Applied]:
    """The losses and metrics inside terms."""
    found: list[Applied] = []
    for term in terms:
        match term:
            case Applied():
                found.append(term)
            case Arithmetic(left=left, right=right):
                found += applied_terms((left, right))
            case _:
                pass
    return found


def fields_of(recipe: Recipe) -> tuple[str, ...]:
    """The fields of the data that a recipe uses: those that feed inputs, then those of its loss and metrics."""
    found: dict[str, None] = {field: None for _, field in recipe.feeds}
    for term in applied_terms((recipe.loss, *(metric for _, metric in recipe.metrics))):
        found |= {operand.name: None for operand in term.positional if isinstance(operand, DataField)}
    return tuple(found)


def write_config(
    folder: Path,
    checked: Checked,
    program: Program,
    recipe: Recipe,
    preparer: Preparer,
    data: Any,
    set: Mapping[str, object],
) -> None:
    assert checked.source is not None
    settings = {key: spell(value) for key, value in set.items()}
    numbers = {"batch": recipe.batch, "epochs": recipe.epochs, "steps": recipe.steps, "seed": recipe.seed}
    settings |= {name: str(value) for name, value in numbers.items() if value is not None}
    config = {
        "source": checked.source.name,
        "net": program.root.name,
        "recipe": recipe.name,
        "data": os.fspath(data) if isinstance(data, str | os.PathLike) else None,
        "settings": settings,
        "preparation": preparer.steps,
    }
    folders.write(folder / folders.SOURCE, checked.source.text.encode())
    folders.write(folder / folders.CONFIG, yaml.safe_dump(config, sort_keys=False).encode())


def open_run(folder: str | os.PathLike[str]) -> tuple[Model, Program, Recipe, dict[str, Any]]:
    """A run's model with its trained weights, its program, recipe and configuration."""
    config, text, weights = folders.read(Path(folder))
    checked = check_text(text, config["source"], None, config["settings"])
    program, recipe = choose(checked, config["recipe"])
    emitted = flax_source(program)
    shapes = {name: w.shape for name, w in program.weights()}
    if {name: w.shape for name, w in weights.items()} != shapes:
        raise RunError([folders.not_a_run(Path(folder), "its weights are not those of its net")])
    model = build_module(program, recipe.seed)
    set_weights(model, emitted, weights)
    model.prepare_with(Preparer(config["preparation"]))
    return model, program, recipe, config


def load(folder: str | os.PathLike[str]) -> Model:
    """The trained model of a run; its `predict` prepares images as its training did."""
    return open_run(folder)[0]


def evaluate(folder: str | os.PathLike[str], data: Any = None) -> dict[str, float]:
    """The loss and metrics of a run on its test set."""
    model, program, recipe, config = open_run(folder)
    loaded, _, recipe = prepare(
        recipe, program, config["data"] if data is None else data, Path(config["source"]).parent
    )
    return evaluate_model(model, functions(program, recipe), loaded.test)
