"""The numbers that a net computes with while it trains: a recipe's `precision`.

A net trained in bf16 runs forward and backward on bfloat16 copies of its weights and inputs. All that lasts or is
measured stays float32: the weights, their gradients, what the optimizer keeps, running statistics, the loss and metrics
(Micikevicius et al. 2018, "Mixed precision training", section 3.1). bfloat16 has the exponents of float32, so that no
loss needs to be scaled (Kalamkar et al. 2019).
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from netc.recipes.fields import BF16, F32
from netc.training.evaluation import Arrays, Functions

NUMBERS = {F32: jnp.float32, BF16: jnp.bfloat16}


def run_in(
    precision: str, used: Functions, graph: Any, params: Any, rest: Any, data: Arrays
) -> tuple[dict[str, Any], Any]:
    """The outputs of a net for a batch in float32, computed in a precision, and its `rest` as the run leaves it.

    Of the `rest`, frozen weights are copied like others and stay as they are; all else is state in numbers of its own.
    """
    numbers = NUMBERS[precision]
    frozen, state = nnx.split_state(rest, nnx.Param, ...)
    model = nnx.merge(graph, cast(params, numbers), cast(frozen, numbers), state, copy=True)
    compute_in(model, numbers)
    outputs = cast(used.run(model, cast(data, numbers)), jnp.float32)
    return outputs, nnx.merge_state(frozen, nnx.state(model, nnx.Not(nnx.Param)))


def compute_in(model: nnx.Module, numbers: Any) -> None:
    """Tells Flax's modules what to compute in: untold, those with state in float32, such as batchnorm, give float32,
    and `nnx.Embed` what its table was made in."""
    module: Any
    for _, module in nnx.iter_modules(model):
        if hasattr(module, "dtype"):
            module.dtype = numbers


def cast(tree: Any, numbers: Any) -> Any:
    """A tree whose arrays of floating-point numbers are of another type."""
    return jax.tree.map(lambda x: x.astype(numbers) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)
