"""The command that looks at a net with its recipe and data before they are trained: doctor."""

import json
import sys

import click

from netc.cli.front import settings
from netc.cli.main import report
from netc.diagnosis.doctor import as_data, as_text, diagnose
from netc.training.plan import plan_file


@click.command()
@click.argument("file")
@click.argument("recipe", required=False)
@click.option("--data", type=click.Path(), help="The folder with the data set's files.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Set a recipe's field or a net's parameter.")
@click.option("--net", help="The net, where a file has several.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(file: str, recipe: str | None, data: str | None, pairs: tuple[str, ...], net: str | None, form: str) -> None:
    """Check a net with its recipe and data before training: inputs and labels, the loss at initialisation, dead and
    saturated units, gradients along the net and against finite differences, and whether it can learn one batch.

    Exits with 1 if a check fails. Nothing is written.

    \b
    netc doctor specs/digits.net
    netc doctor specs/lenet5.net --data ~/mnist --format json
    """
    plan = plan_file(file, data, settings(pairs), net, recipe)
    if plan.checked.problems:
        report(plan.checked.problems)
    found = diagnose(plan)
    click.echo(json.dumps(as_data(found), indent=2) if form == "json" else as_text(found))
    sys.exit(0 if found.holds else 1)
