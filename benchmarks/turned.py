"""Errors on turned digits: of a net that shares its weights over turns, and of a plain one."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import netc
from benchmarks.front import ROOT
from benchmarks.measure import Row, Table, as_ratio, at_most
from benchmarks.mnist import MNIST, not_measured
from netc.ir.counts import count
from netc.model import Model
from netc.training.data.examples import Arrays
from netc.training.data.published import read_folder

SPEC = ROOT / "specs" / "orbit_digits.net"
NETS = ("Turning", "Plain")


def tables(rounds: int) -> list[Table]:
    return [turned_digits()]


def turned_digits(steps: int | None = None) -> Table:
    """Both nets of the spec, trained on upright digits, or for some steps only, and tested on turned ones."""
    title = "Turned digits"
    if missing := not_measured(title, MNIST):
        return missing
    test = read_folder(MNIST, "mnist", 10).test
    rows = [row for net in NETS for row in errors(net, test, steps, MNIST)]
    text = (
        f"The nets of `specs/{SPEC.name}`, trained on MNIST's upright digits by their recipes; errors on its "
        f"{len(test['label']):,} test digits, upright and turned by 90, 180 and 270 degrees."
    )
    return Table(title, text, tuple(rows))


def errors(net: str, test: Arrays, steps: int | None = None, data: Any = MNIST) -> list[Row]:
    """The error rates of a net: its own on upright digits, and the mean over the three turns."""
    settings = {} if steps is None else {"steps": steps}
    with tempfile.TemporaryDirectory() as folder:
        run = netc.train(SPEC, data=data, out=Path(folder) / net, net=net, recipe=net, set=settings)
    upright, *turned = (error(run.model, np.rot90(test["image"], turns, (1, 2)), test["label"]) for turns in range(4))
    mean = sum(turned) / len(turned)
    params = count(netc.compile(SPEC, net=net).program).params
    what = f"errors of turned digits to those of upright ones, {net}"
    ratio = at_most(what, [mean / upright], 1.1, as_ratio) if net == NETS[0] else Row(what, as_ratio(mean / upright))
    return [
        Row(f"{net}, {params:,} parameters: upright", f"{upright:.2%}"),
        Row(f"{net}: turned", f"{mean:.2%} ({', '.join(f'{e:.2%}' for e in turned)})"),
        ratio,
    ]


def error(model: Model, images: np.ndarray, labels: np.ndarray) -> float:
    parts = [np.asarray(model.predict(images[i : i + 1000])) for i in range(0, len(images), 1000)]
    return float(np.mean(np.concatenate(parts).argmax(axis=-1) != labels))
