"""A checked program in, the source of its Flax NNX modules out: what is emitted is what runs.

Each network becomes one class, or one function if it keeps nothing; weights and layers that a network
takes from outside are arguments of its call. Networks whose text is equal are emitted once.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from netc.emit.constraints import CONSTRAIN, FROZEN, emit_constraints
from netc.emit.emitted import EmittedNetwork
from netc.emit.names import class_name, function_name
from netc.emit.network import emit_network, layer_support, lowerings_of
from netc.ir.network import Network, Program, instance_names

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
    variables: dict[str, str]
    constrains: bool = False


def emit(program: Program, support: Mapping[str, str], portable: bool = False, places: bool = False) -> Emitted:
    """Emits a program as Python source.

    `support` are the texts of the modules that it may import from (`netc.kernels.modules` ...); `portable` source
    has what it needs of them in it, and stands alone on jax and flax. `places` adds the .net line behind each
    layer, for tracebacks.
    """
    used = sorted({*support_names(program), *projection_names(program)})
    cut_out = cut("\n".join(support.values()), used) if portable else {}
    taken = {*used, *cut_out, *TYPING, CONSTRAIN, FROZEN}
    done: dict[str, EmittedNetwork] = {}
    first_with: dict[str, str] = {}
    parts = list(cut_out.values())
    for network in program.networks:
        is_root = network is program.root
        draft = emit_network(network, done, places, must_be_class=is_root)
        if draft.text in first_with and not is_root:
            done[network.name] = done[first_with[draft.text]]
            continue
        first_with[draft.text] = network.name
        name = (class_name if draft.is_class else function_name)(network.name, taken)
        done[network.name] = draft.named(name)
        parts.append(done[network.name].text)
    paths = dict(variables(program, program.root, done, "", ""))
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


def support_names(program: Program) -> list[str]:
    """What the layers and initialisers of a program use of the support modules."""
    names: set[str] = set()
    for network in program.networks:
        names |= layer_support(network, lowerings_of(network))
        weights = [*network.weights, *(weight for instance in network.instances for weight in instance.weights)]
        names.update(name for weight in weights for name in weight.init.support)
    return sorted(names)


def projection_names(program: Program) -> tuple[str, ...]:
    """What the constraints of a program use of `netc.kernels.constraints`."""
    return emit_constraints(program, {name: name for name, _ in program.weights()})[1]


def cut(support: str, used: list[str]) -> dict[str, str]:
    """The definitions of the support modules that are needed, and those that they need, in its order."""
    texts = definitions(support)
    needed: set[str] = set()
    waiting = list(used)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [other for other in texts if re.search(rf"\b{other}\b", texts[name])]
    return {name: text for name, text in texts.items() if name in needed}


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


TYPING = {"Array": "from jax import Array", "Sequence": "from collections.abc import Sequence"}


def variables(
    program: Program, network: Network, done: dict[str, EmittedNetwork], name: str, path: str
) -> list[tuple[str, str]]:
    """Canonical weight names with the attribute paths that hold the weights."""
    emitted = done[network.name]
    found = [(name + weight.name, path + emitted.attributes[weight.name]) for weight in network.weights]
    for instance in network.instances:
        for i, full in enumerate(instance_names(instance)):
            attribute = path + emitted.attributes[instance.name] + (f".{i}" if instance.count is not None else "")
            for weight in instance.weights:
                found.append(
                    (
                        f"{name}{full}.{weight.name}",
                        path_of_weight(emitted, instance.name, weight.name, path, attribute),
                    )
                )
            if instance.network is not None:
                inner = program.by_name[instance.network]
                found += variables(program, inner, done, f"{name}{full}.", f"{attribute}.")
    return found


def path_of_weight(emitted: EmittedNetwork, instance: str, slot: str, path: str, attribute: str) -> str:
    inner = emitted.slots[instance, slot]
    return f"{path}{inner[1:]}" if inner.startswith("=") else f"{attribute}.{inner}"
