"""Errors on MNIST's 10,000 test digits of `specs/mnist_best.net`: single nets of two kernels, and all together.

Runs are kept (`benchmarks.kept`), so that the table can be made in several sittings.
"""

import json
from statistics import mean
from typing import Any

import netc
from benchmarks.front import ROOT
from benchmarks.kept import trained, wrong
from benchmarks.measure import Row, Table
from benchmarks.mnist import MNIST, not_measured
from netc.training.run import TIMES, Run

SPEC = ROOT / "specs" / "mnist_best.net"
KERNELS = ("5x5", "3x3")
"""Of the first layer, in turn."""
MEMBERS = 6
MOST = 20
"""The errors that all together may have."""


def tables(rounds: int) -> list[Table]:
    title = "The fewest errors of 10,000 handwritten digits"
    if missing := not_measured(title, MNIST):
        return [missing]
    text = (
        f"{MEMBERS} nets of `specs/{SPEC.name}`, whose seeds and, in turn, first kernels differ, trained on MNIST's "
        "60,000 training images by its recipe, one after another, and tested on its 10,000 test images, by which "
        "nothing is chosen; the weights are those of the last epoch. Together they answer by the mean of their "
        "probabilities."
    )
    return [Table(title, text, measured(MNIST))]


def measured(data: Any, **settings: Any) -> tuple[Row, ...]:
    """The errors of each net and of all together, and how long they trained."""
    kernels = [KERNELS[i % len(KERNELS)] for i in range(MEMBERS)]
    runs = [
        trained(f"mnist_best/{i}", SPEC, data, {**settings, "kernel": kernel, "seed": i})
        for i, kernel in enumerate(kernels)
    ]
    found = netc.evaluate([run.folder for run in runs], data)
    together, alone = wrong(found["accuracy"]), list(map(wrong, found["members"]["accuracy"]))
    of_kernels = [
        Row(f"a net of {kernel}: mean, each", f"{mean(errors):.1f} ({', '.join(map(str, errors))})")
        for kernel in KERNELS
        if (errors := [wrong_ones for wrong_ones, used in zip(alone, kernels, strict=True) if used == kernel])
    ]
    return (
        *of_kernels,
        Row(f"all {MEMBERS} together", str(together), f"at most {MOST}", together <= MOST),
        Row("together, against the best of them", f"{together} against {min(alone)}", "fewer", together < min(alone)),
        Row("minutes of training, all nets", f"{sum(map(minutes, runs)):.0f}", "about 60"),
    )


def minutes(run: Run) -> float:
    """How long a run trained, measuring and saving included, over all its sittings."""
    return sum(json.loads(line)["seconds"] for line in (run.folder / TIMES).read_text().splitlines()) / 60
