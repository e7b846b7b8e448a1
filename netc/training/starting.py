"""The first weights of a training that starts from a run."""

from dataclasses import replace
from pathlib import Path

from netc.export.weights import read_fitting
from netc.ir.constraints import matches
from netc.ir.network import Program, Recipe
from netc.model import Model, origin_of, set_weights, weights_of
from netc.problems import RunError
from netc.recipes.problems import WeightsMismatch
from netc.recipes.starts import STARTS, Run
from netc.training.run import CONFIG, WEIGHTS, not_a_run
from netc.types import show_shape

ROWS = {row.kind: row for row in STARTS}


def located(recipe: Recipe, base: Path) -> Recipe:
    """The recipe with the whole path of the run that it starts from, which is what its own run keeps.

    It is looked for from the folder of the .net file, as all that a recipe names, and else from the working folder.
    """
    if recipe.start is None:
        return recipe
    folder = run_of(recipe).folder
    path = next((p for p in (base / folder, Path(folder)) if (p / CONFIG).is_file()), None)
    if path is None:
        tried = " or ".join(dict.fromkeys(f"`{p.absolute()}`" for p in (base / folder, Path(folder))))
        raise not_a_run(Path(folder), f"there is no {CONFIG} in {tried}")
    if not (path / WEIGHTS).is_file():
        raise not_a_run(path, f"it has no {WEIGHTS}")
    named = tuple((n, v) for n, v in recipe.start.named if n != "folder")
    return replace(recipe, start=replace(recipe.start, named=(("folder", str(path.absolute())), *named)))


def start_from_run(model: Model, program: Program, recipe: Recipe) -> None:
    """Puts the run's weights into a new model; raises `RunError` with all that do not fit."""
    if recipe.start is None:
        return
    run = run_of(recipe)
    taken = {
        name: weight.shape
        for name, weight in program.weights()
        if not any(matches(selector, name) for selector in run.fresh)
    }
    path = Path(run.folder) / WEIGHTS
    found, shapes = read_fitting(path, taken)
    if any(name[0].isdigit() for name in shapes):
        text, way_out = "it holds the weights of an ensemble's members", "start from a run of one net"
        raise RunError([WeightsMismatch(path=str(path), text=text, way_out=way_out, span=recipe.start.span)])
    wrong = [name for name in taken if name not in found]
    if wrong:
        net = program.root.name
        listed = "; ".join(
            f"`{name}` is {show_shape(taken[name])} in `{net}`, and "
            + (f"{show_shape(shapes[name])} in the run" if name in shapes else "the run has none")
            for name in wrong
        )
        fresh = ", ".join(dict.fromkeys((*run.fresh, *(name.rpartition(".")[0] or name for name in wrong))))
        way_out = f"name what is to start anew: `start = run(..., fresh = [{fresh}])`"
        raise RunError([WeightsMismatch(path=str(path), text=listed, way_out=way_out, span=recipe.start.span)])
    set_weights(model, origin_of(model)[1], {**weights_of(model, origin_of(model)[1]), **found})


def run_of(recipe: Recipe) -> Run:
    assert recipe.start is not None
    row = ROWS[recipe.start.name](**dict(recipe.start.named))
    assert isinstance(row, Run)
    return row
