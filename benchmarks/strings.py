"""Strings of digits: how well `ctc` learns to read them, and what sliding LeNet-5 over a strip costs."""

import tempfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np

import netc
from benchmarks.front import ROOT
from benchmarks.measure import Row, Table, as_ratio, at_most, in_milliseconds, ratios, spread, take_turns
from benchmarks.mnist import MNIST, not_measured
from netc.ir.counts import count
from netc.kernels.metrics import character_error_rate
from netc.model import Model, origin_of
from netc.recipes.data import Mnist, Strips
from netc.training.data import load
from netc.training.data.examples import Arrays

SPEC = ROOT / "specs" / "digit_strings.net"
LENET = ROOT / "specs" / "lenet5.net"
BLANK = 10
SIDE, STEP, WIDTH = 32, 4, 320
"""LeNet-5's windows, how far one is from the next, and the strip that it slides over."""


def tables(rounds: int) -> list[Table]:
    return [digit_strings(), sliding(rounds)]


def digit_strings() -> Table:
    title = "Strings of digits"
    if missing := not_measured(title, MNIST):
        return missing
    with tempfile.TemporaryDirectory() as folder:
        run = netc.train(SPEC, data=MNIST, out=Path(folder) / "run", recipe="DigitStrings")
    test = load(Strips(Mnist()), MNIST, ROOT).test
    text = (
        f"The net `DigitStrings` of `specs/{SPEC.name}`, trained by its recipe on strips of MNIST's training digits, "
        f"and tested on {len(test['label']):,} strips of its test digits. Errors of digits are insertions, deletions "
        "and replacements, divided by the digits that there are."
    )
    return Table(title, text, tuple(errors(run.model, test)))


def errors(model: Model, test: Arrays) -> list[Row]:
    """How many strings are read without a mistake, and the errors of their digits, by length and in all."""
    read = np.concatenate([edits(model, test, i) for i in range(0, len(test["label"]), 500)])
    lengths = [(f"{n} digits", read[read[:, 1] == n]) for n in np.unique(read[:, 1])]
    params = count(origin_of(model)[0]).params
    rows = [row for name, those in [*lengths, ("all", read)] for row in of_length(name, those)]
    return [Row("parameters", f"{params:,}"), *rows]


def edits(model: Model, test: Arrays, first: int) -> np.ndarray:
    """The edits between what is read and what is there, and the number of digits: [strips, 2], for 500 strips."""
    image, label = (test[field][first : first + 500] for field in ("image", "label"))
    return np.asarray(character_error_rate(jnp.asarray(model.predict(image)), jnp.asarray(label), BLANK))


def of_length(name: str, read: np.ndarray) -> list[Row]:
    wrong, digits = read.sum(axis=0)
    right = int((read[:, 0] == 0).sum())
    return [
        Row(f"{name}: strings without a mistake", f"{right / len(read):.2%} ({right:,} of {len(read):,})"),
        Row(f"{name}: errors of digits", f"{wrong / digits:.2%} ({int(wrong):,} of {int(digits):,})"),
    ]


def sliding(rounds: int) -> Table:
    """LeNet-5 on a strip, and on each of its windows: the same answers."""
    model = netc.compile(LENET).init()
    wide = model.at(SIDE, WIDTH)
    strip = np.random.default_rng(0).random((1, SIDE, WIDTH, 1), np.float32)
    starts = range(0, WIDTH - SIDE + 1, STEP)
    windows = np.concatenate([strip[:, :, at : at + SIDE] for at in starts])
    assert np.allclose(wide.predict(strip)[0, 0], model.predict(windows), rtol=1e-3, atol=1e-3)
    seconds = take_turns({"strip": lambda: wide.predict(strip), "windows": lambda: model.predict(windows)}, rounds)
    flops, each = (count(origin_of(net)[0]).flops for net in (wide, model))
    windowed = len(starts) * each
    rows = (
        Row(f"the strip at once: {flops:,} flops", spread(seconds["strip"], in_milliseconds)),
        Row(f"its {len(starts)} windows: {windowed:,} flops", spread(seconds["windows"], in_milliseconds)),
        at_most("flops of the strip to those of the windows", [flops / windowed], 0.33, as_ratio),
        at_most("time of the strip to that of the windows", ratios(seconds, "strip", "windows"), 0.5, as_ratio),
    )
    text = (
        f"`specs/{LENET.name}` with fresh weights, slid over a strip of {SIDE}x{WIDTH} (`model.at({SIDE}, {WIDTH})`), "
        f"and as one batch of all windows, {STEP} columns apart, in turn, {rounds} rounds. The answers are the same."
    )
    return Table("Sliding LeNet-5", text, rows)
