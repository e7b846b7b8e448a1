"""The training loop: jitted steps with donated buffers, on data that lie on the device or are read from disk.

Steps go in chunks of about `CHUNK_SECONDS`. Within a chunk the host only dispatches; losses are fetched at its end.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from netc.ir.network import Program, Recipe
from netc.model import Model
from netc.problems import RunError
from netc.recipes.problems import NotFinite
from netc.training.accumulate import set_for_loop, written_out
from netc.training.adjusting import make_optimizer
from netc.training.arrangement import UNROLLED
from netc.training.augment import make_augmentation
from netc.training.average import averaging
from netc.training.constraints import Held, held
from netc.training.data.examples import Data
from netc.training.evaluation import Functions, functions, make_evaluation
from netc.training.feeding import Feed, make_feed, shuffled
from netc.training.look import Batches, Look, Looking
from netc.training.rates import Rates, rates_of
from netc.training.signals import first_not_finite
from netc.training.step import batch_of, make_batches, make_gradient, make_in_use, make_step

CHUNK_SECONDS = 0.2
FIRST_LOOK, FEWEST_BETWEEN = 100, 250
"""The first step that is looked into, and the fewest steps between two looks: a look costs as much as one to six steps,
and all of them less than 3 % (`python -m benchmarks signals`)."""
LOOKS_OF_EPOCH, MOST_LOOKS = 2, 400
"""How often a look is taken in an epoch, and in a run."""


@dataclass(frozen=True)
class Chunk:
    """Some steps that have been done, in an epoch of so many: `step` is the last of them, of `steps` in all.

    `loss` is the mean over the `examples` of these steps, which took `seconds`; `rate` is that of the last step, None
    where the optimizer has none.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    examples: int
    seconds: float
    rate: float | None


RECORDED = ("epoch", "step", "loss", "test", "validation")
"""The fields of an epoch that are the same in every run of the same."""


@dataclass(frozen=True)
class Epoch:
    """What a pass over the training set came to: the mean loss of its examples, and the loss and metrics of the
    test set after it, and of the validation set if there is one.

    What is otherwise in another run of the same is apart: `seconds` on the clock, measuring and saving included, since
    the epoch began or the run went on, and the `speed` of the steps, in examples per second. `rate` is that of the last
    step, None where the optimizer has none.
    """

    epoch: int
    step: int
    loss: float
    test: dict[str, Any]
    validation: dict[str, Any] | None
    rate: float | None
    seconds: float
    speed: float

    def record(self) -> dict[str, Any]:
        """A line of metrics.jsonl, which is the same in every run of the same."""
        return {name: value for name in RECORDED if (value := getattr(self, name)) is not None}

    def times(self) -> dict[str, Any]:
        """A line of times.jsonl."""
        seconds, speed = round(self.seconds, 3), round(self.speed, 1)
        return {"epoch": self.epoch, "step": self.step, "seconds": seconds, "speed": speed}


Event = Chunk | Epoch


@dataclass(frozen=True)
class Kept:
    """The weights, and all else that changes, after `step` steps."""

    step: int
    state: list[Any]


def steps_in_all(recipe: Recipe, examples: int) -> int:
    """How many steps a recipe takes on a training set; a last, smaller batch is a step too."""
    if recipe.steps is not None:
        return recipe.steps
    assert recipe.epochs is not None
    return recipe.epochs * math.ceil(examples / batch_of(recipe, examples))


