"""How the optimizer treats some weights otherwise than others: what `adjust SELECTOR: ...` can say in a recipe."""

from dataclasses import dataclass

from netc.arguments import Entry, Real, argument
from netc.ir.network import Recipe

ALL, KERNELS = "all", "kernels"
DECAYS = (ALL, KERNELS)
"""What a recipe's `decay` can be, the default first."""

MASKS = {
    **dict.fromkeys(("adamaxw", "adamw", "adan", "add_decayed_weights", "lamb", "lion", "nadamw"), "mask"),
    **dict.fromkeys(("adadelta", "adafactor", "lars"), "weight_decay_mask"),
}
"""The transforms whose weight decay can leave weights out, and Optax's argument that says which decay."""
UNMASKED = ("novograd", "scale_by_novograd")
"""Those that decay all weights, or none."""


@dataclass(frozen=True)
class Adjustment(Entry):
    """A row of the table. Of several with one name on one weight, the last counts."""


@dataclass(frozen=True)
class Rate(Adjustment):
    """Multiplies what the optimizer adds to the weight in each step, as a rate of its own would: 0.1 times the rate for
    a body that is fine-tuned, 2 times for biases, as Caffe trained its AlexNet (`lr_mult: 2`). Weight decay that is
    part of the optimizer's step, as that of `adamw`, is multiplied too."""

    factor: float = argument("by how much", Real(0))


@dataclass(frozen=True)
class NoDecay(Adjustment):
    """Weight decay leaves the weight out (`decay_mult: 0` in Caffe)."""


ADJUSTMENTS: tuple[type[Adjustment], ...] = (Rate, NoDecay)


def exempts(recipe: Recipe) -> bool:
    """Whether the optimizer's weight decay leaves out weights."""
    return recipe.decay != ALL or any(one.adjustment.name == NoDecay.kind for one in recipe.adjustments)
