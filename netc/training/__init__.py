"""Training from Python: `train` a recipe into a run folder, `load` and `evaluate` the run."""

from netc.training.job import train
from netc.training.loop import Chunk, Epoch
from netc.training.measure import evaluate
from netc.training.run import Run
from netc.training.saved import load

__all__ = ["Chunk", "Epoch", "Run", "evaluate", "load", "train"]
