"""The members of an ensemble as one model: it predicts what they say together, and its weights have names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from netc.check.problems import RecipeMismatch
from netc.emit.emitted import Place
from netc.emit.flax import Emitted
from netc.ir.constraints import matches
from netc.ir.network import Program, Recipe
from netc.kernels.ensemble import MEANS
from netc.model import Model, Prepare, build_module, origin_of, variable
from netc.problems import RunError
from netc.training.answers import losses_read

MEMBERS = "members"
"""What the measures of each member stand under, beside those of all of them together."""
Outputs = Mapping[str, Any]
Mean = Callable[[Sequence[Outputs]], dict[str, Any]]
"""The outputs by name that several nets give together."""


class Ensemble(Model):
    """Nets that answer together: `members` are models, and `predict` gives the mean of their probabilities as an output
    of the same kind, or the mean of their outputs where the recipe's loss reads no classes from them.

    In a file of weights, member 2 has `2.conv1.kernel`, and what all of them share stands there once, as
    `conv1.kernel`.
    """

    _mean: ClassVar[Callable[[Sequence[Any]], Any]]
    _shared: ClassVar[tuple[str, ...]]
    """Where the shared weights lie in a member."""

    def __init__(self, members: Sequence[Model]) -> None:
        members_list: Any = nnx.List
        self.members = members_list(members)

    def predict(self, *inputs: Any) -> Any:
        """What `predict` of a member gives, of all of them together."""
        return type(self)._mean([member.predict(*inputs) for member in self.members])

    def at(self, *extents: int) -> Model:
        """The ensemble on larger inputs, as each member's `at`."""
        made: type[Any] = type(self)
        return made([member.at(*extents) for member in self.members])

    def share(self) -> None:
        """Gives the first member's shared weights to the others."""
        first, *others = self.members
        for path in self._shared:
            for member in others:
                variable(member, path)[...] = variable(first, path)[...]


def build_model(program: Program, recipe: Recipe, prepare: Mapping[str, Prepare]) -> Model:
    """A recipe's model with fresh weights: a net, or an ensemble of them, each by its own seed."""
    made = [build_module(program, seed, prepare) for seed in recipe.seeds]
    return made[0] if len(made) == 1 else ensemble_of(made, recipe)


def ensemble_of(members: Sequence[Model], recipe: Recipe) -> Ensemble:
    program, emitted = origin_of(members[0])
    shared = shared_weights(program, recipe)
    own_class = {
        "__module__": __name__,
        "_inputs": members[0]._inputs,
        "_program": program,
        "_emitted": Emitted(emitted.source, "Ensemble", member_names(emitted, shared, len(members))),
        "_mean": staticmethod(partial(mean_predicted, program, recipe)),
        "_shared": shared_arrays(program, emitted, recipe),
    }
    made: type[Any] = type("Ensemble", (Ensemble,), own_class)
    ensemble = made(members)
    ensemble.share()
    return ensemble


def member_names(emitted: Emitted, shared: Sequence[str], members: int) -> dict[str, Place]:
    """Where each weight lies in an ensemble, by its name. No name in a .net file begins with a digit."""

    def of(i: int, at: Place) -> Place:
        return replace(at, path=f"members.{i}.{at.path}")

    common = {name: of(0, at) for name, at in emitted.variables.items() if name in shared}
    own = {
        f"{i}.{name}": of(i, at) for i in range(members) for name, at in emitted.variables.items() if name not in shared
    }
    return common | own


def names_in_file(model: Model) -> list[dict[str, str]]:
    """For each member, what its weights are called in a file of the model's weights, by their canonical names."""
    program, emitted = origin_of(model)
    names = [name for name, _ in program.weights()]
    return [
        {name: name if name in emitted.variables else f"{i}.{name}" for name in names}
        for i, _ in enumerate(members_of(model))
    ]


def shared_weights(program: Program, recipe: Recipe) -> tuple[str, ...]:
    """The names of the weights that the members have in common."""
    return tuple(
        name
        for name, weight in program.weights()
        if weight.trainable and any(matches(selector, name) for selector in recipe.shared)
    )


def shared_arrays(program: Program, emitted: Emitted, recipe: Recipe) -> tuple[str, ...]:
    """Where the shared weights lie in a member: of a row of equal layers that is one loop, all of them or none."""
    shared = shared_weights(program, recipe)
    paths = {emitted.variables[name].path for name in shared}
    alone = [name for name, at in emitted.variables.items() if at.path in paths and name not in shared]
    if alone:
        text = f"`{alone[0]}` is in a long row of equal layers, of which the members share others"
        way_out = "share all layers of the row, or none"
        raise RunError([RecipeMismatch(span=recipe.span, text=text, way_out=way_out)])
    return tuple(sorted(paths))


def members_of(model: Model) -> tuple[Model, ...]:
    """The members of an ensemble; of any other model itself."""
    return tuple(model.members) if isinstance(model, Ensemble) else (model,)


def spread(model: Model) -> None:
    """Gives the shared weights of an ensemble to all its members."""
    if isinstance(model, Ensemble):
        model.share()


def mean_of(recipe: Recipe) -> Mean:
    """What nets say together, each output as the first loss on it reads it."""
    readings = {name: loss.reading for name, loss in losses_read(recipe).items()}

    def mean(members: Sequence[Outputs]) -> dict[str, Any]:
        return {
            name: MEANS[readings.get(name, "numbers")](jnp.stack([outputs[name] for outputs in members]))
            for name in members[0]
        }

    return mean


def mean_predicted(program: Program, recipe: Recipe, predicted: Sequence[Any]) -> Any:
    """The same of what `predict` gives: arrays, or tuples of them."""
    names = [name for name, _ in program.root.outputs]
    made = [dict(zip(names, p if isinstance(p, tuple) else (p,), strict=True)) for p in predicted]
    outputs = [np.asarray(jax.device_get(a)) for a in mean_of(recipe)(made).values()]
    return tuple(outputs) if len(outputs) > 1 else outputs[0]


def beside_members(together: dict[str, Any], *members: dict[str, Any]) -> dict[str, Any]:
    """Measures of an average, with those of its members by name."""
    return {**together, MEMBERS: {name: [one[name] for one in members] for name in together}}
