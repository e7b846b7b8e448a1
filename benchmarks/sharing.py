"""Sharing: a step of the tied autoencoder beside one of the same net with weights of its own in each layer."""

import re

import numpy as np

import netc
from benchmarks.front import ROOT
from benchmarks.measure import Row, Table, as_ratio, at_most, in_milliseconds, ratios, spread, take_turns
from benchmarks.training import netc_steps
from netc.ir.counts import count

STEPS = 5
"""Steps at a time."""


def tables(rounds: int) -> list[Table]:
    nets = {"tied": netc.compile(tied()), "untied": netc.compile(untied())}
    steps = {name: netc_steps(net, images(STEPS * net.recipes[0].batch)) for name, net in nets.items()}
    seconds = take_turns({name: each.run for name, each in steps.items()}, rounds)
    a_step = {name: [s / STEPS for s in taken] for name, taken in seconds.items()}
    rows = (
        *(
            Row(f"{name}: {count(net.program).params:,} parameters", spread(a_step[name], in_milliseconds))
            for name, net in nets.items()
        ),
        at_most("a tied step to an untied one", ratios(seconds, "tied", "untied"), 1.02, as_ratio),
    )
    text = (
        f"Steps of specs/tied_autoencoder.net, and of the same net without its views, in batches of "
        f"{nets['tied'].recipes[0].batch}, {STEPS} at a time, in turn, {rounds} rounds."
    )
    return [Table("Tying weights", text, rows)]


def tied() -> str:
    return (ROOT / "specs" / "tied_autoencoder.net").read_text()


def untied() -> str:
    """The same net, whose decoder has kernels of its own."""
    return re.sub(r", kernel = encode\d\.kernel\.T|  assert params.*\n", "", tied())


def images(examples: int) -> dict[str, np.ndarray]:
    return {"image": np.random.default_rng(0).random((examples, 28, 28, 1), np.float32)}
