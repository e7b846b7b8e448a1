"""What test_sharing.py runs in a Python that finds no netc: makes each portable module, copies, moves and trains it.

`portable_runs.py FOLDER RATE`: each folder in FOLDER has model.py, told.json and given.npz, and gets a made.npz.
"""

import copy
import importlib.util
import json
import pickle
import sys
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx


def variable(model: Any, path: str) -> Any:
    for part in path.split("."):
        model = model[int(part)] if part.isdigit() else getattr(model, part)
    return model


@partial(jax.jit, static_argnums=0)
def run(graph: Any, state: Any, inputs: list[Any], target: Any) -> tuple[Any, Any]:
    """The gradient of the squared error, and the output."""

    def loss(state: Any) -> tuple[Any, Any]:
        made = nnx.merge(graph, state)(*inputs)
        off = made - target
        return (off.reshape(len(off), -1) ** 2).sum(axis=1).mean() / 2, made

    return jax.grad(loss, has_aux=True)(state)


def imported(place: Path) -> Any:
    """The module of a folder, under its folder's name, so that its classes can be pickled."""
    spec = importlib.util.spec_from_file_location(place.name, place / "model.py")
    assert spec and spec.loader
    module = sys.modules[place.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def visit(place: Path, rate: float) -> None:
    told = json.loads((place / "told.json").read_text())
    given = dict(np.load(place / "given.npz"))
    model = getattr(imported(place), told["class"])(nnx.Rngs(7))
    inputs, target = [jnp.asarray(given[name]) for name in told["inputs"]], jnp.asarray(given["target"])
    made: dict[str, Any] = {}

    def note(stage: str) -> Any:
        graph, state = nnx.split(model)
        gradient, made[f"{stage} output"] = run(graph, state, inputs, target)
        made.update({f"{stage} {name}": variable(model, path)[...] for name, path in told["variables"].items()})
        return gradient

    def down(w: Any, gradient: Any) -> Any:
        return jnp.asarray(np.asarray(w) - np.float32(rate) * np.asarray(gradient))

    note("fresh")
    model = nnx.clone(copy.deepcopy(pickle.loads(pickle.dumps(model))))
    for name, path in told["variables"].items():
        variable(model, path)[...] = jnp.asarray(np.asarray(variable(model, path)[...]) + given[f"move {name}"])
    gradient = note("moved")
    graph, state = nnx.split(model)
    model = nnx.merge(graph, jax.tree.map(down, state, gradient))
    note("stepped")
    np.savez(place / "made.npz", **made)


if __name__ == "__main__":
    for place in sorted(Path(sys.argv[1]).iterdir()):
        visit(place, float(sys.argv[2]))
