"""Commands that never import JAX: check, show, explain, build."""

import importlib
import json
import sys
from pathlib import Path

import click

from netc.cli.main import report
from netc.compiler import MOST_BYTES, check_file, decode, flax_source, programs, read
from netc.ir.counts import count
from netc.ir.network import Program
from netc.ir.symmetry import Claim
from netc.problems import CompileError, Problem
from netc.rendering import as_json, concise
from netc.source import Source

SHOW = {
    "table": "netc.ir.show:table",
    "ir": "netc.ir.text:print_program",
    "yaml": "netc.ir.data:print_yaml",
    "json": "netc.ir.show:json_text",
    "flax": "netc.compiler:flax_text",
    "dot": "netc.ir.dot:dot",
}
"""The forms of a net and what writes them, imported when it is asked for."""
BETWEEN = {"ir": "---\n"}
"""What stands between several nets where a line break is not enough."""


def written(form: str, program: Program) -> str:
    module, _, name = SHOW[form].partition(":")
    text = getattr(importlib.import_module(module), name)(program)
    return text if text.endswith("\n") else text + "\n"


def settings(pairs: tuple[str, ...]) -> dict[str, str]:
    """`key=value` options as a dict."""
    for pair in pairs:
        if "=" not in pair:
            raise click.BadParameter(f"{pair!r} is not of the form key=value", param_hint="--set")
    return dict(pair.split("=", 1) for pair in pairs)


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--net", help="Check this net only.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Set a net's parameter.")
@click.option("--format", "form", type=click.Choice(["text", "concise", "json"]), default="text", show_default=True)
def check(files: tuple[str, ...], net: str | None, pairs: tuple[str, ...], form: str) -> None:
    """Check .net files: every mistake at once, and nothing runs.

    \b
    netc check specs/lenet5.net
    netc check nets/*.net --format concise
    """
    results = [(file, check_file(file, net, settings(pairs))) for file in files]
    problems = tuple(problem for _, checked in results for problem in checked.problems)
    if form == "json":
        click.echo(json.dumps(as_json(problems), indent=2))
    elif form == "concise":
        for problem in problems:
            click.echo(concise(problem))
    else:
        if problems:
            report(problems)
        for file, checked in results:
            for program in checked.programs:
                summarise(file, program, checked.claims[program.root.name])
    sys.exit(1 if any(checked.errors for _, checked in results) else 0)


def summarise(file: str, program: Program, claims: tuple[Claim, ...]) -> None:
    """A line for a net, and one for each assert that does not follow from how it is built."""
    found = count(program)
    click.echo(f"{file}: {program.root.name} has {found.params:,} parameters and {found.connections:,} connections")
    for claim in claims:
        if not claim.proved:
            click.echo(f"  left to `netc verify`: `{claim.text}`")


@click.command()
@click.argument("file")
@click.option("--as", "form", type=click.Choice(list(SHOW)), default="table", show_default=True)
@click.option("--net", help="Show this net only.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Set a net's parameter.")
def show(file: str, form: str, net: str | None, pairs: tuple[str, ...]) -> None:
    """Show a net: its table, its IR (docs/ir.md), its counts as JSON, its Flax source, or a graph.

    \b
    netc show specs/lenet5.net
    netc show specs/lenet5.net --as ir
    netc show specs/lenet5.net --as flax > lenet5.py
    netc show specs/siamese.net --as dot | dot -Tsvg > siamese.svg
    """
    found = programs(check_file(file, net, settings(pairs)))
    click.echo(BETWEEN.get(form, "").join(written(form, program) for program in found), nl=False)


@click.command()
@click.argument("name", required=False)
def explain(name: str | None) -> None:
    """Explain a problem code, layer, loss, optimizer, data set ...; without a name, list all that it can explain.

    \b
    netc explain shape-mismatch
    netc explain conv
    """
    from netc.explain import explain_name, list_names

    found, text = explain_name(name) if name else (True, list_names())
    click.echo(text, err=not found)
    sys.exit(0 if found else 1)


@click.command()
@click.argument("file")
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False), help="The Python file to write.")
@click.option("--portable", is_flag=True, help="Import jax and flax alone.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--net", help="Build this net; needed where a file has several.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Set a net's parameter.")
def build(file: str, out: str, portable: bool, force: bool, net: str | None, pairs: tuple[str, ...]) -> None:
    """Write a net's Flax source.

    \b
    netc build specs/lenet5.net -o lenet5.py --portable
    """
    found = programs(check_file(file, net, settings(pairs)))
    if len(found) != 1:
        raise click.UsageError(f"{file} has the nets {', '.join(p.root.name for p in found)}: choose one with --net")
    if Path(out).exists() and not force:
        click.echo(f"`{out}` exists already: choose another name, or give --force", err=True)
        sys.exit(1)
    try:
        Path(out).write_text(flax_source(found[0], portable).source, encoding="utf-8")
    except OSError as failure:
        click.echo(f"cannot write `{out}`: {failure.strerror}", err=True)
        sys.exit(1)


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit with 1 if a file would change.")
def fmt(files: tuple[str, ...], only_check: bool) -> None:
    """Write .net files in the one canonical layout; `-` formats stdin to stdout.

    A file that cannot be parsed is reported and left alone, and the others are formatted.

    \b
    netc fmt nets/*.net
    netc fmt --check specs/lenet5.net
    """
    from netc.syntax.format import format_text

    problems: list[Problem] = []
    done = True
    for file in files:
        source = decode(sys.stdin.buffer.read(MOST_BYTES), "<stdin>") if file == "-" else read(file)
        formatted = source if isinstance(source, Problem) else format_text(source.text, source.name)
        if isinstance(formatted, Problem):
            problems.append(formatted)
            continue
        assert isinstance(source, Source)
        if file == "-":
            click.echo(formatted, nl=False)
        elif formatted != source.text:
            done &= would_change(file) if only_check else replaced(file, formatted)
    if problems:
        raise CompileError(tuple(problems))
    sys.exit(0 if done else 1)


def would_change(file: str) -> bool:
    """Says so; a file that is not in canonical layout is none that is done with."""
    click.echo(f"would change {file}", err=True)
    return False


def replaced(file: str, text: str) -> bool:
    """Whether a file could be written: beside the old one first, so that one of them is whole whatever happens."""
    path, partial = Path(file), Path(file + ".part")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as failure:
        click.echo(f"cannot write `{file}`: {failure.strerror}", err=True)
        return False
    click.echo(f"changed {file}", err=True)
    return True
