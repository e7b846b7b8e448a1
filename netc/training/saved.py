"""What a run folder gives back: its trained model, and its measure on data."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netc.ir.network import Program, Recipe
from netc.model import Model, build_module, origin_of, set_weights
from netc.problems import RunError
from netc.recipes.problems import DataMismatch
from netc.training.config import Config, read_config
from netc.training.evaluation import evaluate as evaluate_model
from netc.training.evaluation import functions
from netc.training.job import preparers
from netc.training.matching import match
from netc.training.plan import Plan, restored
from netc.training.run import BEST, CONFIG, WEIGHTS, read_weights, refuse_missing_run


@dataclass(frozen=True)
class Saved:
    """A run as its folder keeps it."""

    folder: Path
    config: Config
    plan: Plan
    model: Model

    @property
    def program(self) -> Program:
        return self.plan.program

    @property
    def recipe(self) -> Recipe:
        return self.plan.recipe


def open_run(folder: str | os.PathLike[str], best: bool = False) -> Saved:
    """A run's net with its weights, the latest or the best epoch's; raises `RunError` for folders that hold none."""
    place = Path(folder)
    refuse_missing_run(place)
    config = read_config(place / CONFIG)
    plan = restored(place / CONFIG, config)
    weights = read_weights(place, plan.program, BEST if best else WEIGHTS)
    model = build_module(plan.program, plan.recipe.seed, preparers(plan.recipe, config.fields))
    set_weights(model, origin_of(model)[1], weights)
    return Saved(place, config, plan, model)


def load(folder: str | os.PathLike[str], best: bool = False) -> Model:
    """The trained model of a run, a `flax.nnx.Module`; its `predict` prepares inputs as the training did.

    `best` asks for the weights of the best epoch, which a recipe keeps by `checkpoint = every(best = loss)`.
    """
    return open_run(folder, best).model


def evaluate(folder: str | os.PathLike[str], data: Any = None, best: bool = False) -> dict[str, Any]:
    """The loss and metrics of a run, by name, on the test set of its own data or of others.

    `data` is as for `train`; where it is given as arrays without `test_NAME` fields, all examples are measured.
    """
    run = open_run(folder, best)
    if run.config.from_python and data is None:
        way_out = f"measure it from Python: `netc.evaluate({str(folder)!r}, data=...)`, or name a folder with `--data`"
        raise RunError([DataMismatch(text="the run's data were given from Python, and are not kept", way_out=way_out)])
    given = run.plan.data if data is None else data
    matched = match(run.recipe, run.program, given, run.plan.base, run.config.fields, split=False)
    return evaluate_model(run.model, functions(run.program, matched.recipe), matched.data.test)
