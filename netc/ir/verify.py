"""The law of the IR: what holds of every program after the checker, after each pass and after loading."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from netc.ir.constraints import Clash, NoneFound, wrong_constraints
from netc.ir.network import Derived, Network, Program, View
from netc.ir.paths import split_path
from netc.ir.uses import Finished, Laws, Use, misfits, needs, show_types, types_of, use_of, uses_of_capture
from netc.ir.views import checked
from netc.layers.base import Refusal
from netc.types import show_shape


class InvalidIR(Exception):
    """A program breaks the law of the IR: a bug in netc, never a mistake of the user."""


@dataclass(frozen=True)
class Broken:
    """A law that a program breaks, the network where it does, and how."""

    law: str
    network: Network | None
    text: str

    def __str__(self) -> str:
        return f"network {self.network.name}: {self.text}" if self.network else self.text


def verify(program: Program) -> None:
    """Raises `InvalidIR` with the first rule that a program breaks."""
    if broken := first_broken(program):
        raise InvalidIR(str(broken))


def first_broken(program: Program) -> Broken | None:
    """The first rule that a program breaks. Each law may count on those before it."""
    if not program.networks:
        return Broken("networks", None, "there is no network")
    finished: dict[str, Network] = {}
    for network in program.networks:
        for law in LAWS:
            for text in law(network, finished):
                return Broken(law.__name__, network, text)
        finished[network.name] = network
    root = program.root
    for capture in root.captures:
        return Broken("root", root, f"it captures {capture.name}, and nothing stands around it")
    for value in (*root.inputs, *(value for _, value in root.outputs)):
        if root.types[value].orbit is not None:
            return Broken("root", root, f"value {value} goes in or out, and is {root.types[value]}")
    return None


def names_are_unique(network: Network, finished: Finished) -> Laws:
    if network.name in finished:
        yield "its name is taken"
    owners = [i.name for i in network.instances] + [w.name for w in network.weights]
    for what, names in (
        ("input", list(network.inputs)),
        ("output", [name for name, _ in network.outputs]),
        ("instance, weight or capture", owners + [c.name for c in network.captures]),
        ("value or capture", [v.name for v in network.values] + [c.name for c in network.captures]),
        *((f"weight of {i.name}", [w.name for w in i.weights] + [s for s, _ in i.views]) for i in network.instances),
    ):
        if len(set(names)) < len(names):
            twice = next(name for i, name in enumerate(names) if name in names[:i])
            yield f"{what} {twice} is there twice"


def networks_come_first(network: Network, finished: Finished) -> Laws:
    for instance in network.instances:
        if (instance.layer is None) == (instance.network is None):
            yield f"{instance.name} must be either a layer or a network"
        if instance.network is not None and instance.network not in finished:
            yield f"{instance.name} is of network {instance.network}, which is not before this one"


def values_flow_forward(network: Network, finished: Finished) -> Laws:
    typed = {v.name for v in network.values}
    yield from (f"input {name} has no type" for name in network.inputs if name not in typed)
    known = set(network.inputs)
    for call in network.calls:
        yield from (f"{call.instance} uses value {v} before it is there" for v in call.inputs if v not in known)
        if not call.outputs:
            yield f"{call.instance} gives no value"
        for value in call.outputs:
            if value in known:
                yield f"value {value} is given twice"
            if value not in typed:
                yield f"value {value} has no type"
            known.add(value)
    if not network.outputs:
        yield "it has no output"
    yield from (f"output {name} is value {v}, which is not there" for name, v in network.outputs if v not in known)
    yield from (f"nothing gives value {v.name}" for v in network.values if v.name not in known)


def values_stand_in_order(network: Network, finished: Finished) -> Laws:
    """Values are listed as they come: inputs in their order, a call's values behind all that come before it."""
    place = {value.name: i for i, value in enumerate(network.values)}
    inputs = [place[name] for name in network.inputs]
    if inputs != sorted(inputs):
        yield "its inputs and values stand in different orders"
    reached = -1
    for call in network.calls:
        reached = max([reached, *(place[v] for v in call.inputs)])
        for value in call.outputs:
            if place[value] < reached:
                yield f"value {value} stands before values that come before it"
            reached = place[value]


def rows_have_members(network: Network, finished: Finished) -> Laws:
    for instance in network.instances:
        fits = instance.start == 0 if instance.count is None else instance.start >= 0 and instance.count >= 1
        if not fits:
            yield f"{instance.name} is a row of {instance.count} from {instance.start}"
    yield from (f"{call.instance} runs {call.times} times" for call in network.calls if call.times < 1)


def instances_fit(network: Network, finished: Finished) -> Laws:
    """What an instance is said to take and give is what its layer or network does."""
    for instance in network.instances:
        if instance.layer is not None:
            gives = instance.layer.gives(instance.inputs)
            if isinstance(gives, Refusal):
                yield f"{instance.name} cannot take {show_types(instance.inputs)}: {gives.message}"
            elif gives != instance.outputs:
                yield f"{instance.name} gives {show_types(gives)}, and is said to give {show_types(instance.outputs)}"
        if instance.network is not None:
            inner = finished[instance.network]
            if types_of(inner) != (instance.inputs, instance.outputs):
                yield f"{instance.name} is not of the types of its network {inner.name}"
            if instance.weights or instance.views:
                yield f"{instance.name} is a network, and its weights are listed there"
        elif instance.captures:
            yield f"{instance.name} is a layer, and captures nothing"


