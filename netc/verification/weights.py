"""The weights of the emitted module: as many, of the shapes and names, and as much shared as the checker says."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from flax import nnx

from netc.ir.counts import count
from netc.ir.network import Call, Instance, Network, Program, View
from netc.ir.sharing import weight_rows
from netc.ir.views import references
from netc.verification.subject import Subject, make_subject


@dataclass(frozen=True)
class Leaves:
    """What the module has, and in words where that is not what the checker says."""

    params: int
    weights: int
    misfits: tuple[str, ...]


@dataclass(frozen=True)
class Use:
    """A use of a shared weight: the layer that is called, and whether what it gives changes with the weight."""

    weight: str
    layer: str
    changes: bool


def compare_leaves(subject: Subject) -> Leaves:
    """The leaves of the module, each variable once, beside the weights of the program."""
    state = nnx.state(subject.module, (nnx.Param, nnx.BatchStat))
    leaves = {".".join(map(str, path)): leaf for path, leaf in nnx.to_flat_state(state)}
    said = {subject.variables[name]: (name, weight) for name, weight in subject.program.weights()}
    paths = Counter(at.path for at in said)
    misfits = [f"the module has {path}, which is no weight of the net" for path in leaves.keys() - paths.keys()]
    for at, (name, weight) in said.items():
        kind = nnx.Param if weight.trainable else nnx.BatchStat
        if at.path not in leaves:
            misfits.append(f"the module has no {name}")
            continue
        leaf, stacks = leaves[at.path], len(at.index)
        if leaf.shape[stacks:] != weight.shape or not isinstance(leaf, kind):
            misfits.append(f"{name} is {list(leaf.shape[stacks:])} in the module and {list(weight.shape)} in the net")
    params = sum(prod(leaf.shape) for leaf in leaves.values() if isinstance(leaf, nnx.Param))
    if params != count(subject.program).params:
        misfits.append(f"the module has {params:,} parameters, and the net {count(subject.program).params:,}")
    return Leaves(params, sum(paths[path] or 1 for path in leaves), tuple(sorted(misfits)))


def measure_sharing(program: Program, seed: int) -> list[Use]:
    """Changes each weight that several calls of the net use, and looks at what each call alone makes of its inputs."""
    reached = [(call, reaches(call, program)) for call in program.root.calls]
    found = []
    for call, weights in reached:
        shared = [name for name in weights if sum(name in own for _, own in reached) > 1 or call.times > 1]
        if shared:
            found += measure_call(call, shared, program, seed)
    order = {row.name: i for i, row in enumerate(weight_rows(program))}
    return sorted(found, key=lambda use: order[use.weight])


def measure_call(call: Call, shared: list[str], program: Program, seed: int) -> Iterator[Use]:
    subject = make_subject(alone(call, program))
    weights, inputs = subject.weights(seed), subject.inputs(seed)
    before = {name: np.asarray(array) for name, array in subject.run(weights, inputs).items()}
    for name in shared:
        numbers = weights[name]
        noise = np.random.default_rng([seed, 3]).uniform(0.5, 1.5, numbers.shape)
        after = subject.run(weights | {name: numbers * noise + 0.1 * noise}, inputs)
        changes = any(np.any(np.asarray(after[output]) != array) for output, array in before.items())
        yield Use(name, f"{' and '.join(call.inputs) or 'nothing'} -> {call.instance}", changes)


def alone(call: Call, program: Program) -> Program:
    """The program with one call of its root: that call's inputs flow in, and what it gives flows out."""
    root = program.root
    kept = {*call.inputs, *call.outputs}
    values = tuple(value for value in root.values if value.name in kept)
    inputs = tuple(dict.fromkeys(call.inputs))
    outputs = tuple((name, name) for name in call.outputs)
    only = replace(root, inputs=inputs, outputs=outputs, values=values, calls=(call,))
    return Program((*program.networks[:-1], only))


def reaches(call: Call, program: Program) -> list[str]:
    """The weights, by canonical name, that a call of the root uses."""
    names = [name for name, _ in program.weights()]
    instance = program.root.by_name.get(call.instance)
    own = {name for name in names if name.startswith(f"{call.instance}.")}
    if instance is not None:
        own |= set(borrowed(instance, program.root, set(names)))
    used = {row.name for row in weight_rows(program) if row.uses}
    return [name for name in names if name in own & used]


def borrowed(instance: Instance, root: Network, names: set[str]) -> Iterator[str]:
    """The weights of others that an instance of the root sees, itself or through what it captures."""
    views: list[View] = [view for _, view in instance.views]
    for _, bound in instance.captures:
        if not isinstance(bound, str):
            views.append(bound)
            continue
        yield from (name for name in names if name.startswith(f"{bound}."))
        if bound in root.by_name:
            yield from borrowed(root.by_name[bound], root, names)
    for view in views:
        yield from references(view)
