"""Trials of a comparison: nets of `benchmarks/compared/` on MNIST's digits, with several seeds, and what they came to.

Runs are kept (`benchmarks.kept`); the same trial of two tables is trained once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.kept import trained, wrong
from benchmarks.measure import Row, Table
from netc.problems import RunError
from netc.recipes.problems import NotFinite
from netc.training.data.examples import Data
from netc.training.run import Run

NETS = Path(__file__).parent / "compared"
SEEDS = (0, 1, 2)
IMAGES = 60_000


@dataclass(frozen=True)
class Trial:
    """A recipe of a file of `compared` with settings, and from how many of the training images it learns."""

    name: str
    file: str
    recipe: str
    settings: tuple[tuple[str, Any], ...] = ()
    images: int = IMAGES

    @property
    def source(self) -> Path:
        return NETS / f"{self.file}.net"

    @property
    def folder(self) -> str:
        """Where its runs are kept."""
        settings = (f"{key}={value}" for key, value in self.settings)
        return "compared/" + "_".join([self.recipe, *settings, str(self.images)])


@dataclass(frozen=True)
class Outcome:
    """The run of a trial with each seed, or nothing where the loss was no longer finite."""

    trial: Trial
    runs: Mapping[int, Run | None]

    @property
    def finite(self) -> dict[int, Run]:
        return {seed: run for seed, run in self.runs.items() if run}

    @property
    def errors(self) -> list[int]:
        """Of 10,000 test digits, by seed; all of them where the training diverged."""
        return [wrong(run.test["accuracy"]) if run else 10_000 for run in self.runs.values()]


@dataclass(frozen=True)
class Comparison:
    """Trials that differ in what is compared. `more` gives rows besides those of errors, of one outcome; `claims` are
    pairs of names of trials, of which the first is to have fewer errors with every seed."""

    title: str
    text: str
    trials: tuple[Trial, ...]
    more: Callable[[Outcome, Data], list[Row]] = lambda outcome, data: []
    claims: tuple[tuple[str, str], ...] = ()


def table(comparison: Comparison, data: Data) -> Table:
    """Trains all that is not trained yet."""
    outcomes = {trial.name: outcome(trial, data) for trial in comparison.trials}
    seeds = f"the seeds {', '.join(map(str, SEEDS))}"
    method = f"Errors are of 10,000 test digits after the last epoch: the mean and the worst of {seeds}, and each."
    return Table(comparison.title, f"{comparison.text} {method}", tuple(rows(comparison, outcomes, data)))


def rows(comparison: Comparison, outcomes: Mapping[str, Outcome], data: Data) -> list[Row]:
    """The errors of all trials, what else there is to say of them, and the claims."""
    found = list(outcomes.values())
    return [
        *(Row(each.trial.name, in_all(each)) for each in found),
        *(row for each in found for row in comparison.more(each, data)),
        *(fewer(outcomes[better], outcomes[worse]) for better, worse in comparison.claims),
    ]


def outcome(trial: Trial, data: Data) -> Outcome:
    return Outcome(trial, {seed: run(trial, seed, drawn(data, trial.images, seed)) for seed in SEEDS})


def run(trial: Trial, seed: int, data: Mapping[str, np.ndarray]) -> Run | None:
    """The run of a seed, unless its loss is no longer finite."""
    settings = {**dict(trial.settings), "seed": seed}
    try:
        return trained(f"{trial.folder}_{seed}", trial.source, data, settings, trial.recipe)
    except RunError as failure:
        if not all(isinstance(problem, NotFinite) for problem in failure.problems):
            raise
        return None


def drawn(data: Data, images: int, seed: int) -> dict[str, np.ndarray]:
    """The training images that a seed draws, repeated until they are as many as all, so that an epoch has as many steps
    whatever there is to learn from; and the test set."""
    order = np.resize(chosen(data, images, seed), len(data.train["label"]))
    test = {f"test_{name}": array for name, array in data.test.items()}
    return {name: array[order] for name, array in data.train.items()} | test


def chosen(data: Data, images: int, seed: int) -> np.ndarray:
    """Which training images a seed draws; fewer are among more."""
    return np.random.default_rng(seed).permutation(len(data.train["label"]))[:images]


def in_all(found: Outcome) -> str:
    """The mean, the worst and each of the seeds; if some diverged, there is no mean."""
    diverged = len(found.runs) - len(found.finite)
    if not diverged:
        return of_seeds(found.errors)
    each = ("diverged" if run is None else str(wrong(run.test["accuracy"])) for run in found.runs.values())
    return f"{diverged} of {len(found.runs)} diverged ({', '.join(each)})"


def of_seeds(numbers: Sequence[float], show: Callable[[float], str] = str, average: str = ".1f") -> str:
    return f"{mean(numbers):{average}}, {show(max(numbers))} ({', '.join(map(show, numbers))})"


def fewer(better: Outcome, worse: Outcome) -> Row:
    """Whether a trial has fewer errors than another with every seed."""
    pairs = list(zip(better.errors, worse.errors, strict=True))
    text = ", ".join(f"{few} against {many}" for few, many in pairs)
    what = f"{better.trial.name}, against {worse.trial.name}"
    return Row(what, text, "fewer with every seed", all(few < many for few, many in pairs))