def calls_fit(network: Network, finished: Finished) -> Laws:
    captured = {capture.name: capture for capture in network.captures}
    for call in network.calls:
        if call.instance in captured:
            if captured[call.instance].shape is not None:
                yield f"a call of {call.instance}, which is a weight"
            continue
        found = split_path(call.instance, network.by_name, finished)
        if found is None or found[1]:
            yield f"a call of {call.instance}, which is not there"
            continue
        yield from misfits(call.instance, found[0], use_of(call, network), finished)


def weights_have_one_owner(network: Network, finished: Finished) -> Laws:
    for instance in network.instances:
        if instance.layer is None:
            continue
        wanted = needs(instance, instance.inputs)
        owned = {weight.name: weight.shape for weight in instance.weights}
        viewed = {slot: view.shape for slot, view in instance.views}
        if {**owned, **viewed} != wanted:
            yield f"{instance.name} needs weights {wanted}, owns {owned} and views {viewed}"
        if instance.views and instance.layer.lower(instance.inputs).function is None:
            yield f"{instance.name} cannot take weights of others"


def views_find_their_weights(network: Network, finished: Finished) -> Laws:
    for instance in network.instances:
        views = [view for _, view in instance.views]
        views += [bound for _, bound in instance.captures if not isinstance(bound, str)]
        for view in views:
            yield from (f"{instance.name}: {text}" for text in broken_view(view, network, finished))


def broken_view(view: View, network: Network, finished: Finished) -> Iterator[str]:
    if isinstance(view, Derived):
        for operand in view.operands:
            yield from broken_view(operand, network, finished)
        made = checked(view.operation, view.operands, view.settings)
        if isinstance(made, Refusal):
            yield made.message
        elif made != view:
            yield f"a view by {view.operation} has {show_shape(made.shape)}, and says {show_shape(view.shape)}"
        return
    shape = weight_shape(view.path, network, finished)
    if shape is None:
        yield f"there is no weight {view.path}"
    elif shape != view.shape:
        yield f"weight {view.path} is {show_shape(shape)}, and its view says {show_shape(view.shape)}"


def weight_shape(path: str, network: Network, finished: Finished) -> tuple[int, ...] | None:
    """The shape of a weight by its path in a network, or by the name of a capture; None if there is none."""
    for capture in network.captures:
        if capture.name == path:
            return capture.shape
    for weight in network.weights:
        if weight.name == path:
            return weight.shape
    found = split_path(path, network.by_name, finished)
    if found is None:
        return None
    instance, slot = found
    weights = finished[instance.network].weights if instance.network else instance.weights
    return next((weight.shape for weight in weights if weight.name == slot), None)


def captures_are_bound(network: Network, finished: Finished) -> Laws:
    for instance in network.instances:
        inner = finished[instance.network] if instance.network is not None else None
        wanted = inner.captures if inner is not None else ()
        if [name for name, _ in instance.captures] != [capture.name for capture in wanted]:
            bound = [name for name, _ in instance.captures]
            yield f"{instance.name} binds {bound}, and its network captures {[c.name for c in wanted]}"
            return
        for capture, (_, thing) in zip(wanted, instance.captures, strict=True):
            if isinstance(thing, str) != (capture.shape is None):
                yield f"{instance.name} binds {capture.name} to a {'layer' if isinstance(thing, str) else 'weight'}"
            elif isinstance(thing, str):
                assert inner is not None
                uses = uses_of_capture(capture.name, inner, finished)
                yield from broken_binding(instance.name, thing, uses, network, finished)
            elif thing.shape != capture.shape:
                yield f"{instance.name} binds {capture.name} to a weight of {show_shape(thing.shape)}"


def broken_binding(owner: str, path: str, uses: list[Use], network: Network, finished: Finished) -> Iterator[str]:
    """Why a layer cannot be what an inner network captures; a captured layer is looked at where it is bound."""
    if any(capture.name == path and capture.shape is None for capture in network.captures):
        return
    found = split_path(path, network.by_name, finished)
    if found is None or found[1]:
        yield f"{owner} binds layer {path}, which is not there"
        return
    for use in uses:
        yield from (f"{owner}: {text}" for text in misfits(path, found[0], use, finished))


def constraints_hold_together(network: Network, finished: Finished) -> Laws:
    networks = {**finished, network.name: network}
    for constrained, wrong in wrong_constraints(network.constraints, network, networks):
        match wrong:
            case NoneFound():
                yield f"no weight is called {constrained.selector}"
            case Clash(weight=weight, first=first, second=second, reason=reason):
                yield f"{weight} cannot be {first.constraint} and {second.constraint}: {reason}"
            case _:
                yield wrong.reason


LAWS: tuple[Callable[[Network, Finished], Laws], ...] = (
    names_are_unique,
    networks_come_first,
    values_flow_forward,
    values_stand_in_order,
    rows_have_members,
    instances_fit,
    calls_fit,
    weights_have_one_owner,
    views_find_their_weights,
    captures_are_bound,
    constraints_hold_together,
)
