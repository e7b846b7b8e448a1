"""A program made to run on weights and inputs that are given, in float64 and as in use: what verifying measures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from netc.compiler import flax_source
from netc.emit.emitted import Place
from netc.ir.network import Program, Weight
from netc.layers.initialisers import Constant
from netc.model import arrays_at, run_source, variable
from netc.types import F32, Type

Arrays = dict[str, Any]
"""NumPy or JAX arrays by name."""
BATCH = 3
MOST_WHOLE = 10
"""Inputs of whole numbers without a size are below this."""


@dataclass(frozen=True)
class Subject:
    """`run` gives the outputs by name for weights by canonical name and inputs by name; it is for use within
    `jax.enable_x64`. `module` has the shapes of the leaves, and no numbers."""

    program: Program
    module: nnx.Module
    variables: Mapping[str, Place]
    run: Callable[[Arrays, Arrays], Arrays]

    def weights(self, seed: int) -> Arrays:
        """Random weights by canonical name."""
        random = np.random.default_rng(seed)
        return {name: random_weight(weight, random) for name, weight in self.program.weights()}

    def inputs(self, seed: int) -> Arrays:
        random = np.random.default_rng([seed, 1])
        root = self.program.root
        return {name: random_input(root.types[name], random) for name in root.inputs}


def make_subject(program: Program) -> Subject:
    """Emits, makes and jits the module of a program."""
    emitted = flax_source(program, places=True, device=jax.default_backend())
    made = run_source(emitted.source, f"<netc {program.root.name}>")[emitted.class_name]
    module = nnx.eval_shape(lambda: made(nnx.Rngs(0)))
    for _, inner in nnx.iter_modules(module):
        if isinstance(inner, nnx.Embed):
            # Flax rounds to the type that the table had when it was made, whatever it has now.
            inner.dtype = None
    view = nnx.view(module, deterministic=True, use_running_average=True, raise_if_not_found=False)
    graph, shapes = nnx.split(view)
    names = [name for name, _ in program.root.outputs]

    @jax.jit
    def run(weights: Arrays, inputs: Arrays) -> Arrays:
        model: Any = nnx.merge(graph, jax.tree.map(filled, shapes))
        for path, array in arrays_at(emitted, weights).items():
            variable(model, path).set_value(array)
        given = model(*(inputs[name] for name in program.root.inputs))
        return dict(zip(names, given if isinstance(given, tuple) else (given,), strict=True))

    return Subject(program, module, emitted.variables, run)


def filled(shape: Any) -> jax.Array:
    """Numbers of a shape, for what weights do not replace: the keys of dropout, which is off."""
    if jnp.issubdtype(shape.dtype, jax.dtypes.prng_key):
        return jax.random.key(0)
    return jnp.zeros(shape.shape, shape.dtype)


def random_weight(weight: Weight, random: np.random.Generator) -> np.ndarray:
    """Numbers as large as those that weights start with; what starts at a number other than 0, as scales and
    variances do, is moved around it and keeps its sign."""
    noise = random.normal(size=weight.shape)
    if isinstance(weight.init, Constant) and weight.init.value:
        return weight.init.value * np.exp(0.3 * noise)
    return noise / np.sqrt(max(1, prod(weight.shape[:-1]))) if len(weight.shape) > 1 else 0.3 * noise


def random_input(type_: Type, random: np.random.Generator) -> np.ndarray:
    shape = (BATCH, *type_.array_shape)
    if type_.element == F32:
        return random.normal(size=shape)
    return random.integers(0, type_.element.size or MOST_WHOLE, shape).astype(np.int32)
