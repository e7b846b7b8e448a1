"""Which rows of equal layers become loops: long ones, whose layers need not be told apart."""

from collections.abc import Iterator
from dataclasses import dataclass

from netc.ir.constraints import constraints_of
from netc.ir.network import Instance, Network, Program
from netc.ir.paths import fits, heads
from netc.ir.views import references
from netc.layers.base import Target

LONG = 16
"""From how many layers on a row is a loop: `python -m benchmarks repeats` measures what it saves."""

STACK, IN_TURN, AGAIN = "stack", "in_turn", "again"
Row = tuple[str, str]
"""The names of a network and of an instance in it, of which several stand in a row or run in turn."""


@dataclass(frozen=True)
class Loops:
    """`stacked` are rows kept as one layer with stacked weights, `again` what one layer or function is used for several
    times; `inside` are the names of networks that stand in some loop."""

    stacked: frozenset[Row] = frozenset()
    again: frozenset[Row] = frozenset()
    inside: frozenset[str] = frozenset()

    def has(self, network: Network, instance: Instance) -> bool:
        return (network.name, instance.name) in self.stacked | self.again

    def stacks(self, network: Network, instance: Instance) -> bool:
        return (network.name, instance.name) in self.stacked

    @property
    def support(self) -> set[str]:
        """What the loops use of `netc.kernels.rows`."""
        return {*((STACK, IN_TURN) if self.stacked else ()), *((AGAIN,) if self.again else ())}


def find_loops(program: Program, long: int = LONG) -> Loops:
    """The loops of a program. A row stays written out where a single one's weight or layer is used elsewhere or
    constrained, where it takes layers from outside, whose state a loop would not see, and where a layer is slow."""
    found = {
        (network.name, instance.name): instance
        for network in program.networks
        for instance, times in repeated(network)
        if times >= long and stands(instance, program)
    }
    if found:
        found = {row: instance for row, instance in found.items() if row not in told_apart(program)}
    stacked = {row for row, instance in found.items() if instance.count is not None and keeps(instance, program)}
    inside = {name for instance in found.values() for name in below(instance, program)}
    return Loops(frozenset(stacked), frozenset(found.keys() - stacked), frozenset(inside))


def repeated(network: Network) -> Iterator[tuple[Instance, int]]:
    """What stands in a row, or is called several times in turn, and how often."""
    for instance in network.instances:
        if instance.count is not None:
            yield instance, instance.count
    for call in network.calls:
        if call.times > 1 and call.instance in network.by_name:
            yield network.by_name[call.instance], call.times


def stands(instance: Instance, program: Program) -> bool:
    """Whether a layer can stand in a loop, with all that is inside."""
    if instance.layer is not None:
        lowering = instance.layer.lower_for(Target(in_loop=True), instance.inputs, bool(instance.views))
        return lowering is not None and not (instance.views and lowering.function_module)
    assert instance.network is not None
    takes_layers = any(isinstance(bound, str) for _, bound in instance.captures)
    return not takes_layers and all(stands(inner, program) for inner in program.by_name[instance.network].instances)


def keeps(instance: Instance, program: Program) -> bool:
    """Whether a layer has weights of its own, or other state."""
    if instance.layer is not None:
        lowering = instance.layer.lower(instance.inputs)
        return bool(instance.weights) or (lowering.function_module if instance.views else lowering.module) is not None
    inner = program.by_name[instance.network or ""]
    return bool(inner.weights) or any(keeps(one, program) for one in inner.instances)


def below(instance: Instance, program: Program) -> Iterator[str]:
    """The names of the networks in an instance, its own first."""
    if instance.network is not None:
        yield instance.network
        for inner in program.by_name[instance.network].instances:
            yield from below(inner, program)


def told_apart(program: Program) -> set[Row]:
    """The rows that single ones are taken out of, by a view, a call or a constraint."""
    found = {
        row for network in program.networks for path in paths(network) for row, _ in numbered(path, network, program)
    }
    held = constraints_of(program)
    constraints: dict[tuple[Row, str], set[tuple[object, ...]]] = {}
    for name, _ in program.weights() if held else ():
        for row, others in numbered(name, program.root, program):
            constraints.setdefault((row, others), set()).add(held.get(name, ()))
    return found | {row for (row, _), kinds in constraints.items() if len(kinds) > 1}


def paths(network: Network) -> Iterator[str]:
    """The paths by which a network takes weights and layers."""
    yield from (call.instance for call in network.calls)
    for instance in network.instances:
        for _, bound in (*instance.views, *instance.captures):
            yield from (bound,) if isinstance(bound, str) else references(bound)


def numbered(path: str, network: Network, program: Program, before: str = "") -> Iterator[tuple[Row, str]]:
    """Each row that a path goes into one of, with the path without that one's number."""
    for head, number, tail in heads(path):
        instance = network.by_name.get(head)
        if instance is None or not fits(instance, number, tail):
            continue
        if number is not None:
            yield (network.name, head), f"{before}{head}.{tail}"
        if tail and instance.network is not None:
            passed = path[: len(path) - len(tail)]
            yield from numbered(tail, program.by_name[instance.network], program, before + passed)
        return
