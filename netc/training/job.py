"""A plan carried out: its data loaded, its net trained, everything written into a run folder."""

import os
import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from netc import __version__
from netc.check.problems import RecipeMismatch
from netc.emit.fields import adjustment_texts, constraint_texts, recipe_fields, term_text
from netc.files import write
from netc.ir.constraints import with_constraints
from netc.ir.network import Recipe
from netc.model import Prepare
from netc.problems import NetcError, RunError
from netc.recipes.fields import ADJUST, CONSTRAIN
from netc.recipes.optimizers import refuse_steps
from netc.training import run as folders
from netc.training.average import refuse_start
from netc.training.changes import net_note
from netc.training.config import MOST_NAMES, Config, dump, read_config
from netc.training.data.workers import refuse_workers
from netc.training.ensemble import prepare_ensemble
from netc.training.feeding import OnDevice
from netc.training.fingerprint import data_fingerprint, net_hash
from netc.training.interrupt import interrupts
from netc.training.lock import locked
from netc.training.loop import Epoch, Event, Training, prepare_training, steps_in_all
from netc.training.matching import Matched, is_folder, match
from netc.training.members import build_model, members_of
from netc.training.plan import Plan, data_folder, kept_files, kept_names, plan_file
from netc.training.prepare import Field
from netc.training.resume import refuse_other_folder, refuse_other_net, resumed
from netc.training.run import Interrupted, Run
from netc.training.saver import Saver, Say
from netc.training.starting import located, start_from_run
from netc.training.stopping import why_stop
from netc.training.tensorboard import event_file, refuse_missing

VERSIONS = ("jax", "flax", "optax", "numpy")
Watch = Callable[[Event], object]
IDLE = "the data lie in memory: workers have nothing to read (`stream = true` leaves them on disk)"


def train(
    source: str | os.PathLike[str],
    data: Any = None,
    out: str | os.PathLike[str] | None = None,
    set: Mapping[str, object] | None = None,
    net: str | None = None,
    recipe: str | None = None,
    watch: Watch | None = None,
    resume: bool = False,
    tensorboard: bool = False,
    workers: int = 0,
) -> Run:
    """Trains a recipe of a .net file or text, and leaves everything in the folder `out` (`runs/NAME` if left out).

    `data` is the folder of a named data set, or the data themselves: a dict of arrays by field, a tuple of arrays
    in the order of the recipe's fields, or a finite iterable of batches of either; fields `test_NAME` are the test
    set, and without them the last tenth is. `set` overrides fields of the recipe and parameters of the net. `watch`
    is called with each `Chunk` (some steps, five times a second or so) and each `Epoch`.
    With `resume` the run in the folder goes on from its latest checkpoint, to the same bits as if it had never stopped;
    without a run there, one begins. The run's `notes` say from where, and what is otherwise than it was. With
    `tensorboard` the folder has event files, too, which the extra `netc[tensorboard]` writes. So many `workers` are
    processes that read a data set which stays on disk, in place of threads; no bit of the result hangs on it.

    Raises `CompileError` or `RunError`. On Ctrl-C the steps under way are finished, the weights written, and
    KeyboardInterrupt raised.
    """
    refuse_workers(workers)
    plan = replace(plan_file(source, data, set, net, recipe), workers=workers)
    with interrupts() as stop:
        return start(plan, None if out is None else Path(out), watch, stop, resume, tensorboard=tensorboard)


def start(
    plan: Plan,
    out: Path | None = None,
    watch: Watch | None = None,
    stop: Callable[[], bool] = lambda: False,
    resume: bool = False,
    say: Say = lambda note: None,
    tensorboard: bool = False,
) -> Run:
    """Trains a plan. Nothing is written before the data are loaded and fit; `stop` asks for an early end.

    With `resume` the run in the folder goes on, if there is one; `say` is called with what there is to say of that, and
    with what looks wrong while it trains.
    """
    if tensorboard:
        refuse_missing()
    find = folders.latest_folder if resume else folders.free_folder
    folder = find(plan.recipe.name) if out is None else out
    if resume and os.path.lexists(folder):
        refuse_other_folder(folder)
        with locked(folder):
            return go_on(folder, plan, watch, stop, say, tensorboard)
    folders.refuse_existing(folder)
    run, config, training = ready(folder, plan, stop)
    folders.create(folder)
    with locked(folder):
        write_first(run, config, plan)
        follow(run, config, plan, training, watch, stop, tensorboard, say)
    return run


def go_on(folder: Path, plan: Plan, watch: Watch | None, stop: Callable[[], bool], say: Say, tensorboard: bool) -> Run:
    """Goes on with the run of a folder that this process holds."""
    kept = read_config(folder / folders.CONFIG) if (folder / folders.CONFIG).is_file() else None
    notes: list[str] = []

    def note(text: str) -> None:
        notes.append(text)
        say(text)

    plan = refuse_other_net(folder, plan, kept) if kept else plan
    run, config, training = ready(folder, plan, stop)
    run.notes = notes
    if kept:
        config = resumed(run, plan, training, kept, config, note)
    else:
        write_first(run, config, plan)
    follow(run, config, plan, training, watch, stop, tensorboard, say)
    return run


