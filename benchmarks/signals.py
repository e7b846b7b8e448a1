"""What looking into a training costs: a look beside the steps that stand between two of them."""

import json
from dataclasses import dataclass
from typing import Any

import jax

import netc
from benchmarks.front import ROOT
from benchmarks.measure import Row, Table, as_ratio, at_most, in_milliseconds, spread, take_turns
from benchmarks.training import EPOCHS, netc_training, permutation, synthetic
from netc.training.loop import FEWEST_BETWEEN, Training
from netc.training.signals import findings, record

SPECS = ("mlp", "digits", "lenet5_modern")
LIMIT = 1.03


@dataclass
class Steps:
    """So many steps of a training, one after another, on one of its epochs."""

    training: Training
    count: int

    def __post_init__(self) -> None:
        self.order = permutation(self.training.examples)
        self.state = self.training.state

    def run(self) -> None:
        """All of them."""
        losses: list[Any] = []
        for _ in range(self.count):
            self.state, loss = self.training.step(self.state, self.training.feed(0), self.order)
            losses.append(loss)
        jax.block_until_ready(losses)

    def look(self) -> None:
        """A look, up to the line of signals.jsonl that comes of it."""
        found = self.training.look(self.state, self.training.feed(0), self.order)
        for look in self.training.look.read(0, found):
            json.dumps(record(look, findings(look, self.training.look.program)))


def tables(rounds: int) -> list[Table]:
    return [compare(spec, rounds) for spec in SPECS]


def compare(spec: str, rounds: int, count: int = 50, epochs: int = EPOCHS) -> Table:
    """Some steps and a look in turn; what the look costs is spread over the fewest steps between two."""
    net = netc.compile(ROOT / "specs" / f"{spec}.net")
    shape = net.program.root.types[net.program.root.inputs[0]].shape
    steps = Steps(netc_training(net, synthetic(shape, 8 * net.recipes[0].batch), epochs), count)
    seconds = take_turns({"steps": steps.run, "look": steps.look}, rounds)
    in_steps = [look * count / plain for look, plain in zip(seconds["look"], seconds["steps"], strict=True)]
    rows = (
        Row("a step", spread([s / count for s in seconds["steps"]], in_milliseconds)),
        Row("a look, with its line of signals.jsonl", spread(seconds["look"], in_milliseconds)),
        Row("a look, in steps", spread(in_steps, as_ratio)),
        at_most("steps with looks to those without", [1 + own / FEWEST_BETWEEN for own in in_steps], LIMIT, as_ratio),
    )
    text = (
        f"{count} steps and a look, in turn, {rounds} rounds; there are at least {FEWEST_BETWEEN} steps between two "
        "looks. Compiling the look, once in a run, is not counted."
    )
    return Table(f"Signals of {spec}", text, rows)
