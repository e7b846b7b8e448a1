"""The training loop: what it computes, and the weights that it keeps when a loss is not finite."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import yaml
from small_runs import SMALL, blobs, chunks_of, data_of, problem, training

import netc
from netc.training import Chunk, Epoch, loop
from netc.training.data.arrays import from_arrays
from netc.training.loop import Training


@pytest.mark.parametrize("length", [1, 5, 100])
def test_chunks_of_any_length_compute_the_same_as_single_steps(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    monkeypatch.setattr(loop, "next_length", chunks_of(length))
    one, other = training(), training()
    events = list(one.run())
    assert [event.step for event in events if isinstance(event, Epoch)] == [12, 24, 36]
    assert sum(event.examples for event in events if isinstance(event, Chunk)) == 3 * 183
    for number in range(36):
        other.state, _ = other.step(other.state, other.feed(number), other.order(number))
    for first, second in zip(one.state, other.state, strict=True):
        np.testing.assert_array_equal(data_of(first), data_of(second))


@pytest.mark.parametrize(
    "optimizer", ["adam(rate = 0.01)", "sgd(rate = cosine(0.1), momentum = 0.9)", "lion(rate = 1e-3)"]
)
def test_a_last_smaller_batch_does_not_compile_again(optimizer: str) -> None:
    one = training(optimizer, epochs=2)
    list(one.run())
    assert one.step._cache_size() == 1


def test_the_loss_of_an_epoch_is_the_mean_over_its_examples() -> None:
    """With a rate of 0 it is the loss of the training set; 183 examples in batches of 16 leave one of 7."""
    one = training("sgd(rate = 0.0)", epochs=1)
    (epoch,) = [event for event in one.run() if isinstance(event, Epoch)]
    data = from_arrays(blobs())
    whole = training("sgd(rate = 0.0)", {**{f"test_{n}": a for n, a in data.train.items()}, **data.train}, epochs=1)
    (measured,) = [event for event in whole.run() if isinstance(event, Epoch)]
    assert epoch.loss == pytest.approx(measured.test["loss"], rel=1e-5)


def test_the_weights_of_an_epoch_are_those_of_full_batches() -> None:
    """A last batch of 3 examples moves the weights as a batch of these 3 does, whatever fills it up."""
    arrays = blobs(43)
    split = from_arrays(arrays)
    one = training("sgd(rate = 0.1)", arrays, batch=36, epochs=1)
    order = np.asarray(one.order(0))
    assert (one.per_epoch, len(order)) == (2, 72)
    list(one.run())
    one.settle()
    plain = training("sgd(rate = 0.1)", arrays, batch=36, epochs=1)
    plain.settle()
    for start in (0, 36):
        chosen = order[:39][start : start + 36]
        part = {name: a[chosen] for name, a in split.train.items()}
        step = training(
            "sgd(rate = 0.1)", {**part, "test_x": part["x"], "test_label": part["label"]}, epochs=1, batch=99
        )
        step.model = plain.model
        loop.nnx.update(step.model, loop.nnx.state(plain.model))
        leaves = jax.tree.leaves(loop.nnx.split(plain.model, loop.nnx.Param, ...)[1])
        step.state = [*loop.copied(leaves), *step.state[len(leaves) :]]
        list(step.run())
        step.settle()
    found, expected = (jax.tree.leaves(loop.nnx.state(m, loop.nnx.Param)) for m in (one.model, plain.model))
    for first, second in zip(found, expected, strict=True):
        np.testing.assert_allclose(first, second, rtol=1e-5, atol=1e-6)


# A loss that is not finite.


def bad_first(arrays: dict[str, np.ndarray], step: int) -> dict[str, np.ndarray]:
    """Arrays with a number that overflows in the batch of a step of the first epoch."""
    order = np.asarray(training(arrays=arrays).order(0))
    x = arrays["x"].copy()
    x[order[step * 16 + 3]] = 3e38
    return {**arrays, "x": x}


GROWING = "sgd(rate = exponential(init = 1e-3, decay = 1e14, steps = {}, staircase = true))"
DIVERGING = {
    "first-step": ("sgd(rate = 1e-3)", lambda: bad_first(blobs(), 0)),
    "second-step": ("sgd(rate = 1e-3)", lambda: bad_first(blobs(), 1)),
    "later-step": ("sgd(rate = 1e-3)", lambda: bad_first(blobs(), 7)),
    "last-of-epoch": ("sgd(rate = 1e-3)", lambda: bad_first(blobs(), 11)),
    "from-the-start": ("sgd(rate = 1e14)", blobs),
    "with-state": ("sgd(rate = 1e14, momentum = 0.9)", blobs),
    **{f"growing-{n}": (GROWING.format(n), blobs) for n in (3, 8, 9, 10, 11)},
}


@pytest.mark.parametrize("length", [1, 2, 5, 100])
@pytest.mark.parametrize("case", DIVERGING)
def test_the_weights_kept_are_exactly_those_whose_loss_was_last_finite(
    monkeypatch: pytest.MonkeyPatch, case: str, length: int
) -> None:
    monkeypatch.setattr(loop, "next_length", chunks_of(length))
    optimizer, make = DIVERGING[case]
    arrays = make()
    one = training(optimizer, arrays)
    message = problem(lambda: list(one.run()))
    step, kept = plain_loop(training(optimizer, arrays))
    assert f"at step {step}; the " in message or f"after step {step - 1}; the " in message
    assert ("the initial weights are kept" in message) == (step == 1)
    for first, second in zip(one.state, kept, strict=True):
        np.testing.assert_array_equal(data_of(first), data_of(second))


def plain_loop(one: Training) -> tuple[int, list[Any]]:
    """One step at a time, every state and loss looked at: the step (from 1) whose loss is the first that is not
    finite, and the state that the last finite loss is of. After an epoch the loss of the test set counts too."""
    states = [loop.copied(one.state)]
    while True:
        number = len(states) - 1
        if number and number % one.per_epoch == 0 and not np.isfinite(loss_of_test_set(one, states[-1])):
            return number + 1, states[-2]
        state, loss = one.step(loop.copied(states[-1]), one.feed(number), one.order(number))
        if not np.isfinite(float(loss)):
            return number + 1, states[max(number - 1, 0)]
        states.append(loop.copied(state))


def loss_of_test_set(one: Training, state: list[Any]) -> float:
    params, rest, _, _ = jax.tree.unflatten(one.definition, state)
    return one.evaluate(params, rest)["loss"]


def test_a_run_that_diverges_says_so_and_keeps_its_weights(tmp_path: Path) -> None:
    text = SMALL.replace("adam(rate = 0.01)", "sgd(rate = 1e14)")
    message = problem(lambda: netc.train(text, data=blobs(), out=tmp_path / "c"))
    assert message.startswith("error[not-finite]: the loss is ")
    assert "   = help: lower the rate, clip gradients" in message
    config = yaml.safe_load((tmp_path / "c" / "run.yaml").read_text())
    assert config["status"] == "failed"
    assert config["problem"] in message
    assert np.isfinite(netc.evaluate(tmp_path / "c", blobs())["loss"])


def test_an_interrupt_in_the_middle_of_a_step_goes_back_to_the_copy(tmp_path: Path) -> None:
    one = training()
    events = one.run()
    while not isinstance(next(events), Epoch):
        pass
    kept = [data_of(leaf) for leaf in one.kept.state]
    one.step(one.state, one.feed(12), one.order(12))
    one.settle()
    assert one.done == one.kept.step < 12
    for first, second in zip(one.state, kept, strict=True):
        np.testing.assert_array_equal(data_of(first), second)