@dataclass
class Training:
    """A training under way: `run` does its steps, `settle` puts the weights into the model.

    `state` is all that steps change, as one flat list of arrays: JAX takes a list of arrays apart faster than Flax's
    states. `kept` is a copy of it whose loss was finite. `in_use` gives the parameters and other state of a state that
    are measured and saved: the average of the weights, if the recipe asks for one. `total` is the sum of the losses of
    this epoch's examples. `first` is the beginning, kept for as long as nobody knows whether the loss is
    finite where the training goes on. `seen` are the looks that were taken, until somebody takes them away.
    """

    model: Model
    recipe: Recipe
    step: Any
    look: Looking
    evaluate: Callable[[Any, Any], dict[str, Any]]
    validate: Callable[[Any, Any], dict[str, Any]] | None
    in_use: Callable[[list[Any]], tuple[Any, Any]]
    definition: Any
    state: list[Any]
    feed: Feed
    examples: int
    steps: int
    shuffle: Callable[[int, int, int], Any]
    rate: Rates
    done: int = 0
    total: float = 0.0
    kept: Kept = field(init=False)
    first: Kept | None = None
    latest_order: tuple[int, Any] = (-1, None)
    seen: list[Look] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.kept = Kept(0, copied(self.state))

    @property
    def batch(self) -> int:
        return batch_of(self.recipe, self.examples)

    @property
    def per_epoch(self) -> int:
        return math.ceil(self.examples / self.batch)

    def run(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """Does the steps, and tells of each chunk and epoch.

        A loss that is not finite raises `RunError`; the weights are then those whose loss was the last finite one.
        Once `stop` says so, the steps of the chunk are finished, and KeyboardInterrupt is raised. It is asked between
        chunks, when all that has been done is told, and `position` with `state` says it all.
        """
        length, began, trained, gone = 1, time.perf_counter(), 0.0, 0
        while self.done < self.steps:
            if stop():
                raise KeyboardInterrupt
            epoch, first = divmod(self.done, self.per_epoch)
            count = min(length, self.per_epoch - first, self.steps - self.done)
            started = time.perf_counter()
            losses = self.chunk(count)
            seconds = time.perf_counter() - started
            length = next_length(count, seconds)
            sizes = [min(self.batch, self.examples - i * self.batch) for i in range(first, first + count)]
            # One by one, so that the sum does not depend on how steps are divided into chunks.
            for loss, size in zip(losses, sizes, strict=True):
                self.total += float(loss) * size
            weighed = float(np.dot(losses, sizes))
            epochs, seen = math.ceil(self.steps / self.per_epoch), sum(sizes)
            trained, gone = trained + seconds, gone + seen
            rate = self.rate(self.done)
            yield Chunk(epoch + 1, epochs, self.done, self.steps, weighed / seen, seen, seconds, rate)
            if first + count == self.per_epoch or self.done == self.steps:
                seen = min(self.examples, (first + count) * self.batch)
                mean = self.total / seen
                if first + count == self.per_epoch:
                    self.total = 0.0
                test, validation = self.test(), self.validation()
                now = time.perf_counter()
                yield Epoch(epoch + 1, self.done, mean, test, validation, rate, now - began, gone / trained)
                began, trained, gone = now, 0.0, 0

    def chunk(self, count: int) -> np.ndarray:
        """Does some steps of one epoch, and gives their losses, all finite.

        Only then is the state at the chunk's start kept: a loss is of the weights before its step, so the last ones
        whose loss is finite come before a step that may belong to the chunk before the one that fails.
        """
        order = self.order(self.done)
        kept = Kept(self.done, copied(self.state))
        losses: list[Any] = []
        looks: list[tuple[int, Any]] = []
        for _ in range(count):
            arrays = self.feed(self.done)
            if self.looks_at(self.done):
                looks.append((self.done, self.look(self.state, arrays, order)))
            self.state, loss = self.step(self.state, arrays, order)
            self.done += 1
            losses.append(loss)
        fetched = np.asarray(jax.device_get(losses), np.float64)
        if not np.isfinite(fetched).all():
            bad = int(np.flatnonzero(~np.isfinite(fetched))[0])
            self.fail(self.done - count + bad, f"the loss is {fetched[bad]} at step {self.done - count + bad + 1}")
        self.kept, self.first = kept, None
        self.seen += [look for step, found in looks for look in self.look.read(step, found)]
        return fetched

    def looks_at(self, step: int) -> bool:
        """Whether the step after so many is looked into: one early, and then a few."""
        return step == FIRST_LOOK or (step > 0 and step % self.look_every == 0)

    @property
    def look_every(self) -> int:
        return max(FEWEST_BETWEEN, math.ceil(self.per_epoch / LOOKS_OF_EPOCH), math.ceil(self.steps / MOST_LOOKS))

    def fail(self, bad: int, what: str) -> None:
        """Goes back to the last weights whose loss was finite: those of one step before the one with the bad loss."""
        step = max(bad - 1, 0)
        if self.first and step < self.kept.step:
            self.kept = self.first
        self.done, self.state = self.kept.step, copied(self.kept.state)
        while self.done < step:
            self.state, _ = self.step(self.state, self.feed(self.done), self.order(self.done))
            self.done += 1
        which = f"the weights after step {step}, the last whose loss was finite," if bad else "the initial weights"
        raise RunError([NotFinite(what=what, kept=which, where=self.blamed(bad))])

    def blamed(self, bad: int) -> str:
        """Where the first number that is not finite stands, in this step or, up to `bad`, a later one; empty if none is
        found."""
        state = copied(self.state)
        for step in range(self.done, bad + 1):
            order = self.order(step)
            arrays = self.feed(step)
            looks = self.look.read(step, self.look(state, arrays, order))
            found = next(filter(None, map(first_not_finite, looks)), "")
            if found:
                return found if step == bad else f"{found} in step {step + 1}"
            state, _ = self.step(state, arrays, order)
        return ""

    def test(self) -> dict[str, Any]:
        """The loss and metrics of the test set."""
        return self.measured("test", self.evaluate)

    def validation(self) -> dict[str, Any] | None:
        """The loss and metrics of the validation set, if there is one."""
        return None if self.validate is None else self.measured("validation", self.validate)

    def measured(self, part: str, evaluate: Callable[[Any, Any], dict[str, Any]]) -> dict[str, Any]:
        found = evaluate(*self.in_use(self.state))
        for name, value in found.items():
            if not all(np.isfinite(number).all() for number in jax.tree.leaves(value)):
                self.fail(self.done, f"the {part} set's {name} is {value} after step {self.done}")
        return found

    def order(self, step: int) -> Any:
        """The order of the examples in the epoch of a step, filled up to whole batches with its first ones."""
        epoch = step // self.per_epoch
        if self.latest_order[0] != epoch:
            order = self.shuffle(epoch, self.examples, self.per_epoch * self.batch)
            self.latest_order = epoch, order
        return self.latest_order[1]

    def position(self) -> dict[str, Any]:
        """What the loop knows besides `state`, as plain data."""
        return {"step": self.done, "total": self.total}

    def go_on(self, state: list[Any], position: Mapping[str, Any]) -> None:
        """Puts a training where another one was, which had the same state and position."""
        self.first, self.state = self.kept, copied(state)
        self.done, self.total = position["step"], position["total"]
        self.kept = Kept(self.done, copied(self.state))

    def settle(self) -> None:
        """Puts the weights into the model: the present ones or, if a step was broken off, those kept."""
        if any(leaf.is_deleted() for leaf in self.state):
            self.state = copied(self.kept.state)
        self.done = int(jax.tree.unflatten(self.definition, self.state)[-1])
        nnx.update(self.model, *self.in_use(self.state))


def prepare_training(model: Model, program: Program, recipe: Recipe, data: Data) -> Training:
    """A training that has not begun: its data on the device, its optimizer initialised."""
    examples = len(next(iter(data.train.values())))
    steps = steps_in_all(recipe, examples)
    used, keeps = functions(program, recipe), held(program, recipe)
    model.train()
    keeps.constrain(model)
    unroll = written_out(program, recipe.accumulate)
    with set_for_loop(model, recipe.accumulate > 1 and not unroll):
        graph, params, rest = nnx.split(model, keeps.trained, ...)
    optimizer = make_optimizer(program, recipe, used, params, max(steps, 1))
    average = averaging(recipe, steps, math.ceil(examples / batch_of(recipe, examples)))
    whole = (params, rest, (optimizer.init(params), average.start(params, rest)), jnp.zeros((), jnp.int32))
    leaves, definition = jax.tree.flatten(whole)
    feed = make_feed(data.train, recipe.seed, batch_of(recipe, examples), steps)
    augment = make_augmentation(program, recipe, data.train)
    batches = make_batches(recipe, examples, augment, feed)
    gradient = make_gradient(graph, used, recipe, batches, unroll)
    step = make_step(graph, definition, gradient, keeps, optimizer, average, recipe.seed)
    look = make_look(program, recipe, used, keeps, optimizer, definition, batches)
    in_use = make_in_use(graph, definition, keeps, average)
    evaluate = make_evaluation(model, used, data.test, keeps.trained)
    validate = None
    if data.validation is not None:
        validate = make_evaluation(model, used, data.validation, keeps.trained)
    shuffle, rate = partial(shuffled, recipe.seed), rates_of(recipe, max(steps, 1))
    parts = (step, look, evaluate, validate, in_use, definition, copied(leaves), feed, examples, steps, shuffle, rate)
    return Training(model, recipe, *parts)


def make_look(
    program: Program, recipe: Recipe, used: Functions, keeps: Held, optimizer: Any, definition: Any, batches: Batches
) -> Looking:
    """What looks into the steps of one net."""

    def nets(state: Any, order: Any) -> Any:
        params, rest, _, number = state
        return (params,), (rest,), (order,), number

    def updates(state: Any, gradients: Any, losses: Any) -> Any:
        params, _, (opt_state, _), _ = state
        return (optimizer.update(gradients[0], opt_state, params, value=losses[0])[0],)

    return Looking(program, recipe, used, keeps, definition, batches, UNROLLED, nets, updates)


def next_length(count: int, seconds: float) -> int:
    """How many steps the next chunk should have, after one of `count` steps: it grows at most eightfold at once."""
    return max(1, min(int(count * CHUNK_SECONDS / max(seconds, 1e-9)), 8 * count))


@jax.jit
def copied(state: list[Any]) -> list[Any]:
    """A copy, each array with a buffer of its own and an exact type, as the step gives them back."""
    return [jnp.copy(x if jnp.issubdtype(x.dtype, jax.dtypes.extended) else jnp.asarray(x, x.dtype)) for x in state]
