"""The members of a sweep, trained by Ray Tune: side by side, and on all machines of its cluster.

Each member is a trial, which writes into its run folder; Ray itself keeps no more than how it ended.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

from netc.problems import NetcError
from netc.training.grid import Member
from netc.training.matching import is_folder
from netc.training.sweeping import Task, train_member

LOGS = ".ray"
"""Where Ray keeps its own files in a sweep's folder."""


def train_members(task: Task, members: Sequence[Member]) -> dict[str, str]:
    """Trains all members that are not finished; gives the problems with which they ended, by name.

    The cluster is that of `RAY_ADDRESS`, or this machine. A member has one core, and one GPU where there are any.
    """
    import ray  # pyright: ignore[reportMissingImports]
    from ray import tune  # pyright: ignore[reportMissingImports]

    ours = not ray.is_initialized()
    if ours:
        ray.init(log_to_driver=False, configure_logging=False, include_dashboard=False)
    try:
        resources = {"cpu": 1, "gpu": 1 if ray.cluster_resources().get("GPU") else 0}
        named = {member.name: member for member in members}
        trial = tune.with_resources(tune.with_parameters(train_one, task=everywhere(task), members=named), resources)
        settings = tune.RunConfig(name=LOGS, storage_path=str(task.folder.absolute()), verbose=0)
        space = {"member": tune.grid_search(list(named))}
        with redirect_stdout(sys.stderr):
            results = tune.Tuner(trial, param_space=space, run_config=settings).fit()
    finally:
        if ours:
            ray.shutdown()
    found: dict[str, str] = {}
    for result in results:
        ended = str(result.error).splitlines()[-1] if result.error else (result.metrics or {}).get("problem", "")
        found |= {result.config["member"]: ended} if ended else {}
    return found


def train_one(config: dict[str, str], task: Task, members: dict[str, Member]) -> dict[str, str]:
    """A trial of Ray Tune."""
    try:
        problem = train_member(task, members[config["member"]])
    except NetcError as failure:
        problem = failure.problems[0].message()
    return {"problem": problem or ""}


def everywhere(task: Task) -> Task:
    """The task with whole paths: a trial runs in a folder of Ray's."""
    is_text = isinstance(task.source, str) and ("\n" in task.source or "{" in task.source)
    source = task.source if is_text else os.fspath(Path(task.source).absolute())
    data: Any = task.data
    if data is not None and is_folder(data):
        data = os.fspath(Path(data).absolute())
    return replace(task, source=source, data=data, folder=task.folder.absolute())
