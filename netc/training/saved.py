"""What a run folder gives back: its trained model, and its measure on data."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netc.ir.network import Program, Recipe
from netc.model import Model, origin_of, set_weights
from netc.problems import RunError
from netc.recipes.problems import DataMismatch
from netc.training.config import Config, read_config
from netc.training.evaluation import evaluate as evaluate_model
from netc.training.evaluation import functions
from netc.training.job import preparers
from netc.training.matching import match
from netc.training.members import build_model, spread
from netc.training.plan import Plan, restored
from netc.training.run import CONFIG, not_a_run, read_weights


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


def open_run(folder: str | os.PathLike[str]) -> Saved:
    """A run's net with its trained weights; raises `RunError` for folders that hold none."""
    place = Path(folder)
    if not place.is_dir():
        raise not_a_run(place, "it is a file, and a run is a folder" if place.exists() else "there is no such folder")
    if not (place / CONFIG).is_file():
        raise not_a_run(place, f"it has no {CONFIG}")
    config = read_config(place / CONFIG)
    plan = restored(place / CONFIG, config)
    model = build_model(plan.program, plan.recipe, preparers(plan.recipe, config.fields))
    set_weights(model, origin_of(model)[1], read_weights(place, model))
    spread(model)
    return Saved(place, config, plan, model)


def load(folder: str | os.PathLike[str]) -> Model:
    """The trained model of a run, a `flax.nnx.Module`; its `predict` prepares inputs as the training did."""
    return open_run(folder).model


def evaluate(folder: str | os.PathLike[str], data: Any = None) -> dict[str, Any]:
    """The loss and metrics of a run, by name, on the test set of its own data or of others.

    `data` is as for `train`; where it is given as arrays without `test_NAME` fields, all examples are measured.
    """
    run = open_run(folder)
    if run.config.from_python and data is None:
        way_out = f"measure it from Python: `netc.evaluate({str(folder)!r}, data=...)`, or name a folder with `--data`"
        raise RunError([DataMismatch(text="the run's data were given from Python, and are not kept", way_out=way_out)])
    given = run.plan.data if data is None else data
    matched = match(run.recipe, run.program, given, run.plan.base, run.config.fields, split=False)
    return evaluate_model(run.model, functions(run.program, matched.recipe), matched.data.test)
