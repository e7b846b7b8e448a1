"""Weights from elsewhere into a net: each weight has a source and each tensor a weight, or nothing is done."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np

from netc.api import CompiledNet
from netc.export.fit import NUMBERS, some
from netc.export.weights import with_weights
from netc.importing.maps import Done, Line, WeightMap, read_map
from netc.importing.sources import Tensors, opened
from netc.importing.steps import STEPS, Shape
from netc.ir.network import Program
from netc.ir.sharing import weight_sources
from netc.layers.base import Refusal
from netc.model import Model, origin_of
from netc.problems import Problem, RunError, did_you_mean, nearest
from netc.recipes.problems import WeightsMismatch
from netc.source import Span
from netc.types import show_shape


@dataclass(frozen=True)
class Copy:
    """The tensors of which a weight is made, by their names in the file, and what is done to them."""

    names: tuple[str, ...]
    steps: tuple[Done, ...]

    def __str__(self) -> str:
        first = self.names[0] if len(self.names) == 1 else f"({', '.join(self.names)})"
        return " -> ".join([first, *map(str, self.steps)])


@dataclass(frozen=True)
class Match:
    """A weight of the net with its copies in the file, all of which must be equal."""

    weight: str
    shape: Shape
    copies: tuple[Copy, ...]
    span: Span


@dataclass(frozen=True)
class Imported:
    """Weights by canonical names, float32, and where each came from; how many tensors were ignored."""

    weights: Mapping[str, np.ndarray]
    matches: tuple[Match, ...]
    ignored: int


def import_weights(
    net: CompiledNet | Model, path: str | os.PathLike[str], map: str | os.PathLike[str] | Mapping[str, object]
) -> Model:
    """A net's model with weights from a file of another library; a model gets them in place.

    The file is safetensors, a PyTorch state dict, or Keras's .weights.h5. `map` says where each weight is: a YAML
    file, the name of a shipped map ("resnet.huggingface"), or what such a file holds as a dict (docs/importing.md).
    Raises `RunError` with all that does not fit; nothing is loaded then.
    """
    program = net.program if isinstance(net, CompiledNet) else origin_of(net)[0]
    found = read_foreign(program, Path(path), read_map(map if isinstance(map, Mapping) else os.fspath(map)))
    return with_weights(net, found.weights)


def read_foreign(program: Program, path: Path, map: WeightMap) -> Imported:
    """A program's weights from a file."""
    with opened(path) as tensors:
        matcher = Matcher(program, path, map, tensors)
        matches = matcher.match()
        if matcher.problems:
            raise RunError(matcher.problems)
        weights = {match.weight: matcher.read(match) for match in matches}
        if matcher.problems:
            raise RunError(matcher.problems)
        return Imported(weights, tuple(matches), len(tensors.found) - len(matcher.used))


