"""The training of an ensemble: the steps of all members in one program.

Each member is a training of its own, with the seed, order of the data and augmentation of a single run. A shared weight
is one parameter with one optimizer's state: its gradient is the mean of the members', as if the batches of all of them
were one, so that a rate means what it does in a single run. What an optimizer looks at as a whole, such as the norm of
`clip`, it looks at for each member's own weights, and for the shared ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from netc.ir.network import Program, Recipe
from netc.model import Model, origin_of
from netc.problems import RunError
from netc.recipes.problems import DataMismatch
from netc.training.accumulate import set_for_loop, written_out
from netc.training.adjusting import make_optimizer
from netc.training.arrangement import Arrangement, arrangement, mean_of_members
from netc.training.augment import make_augmentation
from netc.training.average import Averaging, averaging
from netc.training.constraints import Held, at, held
from netc.training.data.examples import Data
from netc.training.evaluation import Functions, evaluated, functions, over_all
from netc.training.feeding import is_streamed, make_feed, shuffled
from netc.training.look import Batches, Looking
from netc.training.loop import Training, copied, steps_in_all
from netc.training.members import Ensemble, beside_members, mean_of, members_of, shared_arrays
from netc.training.rates import rates_of
from netc.training.step import batch_of, make_batches, make_gradient

SINGLY = "train the members one by one: `netc sweep FILE --set seed=0..4`, then `netc eval` of all runs"
STREAMED = "each member of an ensemble has an order of the examples of its own, and these are read from disk in one"
Gradient = Callable[..., tuple[tuple[Any, Any], Any]]


@dataclass(frozen=True)
class Learner:
    """What the optimizer and the average do to some parameters: those of a member, or those that all share."""

    optimizer: Any
    average: Averaging

    def start(self, params: Any, rest: Any) -> Any:
        return self.optimizer.init(params), self.average.start(params, rest)

    def changed(self, params: Any, state: Any, gradients: Any, loss: Any) -> tuple[Any, Any]:
        """The parameters after a step, and the optimizer's state."""
        updates, state = self.updates(params, state, gradients, loss)
        return optax.apply_updates(params, updates), state

    def updates(self, params: Any, state: Any, gradients: Any, loss: Any) -> tuple[Any, Any]:
        """What a step adds to the parameters, and the optimizer's state."""
        return self.optimizer.update(gradients, state, params, value=loss)


