"""Whether two instances differ in the types of their values alone: one set of weights and one code do for both."""

from collections.abc import Mapping

from netc.ir.network import Instance, Network


def alike(first: Instance, second: Instance, networks: Mapping[str, Network]) -> bool:
    """Whether two uses of one named layer, made for different inputs, have the same weights and the same Flax code."""
    if kept(first) != kept(second) or (first.layer, first.network is None) != (second.layer, second.network is None):
        return False
    if first.layer is not None:
        return first.layer.lower(first.inputs) == first.layer.lower(second.inputs)
    assert first.network is not None and second.network is not None
    return networks_alike(networks[first.network], networks[second.network], networks)


def kept(instance: Instance) -> tuple[object, ...]:
    """What an instance is beside its layer and its types."""
    return (
        instance.name,
        instance.weights,
        instance.views,
        instance.captures,
        instance.start,
        instance.count,
    )


def networks_alike(first: Network, second: Network, networks: Mapping[str, Network]) -> bool:
    if first.name == second.name:
        return True
    return flow(first) == flow(second) and all(
        alike(a, b, networks) for a, b in zip(first.instances, second.instances, strict=True)
    )


def flow(network: Network) -> tuple[object, ...]:
    """What a network is beside its instances and types."""
    calls = tuple((c.instance, c.inputs, c.outputs, c.times, c.over_time) for c in network.calls)
    return network.inputs, network.outputs, network.weights, network.captures, calls, len(network.instances)
