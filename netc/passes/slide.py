"""Slides a net over larger inputs: its outputs are then those of the net on every window of its own input's size.

A program and larger input types in, a program with the same weights out, or why there is none: layers that work on
positions do so on more of them, and those that see all positions do for each window what they did (`Layer.everywhere`).
The work that neighbouring windows share is done once, as LeNet-5's "space displacement" form does (LeCun et al. 1998,
section VII). Nothing that a window sees may be padding, as the windows of a larger input have neighbours there. Cells
at the end that a net does not look at, as a pool leaves them over, may lie beyond the end of the larger input.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from netc.ir.network import Call, Instance, Network, Program
from netc.layers.base import Layer, Refusal
from netc.layers.symmetry import SHIFT, Motion, Sight, Transformed
from netc.types import Type, show_shape


@dataclass(frozen=True)
class Slid:
    """A value of the larger net: its type, and what each of its positions sees of the larger input."""

    type: Type
    motion: Motion


@dataclass(frozen=True)
class Made:
    """A network for larger inputs, with what its outputs are."""

    network: Network
    outputs: tuple[Slid, ...]


def slide(program: Program, extents: tuple[int, ...]) -> Program | Refusal:
    """The program for inputs of these extents, height and width or so, in place of its own; channels stay."""
    root = program.root
    inputs: list[Slid] = []
    for name in root.inputs:
        own = root.types[name]
        if refusal := misfit(name, own, extents):
            return refusal
        start = Motion(True, (Sight(1, 0, 0),) * len(extents), (1,) * len(extents), (0,) * len(extents))
        inputs.append(Slid(replace(own, shape=(*extents, own.channels)), start))
    sliding = Sliding(program.by_name, root.types[root.inputs[0]].shape[:-1], extents)
    made = sliding.network(root, tuple(inputs))
    if isinstance(made, Refusal):
        return made
    for (name, _), output in zip(root.outputs, made.outputs, strict=True):
        if not in_step(output.motion):
            return Refusal(f"output `{name}` does not see the same weights from one of its positions to the next")
    return Program((*sliding.finished.values(),))


def in_step(motion: Motion) -> bool:
    """Whether neighbouring windows see alike: weights that take turns, for one, have come round again."""
    return all(sight.step % step == 0 for sight, step in zip(motion.sights, motion.steps, strict=True))


def misfit(name: str, own: Type, extents: tuple[int, ...]) -> Refusal | None:
    """Why an input cannot be of these extents."""
    if len(own.shape) != len(extents) + 1:
        return Refusal(f"input `{name}` is {own}, which has no {len(extents)} axes of positions to slide along")
    if any(small > large for small, large in zip(own.shape, extents, strict=False)):
        return Refusal(f"input `{name}` is {own}, and {show_shape(extents)} has no room for it")
    return None


@dataclass
class Sliding:
    """The networks of a program, made for larger inputs as they are met; `finished` are callees before callers."""

    networks: Mapping[str, Network]
    own: tuple[int, ...]
    extents: tuple[int, ...]
    made: dict[tuple[str, tuple[Slid, ...]], Made] = field(default_factory=dict)
    finished: dict[str, Network] = field(default_factory=dict)

    def network(self, network: Network, inputs: tuple[Slid, ...]) -> Made | Refusal:
        key = network.name, inputs
        if key not in self.made:
            made = self.make(network, inputs)
            if isinstance(made, Refusal):
                return made
            self.made[key] = made
            self.finished[made.network.name] = made.network
        return self.made[key]

    def make(self, network: Network, inputs: tuple[Slid, ...]) -> Made | Refusal:
        values = dict(zip(network.inputs, inputs, strict=True))
        instances = dict(network.by_name)
        for call in network.calls:
            given = tuple(values[v] for v in call.inputs)
            if isinstance(slid := self.call(call, network, given), Refusal):
                return slid
            instance, outputs = slid
            if instances[instance.name] not in (network.by_name[instance.name], instance):
                return Refusal(f"`{instance.name}` is used at two sizes, which do not slide together")
            instances[instance.name] = instance
            values |= zip(call.outputs, outputs, strict=True)
        larger = replace(
            network,
            name=self.name(network.name),
            values=tuple(replace(v, type=values[v.name].type) for v in network.values),
            instances=tuple(instances[i.name] for i in network.instances),
        )
        return Made(larger, tuple(values[v] for _, v in network.outputs))

    def name(self, name: str) -> str:
        """A network's own name at the first inputs, and with a number at others."""
        number, taken = 2, self.finished.keys()
        if name not in taken:
            return name
        while f"{name}_{number}" in taken | self.networks.keys():
            number += 1
        return f"{name}_{number}"

    def call(
        self, call: Call, network: Network, given: tuple[Slid, ...]
    ) -> tuple[Instance, tuple[Slid, ...]] | Refusal:
        """What an instance is for one use on larger values, and what it gives."""
        instance = network.by_name.get(call.instance)
        if instance is None or call.network is not None:
            return Refusal(f"`{call.instance}` is shared between blocks or sizes, which does not slide yet")
        if call.over_time:
            return Refusal(f"`{call.instance}` runs over time, and time does not slide")
        outputs: tuple[Slid, ...] | Refusal
        if instance.layer is not None:
            own = tuple(network.types[v] for v in call.inputs)
            layer, outputs = self.layer(instance, instance.layer, own, given)
            instance = replace(instance, layer=layer)
        else:
            assert instance.network is not None
            made = self.network(self.networks[instance.network], given)
            if isinstance(made, Refusal):
                return made
            outputs = made.outputs
            instance = replace(instance, network=made.network.name)
        if isinstance(outputs, Refusal):
            return outputs
        if call.times * (instance.count or 1) > 1 and outputs != given:
            return Refusal(f"`{instance.name}` repeats what changes what a position sees")
        return replace(instance, inputs=types(given), outputs=types(outputs)), outputs

    def layer(
        self, instance: Instance, layer: Layer, own: tuple[Type, ...], given: tuple[Slid, ...]
    ) -> tuple[Layer, tuple[Slid, ...] | Refusal]:
        """The layer that does on larger values what `layer` does on each window, and what it gives."""
        moving = any(slid.motion.moves for slid in given)
        motion = moved(layer, given) if moving else self.still
        kept = layer
        if motion is None or (moving and not motion.moves):
            windowed = layer.everywhere(own)
            if windowed is None:
                seen = " and ".join(map(str, own))
                return layer, Refusal(f"`{instance.name}` sees {seen} as a whole, and `{layer.kind}` cannot slide")
            layer, motion = windowed, moved(windowed, given)
        outputs = layer.gives(types(given))
        if isinstance(outputs, Refusal):
            return layer, Refusal(f"`{instance.name}`: {outputs.message}", outputs.help)
        assert motion is not None
        if kept.weights(own) != layer.weights(types(given)):
            return layer, Refusal(f"`{instance.name}` has weights for each position, of which there would be more")
        sizes = ((outputs, self.extents), (instance.outputs, self.own))
        if any(sees_beyond(motion, type_, extents) for types_, extents in sizes for type_ in types_):
            return layer, Refusal(
                f"`{instance.name}` pads, and a window of a larger input has neighbours where its own has padding",
                "a net that slides pads nothing: leave out `pad`, and `round = up`",
            )
        return layer, tuple(Slid(type_, motion) for type_ in outputs)

    @property
    def still(self) -> Motion:
        """The motion of weights, and of what is made of them alone."""
        return Motion(False, (), (1,) * len(self.extents), (0,) * len(self.extents))


def sees_beyond(motion: Motion, type_: Type, extents: tuple[int, ...]) -> bool:
    """Whether positions of a value see more than an input of these extents has; a value without positions does not."""
    if not motion.moves:
        return False
    rows = zip(motion.sights, type_.shape[:-1], extents, strict=False)
    return any(s.first < 0 or s.step * (n - 1) + s.last >= extent for s, n, extent in rows)


def moved(layer: Layer, given: tuple[Slid, ...]) -> Motion | None:
    return layer.symmetry(Transformed(SHIFT, types(given), tuple(slid.motion for slid in given)))


def types(slid: tuple[Slid, ...]) -> tuple[Type, ...]:
    return tuple(one.type for one in slid)