def prepare_ensemble(model: Model, program: Program, recipe: Recipe, data: Data) -> Training:
    """The training of an ensemble that has not begun, like `prepare_training` of one net."""
    assert isinstance(model, Ensemble)
    if is_streamed(data.train):
        raise RunError([DataMismatch(text=STREAMED, way_out=SINGLY)])
    group, members = arrangement(), members_of(model)
    examples = len(next(iter(data.train.values())))
    steps = steps_in_all(recipe, examples)
    per_epoch = -(-examples // batch_of(recipe, examples))
    used, keeps, average = functions(program, recipe), held(program, recipe), averaging(recipe, steps, per_epoch)
    for member in members:
        member.train()
        keeps.constrain(member)
    model.share()
    is_shared = at(shared_arrays(program, origin_of(members[0])[1], recipe))
    unroll = written_out(program, recipe.accumulate)
    with set_for_loop(members[0], recipe.accumulate > 1 and not unroll):
        graph = nnx.split(members[0], keeps.trained, ...)[0]
    states = []
    for member in members:
        _, params, rest = nnx.split(member, keeps.trained, ...)
        states.append((*nnx.split_state(params, is_shared, ...), rest))
    common, own, _ = states[0]
    learner, sharing = (
        Learner(make_optimizer(program, recipe, used, params, max(steps, 1)), average) for params in (own, common)
    )
    whole = (
        group.of([(own, rest, learner.start(own, rest)) for _, own, rest in states]),
        (common, sharing.start(common, nnx.State({})) if common else ((), ())),
        jnp.zeros((), jnp.int32),
    )
    leaves, definition = jax.tree.flatten(whole)
    feed = make_feed(data.train, recipe.seed, batch_of(recipe, examples), steps)
    batches = make_batches(recipe, examples, make_augmentation(program, recipe, data.train), feed)
    gradient = make_gradient(graph, used, recipe, batches, unroll)
    step = make_step(graph, definition, gradient, group, is_shared, keeps, (learner, sharing), recipe)
    learners = learner, sharing
    look = make_look(program, recipe, used, keeps, definition, batches, group, is_shared, learners)
    in_use = make_in_use(graph, definition, group, keeps, average, recipe)
    evaluate, validate = (
        None if part is None else make_evaluation(members[0], used, recipe, part, keeps.trained)
        for part in (data.test, data.validation)
    )
    assert evaluate is not None

    def shuffle(epoch: int, examples: int, places: int) -> Any:
        return group.of([shuffled(seed, epoch, examples, places) for seed in recipe.seeds])

    rate = rates_of(recipe, max(steps, 1))
    parts = (step, look, evaluate, validate, in_use, definition, copied(leaves), feed, examples, steps, shuffle, rate)
    return Training(model, recipe, *parts)


def make_step(
    graph: Any,
    definition: Any,
    gradient: Gradient,
    group: Arrangement,
    is_shared: Any,
    keeps: Held,
    learners: tuple[Learner, Learner],
    recipe: Recipe,
) -> Callable[..., Any]:
    """The step: a state, the training set and the members' orders of the epoch in, the next state and the mean loss of
    the members out."""
    learner, sharing = learners
    seeds = group.of([jnp.int32(seed) for seed in recipe.seeds])

    @partial(jax.jit, donate_argnums=0)
    def step(state: list[Any], train: Any, orders: Any) -> Any:
        members, (common, (common_state, common_mean)), number = jax.tree.unflatten(definition, state)

        def learn(member: Any, order: Any, seed: Any) -> Any:
            own, rest, _ = member
            params = nnx.merge_state(own, common)
            (loss, changed), gradients = gradient(params, rest, train, order, number, seed)
            return loss, changed, *nnx.split_state(gradients, is_shared, ...)

        losses, rests, shared, gradients = group.each(learn, members, orders, seeds)
        loss = mean_of_members(group, losses, recipe.ensemble)
        if common:
            mean = mean_of_members(group, shared, recipe.ensemble)
            common, common_state = sharing.changed(common, common_state, mean, loss)

        def change(member: Any, loss: Any, rest: Any, gradients: Any) -> Any:
            own, _, (optimizer_state, average) = member
            own, optimizer_state = learner.changed(own, optimizer_state, gradients, loss)
            params = keeps.projected(nnx.merge_state(own, common), graph, rest)
            projected, own = nnx.split_state(params, is_shared, ...)
            return (own, rest, (optimizer_state, learner.average.after(average, own, rest, number + 1))), projected

        members, projected = group.each(change, members, losses, rests, gradients)
        if common:
            common = group.member(projected, 0)
            common_mean = sharing.average.after(common_mean, common, nnx.State({}), number + 1)
        leaves, structure = jax.tree.flatten((members, (common, (common_state, common_mean)), number + 1))
        assert structure == definition
        return leaves, loss

    return step


def make_look(
    program: Program,
    recipe: Recipe,
    used: Functions,
    keeps: Held,
    definition: Any,
    batches: Batches,
    group: Arrangement,
    is_shared: Any,
    learners: tuple[Learner, Learner],
) -> Looking:
    """What looks into the members' steps; the update of what they share is that of their mean gradient."""
    learner, sharing = learners

    def nets(state: Any, orders: Any) -> Any:
        members, (common, _), number = state
        params, rests = group.each(lambda member: (nnx.merge_state(member[0], common), member[1]), members)
        return params, rests, orders, number

    def updates(state: Any, gradients: Any, losses: Any) -> Any:
        members, (common, (common_state, _)), _ = state
        shared, own = group.each(lambda gradient: nnx.split_state(gradient, is_shared, ...), gradients)
        if common:
            means = (mean_of_members(group, trees, recipe.ensemble) for trees in (shared, losses))
            common, _ = sharing.updates(common, common_state, *means)

        def update(member: Any, gradient: Any, loss: Any) -> Any:
            params, _, (optimizer_state, _) = member
            return (nnx.merge_state(learner.updates(params, optimizer_state, gradient, loss)[0], common),)

        return group.each(update, members, own, losses)[0]

    return Looking(program, recipe, used, keeps, definition, batches, group, nets, updates)


def make_in_use(
    graph: Any, definition: Any, group: Arrangement, keeps: Held, average: Averaging, recipe: Recipe
) -> Callable[[list[Any]], tuple[Any, Any]]:
    """The parameters and other state of all members that are measured and saved, as states of an `Ensemble`."""

    def in_use(state: list[Any]) -> tuple[Any, Any]:
        members, (common, (_, common_mean)), _ = jax.tree.unflatten(definition, state)
        shared = average.used(common_mean, common, nnx.State({}), alone)[0] if common else common
        params, rests = {}, {}
        for i in range(recipe.ensemble):
            own, rest, (_, mean) = group.member(members, i)
            own, rests[i] = average.used(mean, own, rest, alone)
            params[i] = nnx.merge_state(own, shared)
            if average.row is not None:
                params[i] = keeps.projected(params[i], graph, rests[i])
        return nnx.State({"members": params}), nnx.State({"members": rests})

    return in_use


def alone(params: Any, rest: Any) -> Any:
    """Parameters that are put back to where constraints hold only when those of a whole net are together."""
    return params


def make_evaluation(
    member: Model, used: Functions, recipe: Recipe, data: Any, trained: Any
) -> Callable[[Any, Any], dict[str, Any]]:
    """A function of the states of an ensemble that gives the loss and metrics of what the members say together, and
    under `members` those of each of them."""
    graph, mean = evaluated(member, trained), mean_of(recipe)

    def found(params: Any, rest: Any, batch: Any) -> list[dict[str, Any]]:
        nets = [nnx.merge(graph, params["members"][i], rest["members"][i]) for i in range(recipe.ensemble)]
        outputs = [used.run(net, batch) for net in nets]
        return [used.measure(made, batch) for made in (mean(outputs), *outputs)]

    every = over_all(found, used, data)
    return lambda params, rest: beside_members(*every(params, rest))
