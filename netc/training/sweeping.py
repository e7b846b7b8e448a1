"""A sweep: a recipe trained with every combination of some settings, each into a run folder of its own.

What there is to say of a member is read from its folder, so that it does not matter who trained it, and when.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from netc.api import check_any, spell
from netc.check.checkpoint import direction
from netc.check.problems import RecipeMismatch, UnknownName
from netc.ir.network import Recipe
from netc.problems import CompileError, NetcError, RunError
from netc.recipes.problems import BadSweep, CannotWrite, CorruptData, MissingData, MissingExtra
from netc.training import run as folders
from netc.training.changes import recipe_differences
from netc.training.config import Config, read_config
from netc.training.fingerprint import net_hash
from netc.training.grid import Member, Values, members, refuse_problems
from netc.training.interrupt import interrupts
from netc.training.job import Watch, start
from netc.training.matching import is_folder
from netc.training.plan import Plan, plan_checked, plan_file, restored
from netc.training.stopping import judged
from netc.training.tensorboard import refuse_missing

LOSS, SEED = "loss", "seed"
OF_ALL = (MissingData, CorruptData, MissingExtra, CannotWrite)
"""Problems that every member would have, unless it is the data that are swept: the sweep ends with them."""


@dataclass(frozen=True)
class Trial:
    """A member and how it went: the status in its run.yaml ("missing" if it has none), and the `problem` if it failed.

    `measures` are the numbers after the last epoch, of the validation set if there is one, else of the test set;
    `loss` is that of the training set, `seconds` those of all epochs on the clock.
    """

    name: str
    settings: Mapping[str, str]
    folder: Path
    status: str
    measures: Mapping[str, float]
    step: int = 0
    loss: float | None = None
    seconds: float = 0.0
    problem: str | None = None

    @property
    def finished(self) -> bool:
        return self.status == "finished"


@dataclass(frozen=True)
class Group:
    """The trials that differ in their seed alone: `mean` and `worst` of the metric over those that finished."""

    settings: Mapping[str, str]
    trials: tuple[Trial, ...]
    mean: float | None
    worst: float | None

    @property
    def finished(self) -> int:
        return sum(trial.finished for trial in self.trials)


@dataclass(frozen=True)
class Sweep:
    """What a sweep came to: its trials, best first, those that failed last, and by settings if the seed was swept.

    `more_is_better` says which way of the `metric` is up, `part` which part of the data it was measured on.
    """

    folder: Path
    metric: str
    more_is_better: bool
    trials: tuple[Trial, ...]
    groups: tuple[Group, ...]
    part: str

    @property
    def failed(self) -> tuple[Trial, ...]:
        return tuple(trial for trial in self.trials if trial.status not in ("finished", "interrupted", "missing"))


@dataclass(frozen=True)
class Task:
    """What all members of a sweep have in common."""

    source: str | os.PathLike[str]
    folder: Path
    data: Any = None
    net: str | None = None
    recipe: str | None = None
    tensorboard: bool = False

    def plan(self, member: Member) -> Plan:
        return plan_file(self.source, self.data, member.settings, self.net, self.recipe)


Tell = Callable[[int, Member, Trial | None], object]
"""Is called with the number of each member when it begins, and again with how it went."""


def sweep(
    source: str | os.PathLike[str],
    set: Mapping[str, object],
    data: Any = None,
    out: str | os.PathLike[str] | None = None,
    net: str | None = None,
    recipe: str | None = None,
    metric: str | None = None,
    resume: bool = False,
    engine: str = "local",
    tensorboard: bool = False,
) -> Sweep:
    """Trains a recipe with every combination of settings; a list, tuple or range in `set` has the values of one.

    Each member is a run in a folder below `out` (`runs/NAME-sweep` if left out), named by what is swept. All settings
    are checked before the first run begins. A member that fails does not keep the others from being trained. With
    `resume` finished members are left as they are, and others go on. `metric` is the loss or a metric of the recipe, by
    which trials are sorted; its first metric if left out. `data` and the rest are as for `train`. The engine "ray" lets
    Ray Tune train members side by side, and on the machines of its cluster, which must share the folder.

    Raises `CompileError` or `RunError`; on Ctrl-C the steps under way are finished, and KeyboardInterrupt raised.
    """
    values = {name: texts_of(value) for name, value in set.items()}
    ready = prepare(source, values, data, out, net, recipe, metric, resume, engine, tensorboard)
    with interrupts() as stop:
        ready.train(stop=stop)
    return ready.result()


def texts_of(value: object) -> list[str]:
    return [spell(item) for item in value] if isinstance(value, list | tuple | range) else [spell(value)]


@dataclass
class Prepared:
    """A sweep whose settings have all been checked. `told` are the problems with which members ended, by name: of those
    that ended before their first step no folder has them."""

    task: Task
    members: Sequence[Member]
    recipe: Recipe
    metric: str
    more_is_better: bool
    engine: str
    told: dict[str, str]

    def train(
        self,
        watch: Watch | None = None,
        stop: Callable[[], bool] = lambda: False,
        tell: Tell = lambda number, member, trial: None,
    ) -> None:
        """Trains all members that are not finished; raises KeyboardInterrupt once `stop` says so."""
        ENGINES[self.engine](self, watch, stop, tell)

    def trial(self, member: Member) -> Trial:
        return read_trial(self.task, member, self.told.get(member.name))

    def result(self) -> Sweep:
        trials = sorted(map(self.trial, self.members), key=self.order)
        groups = sorted(self.grouped(trials), key=self.order_of_groups)
        part = "test" if self.recipe.validation is None else "validation"
        return Sweep(self.task.folder, self.metric, self.more_is_better, tuple(trials), tuple(groups), part)

    def order(self, trial: Trial) -> tuple[bool, float]:
        return self.rank(trial.measures.get(self.metric) if trial.finished else None)

    def order_of_groups(self, group: Group) -> tuple[bool, bool, float]:
        return (group.finished < len(group.trials), *self.rank(group.mean))

    def rank(self, value: float | None) -> tuple[bool, float]:
        """Sorts best first, and what has no value last."""
        return (value is None, 0.0 if value is None else -value if self.more_is_better else value)

    def grouped(self, trials: Iterable[Trial]) -> list[Group]:
        """Trials by their settings but the seed; none if it is not swept."""
        found: dict[tuple[tuple[str, str], ...], list[Trial]] = {}
        for trial in trials:
            if seed := next((name for name in trial.settings if name in (SEED, f"train.{SEED}")), None):
                key = tuple((name, text) for name, text in trial.settings.items() if name != seed)
                found.setdefault(key, []).append(trial)
        return [self.group(dict(key), tuple(own)) for key, own in found.items()]

    def group(self, settings: Mapping[str, str], trials: tuple[Trial, ...]) -> Group:
        values = [trial.measures[self.metric] for trial in trials if trial.finished and self.metric in trial.measures]
        worst = min if self.more_is_better else max
        mean = sum(values) / len(values) if values else None
        return Group(settings, trials, mean, worst(values, default=None))


def prepare(
    source: str | os.PathLike[str],
    values: Values,
    data: Any = None,
    out: str | os.PathLike[str] | None = None,
    net: str | None = None,
    recipe: str | None = None,
    metric: str | None = None,
    resume: bool = False,
    engine: str = "local",
    tensorboard: bool = False,
) -> Prepared:
    """Checks all settings of all members; raises `CompileError` or `RunError` with everything that is wrong."""
    refuse_engine(engine)
    if tensorboard:
        refuse_missing()
    made = members(values)
    checks = [check_any(source, net, member.settings, recipe) for member in made]
    refuse_problems(checks)
    plans = [plan_checked(checked) for checked in checks]
    chosen = plans[0].recipe
    name, more = direction_of(metric, [plan.recipe for plan in plans])
    find = folders.latest_folder if resume else folders.free_folder
    folder = find(f"{chosen.name}-sweep") if out is None else Path(out)
    if not resume:
        folders.refuse_existing(folder)
    if (folder / folders.CONFIG).exists():
        raise RunError([BadSweep(reason=f"`{folder}` is the folder of one run", way_out="choose another with `--out`")])
    given = data if is_folder(data) or isinstance(data, Mapping | tuple) else list(data)
    task = Task(source, folder, given, net, recipe, tensorboard)
    return Prepared(task, made, chosen, name, more, engine, {})


def direction_of(metric: str | None, recipes: Sequence[Recipe]) -> tuple[str, bool]:
    """The metric to sort by, which all members must have, and whether more of it is better."""
    first = dict(recipes[0].metrics)
    known = {LOSS: False, **{name: up for name, term in first.items() if (up := direction(term)) is not None}}
    name = metric or next((name for name in known if name != LOSS), LOSS)
    if name not in known and name in first:
        text = f"nothing says whether more or less of `{name}` is better"
        raise CompileError([RecipeMismatch(text=text, way_out="there are: " + ", ".join(known))])
    if name not in known or not all(name == LOSS or name in dict(recipe.metrics) for recipe in recipes):
        raise CompileError([UnknownName(what="metric of the recipe", name=name, known=tuple(known))])
    return name, known[name]


def train_member(
    task: Task, member: Member, watch: Watch | None = None, stop: Callable[[], bool] = lambda: False
) -> str | None:
    """Trains a member, or goes on with it, if it is not finished; gives the problem with which it ended."""
    folder = task.folder / member.name
    try:
        plan = task.plan(member)
        if not is_done(folder, plan):
            start(plan, folder, watch, stop, resume=True, tensorboard=task.tensorboard)
    except NetcError as failure:
        if isinstance(failure.problems[0], OF_ALL) and "data" not in member.swept:
            raise
        return failure.problems[0].message()
    return None


def is_done(folder: Path, plan: Plan) -> bool:
    """Whether the run of a plan is finished, with the same net and recipe."""
    if not (folder / folders.CONFIG).is_file():
        return False
    config = read_config(folder / folders.CONFIG)
    if config.status != "finished" or config.net_hash != net_hash(plan.program):
        return False
    return recipe_differences(restored(folder / folders.CONFIG, config).recipe, plan.recipe) == ([], [])


def read_trial(task: Task, member: Member, told: str | None = None) -> Trial:
    """What a member's folder says of it; `told` is a problem that is not in there."""
    folder = task.folder / member.name
    if not (folder / folders.CONFIG).is_file():
        return Trial(member.name, member.swept, folder, "failed" if told else "missing", {}, problem=told)
    config = read_config(folder / folders.CONFIG)
    lines, times = (read_lines(folder, name) for name in (folders.METRICS, folders.TIMES))
    measures = judged(lines[-1]) if lines else {}
    return Trial(
        name=member.name,
        settings=member.swept,
        folder=folder,
        status="failed" if told else config.status,
        step=config.step,
        loss=lines[-1]["loss"] if lines else None,
        measures={name: value for name, value in measures.items() if not isinstance(value, list)},
        seconds=sum(line["seconds"] for line in times),
        problem=told or problem_of(config),
    )


