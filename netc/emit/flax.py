"""A checked program in, the source of its Flax NNX modules out: what is emitted is what runs.

Each network becomes one class, or one function if it keeps nothing; weights and layers that a network
takes from outside are arguments of its call. Networks whose text is equal are emitted once.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from netc.emit.constraints import CONSTRAIN, FROZEN, emit_constraints
from netc.emit.emitted import ROOT, EmittedNetwork, Place
from netc.emit.loops import LONG, Loops, find_loops
from netc.emit.names import class_name, function_name
from netc.emit.network import emit_network, layer_support, lowerings_of
from netc.emit.taps import support as tapped_support
from netc.ir.network import Instance, Network, Program, instance_names

DEFINITION = re.compile(r"^(?:def |class )?(\w+)(?=\(| = )", re.M)
LIBRARIES = {
    "jax": "import jax",
    "jnp": "import jax.numpy as jnp",
    "nnx": "from flax import nnx",
    "lax": "from jax import lax",
}


@dataclass(frozen=True)
class Emitted:
    """Flax source, the name of the net's class in it, and where each weight lives in the module. `constrains`: it has
    a function `constrain(model)`."""

    source: str
    class_name: str
    variables: dict[str, Place]
    constrains: bool = False


def emit(
    program: Program,
    support: Mapping[str, str],
    portable: bool = False,
    places: bool = False,
    long: int = LONG,
    taps: bool = False,
    device: str | None = None,
) -> Emitted:
    """Emits a program as Python source; rows of `long` equal layers or more are loops.

    `support` are the texts of the modules that it may import from (`netc.kernels.modules` ...); `portable` source
    has what it needs of them in it, and stands alone on jax and flax. The code is fastest on a `device` (`cpu` ...) and
    equal on all; without one it is of JAX's own operations wherever there are any. `places` adds the .net line behind
    each layer, for tracebacks. With `taps` it tells of its values (`netc.kernels.taps`), and keeps all in its place.
    """
    assert not (portable and device), "portable source is for any device"
    loops = find_loops(program, long)
    used = sorted({*support_names(program, loops, taps, device), *projection_names(program)})
    cut_out = cut("\n".join(support.values()), used) if portable else {}
    taken = {*used, *cut_out, *TYPING, CONSTRAIN, FROZEN}
    done: dict[str, EmittedNetwork] = {}
    first_with: dict[str, str] = {}
    parts = list(cut_out.values())
    for network in program.networks:
        is_root = network is program.root
        draft = emit_network(network, done, loops, places, is_root, taps, device)
        if draft.text in first_with and not is_root:
            done[network.name] = done[first_with[draft.text]]
            continue
        first_with[draft.text] = network.name
        name = (class_name if draft.is_class else function_name)(network.name, taken)
        done[network.name] = draft.named(name)
        parts.append(done[network.name].text)
    paths = dict(Variables(program, done, loops).below(program.root))
    constraining, _ = emit_constraints(program, paths)
    parts += [constraining] if constraining else []
    body = "\n\n\n".join(parts)
    title = re.sub(r"[^A-Za-z0-9_.]", "_", program.root.name)
    head = [f'"""{title}, compiled by netc."""', "", *imports(body)]
    if not portable:
        head += support_imports(support, used)
    source = "\n".join(head) + "\n\n\n" + body + "\n"
    return Emitted(source, done[program.root.name].name, paths, bool(projection_names(program)))


def support_imports(support: Mapping[str, str], used: list[str]) -> list[str]:
    """The import lines for what is used, by the modules that define it."""
    defined = {module: set(DEFINITION.findall(text)) for module, text in support.items()}
    assert set(used) <= set().union(*defined.values())
    found = {module: [name for name in used if name in names] for module, names in defined.items()}
    return [f"from {module} import {', '.join(names)}" for module, names in found.items() if names]


def support_names(program: Program, loops: Loops, taps: bool, device: str | None) -> list[str]:
    """What the layers, initialisers and loops of a program use of the support modules."""
    names = tapped_support(loops) if taps else loops.support
    for network in program.networks:
        names |= layer_support(network, lowerings_of(network, loops, device))
        weights = [*network.weights, *(weight for instance in network.instances for weight in instance.weights)]
        names.update(name for weight in weights for name in weight.init.support)
    return sorted(names)


def projection_names(program: Program) -> tuple[str, ...]:
    """What the constraints of a program use of `netc.kernels.constraints`."""
    return emit_constraints(program, {name: Place(name) for name, _ in program.weights()})[1]


def cut(support: str, used: list[str]) -> dict[str, str]:
    """The definitions of the support modules that are needed, and those that they need, in its order."""
    texts = definitions(support)
    needed: set[str] = set()
    waiting = list(used)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += names_in(texts[name]) & texts.keys()
    return {name: text for name, text in texts.items() if name in needed}


@cache
def names_in(text: str) -> frozenset[str]:
    """The names that a definition reads; words of its docstring are none."""
    return frozenset(node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name))


@cache
def definitions(support: str) -> dict[str, str]:
    """The texts of the functions, classes and constants of the support modules, with their decorators."""
    lines = support.splitlines()
    found = {}
    for node in ast.parse(support).body:
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
            case ast.Assign(targets=[ast.Name(name)]):
                found[name] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    return found


def imports(body: str) -> list[str]:
    """The import lines that a text needs."""
    code = re.sub(r'""".*?"""', "", body, flags=re.S)
    return [line for name, line in LIBRARIES.items() if re.search(rf"\b{name}\.", code)] + [
        line for name, line in TYPING.items() if re.search(rf"\b{name}\b", code)
    ]


TYPING = {
    "Any": "from typing import Any",
    "Array": "from jax import Array",
    "Sequence": "from collections.abc import Sequence",
}


@dataclass(frozen=True)
class Variables:
    """Finds where the weights of a program are in its module."""

    program: Program
    done: Mapping[str, EmittedNetwork]
    loops: Loops

    def below(self, network: Network, name: str = "", at: Place = ROOT) -> Iterator[tuple[str, Place]]:
        """Canonical names with the places of the weights of a network that is `name` in the net and `at` a place in the
        module."""
        emitted = self.done[network.name]
        yield from ((name + weight.name, at.within(emitted.attributes[weight.name])) for weight in network.weights)
        for instance in network.instances:
            for number, full in enumerate(instance_names(instance)):
                own = self.one_of(network, instance, number, at)
                for weight in instance.weights:
                    slot = emitted.slots[instance.name, weight.name]
                    place = at.within(slot[1:]) if slot.startswith("=") else own.within(slot)
                    yield f"{name}{full}.{weight.name}", place
                if instance.network is not None:
                    yield from self.below(self.program.by_name[instance.network], f"{name}{full}.", own)

    def one_of(self, network: Network, instance: Instance, number: int, at: Place) -> Place:
        """The place of an instance's module, or of one in a row: in a list, or within stacked arrays."""
        own = at.within(self.done[network.name].attributes[instance.name])
        if self.loops.stacks(network, instance):
            return Place(own.path, (*own.index, number))
        return own if instance.count is None else own.within(str(number))
