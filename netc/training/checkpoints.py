"""Checkpoints: all that a training goes on from, saved by Orbax into `checkpoints/STEP` of the run's folder.

Orbax writes beside the place and renames, so that a checkpoint is there whole or not at all. `STEP.sha256` is written
after it, as by `sha256sum`: what does not agree with it is damaged, and is not read at all.
"""

import hashlib
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from netc.files import CHOOSE, guarded, write
from netc.ir.network import Applied, Recipe
from netc.problems import RunError
from netc.recipes.checkpoints import MINUTES, Every
from netc.recipes.problems import CannotWrite
from netc.training.loop import Training

FOLDER = "checkpoints"
SYSTEM_ERROR = re.compile(r"([^:]*) \[os_error_code='\d+'\]")
"""Where TensorStore's messages have the system's."""


@dataclass(frozen=True)
class Checkpoint:
    """What was saved after `step` steps: the loop's arrays, and as plain data its position, the lines of metrics.jsonl
    and `net`, what tells the net that it is of."""

    step: int
    arrays: dict[str, np.ndarray]
    position: dict[str, Any]
    history: list[dict[str, Any]]
    net: dict[str, Any]


def every(checkpoint: Applied | None) -> Every:
    """The recipe's row, or the default."""
    settings: dict[str, Any] = dict(checkpoint.named) if checkpoint else {}
    made = Every(**settings)
    return Every(minutes=MINUTES, keep=made.keep, best=made.best) if unsaid(made) else made


def unsaid(made: Every) -> bool:
    return made.epochs is None and made.steps is None and made.minutes is None


@dataclass
class Clock:
    """Tells when the next checkpoint is due: after so many steps, or seconds, since the last one."""

    steps: int | None
    seconds: float
    step: int
    since: float = field(default_factory=time.monotonic)

    def due(self, step: int) -> bool:
        if self.steps is not None:
            return step // self.steps > self.step // self.steps
        return step > self.step and time.monotonic() - self.since >= self.seconds

    def saved(self, step: int) -> None:
        self.step, self.since = step, time.monotonic()


def clock(recipe: Recipe, training: Training) -> Clock:
    said = every(recipe.checkpoint)
    steps = said.steps if said.epochs is None else max(round(said.epochs * training.per_epoch), 1)
    return Clock(steps, 60 * (said.minutes or 0), training.done)


# Out.


def save(folder: Path, training: Training, history: list[dict[str, Any]], net: Mapping[str, Any], keep: int) -> None:
    """Saves a training that rests, as the latest of `keep` checkpoints.

    Raises `RunError` with `cannot-write` where the disk will not take it; those before it are then untouched.
    """
    import orbax.checkpoint as ocp

    root, step = folder / FOLDER, training.done
    said = {**training.position(), "history": history, "net": dict(net)}
    arrays = arrays_of(training.state)
    items = ocp.args.Composite(state=ocp.args.StandardSave(arrays), said=ocp.args.JsonSave(said))
    with saving(root, step):
        find_room(root, sum(array.nbytes for array in arrays.values()))
        with manager(root, keep) as orbax:
            orbax.save(step, args=items)
    write(manifest(root, step), manifest_text(root / str(step)).encode())
    for left in root.glob("*.sha256"):
        if not left.with_suffix("").is_dir():
            guarded(left, left.unlink)


def find_room(root: Path, size: int) -> None:
    """Raises `OSError` where a file of so many bytes does not fit. Orbax finds it out late: its threads go on after it
    has given up, and each of them prints a traceback."""
    if not hasattr(os, "posix_fallocate"):
        return
    with tempfile.TemporaryFile(dir=root) as file:
        os.posix_fallocate(file.fileno(), 0, max(size, 1))


def arrays_of(state: list[Any]) -> dict[str, np.ndarray]:
    """A training's arrays by their place, keys of random numbers by their data; Orbax takes none without numbers."""
    fetched = jax.device_get([jax.random.key_data(leaf) if is_key(leaf) else leaf for leaf in state])
    return {str(i): np.asarray(array) for i, array in enumerate(fetched) if array.size}


def is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


