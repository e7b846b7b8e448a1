"""The table of layer kinds."""

from netc.layers.base import Layer
from netc.layers.linear import Dense

LAYERS: tuple[type[Layer], ...] = (Dense,)
