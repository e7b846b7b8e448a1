"""Training from Python: `train` a recipe into a run folder, `sweep` over settings, `load` and `evaluate` the run."""

from netc.training.job import train
from netc.training.loop import Chunk, Epoch
from netc.training.measure import evaluate
from netc.training.run import Run
from netc.training.saved import load
from netc.training.sweeping import Sweep, sweep

__all__ = ["Chunk", "Epoch", "Run", "Sweep", "evaluate", "load", "sweep", "train"]