@contextmanager
def manager(root: Path, keep: int) -> Iterator[Any]:
    """Orbax's manager of a folder of checkpoints."""
    import orbax.checkpoint as ocp
    from orbax.checkpoint.checkpoint_managers import LatestN

    logging.getLogger("absl").addFilter(is_not_orbax)
    options = ocp.CheckpointManagerOptions(
        preservation_policy=LatestN(keep), enable_async_checkpointing=False, cleanup_tmp_directories=True
    )
    with ocp.CheckpointManager(root.absolute(), options=options) as made:
        yield made


def is_not_orbax(record: logging.LogRecord) -> bool:
    """What Orbax's threads log, with tracebacks and perhaps late, comes as an exception, too."""
    return f"{os.sep}orbax{os.sep}" not in record.pathname


@contextmanager
def saving(root: Path, step: int) -> Iterator[None]:
    """What the disk refuses as a problem."""
    guarded(root, lambda: root.mkdir(exist_ok=True))
    try:
        yield
    except (OSError, ValueError) as failure:
        for partial in root.glob("*.orbax-checkpoint-tmp*"):
            shutil.rmtree(partial, ignore_errors=True)
        found = SYSTEM_ERROR.search(str(failure))
        reason = found[1].strip() if found else getattr(failure, "strerror", None) or str(failure).splitlines()[0]
        raise RunError([CannotWrite(path=str(root / str(step)), reason=reason, way_out=CHOOSE)]) from failure


def manifest(root: Path, step: int) -> Path:
    return root / f"{step}.sha256"


def manifest_text(place: Path) -> str:
    """The hashes of a checkpoint's files, each with its path beside the manifest."""
    files = sorted(path for path in place.rglob("*") if path.is_file())
    return "".join(f"{file_hash(path)}  {path.relative_to(place.parent).as_posix()}\n" for path in files)


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# In.


def latest(folder: Path) -> tuple[Checkpoint | None, list[str]]:
    """The latest checkpoint that is whole, and what is to be said of those that are not.

    What was never finished is no damage: whatever it was, the one before goes on to it.
    """
    root, notes = folder / FOLDER, list[str]()
    for step in saved_steps(folder):
        if not manifest(root, step).exists():
            continue
        if is_whole(root, step):
            return read(root, step), notes
        notes.append(f"the checkpoint {root / str(step)} is damaged, and is not used")
    return None, notes


def saved_steps(folder: Path) -> list[int]:
    """The steps whose checkpoints are there, whole or not, latest first."""
    root = folder / FOLDER
    found = root.iterdir() if root.is_dir() else iter(())
    return sorted((int(path.name) for path in found if path.name.isdecimal() and path.is_dir()), reverse=True)


def is_whole(root: Path, step: int) -> bool:
    """Whether the files of a checkpoint are those that were written."""
    try:
        return manifest(root, step).read_bytes() == manifest_text(root / str(step)).encode()
    except OSError:
        return False


def read(root: Path, step: int) -> Checkpoint:
    import orbax.checkpoint as ocp

    items = ocp.args.Composite(state=ocp.args.StandardRestore(), said=ocp.args.JsonRestore())
    with manager(root, 2) as orbax:
        found = orbax.restore(step, args=items)
    said = found["said"]
    position = {name: value for name, value in said.items() if name not in ("history", "net")}
    return Checkpoint(step, found["state"], position, said["history"], said["net"])


def put_back(training: Training, checkpoint: Checkpoint) -> None:
    """A training goes on where the checkpoint was saved; the arrays must be as many and of the same shapes."""
    state = [restored(leaf, checkpoint.arrays.get(str(i))) for i, leaf in enumerate(training.state)]
    training.go_on(state, checkpoint.position)


def restored(leaf: Any, array: Any) -> Any:
    if array is None:
        return leaf
    if is_key(leaf):
        return jax.random.wrap_key_data(jnp.asarray(array), impl=jax.random.key_impl(leaf))
    return jnp.asarray(array, leaf.dtype)


def fits(training: Training, checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint has the arrays that a training needs."""
    needed = {name: (array.shape, array.dtype) for name, array in arrays_of(training.state).items()}
    return needed == {name: (np.shape(a), np.asarray(a).dtype) for name, a in checkpoint.arrays.items()}


def forget(folder: Path, after: int) -> None:
    """Removes the checkpoints after a step: damaged, unfinished, or to be saved anew."""
    root = folder / FOLDER
    for step in saved_steps(folder):
        if step > after:
            with suppress(FileNotFoundError):
                manifest(root, step).unlink()
            guarded(root / str(step), lambda place=root / str(step): shutil.rmtree(place))
