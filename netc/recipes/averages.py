"""Averages of weights over the steps of a training: a recipe's `average`."""

from dataclasses import dataclass

from netc.arguments import Either, Entry, Integer, OneOf, Part, Real, Truth, argument

EPOCH = "epoch"


@dataclass(frozen=True)
class Average(Entry):
    """A row of the table. After step t the average becomes `(1 - a) average + a weights`, where a depends on t."""


@dataclass(frozen=True)
class Ema(Average):
    """An exponential moving average: after each step `decay * average + (1 - decay) * weights`, so that about the last
    `1 / (1 - decay)` steps count.

    With `debias` the first steps count as much as later ones, as in Adam's averages (Kingma & Ba 2015, section 3): the
    sum of `decay^(t - s) weights_s` over the steps s is divided by that of `decay^(t - s)`. Without it, the average
    starts as the initial weights, which then count as all steps before the first would.
    """

    decay: float = argument("how much of the average each step keeps", Real(0, 1, below=True), 0.999)
    debias: bool = argument("whether the average is of the steps alone, without the initial weights", Truth(), True)


@dataclass(frozen=True)
class Swa(Average):
    """The plain mean of the weights from some step on, as stochastic weight averaging takes it at the end of each epoch
    (Izmailov et al. 2018), and `every = 1` of all steps (Polyak & Juditsky 1992). Until `start` it is the weights
    themselves. Best with a rate that stays high to the end."""

    start: float | int = argument("from where on: a part of the run, or a step", Part("steps", 0), 0.75)
    every: int | str = argument(
        "how many steps are between the weights that count, or `epoch`",
        Either((Integer(1, 2**31 - 1), OneOf((EPOCH,)))),
        EPOCH,
    )


AVERAGES: tuple[type[Average], ...] = (Ema, Swa)
