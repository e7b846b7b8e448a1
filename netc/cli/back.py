"""Commands that run a net: train, eval, predict, export."""

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import click

from netc.cli.front import settings
from netc.cli.main import report
from netc.cli.measures import measured
from netc.cli.progress import progress
from netc.export.weights import refuse_taken, save_weights
from netc.model import origin_of
from netc.problems import CompileError
from netc.recipes.data import BYTES
from netc.training.answers import as_data, as_text
from netc.training.copies import MOST as MOST_COPIES
from netc.training.crops import MIRRORED
from netc.training.data.workers import MOST
from netc.training.grid import split_values
from netc.training.interrupt import EXIT_CODE, interrupts_of_command
from netc.training.job import start
from netc.training.measure import evaluate as evaluate_runs
from netc.training.members import members_of
from netc.training.plan import Plan, plan_config, plan_file
from netc.training.predict import predict_files, write_values
from netc.training.run import SOURCE, Interrupted, Run, refuse_missing_run
from netc.training.saved import open_run
from netc.types import Type

NOTICE = "\nFinishing the step, then the weights are saved; Ctrl-C again stops at once.\n"
SHOW_CURSOR = "\033[?25h"


@click.command()
@click.argument("file", required=False)
@click.argument("recipe", required=False)
@click.option("--config", type=click.Path(), help="Repeat a run from its run.yaml; FILE may be left out.")
@click.option("--data", type=click.Path(), help="The folder with the data set's files.")
@click.option("--out", type=click.Path(), help="The run's folder; runs/NAME if left out.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Set a recipe's field or a net's parameter.")
@click.option("--net", help="The net, where a file has several.")
@click.option(
    "--workers", type=click.IntRange(0, MOST), default=0, help="Processes that read data on disk, not threads."
)
@click.option("--quiet", is_flag=True, help="Say nothing while training.")
@click.option("--resume", is_flag=True, help="Go on with the run in that folder; FILE may be left out.")
@click.option("--tensorboard", is_flag=True, help="Write event files into the run's folder, too: netc[tensorboard].")
def train(
    file: str | None,
    recipe: str | None,
    config: str | None,
    data: str | None,
    out: str | None,
    pairs: tuple[str, ...],
    net: str | None,
    workers: int,
    quiet: bool,
    resume: bool,
    tensorboard: bool,
) -> None:
    """Train a net by a recipe of its file: of several the one with its net's name, unless RECIPE is given.

    Test results go to stdout, all else to stderr. Ctrl-C finishes the step and saves the weights. A run that stopped,
    or was killed, goes on with --resume from its latest checkpoint, to the same bits as if it had never stopped; where
    there is none yet, it begins.

    \b
    netc train specs/digits.net --out runs/digits
    netc train specs/lenet5_modern.net --data ~/mnist --set epochs=3 --set rate=0.001
    netc train specs/digits.net --set "optimizer=adam(rate = 0.01)" --set batch=64
    netc train --config runs/digits/run.yaml --out runs/again
    netc train --resume --out runs/digits
    netc train photos.net --workers 4
    netc train specs/digits.net --tensorboard && tensorboard --logdir runs
    """
    if resume and file is None and config is None and out is not None:
        refuse_missing_run(Path(out))
        config = out
    if file is None and config is None:
        raise click.UsageError("Give a .net file, a run to repeat with --config, or one to go on with: --resume --out.")
    try:
        try:
            if config is None:
                plan = plan_file(file or "", data, settings(pairs), net, recipe)
            else:
                plan = plan_config(Path(config), data, settings(pairs), file, net, recipe)
        except CompileError:
            say_several(pairs)
            raise
        plan = replace(plan, workers=workers)
        if plan.checked.problems:
            report(plan.checked.problems)
        notice = NOTICE + (SHOW_CURSOR if sys.stderr.isatty() else "")
        with interrupts_of_command(notice) as stop, progress(quiet) as watch:
            run = start(plan, None if out is None else Path(out), watch, stop, resume, say, tensorboard)
    except Interrupted as stopped:
        say_stopped(stopped.run)
        sys.exit(EXIT_CODE)
    except KeyboardInterrupt:
        click.echo("Stopped before the training began; nothing was written.", err=True)
        sys.exit(EXIT_CODE)
    if run.stopped:
        click.echo(f"Stopped at step {run.step:,}: {run.stopped}.", err=True)
    for name, value in run.test.items():
        click.echo(measured(f"test {name}", value))
    say_done(run, plan)


