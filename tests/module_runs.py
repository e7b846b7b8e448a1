"""Runs the emitted module of a program from weights by name, without the time that random starts take."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from netc.compiler import flax_source
from netc.ir.network import Program
from netc.model import run_source, set_weights


def module(program: Program, portable: bool = False) -> tuple[nnx.Module, Any]:
    """The emitted module, with numbers of the right shapes in it, in evaluation mode; and what was emitted."""
    emitted = flax_source(program, portable, places=True)
    made = run_source(emitted.source, "<emitted>")[emitted.class_name]
    graph, state = nnx.split(nnx.eval_shape(lambda: made(nnx.Rngs(0))))
    model = nnx.merge(graph, jax.tree.map(filled, state))
    model.eval()
    return model, emitted


def filled(shape: Any) -> jax.Array:
    if jnp.issubdtype(shape.dtype, jax.dtypes.prng_key):
        return jax.random.key(0)
    return jnp.zeros(shape.shape, shape.dtype)


def weights_for(program: Program, seed: int = 0) -> dict[str, np.ndarray]:
    """Random numbers for every weight; those that are variances are positive."""
    random = np.random.default_rng(seed)
    return {
        name: np.abs(numbers) + 0.5 if name.endswith("var") else numbers
        for name, w in program.weights()
        for numbers in [random.normal(0, 0.6, w.shape)]
    }


def inputs_for(program: Program, batch: int = 2) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.normal(0, 1, (batch, *program.root.types[name].shape)) for name in program.root.inputs]


def outputs(
    program: Program, weights: Mapping[str, np.ndarray], inputs: list[np.ndarray], portable: bool = False
) -> tuple[np.ndarray, ...]:
    """What the emitted module gives."""
    model, emitted = module(program, portable)
    set_weights(model, emitted, {name: w.astype(np.float32) for name, w in weights.items()})
    graph, state = nnx.split(model)
    made = jax.jit(lambda state, *x: nnx.merge(graph, state)(*x))(state, *(jnp.asarray(x, jnp.float32) for x in inputs))
    return tuple(np.asarray(y) for y in (made if isinstance(made, tuple) else (made,)))
