"""A run that stopped, however it stopped, goes on from its latest checkpoint as if it never had."""

import json
from dataclasses import replace
from pathlib import Path

from netc.files import guarded, write
from netc.problems import RunError
from netc.recipes.problems import BadConfig
from netc.training import changes, checkpoints
from netc.training import run as folders
from netc.training.checkpoints import Checkpoint
from netc.training.config import Config, dump
from netc.training.loop import Training
from netc.training.plan import Plan, restored
from netc.training.run import CONFIG, METRICS, SIGNALS, TIMES, Run
from netc.training.saver import Say
from netc.training.signals import read_signals


def refuse_other_folder(folder: Path) -> None:
    """Only what is a run, or was about to become one, goes on."""
    if not ((folder / CONFIG).is_file() or folders.holds_a_start(folder)):
        raise folders.not_a_run(folder, f"it has no {CONFIG}" if folder.is_dir() else "it is a file")


def refuse_other_net(folder: Path, plan: Plan, config: Config) -> Plan:
    """The plan with the run's data where none are named; refused if the net is another."""
    changes.refuse_net(folder, config.net_hash, restored(folder / CONFIG, config).program, plan.program)
    if plan.data is not None:
        return plan
    if config.from_python:
        reason = "the run's data were given from Python, and are not kept"
        way_out = "go on from Python: `netc.train(..., data=..., resume=True)`, or name a folder with `--data`"
        raise RunError([BadConfig(path=str(folder / CONFIG), key="from_python", reason=reason, way_out=way_out)])
    return replace(plan, data=config.data)


def resumed(run: Run, plan: Plan, training: Training, config: Config, new: Config, say: Say) -> Config:
    """Puts a training, of the run's recipe and data, and the files of its run to where the latest checkpoint that is
    whole was saved, and says what is otherwise than it was; gives the settings of the run from now on.

    `config` are those it had, `new` those it would begin with now.
    """
    folder = run.folder
    for note in changes.refuse_recipe(folder, restored(folder / CONFIG, config).recipe, training.recipe):
        say(note)
    changes.refuse_data(folder, config.fingerprint, new.fingerprint)
    found, damage = checkpoints.latest(folder)
    for note in (
        *damage,
        *changes.version_notes({"netc": config.netc, **config.versions}, {"netc": new.netc, **new.versions}),
    ):
        say(note)
    if found is not None:
        changes.refuse_checkpoint(folder, found.step, found.net, plan.program)
        changes.refuse_length(folder, found.step, training.steps)
        put_back(run, training, found)
    say(beginning(training, found))
    checkpoints.forget(folder, training.done)
    now = replace(
        config, train=new.train, netc=new.netc, versions=new.versions, data=new.data, from_python=new.from_python
    )
    now = replace(now, net_hash=new.net_hash, fingerprint=new.fingerprint, fields=new.fields, classes=new.classes)
    write_files(run, training, replace(now, status="running", step=training.done, problem=None))
    return now


def put_back(run: Run, training: Training, found: Checkpoint) -> None:
    if not checkpoints.fits(training, found):
        reason = f"the checkpoint of step {found.step:,} has other arrays than the optimizer and the net need"
        raise changes.refuse(run.folder, reason, "go on with the versions that `versions` in run.yaml names")
    checkpoints.put_back(training, found)
    run.history[:] = found.history


def beginning(training: Training, found: Checkpoint | None) -> str:
    if found is None:
        return "there is no checkpoint to go on from: the run begins anew"
    if training.done == training.steps:
        return f"the run is finished: all {training.steps:,} steps are done"
    return f"the run goes on after step {training.done:,} of {training.steps:,}"


def write_files(run: Run, training: Training, config: Config) -> None:
    """The folder's files as they were at the checkpoint."""
    write_lines(run.folder / METRICS, [json.dumps(line) for line in run.history])
    times = run.folder / TIMES
    taken = guarded(times, lambda: times.read_bytes().decode(errors="replace").splitlines()) if times.is_file() else []
    write_lines(times, taken[: len(run.history)])
    seen = [line for line in read_signals(run.folder) if line["step"] < training.done]
    write_lines(run.folder / SIGNALS, [json.dumps(line) for line in seen])
    training.settle()
    run.step = training.done
    folders.write_weights(run.folder, run.model)
    write(run.folder / CONFIG, dump(config))


def write_lines(path: Path, lines: list[str]) -> None:
    """A file of lines; none if there is none."""
    if lines:
        write(path, "".join(line + "\n" for line in lines).encode())
    else:
        guarded(path, lambda: path.unlink(missing_ok=True))
