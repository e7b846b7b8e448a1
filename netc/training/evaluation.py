"""A model in evaluation mode on data: means of its loss and metrics over all examples."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from netc.emit.recipe import emit_recipe
from netc.ir.network import Program, Recipe
from netc.model import LARGEST_BATCH, Model, run_source

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Functions:
    """A recipe's emitted functions, and how a batch goes through the net."""

    loss: Callable[..., Any]
    metrics: Callable[..., Any]
    optimizer: Callable[[int], Any]
    feeds: tuple[str, ...]
    outputs: tuple[str, ...]
    measures: tuple[str, ...]

    def run(self, model: Any, data: Arrays) -> dict[str, Any]:
        """The net's outputs by name for a batch of fields."""
        made = model(*(data[field] for field in self.feeds))
        return dict(zip(self.outputs, made if isinstance(made, tuple) else (made,), strict=True))


def functions(program: Program, recipe: Recipe) -> Functions:
    names = run_source(emit_recipe(recipe), f"<netc recipe {recipe.name}>")
    outputs = tuple(name for name, _ in program.root.outputs)
    feeds, measures = tuple(field for _, field in recipe.feeds), ("loss", *(name for name, _ in recipe.metrics))
    return Functions(names["loss"], names["metrics"], names["optimizer"], feeds, outputs, measures)


def on_device(arrays: Arrays) -> dict[str, Any]:
    return {name: jnp.asarray(array) for name, array in arrays.items()}


def make_evaluation(
    model: Model, used: Functions, data: Arrays, trained: Any = nnx.Param
) -> Callable[[Any, Any], dict[str, float]]:
    """A function of parameters and other state, as `nnx.split(model, trained, ...)` gives them, that gives the loss and
    metrics on data on the device.

    The data go through in parts of equal size, the last filled up with examples that do not count.
    """
    view = nnx.view(model, deterministic=True, use_running_average=True, raise_if_not_found=False)
    graph, _, _ = nnx.split(view, trained, ...)
    examples = len(next(iter(data.values())))
    parts = math.ceil(examples / LARGEST_BATCH)
    size = math.ceil(examples / parts)

    @jax.jit
    def sums(params: Any, rest: Any, data: Any, start: Any) -> dict[str, Any]:
        places = start + jnp.arange(size)
        batch = {name: jnp.take(a, places, axis=0, mode="clip") for name, a in data.items()}
        outputs = used.run(nnx.merge(graph, params, rest), batch)
        found = {"loss": used.loss(outputs, batch), **used.metrics(outputs, batch)}
        return {name: jnp.sum(jnp.where(places < examples, value, 0)) for name, value in found.items()}

    def evaluate(params: Any, rest: Any) -> dict[str, float]:
        found = jax.device_get([sums(params, rest, data, start) for start in range(0, examples, size)])
        return {name: sum(float(part[name]) for part in found) / examples for name in used.measures}

    return evaluate


def evaluate(model: Model, used: Functions, data: Arrays) -> dict[str, float]:
    """The loss and metrics of a model on data."""
    _, params, rest = nnx.split(model, nnx.Param, ...)
    return make_evaluation(model, used, on_device(data))(params, rest)
