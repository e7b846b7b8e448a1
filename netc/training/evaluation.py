"""A model in evaluation mode on data: its loss and metrics, over all examples."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from netc.emit.recipe import emit_recipe
from netc.ir.network import Applied, Program, Recipe
from netc.kernels.metrics import FROM_SUMS, mean
from netc.model import LARGEST_BATCH, Model, run_source
from netc.training.feeding import Arrays, make_passes

LARGEST_PART = 2**26
"""How many numbers of a field go through the net at once, at most: 256 MB of float32."""


@dataclass(frozen=True)
class Functions:
    """A recipe's emitted functions, and how a batch goes through the net."""

    loss: Callable[..., Any]
    metrics: Callable[..., Any]
    optimizer: Callable[..., Any]
    feeds: tuple[str, ...]
    outputs: tuple[str, ...]
    measures: Mapping[str, Callable[[np.ndarray, int], Any]]
    """What makes the loss and each metric of their sums over all examples."""

    def run(self, model: Any, data: Arrays) -> dict[str, Any]:
        """The net's outputs by name for a batch of fields."""
        made = model(*(data[field] for field in self.feeds))
        return dict(zip(self.outputs, made if isinstance(made, tuple) else (made,), strict=True))

    def measure(self, outputs: Arrays, data: Arrays) -> dict[str, Any]:
        """The loss and metrics of each example."""
        return {"loss": self.loss(outputs, data), **self.metrics(outputs, data)}


def functions(program: Program, recipe: Recipe) -> Functions:
    names = run_source(emit_recipe(recipe), f"<netc recipe {recipe.name}>")
    outputs = tuple(name for name, _ in program.root.outputs)
    feeds = tuple(field for _, field in recipe.feeds)
    terms = (("loss", recipe.loss), *recipe.metrics)
    measures = {name: FROM_SUMS.get(t.name, mean) if isinstance(t, Applied) else mean for name, t in terms}
    return Functions(names["loss"], names["metrics"], names["optimizer"], feeds, outputs, measures)


def make_evaluation(
    model: Model, used: Functions, data: Arrays, trained: Any = nnx.Param
) -> Callable[[Any, Any], dict[str, Any]]:
    """A function of parameters and other state, as `nnx.split(model, trained, ...)` gives them, that gives the loss and
    metrics on data, on the device or on disk: numbers, or rows of whole numbers."""
    graph = evaluated(model, trained)

    def found(params: Any, rest: Any, batch: Any) -> list[dict[str, Any]]:
        return [used.measure(used.run(nnx.merge(graph, params, rest), batch), batch)]

    every = over_all(found, used, data)
    return lambda params, rest: every(params, rest)[0]


def evaluated(model: Model, trained: Any = nnx.Param) -> Any:
    """The graph of a model in evaluation mode, for states as `nnx.split(model, trained, ...)` gives them."""
    view = nnx.view(model, deterministic=True, use_running_average=True, raise_if_not_found=False)
    graph, _, _ = nnx.split(view, trained, ...)
    return graph


def over_all(
    found: Callable[[Any, Any, Any], list[dict[str, Any]]], used: Functions, data: Any
) -> Callable[[Any, Any], list[dict[str, Any]]]:
    """A function of parameters and other state that gives measures over all examples of a tree of arrays, on the device
    or on disk, where `found` gives those of each example of a batch, by one net or several.

    The data go through in parts of equal size, the last filled up with examples that do not count.
    """
    arrays = jax.tree.leaves(data)
    examples, numbers = len(arrays[0]), max(math.prod(array.shape[1:]) for array in arrays)
    parts = math.ceil(examples / min(LARGEST_BATCH, max(1, LARGEST_PART // max(1, numbers))))
    size = math.ceil(examples / parts)
    passes, pick = make_passes(data, size)

    @jax.jit
    def sums(params: Any, rest: Any, data: Any, start: Any) -> list[dict[str, Any]]:
        places = start + jnp.arange(size)
        batch = pick(data, places)
        return jax.tree.map(lambda value: sum_of(value, places < examples), found(params, rest, batch))

    def evaluate(params: Any, rest: Any) -> list[dict[str, Any]]:
        parts = [jax.device_get(sums(params, rest, part, start)) for start, part in passes()]
        whole = jax.tree.map(lambda *part: np.sum([np.asarray(p, np.float64) for p in part], axis=0), *parts)
        return [{name: measure(one[name], examples) for name, measure in used.measures.items()} for one in whole]

    return evaluate


def sum_of(values: Any, counted: Any) -> Any:
    """The sum over the examples [batch, ...] that count."""
    return jnp.sum(jnp.where(counted.reshape(-1, *(1,) * (values.ndim - 1)), values, 0), axis=0)


def evaluate(model: Model, used: Functions, data: Arrays) -> dict[str, Any]:
    """The loss and metrics of a model on data."""
    _, params, rest = nnx.split(model, nnx.Param, ...)
    return make_evaluation(model, used, data)(params, rest)
