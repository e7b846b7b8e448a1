"""What `netc train` shows while it runs: a bar on a terminal, lines elsewhere, or nothing."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from netc.cli.measures import brief
from netc.training.loop import Epoch, Event


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[Event], None]]:
    """What is to be called with each event, for as long as the training runs."""
    if quiet:
        yield nothing
    elif sys.stderr.isatty():
        with bar() as show:
            yield show
    else:
        yield line


def nothing(event: Event) -> None:
    """Shows nothing."""


def line(event: Event) -> None:
    """A line for each epoch: what it came to, its last rate, how fast its steps were, and what it took on the clock."""
    if isinstance(event, Epoch):
        reached = f"epoch {event.epoch}  step {event.step:,}  loss {event.loss:.4f}{measures(event)}"
        rate = f"  {rated(event.rate)}" if event.rate is not None else ""
        click.echo(f"{reached}{rate}  {speed(event.speed)}  {event.seconds:.1f} s", err=True)


def measures(event: Epoch) -> str:
    """What an epoch came to on the validation set, if there is one, and on the test set."""
    return brief(event.validation or {}, "validation") + brief(event.test)


def rated(rate: float | None) -> str:
    return "" if rate is None else f"rate {rate:.3g}"


def speed(examples: float) -> str:
    return f"{examples:,.0f} ex/s"


@contextmanager
def bar() -> Iterator[Callable[[Event], None]]:
    """A bar with epoch, step, loss, the last epoch's metrics, rate, examples per second and the time left.

    The metrics are those of the validation set, if there is one, else of the test set.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    epoch, *texts = (
        TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("epoch", "step", "loss", "rate", "speed")
    )
    layout = (epoch, BarColumn(bar_width=None), *texts, TimeRemainingColumn(compact=True))
    with Progress(*layout, console=Console(stderr=True), expand=True) as display:
        task = display.add_task("", total=None, epoch="compiling", step="", loss="", rate="", speed="")
        last = ""

        def show(event: Event) -> None:
            nonlocal last
            if isinstance(event, Epoch):
                part, measured = ("test", event.test) if event.validation is None else ("validation", event.validation)
                metrics = {name: value for name, value in measured.items() if name != "loss"}
                last = brief(metrics, part) or brief(measured, part)
                return
            display.update(
                task,
                total=event.steps,
                completed=event.step,
                epoch=f"epoch {event.epoch}/{event.epochs}",
                step=f"step {event.step:,}/{event.steps:,}",
                loss=f"loss {event.loss:.4f}{last}",
                rate=rated(event.rate),
                speed=speed(event.examples / event.seconds),
            )

        yield show
