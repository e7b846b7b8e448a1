"""Uses of instances: what calls give to them and take from them, and whether they can be used so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from netc.ir.alike import networks_alike
from netc.ir.network import Call, Instance, Network
from netc.layers.base import Refusal
from netc.types import Type

Laws = Iterator[str]
"""What is broken, in words."""
Finished = Mapping[str, Network]
"""The networks before the one that is looked at."""


@dataclass(frozen=True)
class Use:
    """What a call gives to an instance and takes from it, and whether more than once in a row or at each step in
    time; `network` is what a sub-network is there, if it was made for other types."""

    given: tuple[Type, ...]
    gives: tuple[Type, ...]
    again: bool
    network: str | None
    over_time: bool = False


def use_of(call: Call, network: Network) -> Use:
    given, gives = (tuple(network.types[v] for v in side) for side in (call.inputs, call.outputs))
    return Use(given, gives, call.times > 1, call.network, call.over_time)


def misfits(name: str, instance: Instance, use: Use, finished: Finished) -> Laws:
    """Why an instance cannot be used in this way."""
    if use.over_time:
        yield from misfits_over_time(name, instance, use, finished)
        return
    if instance.network is not None:
        yield from misfits_of_network(name, instance, use, finished)
    else:
        yield from misfits_of_layer(name, instance, use)
    if (instance.count is not None or use.again) and use.given != use.gives:
        yield f"{name} runs in a row, and gives {show_types(use.gives)} for {show_types(use.given)}"


def misfits_over_time(name: str, instance: Instance, use: Use, finished: Finished) -> Laws:
    lengths = {type_.shape[:1] for type_ in (*use.given, *use.gives)}
    if not use.given or len(lengths) != 1 or () in lengths:
        yield f"{name} runs over time, and {show_types(use.given)} and {show_types(use.gives)} share no first axis"
    elif use.again or instance.count is not None:
        yield f"{name} runs over time and in a row"
    else:
        given, gives = (tuple(type_.step for type_ in side) for side in (use.given, use.gives))
        yield from misfits(name, instance, Use(given, gives, False, use.network), finished)


def misfits_of_layer(name: str, instance: Instance, use: Use) -> Laws:
    assert instance.layer is not None
    expected = instance.layer.gives(use.given)
    if isinstance(expected, Refusal):
        yield f"{name} cannot take {show_types(use.given)}: {expected.message}"
        return
    if expected != use.gives:
        yield f"{name} gives {show_types(expected)}, and its call says {show_types(use.gives)}"
    if use.network is not None:
        yield f"{name} is a layer, and its call says that it is network {use.network}"
    if use.given != instance.inputs:
        # One Flax layer serves both only if it reads the same for both.
        made, needed = ((needs(instance, types), instance.layer.lower(types)) for types in (instance.inputs, use.given))
        if made != needed:
            yield f"{name} was made for {show_types(instance.inputs)} and is given {show_types(use.given)}"


def misfits_of_network(name: str, instance: Instance, use: Use, finished: Finished) -> Laws:
    """Other types than an instance was made for need a network that takes them, and is alike but for its types."""
    assert instance.network is not None
    here = use.network or instance.network
    if here not in finished:
        yield f"{name} is network {here} here, which is not before this one"
        return
    if not networks_alike(finished[instance.network], finished[here], finished):
        yield f"{name} is network {here} here, which is not like {instance.network}"
    takes, gives = types_of(finished[here])
    if takes != use.given:
        yield f"{name} takes {show_types(takes)} and is given {show_types(use.given)}"
    if gives != use.gives:
        yield f"{name} gives {show_types(gives)}, and its call says {show_types(use.gives)}"


def types_of(network: Network) -> tuple[tuple[Type, ...], tuple[Type, ...]]:
    """What a network takes and gives."""
    return tuple(network.types[v] for v in network.inputs), tuple(network.types[v] for _, v in network.outputs)


def needs(instance: Instance, inputs: tuple[Type, ...]) -> dict[str, tuple[int, ...]]:
    """The weights that a layer needs for inputs that it accepts."""
    assert instance.layer is not None
    return {spec.name: spec.shape for spec in instance.layer.weights(inputs)}


def uses_of_capture(name: str, network: Network, finished: Finished) -> list[Use]:
    """How a network and those inside it use a layer that it captures."""
    uses: dict[Use, None] = {}
    waiting, seen = [(network, name)], {(network.name, name)}
    while waiting:
        inner, captured = waiting.pop()
        uses |= {use_of(call, inner): None for call in inner.calls if call.instance == captured}
        for instance in inner.instances:
            for formal, bound in instance.captures:
                if bound == captured and instance.network is not None and (instance.network, formal) not in seen:
                    seen.add((instance.network, formal))
                    waiting.append((finished[instance.network], formal))
    return list(uses)


def show_types(types: tuple[Type, ...]) -> str:
    return " and ".join(map(str, types)) or "nothing"