def problem_of(config: Config) -> str | None:
    """Why a run is not finished, as its run.yaml says."""
    return config.problem if config.status == "failed" else None


def read_lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """The lines of a run's metrics or times; none before its first epoch."""
    try:
        text = (folder / name).read_text() if (folder / name).is_file() else ""
        return [json.loads(line) for line in text.splitlines()]
    except ValueError as failure:
        raise folders.not_a_run(folder, f"its {name} is damaged") from failure


# Engines.


def in_turn(ready: Prepared, watch: Watch | None, stop: Callable[[], bool], tell: Tell) -> None:
    """Members one after another, here."""
    for number, member in enumerate(ready.members, 1):
        if stop():
            raise KeyboardInterrupt
        tell(number, member, None)
        if problem := train_member(ready.task, member, watch, stop):
            ready.told[member.name] = problem
        tell(number, member, ready.trial(member))


def by_ray(ready: Prepared, watch: Watch | None, stop: Callable[[], bool], tell: Tell) -> None:
    from netc.training.tuning import train_members

    for name, problem in train_members(ready.task, ready.members).items():
        ready.told |= {name: problem} if problem else {}
    if stop():
        raise KeyboardInterrupt


ENGINES = {"local": in_turn, "ray": by_ray}


def refuse_engine(engine: str) -> None:
    if engine not in ENGINES:
        raise RunError([UnknownName(what="engine", name=engine, known=tuple(ENGINES))])
    if engine == "ray" and find_spec("ray") is None:
        raise RunError([MissingExtra(package="ray", extra="ray", purpose="a sweep by Ray Tune")])
