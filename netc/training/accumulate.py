"""Gradients of a step that are taken in parts: a recipe's `accumulate`.

The parts of one step follow each other within it, so nothing of a step is left over: the optimizer sees one gradient,
of the mean loss of all the step's examples, as if they were one batch.

They are one loop, which is compiled once and keeps the memory of one part. XLA's gradients of convolutions are slow
within loops on a CPU (netc.kernels.convolution): plain convolutions have those that are not, and up to `MOST_UNROLLED`
parts of nets with other kinds are written out instead.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import lax

from netc.ir.network import Program
from netc.kernels.convolution import convolution
from netc.layers.base import Target

MOST_UNROLLED = 16
"""Parts written out take the time to compile, and perhaps the memory, of so many nets."""
Gradients = Callable[..., tuple[tuple[Any, Any], Any]]
"""Of parameters, other state, data, weights of the examples, and the sum of all weights of the step: the loss and the
next other state, and the gradients."""


@contextmanager
def set_for_loop(model: nnx.Module, looped: bool) -> Iterator[None]:
    """Plain convolutions of a model that is to stand in a loop have the gradients that are fast there."""
    found = [m for _, m in nnx.iter_modules(model) if isinstance(m, nnx.Conv)] if looped else []
    plain = [conv for conv in found if conv.conv_general_dilated is lax.conv_general_dilated]
    for conv in plain:
        conv.conv_general_dilated = convolution
    try:
        yield
    finally:
        for conv in plain:
            conv.conv_general_dilated = lax.conv_general_dilated


def written_out(program: Program, parts: int) -> bool:
    """Whether the parts of a step are no loop: there are few, and a layer is slow in one on this device."""
    layers = [i for network in program.networks for i in network.instances if i.layer is not None]
    slow = any(i.layer.lower_for(Target(in_loop=True), i.inputs, bool(i.views)) is None for i in layers if i.layer)
    return slow and parts <= MOST_UNROLLED and jax.default_backend() == "cpu"


def accumulated(gradients: Gradients, parts: int, unroll: bool = False) -> Gradients:
    """The same of a step whose examples go through the net in `parts` of equal size, one after another.

    Losses and gradients of parts are sums over their examples, divided by what the whole step's examples weigh: those
    that fill up a last batch weigh 0. State that the net changes, such as running statistics, goes from part to part.
    """
    if parts == 1:
        return gradients

    def of_parts(params: Any, rest: Any, data: Any, weight: Any, total: Any) -> Any:
        def add(sums: Any, part: Any) -> Any:
            loss, rest, found = sums
            (more, rest), also = gradients(params, rest, *part, total)
            return (loss + more, rest, jax.tree.map(jnp.add, found, also)), None

        nothing = (jnp.zeros(()), rest, jax.tree.map(jnp.zeros_like, params))
        (loss, rest, found), _ = lax.scan(
            add, nothing, jax.tree.map(divided, (data, weight)), unroll=parts if unroll else 1
        )
        return (loss, rest), found

    def divided(array: Any) -> Any:
        return array.reshape(parts, -1, *array.shape[1:])

    return of_parts
