"""The front half: how long `netc check` takes as a whole process, how it grows with a net, and what a repeat costs."""

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measure import (
    Row,
    Seconds,
    Table,
    as_ratio,
    at_most,
    in_milliseconds,
    in_seconds,
    ratios,
    spread,
    take_turns,
)
from benchmarks.nets import long_net, repeated
from netc.compiler import check_text

ROOT = Path(__file__).parents[1]
SPEC = "specs/lenet5.net"
DEEP = "depths=[3,40,287,3]"
LINES = (1_000, 2_500, 5_000, 10_000)
FOREIGN = ("jax", "flax", "optax", "numpy")


def tables(rounds: int) -> list[Table]:
    with tempfile.TemporaryDirectory() as folder:
        place, fewer = Path(folder), max(3, rounds // 3)
        return [start_up(rounds, place), zoo(rounds, place), growth(fewer, place), repeats(rounds)]


def python(cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python process in the project's folder, with a bytecode cache of its own."""
    own = {"PYTHONPYCACHEPREFIX": str(cache / "bytecode"), "PYTHONPATH": str(ROOT)}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | own
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)


def start_up(rounds: int, folder: Path) -> Table:
    """`netc check` of a small net, beside a Python process that does nothing."""
    seconds = take_turns(
        {
            "check": lambda: python(folder, "-m", "netc", "check", SPEC),
            "nothing": lambda: python(folder, "-c", "pass"),
        },
        rounds,
    )
    imported = python(folder, "-X", "importtime", "-m", "netc", "check", SPEC).stderr
    names = {line.rpartition("|")[2].strip() for line in imported.splitlines()}
    foreign = [name for name in FOREIGN if name in names]
    own = [a - b for a, b in zip(seconds["check"], seconds["nothing"], strict=True)]
    rows = (
        at_most(f"`netc check {SPEC}`", seconds["check"], 0.35, in_seconds),
        Row("`python -c pass`", spread(seconds["nothing"], in_seconds)),
        Row("what netc adds", spread(own, in_seconds)),
        Row("of JAX, Flax, Optax and NumPy it imports", ", ".join(foreign) or "nothing", "nothing", not foreign),
    )
    return Table("Start-up", f"Whole processes with a bytecode cache, in turn, {rounds} rounds.", rows)


def zoo(rounds: int, folder: Path) -> Table:
    """`netc check` of nets that people know, and of a ResNet of 1,002 layers."""
    limits = {("specs/resnet.net",): 0.6, ("specs/gpt2.net",): 0.6, ("specs/resnet.net", "--set", DEEP): 1.0}
    runs: dict[str, Callable[[], object]] = {
        " ".join(command): partial(python, folder, "-m", "netc", "check", *command) for command in limits
    }
    seconds = take_turns(runs, rounds)
    rows = [
        at_most(f"`netc check {name}`", seconds[name], limit, in_seconds)
        for name, limit in zip(runs, limits.values(), strict=True)
    ]
    return Table("The zoo", f"Whole processes with a bytecode cache, in turn, {rounds} rounds.", tuple(rows))


def growth(rounds: int, folder: Path) -> Table:
    """`netc check` of nets that people could have written, of 1,000 to 10,000 lines."""
    runs: dict[str, Callable[[], object]] = {SPEC: lambda: python(folder, "-m", "netc", "check", SPEC)}
    for lines in LINES:
        path = folder / f"long{lines}.net"
        path.write_text(long_net(lines))
        runs[str(lines)] = partial(python, folder, "-m", "netc", "check", str(path))
    seconds = take_turns(runs, rounds)
    rows = []
    for lines in LINES:
        taken = seconds[str(lines)]
        line = f"{in_milliseconds(median(taken) / lines)} a line"
        row = Row(f"{lines:,} lines", f"{spread(taken, in_seconds)}, {line}")
        if lines == LINES[-1]:
            row = Row(row.what, row.found, "at most 10 s", median(taken) <= 10)
        rows.append(row)
    long, short = (a_line(seconds, lines) for lines in (LINES[-1], LINES[1]))
    lines = [a / b for a, b in zip(long, short, strict=True)]
    rows.append(at_most("a line of 10,000 to one of 2,500, start-up taken off", lines, 1.25, as_ratio))
    text = f"`netc check` as a whole process, in turn, {rounds} rounds; the nets are those of `benchmarks/nets.py`."
    return Table("A long net", text, tuple(rows))


def a_line(seconds: Seconds, lines: int) -> list[float]:
    """What each line of a net adds to the check of a small one."""
    return [(long - small) / lines for long, small in zip(seconds[str(lines)], seconds[SPEC], strict=True)]


def repeats(rounds: int) -> Table:
    """Checking a body of 60 layers once and a thousand times, within one process."""
    gc.disable()
    seconds = take_turns({str(n): partial(check, repeated(n)) for n in (1, 1000)}, rounds, warm=2)
    gc.enable()
    rows = (
        Row("`repeat 1 { 60 layers }`", spread(seconds["1"], in_milliseconds)),
        Row("`repeat 1000 { 60 layers }`", spread(seconds["1000"], in_milliseconds)),
        at_most("the thousand to the one", ratios(seconds, "1000", "1"), 1.1, as_ratio),
    )
    return Table("Repeats", f"Checking a text within one process, in turn, {rounds} rounds.", rows)


def check(text: str) -> None:
    assert not check_text(text).problems
