"""Table 2 of the AlexNet paper in small: nets alone and averaged, pretrained or not, on two halves of MNIST.

Nets are trained on one half of the training images. In place of the larger ImageNet of fall 2011 the other half is what
some are pretrained on. Runs are kept (`benchmarks.kept`), so that the table can be made in several sittings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

import numpy as np

import netc
from benchmarks.front import ROOT
from benchmarks.kept import trained, wrong
from benchmarks.measure import Row, Table
from benchmarks.mnist import MNIST, not_measured
from netc.training.data.published import read_folder
from netc.training.run import Run

SPEC = ROOT / "benchmarks" / "compared" / "alexnet_table.net"
REPETITIONS = 5
NETS, PRETRAINED = 5, 2
"""How many nets are averaged, and how many pretrained ones are added to them."""

ONE, FIVE, STARRED, SEVEN = "1 net", "5 nets", "1 net, pretrained", "7 nets, 2 of them pretrained"
DEEPER, SEVEN_PLAIN = "1 net with the layer more, not pretrained", "7 nets, 2 of them with the layer more"

Errors = dict[str, float]
"""Of 10,000, by the lines of the table; those of 1 net are means over all of its kind."""


@dataclass(frozen=True)
class Effect:
    """Of how many errors fewer the second line of the table has than the first. Those of the paper should be seen."""

    name: str
    before: str
    after: str
    expected: bool = True


EFFECTS = (
    Effect("averaging: 5 nets against 1", ONE, FIVE),
    Effect("pretraining and a layer more: 1 net, pretrained, against 1", ONE, STARRED),
    Effect("7 nets, 2 of them pretrained, against 5", FIVE, SEVEN),
    Effect("pretraining alone: 1 net against an equal one", DEEPER, STARRED),
    Effect("pretraining alone: 2 of 7 nets against 7", SEVEN_PLAIN, SEVEN, expected=False),
)


def tables(rounds: int) -> list[Table]:
    title = "Averaging and pretraining: the AlexNet paper's table 2 in small"
    if missing := not_measured(title, MNIST):
        return [missing]
    digits = read_folder(MNIST, "mnist", 10)
    return [Table(title, described(), measured(digits.train, digits.test))]


def described() -> str:
    return (
        "Errors of MNIST's 10,000 test digits, by which nothing is chosen. Its 60,000 training images are split into "
        "two halves, of each class alike. Every net is trained on the second half, by "
        f"`benchmarks/compared/{SPEC.name}`; those that are pretrained were trained on the first half before, have one "
        "more convolution, as in the paper, and begin with a new last layer. Nets together answer by the mean of "
        f"their probabilities. Everything is done {REPETITIONS} times with other seeds on the same halves: means over "
        "these, standard deviations, and each; errors of 1 net are means over all of its kind in a repetition. "
        "Effects are differences within a repetition, and should be 2 standard errors above 0. The paper "
        "(Krizhevsky, Sutskever & Hinton 2012, table 2; top-5 errors of the validation set) has 18.2% with 1 net, "
        "16.4% with 5 (10% fewer), 16.6% with 1 that was pretrained (9% fewer), and 15.4% with 7, 2 of them pretrained "
        "(6% fewer than with 5)."
    )


def measured(train: Mapping[str, np.ndarray], test: Mapping[str, np.ndarray], **settings: Any) -> tuple[Row, ...]:
    """The lines of the paper's table, and its effects. `settings` are for all trainings."""
    tested = {f"test_{name}": array for name, array in test.items()}
    first, second = (
        {**{name: array[half] for name, array in train.items()}, **tested} for half in halves(train["label"])
    )
    found = [repetition(i, first, second, test, settings) for i in range(REPETITIONS)]
    lines = [Row(name, over_all([errors[name] for errors in found])) for name in found[0]]
    return (*lines, *(effect_row(effect, found) for effect in EFFECTS))


def halves(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The examples of two halves, of each class alike, the same every time."""
    order = np.random.default_rng(0).permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    return np.sort(by_class[0::2]), np.sort(by_class[1::2])


def repetition(i: int, first: Any, second: Any, test: Any, settings: Mapping[str, Any]) -> Errors:
    """The errors of nets with seeds of their own: pretrained on the first half, trained on the second."""

    def net(name: str, data: Any, seed: int, **own: Any) -> Run:
        return trained(f"alexnet_table/{i}_{name}", SPEC, data, {**settings, **own, "seed": 100 * i + seed})

    five = net("plain", second, 0, ensemble=NETS)
    deeper, starred = [], []
    for seed in range(NETS, NETS + PRETRAINED):
        deeper.append(net(f"deeper_{seed}", second, seed, deeper=True))
        start = net(f"pretraining_{seed}", first, seed, deeper=True)
        from_it = f'run("{start.folder}", fresh = [OUTPUT])'
        starred.append(net(f"pretrained_{seed}", second, seed, deeper=True, start=from_it))
    seven, seven_plain = (together([five, *more], test) for more in (starred, deeper))
    return {
        ONE: mean(map(wrong, five.test["members"]["accuracy"])),
        FIVE: wrong(five.test["accuracy"]),
        STARRED: mean(wrong(run.test["accuracy"]) for run in starred),
        SEVEN: seven,
        DEEPER: mean(wrong(run.test["accuracy"]) for run in deeper),
        SEVEN_PLAIN: seven_plain,
    }


def together(runs: Sequence[Run], test: Any) -> int:
    """The errors of all nets of some runs on average."""
    return wrong(netc.evaluate([run.folder for run in runs], dict(test))["accuracy"])


def effect_row(effect: Effect, found: Sequence[Errors]) -> Row:
    """By how much fewer the errors are, repetition by repetition, and what part that is of what there were before."""
    fewer = [errors[effect.before] - errors[effect.after] for errors in found]
    part = mean(fewer) / max(mean(errors[effect.before] for errors in found), 1)
    text = f"{over_all(fewer)} fewer, {part:.0%}"
    error = stdev(fewer) / len(fewer) ** 0.5
    seen = mean(fewer) > 2 * error
    return Row(effect.name, text, "more than 2 standard errors", seen) if effect.expected else Row(effect.name, text)


def over_all(numbers: Sequence[float]) -> str:
    """The mean, the standard deviation, and each number."""
    return f"{mean(numbers):.1f}, sd {stdev(numbers):.1f} ({', '.join(f'{number:g}' for number in numbers)})"
