"""Asserts on symmetry: `equivariant(image, shift)`, `invariant((left, right), swap, distance)`.

One that makes sense becomes a `Claim`, proved if it follows from how the net is built; in a block it must. What is
left open is for `netc verify` to measure.
"""

from dataclasses import replace

from netc.check.context import Env
from netc.check.problems import (
    ExtraArgument,
    FailedAssert,
    MissingArgument,
    UnknownArgument,
    UnknownName,
    WrongKind,
)
from netc.check.things import DefinedRecipe
from netc.ir.network import Network
from netc.ir.symmetry import EQUIVARIANT, Claim, follows
from netc.layers.symmetry import SWAP, SYMMETRIES, Symmetry
from netc.problems import Problem
from netc.source import Word
from netc.syntax import tree
from netc.types import Type

TAKES = ("input", "symmetry", "output")
ARTICLES = {"input": "an", "symmetry": "a", "output": "an"}
AXES = {0: "values", 1: "values with positions, `[time, channels]` or more", 2: "images, `[height, width, channels]`"}


def check_claim(condition: tree.Node, kind: str, env: Env, finished: Network) -> None:
    """Reports an assert on symmetry that makes no sense or cannot hold; else enters it among the net's claims."""
    assert isinstance(condition, tree.Call)
    claim = read_claim(condition, kind, finished)
    if isinstance(claim, Claim):
        found = misfit(claim, finished)
        claim = FailedAssert(span=condition.span, condition=claim.text, found=found) if found else claim
    if isinstance(claim, Problem):
        env.report(claim)
        return
    claim = replace(claim, proved=follows(env.context.networks, finished, claim))
    owner = env.context.trail[-1][0] if env.context.trail else None
    if owner is None:
        env.context.claims.setdefault(finished.name, []).append(claim)
    elif not claim.proved and isinstance(owner, DefinedRecipe) and isinstance(owner.definition.node, tree.Block):
        found = "does not follow from how the block is built"
        way_out = "assert it of the net, where `netc verify` measures it"
        env.report(FailedAssert(span=condition.span, condition=claim.text, found=found, way_out=way_out))


def read_claim(call: tree.Call, kind: str, finished: Network) -> Claim | Problem:
    given = [a for a in call.arguments if not isinstance(a, tree.Named)]
    if named := next((a for a in call.arguments if isinstance(a, tree.Named)), None):
        return UnknownArgument(span=named.span, callee=kind, name=named.name, known=())
    if len(given) > len(TAKES):
        return ExtraArgument(span=given[len(TAKES)].span, callee=kind, takes=TAKES)
    if len(given) < 2:
        accepts = "an input of the net" if not given else "such as `shift`"
        way_out = f"write `{kind}({finished.inputs[0] if finished.inputs else 'x'}, shift)`"
        name = TAKES[len(given)]
        return MissingArgument(span=call.span, callee=kind, name=name, accepts=accepts, way_out=way_out)
    outputs = tuple(name for name, _ in finished.outputs)
    of_inputs = read_names(given[0], "input", finished.inputs)
    of_symmetry = read_names(given[1], "symmetry", tuple(SYMMETRIES))
    of_outputs = read_names(given[2], "output", outputs) if len(given) == 3 else outputs
    for found in (of_inputs, of_symmetry, of_outputs):
        if isinstance(found, Problem):
            return found
    assert not isinstance(of_inputs, Problem) and not isinstance(of_outputs, Problem)
    assert not isinstance(of_symmetry, Problem)
    if len(of_symmetry) != 1:
        return WrongKind(span=given[1].span, wanted="one symmetry", found=f"{len(of_symmetry)}")
    return Claim(kind, of_inputs, SYMMETRIES[of_symmetry[0]], of_outputs, call.span.text, False, call.span)


def read_names(node: tree.Node, what: str, known: tuple[str, ...]) -> tuple[str, ...] | Problem:
    """The names of one thing, or of several in parentheses."""
    nodes = node.items if isinstance(node, tree.Tuple) else (node,)
    words: list[Word] = []
    for item in nodes:
        if not isinstance(item, tree.Name):
            wanted, way_out = f"the name of {ARTICLES[what]} {what}", f"there are: {', '.join(known)}"
            return WrongKind(span=item.span, wanted=wanted, found="an expression", way_out=way_out)
        if item.word not in known:
            return UnknownName(span=item.span, what=what, name=item.word, known=known)
        words.append(item.word)
    if doubled := next((word for i, word in enumerate(words) if word in words[:i]), None):
        return WrongKind(span=node.span, wanted=f"different {what}s", found=f"`{doubled}` twice")
    return tuple(map(str, words))


def misfit(claim: Claim, finished: Network) -> str:
    """Why a claim can hold of no net with these inputs and outputs; empty if it can."""
    values = dict(finished.outputs)
    inputs = [(name, finished.types[name]) for name in claim.inputs]
    outputs = [(name, finished.types[values[name]]) for name in claim.outputs]
    if claim.symmetry == SWAP:
        return misfit_of_swap(claim, inputs, outputs)
    moving = inputs + (outputs if claim.kind == EQUIVARIANT else [])
    for name, type_ in moving:
        if reason := cannot_move(type_, claim.symmetry):
            return f"`{name}` is {type_}{reason}"
    first, first_type = inputs[0]
    for name, type_ in moving:
        if len(type_.shape) != len(first_type.shape):
            return f"`{first}` is {first_type} and `{name}` {type_}, of another number of axes"
    for name, type_ in inputs:
        if type_.shape[:-1] != first_type.shape[:-1]:
            return f"`{first}` is {first_type} and `{name}` {type_}, which do not move together"
    return ""


def cannot_move(type_: Type, symmetry: Symmetry) -> str:
    positions = type_.shape[:-1]
    if type_.orbit is not None and symmetry.turn is not None and symmetry.name not in type_.orbit.exchanged_by:
        return f", and `{symmetry.name}` does not exchange its copies"
    if len(positions) < symmetry.least:
        return f", and `{symmetry.name}` moves {AXES[symmetry.least]}"
    if symmetry.turns_axes and positions[-1] != positions[-2]:
        return f", and `{symmetry.name}` turns squares"
    return ""


Named = list[tuple[str, Type]]


def misfit_of_swap(claim: Claim, inputs: Named, outputs: Named) -> str:
    pairs = [("inputs", inputs)] + ([("outputs", outputs)] if claim.kind == EQUIVARIANT else [])
    for what, named in pairs:
        if len(named) != 2:
            names = ", ".join(f"`{name}`" for name, _ in named)
            return f"`swap` exchanges two {what}, and these are {len(named)}: {names}"
        (first, one), (second, other) = named
        if one != other:
            return f"`{first}` is {one} and `{second}` {other}, which cannot be exchanged"
    return ""