def say_several(pairs: tuple[str, ...]) -> None:
    """What is no value may be several."""
    for pair in pairs:
        if len(split_values(pair.partition("=")[2])) > 1:
            say(f"`{pair}` may be several values: `netc sweep` trains with each of them\n")


def say(note: str) -> None:
    """What there is to know of a run that goes on, also where nothing else is said."""
    click.echo(f"note: {note}", err=True)


def say_done(run: Run, plan: Plan) -> None:
    """Where the results are, and what to do with them."""
    folder = shlex.quote(str(run.folder))
    source = Path(plan.checked.source.name) if plan.checked.source else Path(SOURCE)
    shown = source if source.is_file() else run.folder / SOURCE
    root = plan.program.root
    examples = " ".join(f"{name.upper()}.{file_ending(root.types[name])}" for name in root.inputs)
    click.echo(f"\nEverything is in {folder}/. Next:", err=True)
    click.echo(f"  netc eval {folder}\n  netc predict {folder} {examples}", err=True)
    click.echo(f"  netc show {shlex.quote(str(shown))}", err=True)


def file_ending(type_: Type) -> str:
    """The kind of file that is likely at hand for an input."""
    if type_.element.name == "token" and type_.element.size == BYTES:
        return "txt"
    return "png" if len(type_.shape) == 3 else "npy"


def say_stopped(run: Run) -> None:
    folder = shlex.quote(str(run.folder))
    click.echo(f"\nStopped after step {run.step:,}. The weights of that step are in {folder}/. Next:", err=True)
    click.echo(f"  netc eval {folder}\n  netc train --resume --out {folder}  # goes on", err=True)


@click.command(name="eval")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True)
@click.option("--data", type=click.Path(), help="The folder with the data set's files, if not the run's own.")
@click.option("--best", is_flag=True, help="With the weights of the best epoch, if the recipe keeps them.")
@click.option("--crops", type=click.Choice(list(MIRRORED)), help="Average over windows of each image: corners, middle.")
@click.option("--margin", type=click.IntRange(0), default=0, help="Pixels put around images, where nothing is cropped.")
@click.option("--augmented", type=click.IntRange(1, MOST_COPIES), help="Average over copies, by the run's `augment`.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def evaluate(
    runs: tuple[str, ...],
    data: str | None,
    best: bool,
    crops: str | None,
    margin: int,
    augmented: int | None,
    form: str,
) -> None:
    """Measure a run on its test set: the loss and the recipe's metrics.

    Several runs, of different nets for the same data and outputs, are measured together: the mean of their
    probabilities, or of their outputs where the loss reads no classes from them. Beside the average of those, or of an
    ensemble, stands what its members measure by themselves.

    With --crops each net looks at five windows of each image, or at ten, mirror images among them. They are cut out of
    what the run's `prepare` crops, or out of images with a --margin. With --augmented 20 it looks at 20 copies of each
    example, changed by chance as the recipe's `augment` changes those of the training set.

    \b
    netc eval runs/digits
    netc eval runs/lenet5 --data ~/mnist --format json
    netc eval runs/lenet5 runs/resnet
    netc eval runs/alexnet --crops ten
    netc eval runs/digits --crops five --margin 1
    netc eval runs/digits --augmented 20
    """
    if margin and crops is None:
        raise click.UsageError("--margin is for --crops.")
    if augmented and crops:
        raise click.UsageError("Average over windows, by --crops, or over copies, by --augmented.")
    found = evaluate_runs(runs, data, best, crops, margin, augmented or 0)
    if form == "json":
        click.echo(json.dumps(found))
    else:
        for name, value in found.items():
            click.echo(measured(name, value))


