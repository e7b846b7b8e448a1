"""The learning rate of each step, as the recipe's optimizer has it: a number, or a schedule of Optax."""

from collections.abc import Callable

from netc.emit.recipe import optax_call
from netc.ir.network import Applied, Recipe
from netc.model import run_source

RATE = "learning_rate"
SOURCE = "import optax\n\n\ndef schedule(total_steps):\n    return {schedule}\n"

Rates = Callable[[int], float | None]
"""Of how many steps have been done: the rate of the last of them, before what `adjust` makes of it; None where the
optimizer has no rate."""


def rates_of(recipe: Recipe, steps: int) -> Rates:
    """The rates of a run of so many steps: those of the last transform that has one."""
    found = [value for transform in recipe.optimizer for name, value in transform.named if name == RATE]
    rate = found[-1] if found else None
    if isinstance(rate, Applied):
        made = run_source(SOURCE.format(schedule=optax_call(rate)), f"<netc schedule of {recipe.name}>")
        schedule = made["schedule"](steps)
        return lambda done: float(schedule(max(done - 1, 0)))
    constant = float(rate) if isinstance(rate, int | float) else None
    return lambda done: constant
