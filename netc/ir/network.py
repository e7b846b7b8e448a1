"""The IR: a `Program` of `Network`s, each with typed values, layer instances, calls and a weight table.

Every weight has one owner: the instance (or the `weight` statement) that lists it. Every other use
is a `View` of it. A block's distinct instantiation is one network, defined once and called many
times; what its body takes from outside (weights, named layers) are its `captures`.
Paths are relative to the network they stand in: `C1.kernel`, `tower.conv1.kernel`, `repeat1.3.conv1.kernel`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from netc.layers.base import Initialiser, Layer
from netc.layers.constraints import Constraint
from netc.source import Span
from netc.types import Type


@dataclass(frozen=True)
class Weight:
    """A tensor with one owner; `name` is its slot in that owner."""

    name: str
    shape: tuple[int, ...]
    init: Initialiser
    axes: tuple[str, ...] = ()
    trainable: bool = True
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Reference:
    """A weight as it is, by its path or by the name of a capture."""

    path: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Derived:
    """A weight computed from others: an operation of `netc.ir.views`, its operands and settings."""

    operation: str
    operands: "tuple[View, ...]"
    settings: tuple[object, ...]
    shape: tuple[int, ...]


View = Reference | Derived


@dataclass(frozen=True)
class Capture:
    """What a network takes from outside: a weight (with its shape) or a named layer (shape None)."""

    name: str
    shape: tuple[int, ...] | None


@dataclass(frozen=True)
class Instance:
    """A layer or sub-network with weights of its own.

    `count` instances stand in a row, named `name.start`, `name.start+1`, ..., if it is not None.
    `views` are the layer's weights that belong to somebody else; `captures` say what the
    sub-network's captures are here: a view, or the path of an instance.
    """

    name: str
    layer: Layer | None
    network: str | None
    inputs: tuple[Type, ...]
    outputs: tuple[Type, ...]
    weights: tuple[Weight, ...] = ()
    views: tuple[tuple[str, View], ...] = ()
    captures: tuple[tuple[str, View | str], ...] = ()
    start: int = 0
    count: int | None = None
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Value:
    name: str
    type: Type
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Call:
    """One use of an instance: by its name, by a path into a sub-network, or by a capture's name.

    A call of an instance with a `count` runs all of them in turn. `times` repeats one instance. `network` is
    what a sub-network is here, if it is used on other types than it was made for: alike but for its types.
    `over_time` runs it at each position of the first axis of all values, which they have in common.
    """

    instance: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    times: int = 1
    network: str | None = None
    over_time: bool = False
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Constrained:
    """Weights that a constraint holds for: `selector` is a path in the network, where `*` stands for any parts."""

    selector: str
    constraint: Constraint
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Network:
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[tuple[str, str], ...]
    values: tuple[Value, ...]
    weights: tuple[Weight, ...]
    instances: tuple[Instance, ...]
    calls: tuple[Call, ...]
    captures: tuple[Capture, ...] = ()
    constraints: tuple[Constrained, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)

    @cached_property
    def types(self) -> dict[str, Type]:
        return {value.name: value.type for value in self.values}

    @cached_property
    def by_name(self) -> dict[str, Instance]:
        return {instance.name: instance for instance in self.instances}


@dataclass(frozen=True)
class Program:
    """A net with all the networks it is made of, callees before callers; the net itself is last."""

    networks: tuple[Network, ...]

    @property
    def root(self) -> Network:
        return self.networks[-1]

    @cached_property
    def by_name(self) -> dict[str, Network]:
        return {network.name: network for network in self.networks}

    def weights(self) -> Iterator[tuple[str, Weight]]:
        """Every weight by its canonical name, in order of definition."""
        yield from self._weights(self.root, "")

    def _weights(self, network: Network, prefix: str) -> Iterator[tuple[str, Weight]]:
        for weight in network.weights:
            yield prefix + weight.name, weight
        for instance in network.instances:
            for name in instance_names(instance):
                for weight in instance.weights:
                    yield f"{prefix}{name}.{weight.name}", weight
                if instance.network is not None:
                    yield from self._weights(self.by_name[instance.network], f"{prefix}{name}.")


def instance_names(instance: Instance) -> list[str]:
    """The names of an instance, or of each in a row: `repeat1.0`, `repeat1.1`."""
    if instance.count is None:
        return [instance.name]
    return [f"{instance.name}.{i}" for i in range(instance.start, instance.start + instance.count)]


# Recipes: what to train a net on, and how.


@dataclass(frozen=True)
class Output:
    """An output of the net, in a loss or metric."""

    name: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class DataField:
    """A field of the data, in a loss or metric."""

    name: str
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Applied:
    """A row of a table with its arguments: a loss on terms, a data set, a transform of an optimizer."""

    name: str
    positional: "tuple[Term, ...]" = ()
    named: "tuple[tuple[str, Term], ...]" = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Arithmetic:
    """`+ - * /` on losses and numbers."""

    operator: str
    left: "Term"
    right: "Term"


@dataclass(frozen=True)
class Adjusted:
    """Weights that the optimizer of a recipe treats otherwise than others: `selector` is as that of a constraint."""

    selector: str
    adjustment: "Applied"
    span: Span | None = field(default=None, compare=False, repr=False)


Term = int | float | bool | str | None | Output | DataField | Applied | Arithmetic | tuple["Term", ...]


@dataclass(frozen=True)
class Recipe:
    """A `train` recipe, checked, with its defaults filled in.

    `feeds` says which field of the data goes into each input of the net. Exactly one of `epochs`
    and `steps` is not None.
    """

    name: str
    net: str
    data: Applied
    prepare: tuple[Applied, ...]
    augment: tuple[Applied, ...]
    loss: Term
    maximise: bool
    metrics: tuple[tuple[str, Term], ...]
    optimizer: tuple[Applied, ...]
    batch: int
    epochs: int | None
    steps: int | None
    seed: int
    precision: str
    feeds: tuple[tuple[str, str], ...]
    constraints: tuple[Constrained, ...] = ()
    accumulate: int = 1
    validation: float | int | None = None
    average: Applied | None = None
    decay: str = "all"
    adjustments: tuple[Adjusted, ...] = ()
    start: Applied | None = None
    stop: Applied | None = None
    ensemble: int = 1
    shared: tuple[str, ...] = ()
    checkpoint: Applied | None = None
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each member of an ensemble; of any other recipe its own alone."""
        return tuple(range(self.seed, self.seed + self.ensemble))
