"""Commands that run a net: train, eval, predict."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np

from netc.cli.front import settings
from netc.ir.network import Applied
from netc.problems import RunError
from netc.recipes.problems import BadInput, MissingExtra
from netc.training import evaluate as evaluate_run
from netc.training import open_run
from netc.training import train as train_run
from netc.training.loop import Epoch


@click.command()
@click.argument("file")
@click.argument("recipe", required=False)
@click.option("--data", type=click.Path(), help="The folder with the data set's files.")
@click.option("--out", type=click.Path(), help="The run's folder; runs/NAME if left out.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Set a recipe's field or a net's parameter.")
@click.option("--net", help="The net, where a file has several.")
@click.option("--quiet", is_flag=True, help="Say nothing while training.")
def train(
    file: str,
    recipe: str | None,
    data: str | None,
    out: str | None,
    pairs: tuple[str, ...],
    net: str | None,
    quiet: bool,
) -> None:
    """Train a net by a recipe of its file.

    \b
    netc train specs/digits.net --out runs/digits
    netc train specs/lenet5_modern.net --data ~/mnist --set epochs=3 --set rate=0.001
    """

    def watch(epoch: Epoch) -> None:
        test = "  ".join(f"test {name} {value:.4f}" for name, value in epoch.test.items())
        line = f"epoch {epoch.number}  step {epoch.steps}  loss {epoch.loss:.4f}  {test}"
        click.echo(f"\r\033[K{line}" if sys.stderr.isatty() else line, err=True, nl=not sys.stderr.isatty())

    run = train_run(file, data, out, dict(settings(pairs)), net, recipe, None if quiet else watch)
    if sys.stderr.isatty() and not quiet:
        click.echo(err=True)
    for name, value in run.test.items():
        click.echo(f"test {name}: {value:.4f}")
    click.echo(f"\nEverything is in {run.folder}/. Next:", err=True)
    click.echo(f"  netc eval {run.folder}\n  netc predict {run.folder} IMAGE.png", err=True)


@click.command(name="eval")
@click.argument("run")
@click.option("--data", type=click.Path(), help="The folder with the data set's files, if not the run's own.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def evaluate(run: str, data: str | None, form: str) -> None:
    """Measure a run on its test set.

    \b
    netc eval runs/digits
    """
    found = evaluate_run(run, data)
    if form == "json":
        click.echo(json.dumps(found))
    else:
        for name, value in found.items():
            click.echo(f"{name}: {value:.4f}")


@click.command()
@click.argument("run")
@click.argument("inputs", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def predict(run: str, inputs: tuple[str, ...], form: str) -> None:
    """Classes and probabilities of pictures (PNG, JPEG) or .npy arrays.

    \b
    netc predict runs/digits digit.png
    """
    model, program, recipe, config = open_run(run)
    shape = input_shape(config, program.root.types[program.root.inputs[0]].shape)
    distances = any(isinstance(term, Applied) and ("smallest", True) in term.named for _, term in recipe.metrics)
    for path in inputs:
        outputs = model.predict(read_input(Path(path), shape)[None])
        first = outputs[0] if isinstance(outputs, tuple) else outputs
        scores = np.asarray(first[0], np.float64).reshape(-1) * (-1 if distances else 1)
        chances = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
        best = int(chances.argmax())
        if form == "json":
            click.echo(json.dumps({"input": path, "class": best, "probabilities": chances.tolist()}))
        else:
            click.echo(f"{path}: {best} ({chances[best]:.1%})")


def input_shape(config: dict[str, Any], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of a raw input, before the run's preparation pads it."""
    padded = sum(step["width"] for step in config["preparation"] if step["kind"] == "pad")
    return (shape[0] - 2 * padded, shape[1] - 2 * padded, *shape[2:]) if len(shape) == 3 else shape


def read_input(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """A picture as float32 from 0 to 1, or an array as it is, of the net's input shape."""
    try:
        array = np.load(path, allow_pickle=False) if path.suffix == ".npy" else read_picture(path)
    except (OSError, ValueError) as failure:
        raise RunError([BadInput(path=str(path), reason=str(failure))]) from failure
    if array.ndim == len(shape) - 1 and shape[-1] == 1:
        array = array[..., None]
    if array.shape != shape:
        reason = f"it is {list(array.shape)}, and the net takes {list(shape)}"
        raise RunError([BadInput(path=str(path), reason=reason, way_out="resize the picture first")])
    return array.astype(np.float32)


def read_picture(path: Path) -> np.ndarray:
    try:
        from PIL import Image
    except ImportError as failure:
        raise RunError([MissingExtra(package="pillow", extra="data", purpose="reading pictures")]) from failure
    with Image.open(path) as picture:
        return np.asarray(picture, np.float32) / 255
