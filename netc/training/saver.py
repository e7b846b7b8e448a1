"""What a training leaves in its run's folder while it goes on: lines of metrics, checkpoints, and the best weights."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from netc.check.checkpoint import more_is_better
from netc.files import append, write
from netc.ir.network import Recipe
from netc.problems import Problem
from netc.recipes.problems import NotFinite
from netc.training import checkpoints
from netc.training import run as folders
from netc.training.config import Config, dump
from netc.training.loop import Epoch, Training
from netc.training.run import Run
from netc.training.signals import findings, in_member, named, read_signals, record
from netc.training.stopping import judged

Say = Callable[[str], object]


@dataclass
class Saver:
    """Keeps a run's folder up to date with its training. `net` is what tells the net in a checkpoint."""

    run: Run
    config: Config
    recipe: Recipe
    training: Training
    net: Mapping[str, Any]
    stop: Callable[[], bool]
    say: Say
    clock: checkpoints.Clock = field(init=False)
    written: int = field(init=False)

    def __post_init__(self) -> None:
        self.clock = checkpoints.clock(self.recipe, self.training)
        self.written = self.training.done
        self.warned = {named(finding) for line in read_signals(self.run.folder) for finding in line["findings"]}

    def pause(self) -> bool:
        """To be asked between chunks: saves a checkpoint if one is due, or the last one before an early end."""
        asked = self.stop()
        if asked or self.clock.due(self.training.done):
            self.save()
        return asked

    def save(self) -> None:
        """Saves a checkpoint, then its weights for `netc eval` and `predict`, unless there is nothing new."""
        if self.training.done == self.clock.step:
            return
        keep = checkpoints.every(self.recipe.checkpoint).keep
        checkpoints.save(self.run.folder, self.training, self.run.history, self.net, keep)
        self.clock.saved(self.training.done)
        self.write_weights()
        self.write_config(status="running")

    def signals(self) -> None:
        """A line for each look that was taken since, and a word on what was not said before of that layer."""
        for look in self.training.seen:
            line = record(look, findings(look, self.training.look.program))
            append(self.run.folder / folders.SIGNALS, json.dumps(line))
            for finding in line["findings"]:
                if named(finding) not in self.warned:
                    self.warned.add(named(finding))
                    self.warn(f"after step {look.step:,}, {in_member(look)}{finding['text']}; {finding['way_out']}")
        self.training.seen.clear()

    def warn(self, text: str) -> None:
        self.run.warnings.append(text)
        self.say(text)

    def blamed(self, problem: Problem) -> Problem:
        """A problem of a loss that is not finite, with the last checkpoint before what is wrong."""
        good = [step for step in checkpoints.saved_steps(self.run.folder) if step <= self.training.done]
        if not isinstance(problem, NotFinite) or not good:
            return problem
        return replace(problem, checkpoint=str(self.run.folder / checkpoints.FOLDER / str(good[0])))

    def epoch(self, event: Epoch) -> None:
        """A line of metrics, and the weights if they are the best so far. That of times comes first: there are never
        fewer of these."""
        line = event.record()
        best = self.is_best(line)
        self.run.history.append(line)
        append(self.run.folder / folders.TIMES, json.dumps(event.times()))
        append(self.run.folder / folders.METRICS, json.dumps(line))
        if best:
            self.training.settle()
            folders.write_weights(self.run.folder, self.run.model, folders.BEST)

    def is_best(self, line: dict[str, Any]) -> bool:
        """Whether the recipe keeps the best weights, and no epoch before was as good, on the validation set if there is
        one."""
        name = checkpoints.every(self.recipe.checkpoint).best
        if name is None:
            return False
        sign = 1 if more_is_better(name, self.recipe.metrics) else -1
        return all(sign * judged(line)[name] > sign * judged(before)[name] for before in self.run.history)

    def write_weights(self) -> None:
        self.training.settle()
        self.run.step = self.training.done
        if self.written != self.run.step:
            folders.write_weights(self.run.folder, self.run.model)
            self.written = self.run.step

    def write_config(self, status: str, problem: str | None = None) -> None:
        now = replace(self.config, status=status, step=self.run.step, problem=problem)
        write(self.run.folder / folders.CONFIG, dump(now))
