"""Errors on MNIST's 10,000 test digits: LeNet-5 as it was, with distortions, and in modern form.

Runs are kept (`benchmarks.kept`), so that the table can be made in several sittings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from benchmarks.front import ROOT
from benchmarks.kept import trained, wrong
from benchmarks.measure import Row, Table
from benchmarks.mnist import MNIST, not_measured

SEEDS = (0, 100, 200)
"""Members of an ensemble have those that follow."""


@dataclass(frozen=True)
class Trial:
    """A recipe of a spec with settings, and how many errors it may have with the worst of the seeds."""

    name: str
    spec: str
    recipe: str
    most: int
    settings: tuple[tuple[str, Any], ...] = ()


TRIALS = (
    Trial("LeNet-5 (1998)", "lenet5", "LeNet5", 95),
    Trial("LeNet-5 (1998), distortions", "lenet5", "Distorted", 82),
    Trial("LeNet-5, modern, augmentation", "lenet5_modern", "Augmented", 60),
)


def tables(rounds: int) -> list[Table]:
    return [of_trials("Errors of 10,000 handwritten digits", TRIALS)]


def of_trials(title: str, trials: Sequence[Trial]) -> Table:
    """Trains all that is not trained yet."""
    if missing := not_measured(title, MNIST):
        return missing
    text = (
        "Trained on MNIST's 60,000 training images by the recipes of `specs/`, and tested on its 10,000 test images, "
        f"by which nothing is chosen; the weights are those of the last epoch. The mean and the worst of the seeds "
        f"{', '.join(map(str, SEEDS))}, and each."
    )
    return Table(title, text, tuple(row for trial in trials for row in measured(trial, MNIST)))


def measured(trial: Trial, data: Any) -> list[Row]:
    """The mean and the worst of the seeds; for ensembles, what their members come to, too."""
    tests = [tested(trial, seed, data) for seed in SEEDS]
    errors = [wrong(test["accuracy"]) for test in tests]
    rows = [
        Row(
            f"{trial.name}: mean, worst",
            f"{mean(errors):.1f}, {max(errors)} ({', '.join(map(str, errors))})",
            f"at most {trial.most}",
            max(errors) <= trial.most,
        )
    ]
    if "members" in tests[0]:
        members = [mean(map(wrong, test["members"]["accuracy"])) for test in tests]
        text = ", ".join(f"{together} against {alone:.1f}" for together, alone in zip(errors, members, strict=True))
        better = all(together < alone for together, alone in zip(errors, members, strict=True))
        rows.append(Row(f"{trial.name}: against their average member", text, "fewer in every seed", better))
    return rows


def tested(trial: Trial, seed: int, data: Any) -> dict[str, Any]:
    """The measures of the test set after a run."""
    name = f"digits/{trial.name.lower().translate(str.maketrans(' ', '_', '(),'))}_{seed}"
    settings = {**dict(trial.settings), "seed": seed}
    return trained(name, ROOT / "specs" / f"{trial.spec}.net", data, settings, trial.recipe).test
