"""The law of the IR: what holds of every program after the checker and after each pass."""

from collections import Counter
from collections.abc import Callable, Iterator

from netc.ir.alike import networks_alike
from netc.ir.network import Call, Instance, Network, Program, View
from netc.ir.paths import split_path
from netc.ir.views import references
from netc.layers.base import Refusal
from netc.types import Type


class InvalidIR(Exception):
    """A program breaks the law of the IR: a bug in netc, never a mistake of the user."""


def verify(program: Program) -> None:
    """Raises `InvalidIR` with the first rule that a program breaks."""
    finished: dict[str, Network] = {}
    for network in program.networks:
        for law in LAWS:
            for broken in law(network, finished):
                raise InvalidIR(f"network {network.name}: {broken}")
        finished[network.name] = network


def names_are_unique(network: Network, finished: dict[str, Network]) -> Iterator[str]:
    if network.name in finished:
        yield "its name is taken"
    for what, names in (
        ("value", [v.name for v in network.values]),
        ("instance or weight", [i.name for i in network.instances] + [w.name for w in network.weights]),
        ("capture", [c.name for c in network.captures]),
    ):
        yield from (f"{what} {name} is there twice" for name, number in Counter(names).items() if number > 1)


def networks_come_first(network: Network, finished: dict[str, Network]) -> Iterator[str]:
    for instance in network.instances:
        if (instance.layer is None) == (instance.network is None):
            yield f"{instance.name} must be either a layer or a network"
        if instance.network is not None and instance.network not in finished:
            yield f"{instance.name} is of network {instance.network}, which is not before this one"


def values_flow_forward(network: Network, finished: dict[str, Network]) -> Iterator[str]:
    known = set(network.inputs)
    for call in network.calls:
        yield from (f"{call.instance} uses value {v} before it is there" for v in call.inputs if v not in known)
        yield from (f"value {v} is given twice" for v in call.outputs if v in known)
        known.update(call.outputs)
    yield from (f"output {name} is value {v}, which is not there" for name, v in network.outputs if v not in known)
    yield from (f"value {v.name} has no type" for v in network.values if v.name not in known)


def calls_fit(network: Network, finished: dict[str, Network]) -> Iterator[str]:
    captured = {capture.name for capture in network.captures}
    for call in network.calls:
        if call.instance in captured:
            continue
        found = split_path(call.instance, network.by_name, finished)
        if found is None or found[1]:
            yield f"a call of {call.instance}, which is not there"
            continue
        instance = found[0]
        given = tuple(network.types[v] for v in call.inputs)
        gives = tuple(network.types[v] for v in call.outputs)
        expected = instance.layer.outputs(given) if instance.layer else instance.outputs
        if call.network is not None:
            yield from variants_fit(call, instance, given, finished)
            expected = gives
        elif instance.network is not None and given != instance.inputs:
            yield f"{call.instance} takes {instance.inputs} and is given {given}"
        if expected != gives:
            yield f"{call.instance} gives {expected}, and its call says {gives}"
        if (instance.count is not None or call.times > 1) and given != gives:
            yield f"{call.instance} runs in a row, and gives {gives} for {given}"


def variants_fit(
    call: Call, instance: Instance, given: tuple[Type, ...], finished: dict[str, Network]
) -> Iterator[str]:
    """Other types than an instance was made for: the call's network takes them, and is alike but for its types."""
    variant = finished.get(call.network or "")
    if variant is None:
        yield f"{call.instance} is network {call.network} here, which is not before this one"
    elif tuple(variant.types[v] for v in variant.inputs) != given:
        yield f"{call.instance} is network {call.network} here, which does not take {given}"
    elif instance.network is None or not networks_alike(finished[instance.network], variant, finished):
        yield f"{call.instance} is network {call.network} here, which is not like {instance.network}"


def weights_have_one_owner(network: Network, finished: dict[str, Network]) -> Iterator[str]:
    for instance in network.instances:
        if instance.layer is None:
            continue
        if isinstance(instance.layer.outputs(instance.inputs), Refusal):
            yield f"{instance.name} cannot take {instance.inputs}"
            continue
        wanted = {spec.name: spec.shape for spec in instance.layer.weights(instance.inputs)}
        owned = {weight.name: weight.shape for weight in instance.weights}
        viewed = {slot: view.shape for slot, view in instance.views}
        if owned.keys() & viewed.keys() or {**owned, **viewed} != wanted:
            yield f"{instance.name} needs weights {wanted}, owns {owned} and views {viewed}"


def views_find_their_weights(network: Network, finished: dict[str, Network]) -> Iterator[str]:
    known = {c.name for c in network.captures} | {w.name for w in network.weights}
    for instance in network.instances:
        views: list[View] = [view for _, view in instance.views]
        views += [bound for _, bound in instance.captures if not isinstance(bound, str)]
        for view in views:
            for path in references(view):
                if path not in known and not owns(path, network, finished):
                    yield f"{instance.name} refers to weight {path}, which is not there"


def owns(path: str, network: Network, finished: dict[str, Network]) -> bool:
    found = split_path(path, network.by_name, finished)
    if found is None:
        return False
    instance, slot = found
    weights = finished[instance.network].weights if instance.network else instance.weights
    return any(weight.name == slot for weight in weights)


def captures_are_bound(network: Network, finished: dict[str, Network]) -> Iterator[str]:
    for instance in network.instances:
        bound = [name for name, _ in instance.captures]
        wanted = [c.name for c in finished[instance.network].captures] if instance.network in finished else []
        if bound != wanted:
            yield f"{instance.name} binds {bound}, and its network captures {wanted}"
        for name, thing in instance.captures:
            if isinstance(thing, str) and not reaches(thing, network, finished):
                yield f"{instance.name} binds {name} to {thing}, which is not there"


def reaches(path: str, network: Network, finished: dict[str, Network]) -> Instance | bool:
    if any(capture.name == path for capture in network.captures):
        return True
    found = split_path(path, network.by_name, finished)
    return found is not None and not found[1]


LAWS: tuple[Callable[[Network, dict[str, Network]], Iterator[str]], ...] = (
    names_are_unique,
    networks_come_first,
    values_flow_forward,
    calls_fit,
    weights_have_one_owner,
    views_find_their_weights,
    captures_are_bound,
)
