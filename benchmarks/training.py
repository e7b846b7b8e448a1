"""Training: a step beside the same net written in Flax by hand, and the loop beside its bare steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

import netc
from benchmarks import flax_nets
from benchmarks.front import ROOT
from benchmarks.measure import Row, Table, as_ratio, at_most, in_milliseconds, ratios, spread, take_turns
from netc.training.data.examples import Data
from netc.training.loop import Epoch, Training, prepare_training

EPOCHS = 1_000_000
"""More than are ever run: the loop that is measured must not come to an end."""


@dataclass(frozen=True)
class Case:
    """A spec, the same net by hand, its optimizer's rate after `total` steps, and how many steps make a round."""

    spec: str
    by_hand: Callable[[nnx.Rngs], nnx.Module]
    rate: Callable[[int], Any]
    steps: int


CASES = (
    Case("mlp", flax_nets.MLP, lambda total: 0.001, 150),
    Case("digits", flax_nets.Digits, lambda total: optax.cosine_decay_schedule(0.002, total), 80),
    Case("lenet5_modern", flax_nets.LeNet5Modern, lambda total: optax.cosine_decay_schedule(0.002, total), 20),
)


@dataclass
class Steps:
    """A jitted step and its state: `step` takes the state and the number of the step, and gives state and loss."""

    step: Callable[[Any, int], tuple[Any, Any]]
    state: Any
    count: int

    def run(self) -> list[Any]:
        """One pass over the training set; the losses of its steps."""
        losses = []
        for i in range(self.count):
            self.state, loss = self.step(self.state, i)
            losses.append(loss)
        return jax.block_until_ready(losses)


def tables(rounds: int) -> list[Table]:
    return [compare(case, rounds) for case in CASES]


def compare(case: Case, rounds: int) -> Table:
    """Steps of netc, by hand, and within netc's loop, in turn, on the same data from the same weights."""
    net = netc.compile(ROOT / "specs" / f"{case.spec}.net")
    recipe = net.recipes[0]
    examples = recipe.batch * case.steps
    data = synthetic(net.program.root.types[net.program.root.inputs[0]].shape, examples)
    total = EPOCHS * case.steps
    ours = netc_steps(net, data)
    theirs = steps_by_hand(case, data, recipe.batch, recipe.seed, total)
    agree(ours.run(), theirs.run())
    epochs = passes(netc_training(net, data))
    seconds = take_turns({"netc": ours.run, "hand": theirs.run, "loop": lambda: next(epochs)}, rounds)
    a_step = {name: [s / case.steps for s in taken] for name, taken in seconds.items()}
    rows = (
        Row("netc's step", spread(a_step["netc"], in_milliseconds)),
        Row("by hand: Flax, `nnx.split`, `jax.jit`, donated", spread(a_step["hand"], in_milliseconds)),
        Row("netc's loop, a step", spread(a_step["loop"], in_milliseconds)),
        at_most("netc's step to that by hand", ratios(seconds, "netc", "hand"), 1.05, as_ratio),
        at_most("the loop to its bare steps", ratios(seconds, "loop", "netc"), 1.05, as_ratio),
    )
    text = (
        f"Batches of {recipe.batch}, {case.steps} steps at a time, in turn, {rounds} rounds; equal weights, data and "
        "optimizer. The losses of the first steps agree."
    )
    return Table(f"Training {case.spec}", text, rows)


def synthetic(shape: tuple[int, ...], examples: int) -> dict[str, np.ndarray]:
    """Random images with a class in each: a bright square whose place tells it, so that there is something to learn."""
    rng = np.random.default_rng(0)
    image = 0.1 * rng.random((examples, *shape), np.float32)
    label = rng.integers(0, 10, examples).astype(np.int32)
    for i, which in enumerate(label):
        row, column = divmod(int(which), 5)
        image[i, 1 + 3 * row : 4 + 3 * row, column : column + 3] += 1
    return {"image": image, "label": label}


def netc_training(net: netc.CompiledNet, data: dict[str, np.ndarray], epochs: int = EPOCHS) -> Training:
    """netc's training of a net; its test set is one batch, so that little but steps is measured."""
    recipe = replace(net.recipes[0], epochs=epochs, steps=None)
    test = {name: array[: recipe.batch] for name, array in data.items()}
    return prepare_training(net.init(recipe.seed), net.program, recipe, Data(data, test, {}))


def netc_steps(net: netc.CompiledNet, data: dict[str, np.ndarray], epochs: int = EPOCHS) -> Steps:
    """The bare steps of netc's loop."""
    training = netc_training(net, data, epochs)
    order = permutation(training.examples)
    return Steps(lambda state, i: training.step(state, training.feed(i), order), training.state, training.per_epoch)


def steps_by_hand(case: Case, data: dict[str, np.ndarray], batch: int, seed: int, total: int) -> Steps:
    optimizer = optax.adam(case.rate(total))
    graph, params, rest = nnx.split(case.by_hand(nnx.Rngs(seed)), nnx.Param, ...)
    step = flax_nets.make_step(graph, optimizer, batch)
    train = {name: jnp.asarray(array) for name, array in data.items()}
    order = permutation(len(data["label"]))

    def by_hand(state: Any, i: int) -> tuple[Any, Any]:
        *state, loss = step(*state, train, order, i)
        return state, loss

    return Steps(by_hand, (params, rest, optimizer.init(params)), len(data["label"]) // batch)


def permutation(examples: int) -> jax.Array:
    return jax.random.permutation(jax.random.key(1), examples)


def passes(training: Training) -> Iterator[None]:
    """netc's loop, an epoch at a time."""
    return (None for event in training.run() if isinstance(event, Epoch))


def agree(ours: list[Any], theirs: list[Any]) -> None:
    """Both learn, and the same: rounding parts them after a while, so the first ten losses are compared."""
    a, b = (np.asarray(losses, np.float64) for losses in (ours, theirs))
    assert np.allclose(a[:10], b[:10], rtol=1e-3), f"the losses differ: {a[:10]} and {b[:10]}"
    assert a[-1] < a[0] and b[-1] < b[0], f"the losses do not fall: {a[0]} to {a[-1]}, {b[0]} to {b[-1]}"
