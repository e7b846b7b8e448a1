"""How emitted Flax tells of its values, where it is asked to: with what `netc.kernels.taps` has."""

from netc.emit.loops import AGAIN, IN_TURN, STACK, Loops
from netc.layers.base import Layer

TAP, WITHIN, PLACE, TAPPED = "tap", "within", "within_place", "tapped_"


def support(loops: Loops) -> set[str]:
    """What emitted source with taps uses of the support modules, for taps and loops."""
    return {TAP, WITHIN} | {
        name if name == STACK else TAPPED + name for name in loops.support & {STACK, IN_TURN, AGAIN}
    }


def taps(name: str, layer: Layer | None, variables: list[str]) -> list[str]:
    """The lines that tell of what a layer gives, with what is to be known of its kind."""
    known = f", flat={layer.flat!r}" if layer and layer.flat else ""
    known += f", dies={layer.dies!r}" if layer and layer.dies else ""
    several = len(variables) > 1
    return [f"{TAP}({f'{name}.{i}' if several else name!r}, {variable}{known})" for i, variable in enumerate(variables)]
