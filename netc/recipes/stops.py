"""When a training ends before its last epoch: a recipe's `stop`."""

from dataclasses import dataclass

from netc.arguments import Entry, Integer, OneOf, Real, argument
from netc.recipes.metrics import METRICS

LOSS = "loss"
NUMBERS = {row.kind: row.higher_is_better for row in METRICS if row.higher_is_better is not None}
"""The metrics that say what is better, and whether more of them is."""


@dataclass(frozen=True)
class Stop(Entry):
    """A row of the table."""


@dataclass(frozen=True)
class Patience(Stop):
    """Stops once the best value is so many epochs old. It looks at the validation set, and at the test set if there is
    none, which then says too much good of the net.

    Rates that change over the run go by the whole run's steps, as if it went on to the end.
    """

    epochs: int = argument("how many epochs in turn may bring nothing better", Integer(1, 2**31 - 1))
    metric: str = argument("what it looks at: the loss, or a metric of the recipe", OneOf((LOSS, *NUMBERS)), LOSS)
    by: float = argument("by how much a value has to be better", Real(0), 0.0)


STOPS: tuple[type[Stop], ...] = (Patience,)
