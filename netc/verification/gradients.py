"""Gradients of a random sum of the outputs, by JAX and by central differences in random directions."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from netc.types import F32
from netc.verification.subject import Arrays, Subject

STEPS = (1e-4, 1e-5, 1e-6, 1e-7)
"""Steps in units of a weight's size: where one crosses the kink of a relu or a maximum, a smaller one is taken."""
NOISE = 1e-5
"""Slopes below this part of the sum itself drown in rounding."""


@dataclass(frozen=True)
class Gradient:
    """How far JAX's slope along a random direction of a weight or input is from the measured one, relative to it."""

    name: str
    shape: tuple[int, ...]
    difference: float
    holds: bool


def measure_gradients(subject: Subject, seed: int, tolerance: float) -> list[Gradient]:
    """One for each weight that is trained and each input of f32 numbers."""
    weights, inputs = subject.weights(seed), subject.inputs(seed)
    random = np.random.default_rng([seed, 2])
    root = subject.program.root
    trained = [name for name, weight in subject.program.weights() if weight.trainable]
    given = [name for name in root.inputs if root.types[name].element == F32]
    sums = {
        name: random.normal(size=(1, *root.types[value].array_shape)) / np.sqrt(max(1, root.types[value].size))
        for name, value in root.outputs
    }

    @jax.jit
    def total(point: Arrays) -> jax.Array:
        own = {name: point["weight " + name] if name in trained else array for name, array in weights.items()}
        fed = {name: point["input " + name] if name in given else array for name, array in inputs.items()}
        return sum((jnp.sum(array * sums[name]) for name, array in subject.run(own, fed).items()), jnp.zeros(()))

    point = {f"weight {name}": weights[name] for name in trained} | {f"input {name}": inputs[name] for name in given}
    gradients = jax.jit(jax.grad(total))(point)
    found = []
    for name in point:
        worst = difference(total, point, np.asarray(gradients[name]), name, random, tolerance)
        shown = name.partition(" ")[2]
        found.append(Gradient(shown, tuple(point[name].shape), worst, worst <= tolerance))
    return found


def difference(
    total: Callable[[Arrays], jax.Array],
    point: Arrays,
    gradient: np.ndarray,
    name: str,
    random: np.random.Generator,
    tolerance: float,
) -> float:
    """The smallest relative difference over the steps, each in a direction of its own."""
    found = np.inf
    size = float(np.sqrt(np.mean(point[name] ** 2))) or 1.0
    for step in STEPS:
        direction = random.normal(size=point[name].shape) * size
        ahead, behind = (float(total(point | {name: point[name] + sign * step * direction})) for sign in (1, -1))
        measured, said = (ahead - behind) / (2 * step), float(np.sum(gradient * direction))
        scale = max(abs(measured), abs(said), NOISE * max(abs(ahead), abs(behind)), np.finfo(float).tiny)
        own = abs(measured - said) / scale
        found = min(found, own) if np.isfinite(own) else found
        if found <= tolerance:
            break
    return found