class Matcher:
    """Matches a program's weights with a file's tensors; all that does not fit goes into `problems`."""

    def __init__(self, program: Program, path: Path, map: WeightMap, tensors: Tensors) -> None:
        self.program, self.path, self.map, self.tensors = program, path, map, tensors
        self.problems: list[Problem] = []
        self.used: set[str] = set()
        self.suggested: set[str] = set()
        """Tensors whose names a mistake was probably meant to be; nobody takes them, but that is one mistake."""
        self.unmatched = False
        """Whether a line of the map names no weight; what is then without its partner is so because of it."""
        self.known: dict[str, str] = {}
        """The file's own names by those without what the map strips."""
        for name in tensors.found:
            short = name
            for prefix in map.strip:
                short = short.removeprefix(prefix)
            if short in self.known:
                self.refuse(f"`{name}` and `{self.known[short]}` are both `{short}` without what the map strips")
            self.known[short] = name

    def refuse(self, text: str, way_out: str = "", span: Span | None = None) -> None:
        self.problems.append(WeightsMismatch(path=str(self.path), text=text, way_out=way_out, span=span))

    def match(self) -> list[Match]:
        """Each weight with what it is made of; shapes are proved, and nothing is read."""
        wanted = {name: weight.shape for name, weight in self.program.weights()}
        lines = self.lines(wanted)
        made = [self.matched(name, wanted[name], *lines[name]) for name in wanted if name in lines]
        lacking = [f"`{name}` {show_shape(shape)}" for name, shape in wanted.items() if name not in lines]
        if lacking and not self.unmatched:
            self.refuse(
                f"the map has no source for {some(lacking)} of `{self.program.root.name}`",
                f"add them to `{self.map.path}`",
            )
        done = self.used | self.suggested
        left = [name for short, name in self.known.items() if name not in done and not self.is_ignored(short)]
        if left and not self.unmatched:
            listed = (f"`{name}` {show_shape(self.tensors.found[name].shape)}" for name in left)
            self.refuse(f"no weight takes {some(listed)}", "give them to a weight, or list them under `ignore`")
        return [match for match in made if match is not None]

    def lines(self, wanted: Mapping[str, Shape]) -> dict[str, tuple[Line, dict[str, int]]]:
        """The map's line for each weight, with the numbers in its name. A line without a weight is a mistake."""
        found: dict[str, tuple[Line, dict[str, int]]] = {}
        for line in self.map.lines:
            matched = {name: numbers for name in wanted if (numbers := line.weight.match(name)) is not None}
            if not matched and not line.optional:
                self.refuse_unmatched(line, wanted)
            for name, numbers in matched.items():
                if name in found:
                    first = found[name][0].span
                    self.refuse(f"two lines of the map name `{name}`", f"the first is in line {first.line}", line.span)
                else:
                    found[name] = (line, numbers)
        return found

    def refuse_unmatched(self, line: Line, wanted: Mapping[str, Shape]) -> None:
        self.unmatched = True
        name, net = line.weight.text, self.program.root.name
        views = [
            (slot, view) for slot, view in weight_sources(self.program).items() if line.weight.match(slot) is not None
        ]
        if views:
            slot, view = views[0]
            self.refuse(f"`{slot}` is `{view}` in `{net}`, and no weight of its own", "name the owner", line.span)
            return
        many = "no weights like" if line.weight.numbers else "no weight"
        way_out = did_you_mean(name, wanted, f"`netc show` lists the weights of `{net}`")
        self.refuse(f"`{net}` has {many} `{name}`", way_out, line.span)

    def is_ignored(self, name: str) -> bool:
        return any(pattern.match(name) is not None for pattern, _ in self.map.ignored)

    def matched(self, weight: str, shape: Shape, line: Line, numbers: Mapping[str, int]) -> Match | None:
        """A weight with those of its copies that are in the file, at least one."""
        filled = [tuple(pattern.fill(numbers) for pattern in origin.names) for origin in line.copies]
        there = [
            Copy(tuple(self.known[name] for name in names), origin.steps)
            for names, origin in zip(filled, line.copies, strict=True)
            if all(name in self.known for name in names)
        ]
        self.used.update(name for copy in there for name in copy.names)
        if not there:
            lacking = [name for names in filled for name in names if name not in self.known]
            near = nearest(lacking[0], self.known)
            self.suggested.update([] if near is None else [self.known[near]])
            verb = "is" if len(lacking) == 1 else "are"
            self.refuse(
                f"{some(f'`{name}`' for name in lacking)} for `{weight}` {verb} not in it",
                f"did you mean `{near}`?" if near else "",
                line.span,
            )
            return None
        fitting = tuple(copy for copy in there if self.fits(weight, shape, copy, line))
        return Match(weight, shape, fitting, line.span) if len(fitting) == len(there) else None

    def fits(self, weight: str, shape: Shape, copy: Copy, line: Line) -> bool:
        """Whether a copy has the numbers and, after its steps, the shape of the weight."""
        found = [self.tensors.found[name] for name in copy.names]
        if strange := [
            f"`{n}` holds {f.numbers}" for n, f in zip(copy.names, found, strict=True) if f.numbers not in NUMBERS
        ]:
            self.refuse(f"weights are floating-point numbers, and {some(strange)}", "", line.span)
            return False
        made = shape_after(tuple(f.shape for f in found), copy.steps, shape)
        if isinstance(made, Refusal):
            self.refuse(f"{made.message} (`{copy}` for `{weight}`)", made.help, line.span)
            return False
        if made != shape:
            self.refuse(
                f"`{copy}` is {show_shape(made)}, and `{weight}` is {show_shape(shape)}", hint(made, shape), line.span
            )
            return False
        return True

    def read(self, match: Match) -> np.ndarray:
        """The numbers of a weight, which must be the same in all its copies."""
        first, *others = (self.read_copy(copy, match.shape) for copy in match.copies)
        for copy, other in zip(match.copies[1:], others, strict=True):
            if not np.array_equal(first, other, equal_nan=True):
                self.refuse(
                    f"`{match.copies[0]}` and `{copy}` differ, and are both `{match.weight}` in "
                    f"`{self.program.root.name}`, which shares it",
                    "give them a weight each in the net, or leave one out and list it under `ignore`",
                    match.span,
                )
        return first

    def read_copy(self, copy: Copy, shape: Shape) -> np.ndarray:
        arrays = [np.asarray(self.tensors.read(name)).astype(np.float32) for name in copy.names]
        for step in copy.steps:
            arrays = [STEPS[step.name].apply(arrays, step.numbers, shape)]
        return np.ascontiguousarray(arrays[0])


def shape_after(shapes: tuple[Shape, ...], steps: Sequence[Done], weight: Shape) -> Shape | Refusal:
    """The shape that comes out of the steps."""
    for step in steps:
        ruled = STEPS[step.name].rule(shapes, step.numbers, weight)
        if isinstance(ruled, Refusal):
            return ruled
        shapes = (ruled,)
    return shapes[0]


MOST_AXES = 6


def hint(made: Shape, wanted: Shape) -> str:
    """The transposition with which a shape would fit, if there is one."""
    if len(made) == len(wanted) <= MOST_AXES and sorted(made) == sorted(wanted):
        axes = next(axes for axes in permutations(range(len(made))) if tuple(made[a] for a in axes) == wanted)
        return f"transposed? `-> transpose({', '.join(map(str, axes))})` would fit"
    if np.prod(made, dtype=object) == np.prod(wanted, dtype=object):
        return "it has as many numbers: `-> reshape` gives them the weight's shape, if their order is right"
    return "is the net compiled with the parameters of the file's, `--set`?"
