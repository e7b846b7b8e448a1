"""How the members of an ensemble stand in one program: one after another, or all at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp


@dataclass(frozen=True)
class Arrangement:
    """How one program holds trees of several members: what makes `one` group `of` them, takes `member` i out of it, and
    calls a function on `each` of them, of which it gives a tuple of groups."""

    of: Callable[[Sequence[Any]], Any]
    member: Callable[[Any, int], Any]
    each: Callable[..., Any]


def call_each(f: Callable[..., Any], *groups: Any) -> Any:
    return tuple(zip(*(f(*trees) for trees in zip(*groups, strict=True)), strict=True))


UNROLLED = Arrangement(tuple, lambda group, i: group[i], call_each)
"""Members one after another in the program."""
VMAPPED = Arrangement(
    lambda trees: jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees),
    lambda group, i: jax.tree.map(lambda leaf: leaf[i], group),
    lambda f, *groups: jax.vmap(f)(*groups),
)
"""All members at once, along a first axis."""
ARRANGEMENTS = {"cpu": UNROLLED}
"""By platform. On a CPU convolutions with weights for each member are slow: five LeNets, measured in examples a second
against five runs one after another, make 0.77 of those vmapped, and 1.14 unrolled. Elsewhere (not measured) one kernel
for all members is to fill the device, which one small net does not."""


def arrangement() -> Arrangement:
    """The faster one on this machine."""
    return ARRANGEMENTS.get(jax.default_backend(), VMAPPED)


def mean_of_members(group: Arrangement, trees: Any, members: int) -> Any:
    """The mean of a group's trees, number by number."""
    every = [group.member(trees, i) for i in range(members)]
    return jax.tree.map(lambda *leaves: sum(leaves[1:], leaves[0]) / members, *every)