def ready(folder: Path, plan: Plan, stop: Callable[[], bool]) -> tuple[Run, Config, Training]:
    """A run whose data are loaded and fit, and whose training has not begun; nothing is written."""
    matched = match(plan.recipe, plan.program, plan.data, plan.base, workers=plan.workers)
    matched = replace(matched, recipe=located(matched.recipe, plan.base))
    refuse_length(matched)
    if stop():
        raise KeyboardInterrupt
    program = with_constraints(plan.program, matched.recipe.constraints)
    model = build_model(program, matched.recipe, preparers(matched.recipe, matched.fields))
    for member in members_of(model):
        start_from_run(member, plan.program, matched.recipe)
    config = describe(plan, matched)
    prepare = prepare_training if matched.recipe.ensemble == 1 else prepare_ensemble
    return Run(folder, model), config, prepare(model, plan.program, matched.recipe, matched.data)


def follow(
    run: Run,
    config: Config,
    plan: Plan,
    training: Training,
    watch: Watch | None,
    stop: Callable[[], bool],
    tensorboard: bool,
    say: Say,
) -> None:
    """Does the steps, and keeps the run's folder up to date."""
    if plan.workers and isinstance(training.feed, OnDevice):
        run.notes.append(IDLE)
        say(IDLE)
    saver = Saver(run, config, training.recipe, training, net_note(plan.program), stop, say)
    scalars = event_file(run.folder, training.done) if tensorboard else nullcontext()
    with kept(saver), closing(training.feed), scalars as shown:
        run.stopped = why_stop(training.recipe, run.history)
        for event in training.run(saver.pause) if not run.stopped else ():
            saver.signals()
            if isinstance(event, Epoch):
                saver.epoch(event)
                if shown:
                    shown(event)
            if watch:
                watch(event)
            if isinstance(event, Epoch) and (why := why_stop(training.recipe, run.history)):
                run.stopped = why
                break
        saver.save()


def refuse_length(matched: Matched) -> None:
    """A schedule must fit into the run, and so must an average."""
    examples = len(next(iter(matched.data.train.values())))
    steps = steps_in_all(matched.recipe, examples)
    refusal = refuse_steps(matched.recipe.optimizer, steps) if steps else None
    if refusal:
        span = matched.recipe.optimizer[0].span
        raise RunError([RecipeMismatch(span=span, text=refusal.message, way_out=refusal.help)])
    late = refuse_start(matched.recipe, steps)
    if late and matched.recipe.average:
        span = matched.recipe.average.span
        raise RunError([RecipeMismatch(span=span, text=late.message, way_out=late.help)])


def preparers(recipe: Recipe, fields: Mapping[str, Field]) -> dict[str, Prepare]:
    """What is done to each input before the net sees it."""
    return {name: fields[field].prepare for name, field in recipe.feeds if field in fields}


def describe(plan: Plan, matched: Matched) -> Config:
    """The settings of a run that begins."""
    recipe = matched.recipe
    metrics = {name: term_text(term) for name, term in recipe.metrics}
    train = {name: int(text) if text.isdigit() else text for name, text in recipe_fields(recipe).items()}
    return Config(
        files=kept_files(plan.checked),
        folder=str(plan.base),
        data=data_folder(plan.data),
        from_python=not is_folder(plan.data),
        net=recipe.net,
        parameters=plan.checked.parameters[recipe.net],
        recipe=recipe.name,
        train={**train, "metric": metrics, CONSTRAIN: constraint_texts(recipe), ADJUST: adjustment_texts(recipe)},
        net_hash=net_hash(plan.program),
        fingerprint=data_fingerprint(matched.data),
        fields=matched.fields,
        classes={name: list(own) for name, own in matched.data.names.items() if sum(map(len, own)) <= MOST_NAMES},
        netc=__version__,
        versions={"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
    )


def write_first(run: Run, config: Config, plan: Plan) -> None:
    """Fills the folder with sources, settings and initial weights; all of it or nothing."""
    try:
        for name, source in kept_names(plan.checked).items():
            write(run.folder / name, source.text.encode())
        write(run.folder / folders.CONFIG, dump(config))
        folders.write_weights(run.folder, run.model)
    except NetcError:
        shutil.rmtree(run.folder, ignore_errors=True)
        raise


@contextmanager
def kept(saver: Saver) -> Iterator[None]:
    """However the training ends, its weights are written, and run.yaml says how it ended."""
    run, problem = saver.run, None
    run.status = "failed"
    try:
        yield
        run.status = "finished"
    except KeyboardInterrupt as stopped:
        run.status = "interrupted"
        raise Interrupted(run) from stopped
    except NetcError as failure:
        found = [saver.blamed(one) for one in failure.problems]
        problem = found[0].message()
        raise type(failure)(found) from failure
    finally:
        saver.write_weights()
        saver.write_config(run.status, problem)
