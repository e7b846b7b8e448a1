"""Trainings that are kept: finished ones are not trained again, and those broken off go on."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import netc
from benchmarks.front import ROOT
from netc.training.loop import Epoch, Event
from netc.training.run import Run

RUNS = Path(os.environ.get("NETC_RUNS", ROOT / "runs"))
"""Where they are."""


def trained(
    name: str, spec: Path, data: Any, settings: Mapping[str, object], recipe: str | None = None, net: str | None = None
) -> Run:
    """The run in the folder of that name, finished; `run.test` has the measures of the test set."""
    out = RUNS / name
    out.parent.mkdir(parents=True, exist_ok=True)
    return netc.train(spec, data, out, settings, net=net, recipe=recipe, watch=told(out.name), resume=True)


def told(name: str) -> Callable[[Event], None]:
    """A line on stderr for each epoch: these trainings are long."""

    def tell(event: Event) -> None:
        if isinstance(event, Epoch):
            print(f"{name}: epoch {event.epoch}, {wrong(event.test['accuracy'])} errors", file=sys.stderr, flush=True)

    return tell


def wrong(accuracy: float) -> int:
    """How many of 10,000 are wrong."""
    return round((1 - accuracy) * 10_000)
