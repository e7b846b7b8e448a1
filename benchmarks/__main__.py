"""`python -m benchmarks`: runs benchmarks and shows or writes their tables."""

import importlib
import os
import platform
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import click

from benchmarks.measure import Row, Table

ROOT = Path(__file__).parents[1]
TIMED = ("front", "training", "orbits", "sharing", "repeats", "signals", "streaming")
LEARNT = ("turned", "strings", "resume")
LONG = ("digits", "ensembles", "mnist_best", "alexnet_table", "comparisons")
GROUPS = {"all": TIMED, "results": LEARNT}
FIGURES = (
    "Each figure is the median, and the range of the middle half in brackets. What is compared was run in turn; "
    "a ratio is taken within each round.\n"
)
LONGER = (
    "Longer trainings have pages of their own, each by the command of its name, with the folder of MNIST's four files "
    "in `NETC_MNIST`. Finished runs stay in `runs/`, or in `NETC_RUNS`, and are not trained again.\n\n"
    + "\n".join(f"- [{name}.md]({name}.md): `python -m benchmarks {name} --out docs/{name}.md`" for name in LONG)
    + "\n"
)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("part", type=click.Choice([*TIMED, *LEARNT, *LONG, *GROUPS]))
@click.option("--rounds", default=21, show_default=True, help="How often each thing is measured.")
@click.option("--out", type=click.Path(dir_okay=False), help="Write the tables to this Markdown file, too.")
def main(part: str, rounds: int, out: str | None) -> None:
    """Measure how fast netc is, and how well what it trains.

    \b
    front     netc check as a whole process, long nets, repeats
    training  a step beside hand-written Flax, the loop beside its steps
    orbits    what convolution over an orbit costs
    sharing   a step with tied weights, and one with constraints, beside one without
    repeats   compiling a step of long rows of equal layers
    signals   what looking into a training costs its steps
    streaming an epoch of data read from disk, by threads and by workers, beside one in memory
    all       all of these
    turned    errors on MNIST's digits, turned, of a net that shares its weights over turns and of a plain one
    strings   strings of digits read by ctc, and what sliding a net over a strip costs
    resume    a training killed 20 times and resumed, against one that never stopped
    results   these three, which take a while
    digits    errors on MNIST's test digits of LeNet-5, with distortions, and in modern form: half an hour
    ensembles errors of five of the latter together: an hour
    comparisons
              of the lecture, on MNIST's digits: ReLU, batchnorm, pooling, dropout, shared weights, priors: half an hour
    mnist_best     the fewest errors on MNIST's test digits that an hour of training gives
    alexnet_table  averaging and pretraining, as in table 2 of the AlexNet paper, on two halves of MNIST

    What is compared is run in turn, so that other work on the machine meets all of it alike; still, keep the
    machine quiet. Figures are medians with the range of their middle half; a ratio is taken within each round.
    Exits with 1 if a target is missed.

    \b
    python -m benchmarks front
    python -m benchmarks all --out docs/benchmarks.md
    python -m benchmarks results --out docs/results.md
    python -m benchmarks digits --out docs/digits.md
    python -m benchmarks ensembles --out docs/ensembles.md
    python -m benchmarks comparisons --out docs/comparisons.md
    python -m benchmarks mnist_best --out docs/mnist_best.md
    python -m benchmarks alexnet_table --out docs/alexnet_table.md
    """
    title = "Results" if part in ("results", *LEARNT, *LONG) else "Benchmarks"
    text = [heading(title, f"python -m benchmarks {part} --rounds {rounds}"), *([] if part in LONG else [FIGURES])]
    text += [LONGER] if part == "results" else []
    missed = 0
    for name in GROUPS.get(part, (part,)):
        for table in run(name, rounds):
            text.append(show(table))
            missed += sum(row.met is False for row in table.rows)
            click.echo(text[-1])
    if out:
        Path(out).write_text("\n".join(text))
    sys.exit(1 if missed else 0)


def run(part: str, rounds: int) -> list[Table]:
    """The tables of a part; JAX is imported by those that train."""
    return importlib.import_module(f"benchmarks.{part}").tables(rounds)


def heading(title: str, command: str) -> str:
    """What was measured, where and how."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "flax", "optax", "lark"))
    return (
        f"# {title}\n\n"
        f"Measured with `{command}` on {date.today()} at commit {commit()}, on {os.cpu_count()} cores ({processor()}), "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {versions}.\n"
    )


def commit() -> str:
    """The commit that is checked out, and whether files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def processor() -> str:
    """The processor's name, where Linux tells it."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def show(table: Table) -> str:
    """A table in Markdown."""
    lines = [f"## {table.title}", "", table.text, "", "| what | measured | target | met |", "|---|---|---|---|"]
    return "\n".join([*lines, *map(cells, table.rows), ""])


def cells(row: Row) -> str:
    met = {None: "", True: "yes", False: "**no**"}[row.met]
    return f"| {row.what} | {row.found} | {row.target} | {met} |"


if __name__ == "__main__":
    main()
