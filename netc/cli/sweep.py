"""The command that trains a recipe with every combination of settings: sweep."""

import csv
import io
import json
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import click

from netc.cli.back import NOTICE, SHOW_CURSOR
from netc.cli.progress import bar
from netc.training.grid import Member, split_values
from netc.training.interrupt import EXIT_CODE, interrupts_of_command
from netc.training.job import Watch
from netc.training.sweeping import ENGINES, Group, Prepared, Sweep, Trial, prepare

NOTHING, LARGE = "-", 1e6


@click.command()
@click.argument("file")
@click.argument("recipe", required=False)
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUES", help="Values between commas, or from..to.")
@click.option("--data", type=click.Path(), help="The folder with the data set's files.")
@click.option("--out", type=click.Path(), help="The folder of the sweep; runs/NAME-sweep if left out.")
@click.option("--metric", help="What to sort by: loss, or a metric of the recipe; its first if left out.")
@click.option("--net", help="The net, where a file has several.")
@click.option("--resume", is_flag=True, help="Leave finished runs of that folder as they are, and go on with others.")
@click.option("--engine", type=click.Choice(list(ENGINES)), default="local", show_default=True, help="Who trains.")
@click.option("--tensorboard", is_flag=True, help="Write event files into the runs' folders, too: netc[tensorboard].")
@click.option("--quiet", is_flag=True, help="Say nothing while training.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
def sweep(
    file: str,
    recipe: str | None,
    pairs: tuple[str, ...],
    data: str | None,
    out: str | None,
    metric: str | None,
    net: str | None,
    resume: bool,
    engine: str,
    tensorboard: bool,
    quiet: bool,
    form: str,
) -> None:
    """Train a recipe with every combination of settings, each into a run folder of its own.

    A --set with several values is swept: `rate=0.1,0.03`, `seed=0..4` (0 and 4 too); commas in brackets belong to a
    value. All settings are checked before the first run begins. A run that fails is a row that says so, and the exit
    code is then 1. Ctrl-C finishes the step; the same command with --resume goes on. Where the seed is swept, the
    table has the mean and the worst over the seeds.

    --engine ray trains by Ray Tune: runs side by side, on this machine or the cluster of RAY_ADDRESS, whose machines
    must share the folder. It needs netc[ray].

    \b
    netc sweep specs/digits.net --set rate=0.01,0.003,0.001 --set seed=0..4
    netc sweep specs/digits.net --set batch=16,64 --set epochs=5 --out runs/batches --format csv > batches.csv
    netc sweep specs/digits.net --set "optimizer=adam(rate = 0.01),sgd(rate = 0.1, momentum = 0.9)"
    netc sweep specs/digits.net --set rate=0.01,0.003 --out runs/rates --resume
    """
    ready = prepare(file, values_of(pairs), data, out, net, recipe, metric, resume, engine, tensorboard)
    notice = NOTICE + (SHOW_CURSOR if sys.stderr.isatty() else "")
    try:
        with interrupts_of_command(notice) as stop, watching(ready, quiet) as (watch, tell):
            ready.train(watch, stop, tell)
    except KeyboardInterrupt:
        say_stopped(ready)
        sys.exit(EXIT_CODE)
    found = ready.result()
    click.echo(FORMS[form](found), nl=False)
    say_done(found)
    sys.exit(1 if found.failed else 0)


def values_of(pairs: tuple[str, ...]) -> dict[str, list[str]]:
    """`key=values` options as texts by key."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        key, sign, text = pair.partition("=")
        if not sign:
            raise click.BadParameter(f"{pair!r} is not of the form key=values", param_hint="--set")
        if key in found:
            raise click.BadParameter(f"{key!r} is set twice; its values stand in one", param_hint="--set")
        found[key] = split_values(text)
    return found


# While it trains.

Shown = tuple[Watch | None, Callable[[int, Member, Trial | None], object]]


def watching(ready: Prepared, quiet: bool) -> AbstractContextManager[Shown]:
    """What shows a sweep that trains: a bar for the run under way on a terminal, and a line for each that ended."""
    return nullcontext((None, lambda *event: None)) if quiet else Watching(ready)


class Watching(AbstractContextManager[Shown]):
    """Has a bar for as long as a member trains."""

    def __init__(self, ready: Prepared) -> None:
        self.ready = ready
        self.bar: AbstractContextManager[Watch] | None = None
        self.show: Watch | None = None

    def __enter__(self) -> Shown:
        return self.watch, self.tell

    def __exit__(self, *ended: object) -> None:
        self.close()

    def close(self) -> None:
        if self.bar:
            self.bar.__exit__(None, None, None)
        self.bar = self.show = None

    def watch(self, event: Any) -> None:
        if self.show:
            self.show(event)

    def tell(self, number: int, member: Member, trial: Trial | None) -> None:
        self.close()
        if trial:
            place = f"[{number}/{len(self.ready.members)}]"
            click.echo(f"{place} {member.name}: {came_to(trial, self.ready.metric)}", err=True)
        elif sys.stderr.isatty():
            self.bar = bar()
            self.show = self.bar.__enter__()


def came_to(trial: Trial, metric: str) -> str:
    """What a member came to, in a few words."""
    if not trial.finished or metric not in trial.measures:
        return status(trial)
    return f"{metric} {trial.measures[metric]:.4f}  {trial.seconds:.1f} s"


def status(trial: Trial) -> str:
    """How a member ended; of a problem the first half, without what is kept."""
    words = {"missing": "not begun", "interrupted": f"stopped after step {trial.step:,}", "running": "was killed"}
    problem = f"failed: {(trial.problem or '').partition('; ')[0]}"
    return problem if trial.status == "failed" else words.get(trial.status, trial.status)


def say_stopped(ready: Prepared) -> None:
    """How to go on."""
    done = sum(ready.trial(member).finished for member in ready.members)
    words = [word for word in sys.argv[1:] if word != "--resume"]
    folder = shlex.quote(str(ready.task.folder))
    out = "" if any(word.partition("=")[0] == "--out" for word in words) else f" --out {folder}"
    click.echo(f"\nStopped: {done} of {len(ready.members)} runs are finished, in {folder}/. Next:", err=True)
    click.echo(f"  netc {shlex.join(words)}{out} --resume  # goes on", err=True)


def say_done(found: Sweep) -> None:
    best = next((trial for trial in found.trials if trial.finished), None)
    click.echo(f"\nEverything is in {shlex.quote(str(found.folder))}/.{' The best:' if best else ''}", err=True)
    if best:
        click.echo(f"  netc eval {shlex.quote(str(best.folder))}", err=True)


# Tables.

Table = tuple[list[str], list[list[str]]]
"""Headings and rows."""


def as_text(found: Sweep) -> str:
    """The table of the settings, where the seed is swept, and that of the runs; in boxes on a terminal."""
    tables = [group_table(found)] if found.groups else []
    draw = boxed if sys.stdout.isatty() else plain
    return "\n".join(draw(table) for table in (*tables, trial_table(found)))


def group_table(found: Sweep) -> Table:
    names = list(found.groups[0].settings)
    metric = f"{found.part} {found.metric}"
    headings = [*names, "seeds", f"mean {metric}", f"worst {metric}"]
    return headings, [[*g.settings.values(), seeds(g), number(g.mean), number(g.worst)] for g in found.groups]


def seeds(group: Group) -> str:
    every = len(group.trials)
    return str(every) if group.finished == every else f"{group.finished} of {every}"


def trial_table(found: Sweep) -> Table:
    names, measures = list(found.trials[0].settings), measure_names(found)
    headings = [*names, *(f"{found.part} {name}" for name in measures), "train loss", "seconds", "status"]
    rows = []
    for trial in found.trials:
        values = [trial.measures.get(name) if trial.finished else None for name in measures]
        numbers = map(number, (*values, trial.loss if trial.finished else None))
        rows.append([*trial.settings.values(), *numbers, f"{trial.seconds:.1f}", status(trial)])
    return headings, rows


def measure_names(found: Sweep) -> list[str]:
    """The metric first, then all other measures that any run has."""
    return list(dict.fromkeys((found.metric, *(name for trial in found.trials for name in trial.measures))))


def number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4f}" if abs(value) < LARGE else f"{value:.3e}"


def plain(table: Table) -> str:
    headings, rows = table
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    lines = (headings, ["-" * width for width in widths], *rows)
    return "".join("  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)


def boxed(table: Table) -> str:
    from rich.console import Console
    from rich.table import Table as Box
    from rich.text import Text

    box, out = Box(*table[0]), io.StringIO()
    for row in table[1]:
        box.add_row(*map(Text, row))
    console = Console()
    Console(file=out, width=console.width, force_terminal=True).print(box)
    return out.getvalue()


def as_json(found: Sweep) -> str:
    runs = [{"name": t.name, "settings": dict(t.settings), "folder": str(t.folder), **outcome(t)} for t in found.trials]
    groups = [
        {"settings": dict(g.settings), "seeds": len(g.trials), "finished": g.finished, "mean": g.mean, "worst": g.worst}
        for g in found.groups
    ]
    whole = {"folder": str(found.folder), "metric": found.metric, "part": found.part}
    return (
        json.dumps({**whole, "more_is_better": found.more_is_better, "runs": runs, "groups": groups}, indent=2) + "\n"
    )


def outcome(trial: Trial) -> dict[str, Any]:
    measured = {"loss": trial.loss, "measures": dict(trial.measures), "seconds": round(trial.seconds, 3)}
    return {"status": trial.status, "step": trial.step, **measured, "problem": trial.problem}


def as_csv(found: Sweep) -> str:
    """A row for each run, with the mean and the worst of its settings where the seed is swept."""
    over = {trial.name: group for group in found.groups for trial in group.trials}
    measures = measure_names(found)
    rows: list[Mapping[str, Any]] = []
    for trial in found.trials:
        measured = {f"{found.part} {name}": trial.measures.get(name) for name in measures}
        group = over.get(trial.name)
        seeds = {f"mean {found.metric}": group.mean, f"worst {found.metric}": group.worst} if group else {}
        ended = {"train loss": trial.loss, "seconds": round(trial.seconds, 3), "step": trial.step}
        told = {"status": trial.status, "problem": trial.problem, "folder": str(trial.folder)}
        rows.append({**trial.settings, **measured, **seeds, **ended, **told})
    return written(rows)


def written(rows: Iterable[Mapping[str, Any]]) -> str:
    out, rows = io.StringIO(), list(rows)
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


FORMS: dict[str, Callable[[Sweep], str]] = {"text": as_text, "json": as_json, "csv": as_csv}
