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
    """A line for each epoch."""
    if isinstance(event, Epoch):
        click.echo(f"epoch {event.epoch}  step {event.step:,}  loss {event.loss:.4f}{measures(event)}", err=True)


def measures(event: Epoch) -> str:
    """What an epoch came to on the validation set, if there is one, and on the test set."""
    return brief(event.validation or {}, "validation") + brief(event.test)


@contextmanager
def bar() -> Iterator[Callable[[Event], None]]:
    """A bar with epoch, step, loss, last test metrics, examples per second and the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    epoch, *texts = (
        TextColumn(f"{{task.fields[{name}]}}", markup=False) for name in ("epoch", "step", "loss", "speed")
    )
    layout = (epoch, BarColumn(bar_width=None), *texts, TimeRemainingColumn(compact=True))
    with Progress(*layout, console=Console(stderr=True), expand=True) as display:
        task = display.add_task("", total=None, epoch="compiling", step="", loss="", speed="")
        test = ""

        def show(event: Event) -> None:
            nonlocal test
            if isinstance(event, Epoch):
                metrics = {name: value for name, value in event.test.items() if name != "loss"}
                test = brief(metrics) or brief(event.test)
                return
            display.update(
                task,
                total=event.steps,
                completed=event.step,
                epoch=f"epoch {event.epoch}/{event.epochs}",
                step=f"step {event.step:,}/{event.steps:,}",
                loss=f"loss {event.loss:.4f}{test}",
                speed=f"{event.examples / event.seconds:,.0f} ex/s",
            )

        yield show