@click.command()
@click.argument("run")
@click.argument("files", nargs=-1)
@click.option("--input", "named", multiple=True, metavar="NAME=FILE", help="A file for one of several inputs.")
@click.option("--top", type=click.IntRange(1), help="How many classes to show; 1 in text, all in JSON if left out.")
@click.option("--resize", is_flag=True, help="Resize pictures to the net's input.")
@click.option("--slide", is_flag=True, help="Read the net at every place of inputs larger than its own.")
@click.option("--best", is_flag=True, help="With the weights of the best epoch, if the recipe keeps them.")
@click.option("--out", type=click.Path(), help="Write probabilities or numbers to an .npy or .npz file.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def predict(
    run: str,
    files: tuple[str, ...],
    named: tuple[str, ...],
    top: int | None,
    resize: bool,
    slide: bool,
    best: bool,
    out: str | None,
    form: str,
) -> None:
    """Classes and probabilities of pictures, texts or arrays, as the run's loss reads the net's outputs.

    FILES are PNG, JPEG, or .npy with one example or a batch; `-` is stdin. A net with several inputs takes one file
    for each, in order or with --input. Pictures of any kind become the net's channels; other sizes need --resize, or
    --slide, which gives an answer for each place where the net fits. A net trained on `text(...)` takes any file, and
    says which byte comes after its last ones.

    \b
    netc predict runs/digits digit.png
    netc predict runs/lenet5 *.png --top 3 --format json
    netc predict runs/lenet5 strip.png --slide
    netc predict runs/strings strip.png
    netc predict runs/siamese --input left=a.png --input right=b.png
    netc predict runs/autoencoder images.npy --out decoded.npy
    printf 'Shall I compare' | netc predict runs/tied_gpt - --top 3
    """
    if not files and not named:
        raise click.UsageError("Give files to predict, or --input NAME=FILE.")
    if files and named:
        raise click.UsageError("Give files in the order of the net's inputs, or all of them with --input.")
    if resize and slide:
        raise click.UsageError("--resize makes pictures as small as the net's input, and --slide reads larger ones.")
    pairs = [pair.partition("=") for pair in named]
    for name, sign, file in pairs:
        if not (name and sign and file):
            raise click.BadParameter(f"{name + sign + file!r} is not of the form name=file", param_hint="--input")
    labels, answers = predict_files(run, files, [(name, file) for name, _, file in pairs], resize, slide, best)
    if out is not None:
        click.echo(write_values(Path(out), answers), err=True)
    elif form == "json":
        rows = [
            {"input": label, "outputs": {name: as_data(answer, i, top) for name, answer in answers.items()}}
            for i, label in enumerate(labels)
        ]
        click.echo(json.dumps(rows))
    else:
        for i, label in enumerate(labels):
            texts = (as_text(answer, i, top) for answer in answers.values())
            several = len(answers) > 1
            shown = "; ".join(f"{name} {text}" if several else text for name, text in zip(answers, texts, strict=True))
            click.echo(f"{label}: {shown}")


@click.command()
@click.argument("run", metavar="RUN")
@click.option("--to", "form", type=click.Choice(["safetensors"]), required=True, help="The form of the file.")
@click.option("-o", "--out", required=True, type=click.Path(), help="The file to write.")
@click.option("--member", type=click.IntRange(0), help="One member of an ensemble, the first of which is 0.")
@click.option("--best", is_flag=True, help="The weights of the best epoch, if the recipe keeps them.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def export(run: str, form: str, out: str, member: int | None, best: bool, force: bool) -> None:
    """Write a run's weights to a file: each once, by its canonical name, with its sharing in the metadata.

    `netc.load_weights(net, FILE)` reads it back, and so does anything that reads safetensors. Of an ensemble, the
    weights of member 2 are called `2.conv1.kernel`, and those that its members share have no number; --member writes
    those of one net.

    \b
    netc export runs/digits --to safetensors -o digits.safetensors
    netc export runs/five --member 2 --to safetensors -o digits.safetensors
    """
    refuse_taken(Path(out), force)
    model = open_run(run, best).model
    if member is not None:
        members = members_of(model)
        if member >= len(members):
            raise click.BadParameter(f"the run has {len(members)} of them, from 0 on", param_hint="--member")
        model = members[member]
    save_weights(model, out)
    click.echo(f"{out} holds {len(origin_of(model)[1].variables)} weights", err=True)
