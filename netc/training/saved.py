"""What a run folder gives back: its trained model."""

import os
from dataclasses import dataclass
from pathlib import Path

from netc.ir.network import Program, Recipe
from netc.model import Model, origin_of, set_weights
from netc.training.config import Config, read_config
from netc.training.job import preparers
from netc.training.members import build_model, spread
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
    model = build_model(plan.program, plan.recipe, preparers(plan.recipe, config.fields))
    set_weights(model, origin_of(model)[1], read_weights(place, model, BEST if best else WEIGHTS))
    spread(model)
    return Saved(place, config, plan, model)


def load(folder: str | os.PathLike[str], best: bool = False) -> Model:
    """The trained model of a run, a `flax.nnx.Module`; its `predict` prepares inputs as the training did.

    `best` asks for the weights of the best epoch, which a recipe keeps by `checkpoint = every(best = loss)`.
    """
    return open_run(folder, best).model
