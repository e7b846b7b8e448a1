"""Models: the emitted module of a program, made to run, with `predict`, and its weights by canonical names."""

import functools
import linecache
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import jax
import numpy as np
from flax import nnx

from netc.compiler import flax_source
from netc.emit.flax import Emitted
from netc.ir.network import Program

PREPARERS: "WeakKeyDictionary[Model, Callable[[np.ndarray], np.ndarray]]" = WeakKeyDictionary()
"""What is done to inputs first; beside the modules, whose attributes are all weights and structure."""


class Model(nnx.Module):
    """What the class of every net also is: it predicts in evaluation mode, jitted once for each shape."""

    def prepare_with(self, preparer: Callable[[np.ndarray], np.ndarray]) -> None:
        """Sets what is done to the inputs of `predict` first: a run's preparation."""
        PREPARERS[self] = preparer

    def predict(self, *inputs: Any) -> Any:
        """The outputs for a batch of inputs [batch, ...]: dropout off, running statistics used."""
        preparer = PREPARERS.get(self)
        if preparer is not None:
            inputs = tuple(preparer(np.asarray(x, np.float32)) for x in inputs)
        graph, state = nnx.split(nnx.view(self, deterministic=True, use_running_average=True, raise_if_not_found=False))
        return jax.tree.map(np.asarray, _forward(graph, state, *inputs))


@functools.partial(jax.jit, static_argnums=0)
def _forward(graph: Any, state: Any, *inputs: Any) -> Any:
    return nnx.merge(graph, state)(*inputs)


def build_module(program: Program, seed: int = 0) -> Model:
    """The Flax module of a program with fresh weights: the emitted source is what runs, and tracebacks show it."""
    emitted = flax_source(program, places=True)
    made = run_source(emitted.source, f"<netc {program.root.name}>")[emitted.class_name]
    return type(made.__name__, (made, Model), {"__module__": made.__module__})(nnx.Rngs(seed))


def run_source(source: str, name: str) -> dict[str, Any]:
    """The names that emitted source defines."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    namespace: dict[str, Any] = {"__name__": "netc.emitted"}
    exec(compile(source, name, "exec"), namespace)
    return namespace


def variable(model: nnx.Module, path: str) -> Any:
    """The Flax variable at an attribute path such as `repeat1.3.conv1.kernel`."""
    found: Any = model
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    return found


def weights_of(model: nnx.Module, emitted: Emitted) -> dict[str, np.ndarray]:
    """Every weight by its canonical name."""
    return {name: np.asarray(variable(model, path)[...]) for name, path in emitted.variables.items()}


def set_weights(model: nnx.Module, emitted: Emitted, weights: Mapping[str, np.ndarray]) -> None:
    """Puts weights by their canonical names into a model."""
    for name, path in emitted.variables.items():
        variable(model, path)[...] = weights[name]
