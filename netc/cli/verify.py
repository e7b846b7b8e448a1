"""The command that measures what a net claims: verify."""

import json
import sys

import click

from netc.cli.front import settings
from netc.cli.main import report
from netc.compiler import check_file, programs
from netc.verification.report import as_data, as_text, verify_program


@click.command()
@click.argument("file")
@click.option("--net", help="Verify this net only.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Set a net's parameter.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="For random weights and inputs.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, min_open=True),
    default=1e-6,
    show_default=True,
    help="Of symmetries, in parts of an output's spread; for gradients 100 times as much.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(file: str, net: str | None, pairs: tuple[str, ...], seed: int, tolerance: float, form: str) -> None:
    """Measure nets on random weights and inputs: asserts on symmetry, all symmetries that there are, gradients
    against finite differences, and that the emitted module has the weights that the checker says, shared as it says.

    Exits with 1 if anything does not hold.

    \b
    netc verify specs/siamese.net
    netc verify nets/rotated.net --seed 7 --format json
    """
    checked = check_file(file, net, settings(pairs))
    found = [
        verify_program(program, checked.claims[program.root.name], seed, tolerance) for program in programs(checked)
    ]
    if form == "json":
        click.echo(json.dumps([as_data(verification) for verification in found], indent=2))
    else:
        click.echo("\n\n".join(map(as_text, found)))
    problems = tuple(problem for verification in found for problem in verification.problems)
    if problems:
        report(problems)
    sys.exit(0 if all(verification.holds for verification in found) else 1)
