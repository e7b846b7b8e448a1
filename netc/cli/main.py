"""`netc`: the group of commands. Results go to stdout, everything else to stderr; exit codes 0, 1, 2 (usage)."""

import gc
import importlib
import io
import os
import sys

import click

COMMANDS = {
    "check": ("netc.cli.front:check", "Prove shapes, counts and sharing of .net files."),
    "show": ("netc.cli.front:show", "Show a net: its table, source or data."),
    "fmt": ("netc.cli.front:fmt", "Write .net files in canonical layout."),
    "explain": ("netc.cli.front:explain", "Explain a problem code, layer, loss or data set."),
    "build": ("netc.cli.front:build", "Write a net's Flax source to a file."),
    "verify": ("netc.cli.verify:verify", "Measure symmetries, gradients and sharing on random weights."),
    "doctor": ("netc.cli.doctor:doctor", "Check a net with its recipe and data before training."),
    "train": ("netc.cli.back:train", "Train a recipe into a run folder."),
    "sweep": ("netc.cli.sweep:sweep", "Train a recipe with every combination of settings."),
    "eval": ("netc.cli.back:evaluate", "Measure a run on its test set."),
    "predict": ("netc.cli.back:predict", "Classes and probabilities of images."),
    "export": ("netc.cli.back:export", "Write a run's weights to a file."),
    "import": ("netc.cli.importing:import_", "Take weights from a file of another library."),
}


COMPUTES = ("netc.cli.back", "netc.cli.doctor", "netc.cli.sweep", "netc.cli.verify", "netc.cli.importing")


class Commands(click.Group):
    """Imports a command's module when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        if module in COMPUTES:
            gc.enable()
            importlib.import_module("netc.cli.speed").prepare()
        return getattr(importlib.import_module(module), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="netc")
def group() -> None:
    """Compile and train neural networks written down as text.

    \b
    netc check specs/lenet5.net
    netc show specs/lenet5.net --as flax
    netc train specs/digits.net --out runs/digits
    netc predict runs/digits digit.png
    """


def main() -> None:
    """The entry point: like `group`, with problems rendered and a closed pipe taken calmly."""
    # Compiling makes many small objects that all live: without collections it takes half the time, and grows linearly.
    gc.disable()
    # A file may have a name, and hold characters, that the terminal's encoding has not.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    from netc.problems import NetcError

    try:
        group()
    except NetcError as failure:
        report(failure.problems)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def report(problems: tuple) -> None:
    """Renders problems to stderr, in colour where that is a terminal."""
    from netc.rendering import render_all

    click.echo(render_all(problems, sys.stderr.isatty()), err=True)


if __name__ == "__main__":
    main()
