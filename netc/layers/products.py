"""Which convolutions of images are faster as a product of matrices on a CPU, and how (netc.kernels.products).

The numbers are from gradients of 30 convolutions, of 1 to 64 channels over 5x5 to 224x224 positions, by XLA and by
products with several blocks (2 cores of an AMD EPYC, jax 0.10.2): a rule, and no model of what each costs.
"""

from math import prod

from netc.layers.window import Window

FEW, SOME = 4, 8
"""Channels in, at all sizes and over at most `SMALL` positions, with which XLA's own convolution is slower."""
SMALL = 14 * 14
WIDE = 64
"""How many columns a product has at most, if it has more than one position in a row."""
BLOCKS = ((2, 4), (2, 2), (1, 2))


def block_of(slid: Window, fed: int, channels: int) -> tuple[int, int] | None:
    """The positions in each row of the product for a window over `fed` channels; None where XLA's own convolution is as
    fast, or no product is made."""
    if len(slid.size) != 2 or set(slid.dilation) != {1}:
        return None
    if prod(slid.size) == 1 or prod(slid.out) == 1:
        return (1, 1)
    if fed > FEW and (fed > SOME or prod(slid.out) > SMALL):
        return None
    return (1, 1) if prod(slid.stride) > 1 else next((b for b in BLOCKS if prod(b) * channels <= WIDE), (1, 1))
