"""Weights that a module keeps in stacks, taken apart for optimizers that look at whole weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from netc.emit.emitted import Place


@dataclass(frozen=True)
class Stacks:
    """`shapes` are the numbers of weights along the first axes of the arrays at some paths."""

    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @staticmethod
    def of(places: Mapping[str, Place]) -> "Stacks":
        """The stacks of a module, in which the last weight has the highest places."""
        return Stacks({at.path: tuple(1 + i for i in at.index) for at in places.values() if at.index})

    def key(self, at: Place) -> str:
        """The path of a weight once stacks are apart."""
        return ".".join([at.path, *map(str, at.index)]) if at.path in self.shapes else at.path

    def depth(self, at: Place) -> int:
        """How many axes of the array with a weight are still a stack's once these are apart."""
        return 0 if at.path in self.shapes else len(at.index)

    def apart(self, params: Any) -> Any:
        """Parameters with a variable for each weight in a stack, by its places behind the stack's path."""
        flat = []
        for path, variable in nnx.to_flat_state(params):
            shape = self.shapes.get(".".join(map(str, path)), ())
            flat += [((*path, *place), variable.replace(variable[...][place])) for place in np.ndindex(shape)]
        return nnx.from_flat_state(flat)

    def together(self, params: Any, like: Any) -> Any:
        """The inverse of `apart`, in the order of other parameters."""
        parts = dict(nnx.to_flat_state(params))
        flat = []
        for path, variable in nnx.to_flat_state(like):
            shape = self.shapes.get(".".join(map(str, path)), ())
            arrays = [parts[(*path, *place)][...] for place in np.ndindex(shape)]
            flat.append((path, variable.replace(jnp.stack(arrays).reshape(*shape, *arrays[0].shape))))
        return nnx.from_flat_state(flat)

    def one_by_one(self, optimizer: Any) -> Any:
        """An optimizer for parameters with stacks, of one that sees each weight by itself."""
        if not self.shapes:
            return optimizer

        def update(updates: Any, state: Any, params: Any = None, **more: Any) -> Any:
            seen = None if params is None else self.apart(params)
            found, state = optimizer.update(self.apart(updates), state, seen, **more)
            return self.together(found, updates), state

        return optax.GradientTransformationExtraArgs(lambda params: optimizer.init(self.apart(params)), update)
