"""Sharing and constraints: a step of the tied autoencoder beside one of the same net with weights of its own in each
layer, and one of a net with norms of at most 3 beside one without."""

import re

import numpy as np

import netc
from benchmarks.front import ROOT
from benchmarks.measure import Row, Table, as_ratio, at_most, in_milliseconds, ratios, spread, take_turns
from benchmarks.training import netc_steps, synthetic
from netc.ir.counts import count

STEPS = 5
"""Steps at a time."""
WIDTH = 256
"""Units in a hidden layer of the net with constraints: small enough that what they cost shows."""


def tables(rounds: int) -> list[Table]:
    return [tying(rounds), constraining(rounds)]


def tying(rounds: int) -> Table:
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
    return Table("Tying weights", text, rows)


def constraining(rounds: int) -> Table:
    """A step ends with a projection of each constrained weight."""
    nets = {name: netc.compile(text, set={"width": WIDTH}) for name, text in (("with", bound()), ("without", free()))}
    batch = nets["with"].recipes[0].batch
    steps = {name: netc_steps(net, synthetic((28, 28, 1), STEPS * batch)) for name, net in nets.items()}
    seconds = take_turns({name: each.run for name, each in steps.items()}, rounds)
    rows = (
        *(
            Row(f"{name} constraints", spread([s / STEPS for s in taken], in_milliseconds))
            for name, taken in seconds.items()
        ),
        Row("a step with constraints to one without", spread(ratios(seconds, "with", "without"), as_ratio)),
    )
    text = (
        f"Steps of specs/constrained_mlp.net with width = {WIDTH}, and of the same net without its constraints, in "
        f"batches of {batch}, {STEPS} at a time, in turn, {rounds} rounds."
    )
    return Table("Constraining weights", text, rows)


def tied() -> str:
    return (ROOT / "specs" / "tied_autoencoder.net").read_text()


def untied() -> str:
    """The same net, whose decoder has kernels of its own."""
    return re.sub(r", kernel = encode\d\.kernel\.T|  assert params.*\n", "", tied())


def bound() -> str:
    return (ROOT / "specs" / "constrained_mlp.net").read_text()


def free() -> str:
    """The same net without its constraints."""
    return re.sub(r"  constrain .*\n", "", bound())


def images(examples: int) -> dict[str, np.ndarray]:
    return {"image": np.random.default_rng(0).random((examples, 28, 28, 1), np.float32)}
