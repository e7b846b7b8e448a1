"""Counting: parameters once for each owner, connections and flops once for each use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from netc.ir.network import Call, Instance, Network, Program
from netc.ir.paths import split_path
from netc.types import Type


@dataclass(frozen=True)
class Count:
    """`params` are trainable numbers and `state` others; `connections` and `flops` are for one example, forward;
    `memory` is the bytes of all layers' outputs for one example, in float32."""

    params: int = 0
    state: int = 0
    connections: int = 0
    flops: int = 0
    memory: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(
            self.params + other.params,
            self.state + other.state,
            self.connections + other.connections,
            self.flops + other.flops,
            self.memory + other.memory,
        )

    def __mul__(self, times: int) -> "Count":
        return Count(
            self.params * times, self.state * times, self.connections * times, self.flops * times, self.memory * times
        )


@dataclass(frozen=True)
class Target:
    """What a call runs: an instance and the bindings of captured layers that hold where it stands."""

    instance: Instance
    bindings: "Bindings"


Bindings = tuple[tuple[str, Target], ...]


@dataclass
class Counter:
    """Counts over finished networks, each network once for each set of bindings."""

    networks: Mapping[str, Network]
    owned_by: dict[str, Count] = field(default_factory=dict)
    worked: dict[tuple[str, Bindings], Count] = field(default_factory=dict)

    def owned(self, network: Network) -> Count:
        """The numbers that a network and all inside it own."""
        if network.name not in self.owned_by:
            own = [Count(params=prod(w.shape)) if w.trainable else Count(state=prod(w.shape)) for w in network.weights]
            own += [self.owned_instance(instance) for instance in network.instances]
            self.owned_by[network.name] = sum(own, Count())
        return self.owned_by[network.name]

    def owned_instance(self, instance: Instance) -> Count:
        own = sum(
            (Count(params=prod(w.shape)) if w.trainable else Count(state=prod(w.shape)) for w in instance.weights),
            Count(),
        )
        if instance.network is not None:
            own = own + self.owned(self.networks[instance.network])
        return own * (1 if instance.count is None else instance.count)

    def work(self, network: Network, bindings: Bindings = ()) -> Count:
        """The work of one pass through a network."""
        key = (network.name, bindings)
        if key not in self.worked:
            self.worked[key] = sum((self.work_call(call, network, bindings) for call in network.calls), Count())
        return self.worked[key]

    def work_call(self, call: Call, network: Network, bindings: Bindings) -> Count:
        target = self.target(call.instance, network, bindings)
        inputs = tuple(network.types[v] for v in call.inputs)
        outputs = tuple(network.types[v] for v in call.outputs)
        rows = 1 if target.instance.count is None else target.instance.count
        return self.work_instance(target, inputs, outputs, call.network) * (call.times * rows)

    def work_instance(
        self, target: Target, inputs: tuple[Type, ...], outputs: tuple[Type, ...], network: str | None = None
    ) -> Count:
        """The work of one use; `network` is what a sub-network is there, if it was made for other types."""
        instance = target.instance
        if instance.network is not None:
            return self.work(self.networks[network or instance.network], target.bindings)
        assert instance.layer is not None
        cost = instance.layer.cost(inputs, outputs)
        return Count(connections=cost.connections, flops=cost.flops, memory=4 * sum(t.size for t in outputs))

    def target(self, path: str, network: Network, bindings: Bindings) -> Target:
        """What the path of a call names: a captured layer, or one of this network or of those inside it."""
        captured = dict(bindings)
        if path in captured:
            return captured[path]
        found = split_path(path, network.by_name, self.networks)
        assert found and not found[1], f"no instance {path} in {network.name}"
        instance = found[0]
        inner = tuple(
            (formal, self.target(bound, network, bindings))
            for formal, bound in instance.captures
            if isinstance(bound, str)
        )
        return Target(instance, inner)

    def total(self, network: Network) -> Count:
        return self.owned(network) + self.work(network)


def count(program: Program) -> Count:
    """All that a program owns, and the work of one pass."""
    return Counter(program.by_name).total(program.root)


@dataclass(frozen=True)
class LayerRow:
    """One use of a layer: where it is, what it gives and what it costs. `shared`: an earlier row owns it."""

    path: str
    kind: str
    outputs: tuple[Type, ...]
    count: Count
    shared: bool


def layer_rows(program: Program) -> list[LayerRow]:
    """The layers of a program in the order of their use, sub-networks opened, a row of equal ones as one line."""
    return list(Rows(Counter(program.by_name)).of(program.root, "", {}, 1, 1))


@dataclass(frozen=True)
class Located:
    """What a call runs, its canonical path, and the captured layers that hold inside it."""

    target: Target
    path: str
    bound: "dict[str, Located]"


@dataclass
class Rows:
    """Walks a program by its calls. `copies` are how many owners a row stands for, `times` how often each is used."""

    counter: Counter
    seen: set[str] = field(default_factory=set)

    def of(
        self, network: Network, prefix: str, bound: dict[str, Located], copies: int, times: int
    ) -> Iterator[LayerRow]:
        for call in network.calls:
            located = self.locate(call.instance, network, prefix, bound)
            instance = located.target.instance
            number = 1 if instance.count is None else instance.count
            path = located.path + row_numbers(instance)
            if instance.network is not None:
                inner = self.counter.networks[call.network or instance.network]
                yield from self.of(inner, f"{path}.", located.bound, copies * number, times * number * call.times)
                continue
            assert instance.layer is not None
            outputs = tuple(network.types[v] for v in call.outputs)
            inputs = tuple(network.types[v] for v in call.inputs)
            shared = path in self.seen
            self.seen.add(path)
            owned = Count() if shared else self.counter.owned_instance(instance) * copies
            work = self.counter.work_instance(located.target, inputs, outputs) * (times * number * call.times)
            yield LayerRow(path, instance.layer.kind, outputs, owned + work, shared and bool(instance.weights))

    def locate(self, path: str, network: Network, prefix: str, bound: dict[str, Located]) -> Located:
        if path in bound:
            return bound[path]
        bindings = tuple((name, located.target) for name, located in bound.items())
        target = self.counter.target(path, network, bindings)
        captures = ((formal, thing) for formal, thing in target.instance.captures if isinstance(thing, str))
        inner = {formal: self.locate(thing, network, prefix, bound) for formal, thing in captures}
        return Located(target, prefix + path, inner)


def row_numbers(instance: Instance) -> str:
    """`.0-2` for three instances in a row, `.0` for one."""
    match instance.count:
        case None:
            return ""
        case 1:
            return f".{instance.start}"
        case count:
            return f".{instance.start}-{instance.start + count - 1}"
