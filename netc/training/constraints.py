"""What a training keeps true of weights: projections after every step, and weights that no step touches."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flax import nnx

from netc.compiler import flax_source
from netc.emit.constraints import CONSTRAIN, FROZEN, emit_constraints
from netc.ir.constraints import with_constraints
from netc.ir.network import Program, Recipe
from netc.model import run_source


@dataclass(frozen=True)
class Held:
    """The constraints of a net and its recipe. `trained` is the filter of `nnx.split` for what the optimizer changes:
    frozen weights belong to the rest, and have neither gradients nor state of an optimizer."""

    trained: Any = nnx.Param
    project: Callable[[nnx.Module], None] | None = None

    def constrain(self, model: nnx.Module) -> None:
        """Puts the weights of a model to where the constraints hold."""
        if self.project is not None:
            self.project(model)

    def projected(self, params: Any, graph: Any, rest: Any) -> Any:
        """The parameters after a step, put back. Nothing is merged while the compiled step runs."""
        if self.project is None:
            return params
        model = nnx.merge(graph, params, rest, copy=True)
        self.project(model)
        return nnx.state(model, self.trained)


def held(program: Program, recipe: Recipe) -> Held:
    """What the training of a recipe keeps true, for a module of the program `with_constraints` of the recipe."""
    whole = with_constraints(program, recipe.constraints)
    source, used = emit_constraints(whole, flax_source(whole).variables)
    if not source:
        return Held()
    imports = f"import jax\nfrom netc.kernels.constraints import {', '.join(used)}\n\n\n" if used else ""
    names = run_source(f"{imports}{source}\n", f"<netc constraints of {recipe.name}>")
    trained = nnx.All(nnx.Param, nnx.Not(at(names[FROZEN]))) if FROZEN in names else nnx.Param
    return Held(trained, names.get(CONSTRAIN))


def at(paths: tuple[str, ...]) -> Callable[[Any, Any], bool]:
    """The filter of what stands at some paths in a module."""
    chosen = frozenset(paths)
    return lambda path, value: ".".join(map(str, path)) in chosen
