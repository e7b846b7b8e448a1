"""Maps of weights: YAML that says where each weight of a net stands in a file from elsewhere. Read strictly, run never.

weights:                        # each weight of the net, by its name or a pattern, and its source
  conv{i}.kernel: features.{2*i}.weight -> transpose(2, 3, 1, 0)
  lstm1.bias: (bias_ih_l0, bias_hh_l0) -> add
  embed.table:                  # copies of one weight: those that are there must be equal
    - wte.weight
    - lm_head.weight
optional: {...}                 # more of the same that may match nothing
ignore: [h.{i}.attn.mask, ...]  # tensors that no weight needs
strip: [module.]                # what is taken off the front of the source's names
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from netc.compiler import SPECS
from netc.importing.patterns import Malformed, Pattern, choices, chosen, groups_of, taken
from netc.importing.steps import STEPS, shown
from netc.problems import Problem, RunError, did_you_mean
from netc.recipes.problems import BadMap
from netc.source import Source, Span

MAPS = SPECS / "maps"
LARGEST_FILE = 2**20
MOST_LINES = 10_000
LISTS = ("ignore", "strip")
SECTIONS = ("weights", "optional", *LISTS)
TAG = "tag:yaml.org,2002:"
PLAIN = ("str", "int", "float", "bool", "timestamp")
"""What YAML takes a word without quotes for; here it is the word."""
STEP = re.compile(r"([a-z]+)(?:\(([^()]*)\))?")
WHOLE = re.compile(r"-?\d{1,12}")


@dataclass(frozen=True)
class Done:
    """A step with its numbers."""

    name: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return self.name + shown(self.numbers)


@dataclass(frozen=True)
class Origin:
    """Where a weight comes from: the names of one tensor or several, and what is done to them."""

    names: tuple[Pattern, ...]
    steps: tuple[Done, ...]


@dataclass(frozen=True)
class Line:
    """A weight, or all of a pattern, and its copies in the source."""

    weight: Pattern
    copies: tuple[Origin, ...]
    span: Span
    optional: bool


@dataclass(frozen=True)
class WeightMap:
    """A map that has been read."""

    path: str
    lines: tuple[Line, ...]
    ignored: tuple[tuple[Pattern, Span], ...]
    strip: tuple[str, ...]


def read_map(given: str | Path | Mapping[str, object]) -> WeightMap:
    """A map from a file, the name of a shipped one (`resnet.huggingface`), or a dict. Raises `RunError`."""
    if isinstance(given, Mapping):
        return Reader(Source("<map>", yaml.safe_dump(dict(given), sort_keys=False, width=10**6))).read()
    path = find_map(str(given))
    try:
        size = path.stat().st_size
        text = path.read_text("utf-8-sig") if size <= LARGEST_FILE else ""
    except (OSError, ValueError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else "it is not UTF-8 text"
        raise RunError([BadMap(path=str(path), reason=reason or "it cannot be read")]) from failure
    if size > LARGEST_FILE:
        raise RunError([BadMap(path=str(path), reason="it is larger than 1 MB")])
    return Reader(Source(str(path), text)).read()


def find_map(name: str) -> Path:
    """A file by its path, or a shipped map by its name."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return Path(name)
    known = [path.name.removesuffix(".yaml") for path in sorted(MAPS.glob("*.yaml"))]
    if name not in known:
        reason = f"no map of this name comes with netc: there are {', '.join(known) or 'none'}"
        raise RunError([BadMap(path=name, reason=reason, way_out=did_you_mean(name, known))])
    return MAPS / f"{name}.yaml"


class Wrong(Exception):
    """A mistake in a map, with its place."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


@dataclass(frozen=True)
class Reader:
    """Reads the nodes of a map's YAML; each mistake ends what it stands in, and all are reported."""

    source: Source

    def read(self) -> WeightMap:
        problems: list[Problem] = []
        sections = self.sections(self.compose())
        lines: list[Line] = []
        for section in ("weights", "optional"):
            for key, value in sections.get(section, []):
                try:
                    lines += self.lines(key, value, section == "optional")
                except Wrong as wrong:
                    problems.append(wrong.problem)
        ignored: list[tuple[Pattern, Span]] = []
        for node, _ in sections.get("ignore", []):
            try:
                ignored += [(self.pattern(self.text(node), c, node), self.span(node)) for c in self.all_of(node)]
            except Wrong as wrong:
                problems.append(wrong.problem)
        strip = tuple(self.text(node) for node, _ in sections.get("strip", []))
        if len(lines) + len(ignored) > MOST_LINES:
            problems.append(BadMap(path=self.source.name, reason=f"it has more than {MOST_LINES:,} lines"))
        if problems:
            raise RunError(problems)
        return WeightMap(self.source.name, tuple(lines), tuple(ignored), strip)

    def compose(self) -> yaml.Node | None:
        try:
            return yaml.compose(self.source.text, yaml.SafeLoader)
        except yaml.MarkedYAMLError as failure:
            mark, text = failure.problem_mark, self.source.text
            at = min(mark.index, len(text)) if mark else 0
            reason = f"it is not plain YAML: {failure.problem}"
            way_out = "write a name that begins with `{` or `*`, or one in brackets, between quotes"
            span = Span(self.source, at, min(at + 1, len(text)))
            raise RunError([BadMap(path=self.source.name, reason=reason, span=span, way_out=way_out)]) from failure
        except (yaml.YAMLError, RecursionError, ValueError) as failure:
            reason = f"it is not plain YAML: {' '.join(str(failure).split())}"
            raise RunError([BadMap(path=self.source.name, reason=reason)]) from failure

    def sections(self, root: yaml.Node | None) -> dict[str, list[tuple[yaml.Node, yaml.Node]]]:
        """The pairs of each section; an item of a list stands for both of a pair."""
        try:
            if not isinstance(root, yaml.MappingNode):
                raise self.wrong(root, "it is no mapping: a map begins with `weights:`")
            found: dict[str, list[tuple[yaml.Node, yaml.Node]]] = {}
            for key, value in self.pairs(root):
                name = self.text(key)
                if name not in SECTIONS:
                    way_out = did_you_mean(name, SECTIONS, f"it has {', '.join(SECTIONS)}")
                    raise self.wrong(key, f"a map has no `{name}`", way_out)
                found[name] = self.items(name, value) if name in LISTS else self.entries(name, value)
            if "weights" not in found:
                raise self.wrong(root, "it has no `weights`")
        except Wrong as wrong:
            raise RunError([wrong.problem]) from None
        return found

    def items(self, name: str, node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.wrong(node, f"`{name}` holds a list of names")
        return [(item, item) for item in node.value]

    def entries(self, name: str, node: yaml.Node) -> list[tuple[yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, f"`{name}` holds names with their sources")
        return list(self.pairs(node))

    def pairs(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """The pairs of a mapping, in which no key stands twice."""
        seen: set[str] = set()
        for key, value in node.value:
            name = self.text(key)
            if name in seen:
                raise self.wrong(key, f"`{name}` stands there twice")
            seen.add(name)
            yield key, value

    def lines(self, key: yaml.Node, value: yaml.Node, optional: bool) -> Iterator[Line]:
        """A line for each choice that a key's groups give."""
        name = self.text(key)
        copies = value.value if isinstance(value, yaml.SequenceNode) and value.tag == f"{TAG}seq" else [value]
        if not copies:
            raise self.wrong(value, f"`{name}` has no source")
        sources = [(node, *self.split(node)) for node in copies]
        for choice in self.all_of(key):
            weight = self.pattern(name, choice, key)
            if any(isinstance(p, str) and "*" in p for p in weight.parts):
                raise self.wrong(key, f"`{name}` has a `*`", "numbers are written `{i}`, and texts `{a|b}`")
            if any(not isinstance(p, str) and not p.plain for p in weight.parts):
                raise self.wrong(key, f"`{name}` counts otherwise", "the source's name may: `{i+1}`")
            origins = tuple(self.origin(names, steps, choice, weight, key, node) for node, names, steps in sources)
            yield Line(weight, origins, self.span(key), optional)

    def all_of(self, node: yaml.Node) -> list[tuple[int, ...]]:
        groups = groups_of(self.text(node))
        count = 1
        for group in groups:
            count *= len(group)
        if count > MOST_LINES:
            raise self.wrong(node, f"it stands for more than {MOST_LINES:,} names")
        return list(choices(groups))

    def split(self, node: yaml.Node) -> tuple[list[str], list[str]]:
        """The names and steps of `name -> step -> step` or `(name, name) -> step`."""
        first, *steps = re.split(r"\s+->\s+", self.text(node).strip())
        several = first.startswith("(") and first.endswith(")")
        names = [name.strip() for name in first[1:-1].split(",")] if several else [first]
        if not all(names):
            raise self.wrong(node, "a name is empty")
        return names, steps

    def refuse_order(self, names: list[str], steps: tuple[Done, ...], node: yaml.Node) -> None:
        """Several tensors become one at once, and nothing else takes several."""
        joins = [STEPS[step.name].several for step in steps]
        if len(names) > 1 and not any(joins[:1]):
            joiners = " or ".join(f"`{name}`" for name, step in STEPS.items() if step.several)
            raise self.wrong(node, f"what becomes one of {len(names)} tensors is not said", f"{joiners} comes first")
        if any(joins[1:] if len(names) > 1 else joins):
            raise self.wrong(node, "`add` and `concat` take several tensors", "`(a, b) -> add`")

    def step(self, text: str, node: yaml.Node) -> Done:
        found = STEP.fullmatch(text.strip())
        if found is None or found[1] not in STEPS:
            name = found[1] if found else text
            raise self.wrong(node, f"there is no step `{name}`", did_you_mean(name, STEPS, ", ".join(STEPS)))
        numbers = [] if found[2] is None else [number.strip() for number in found[2].split(",")]
        if not all(WHOLE.fullmatch(number) for number in numbers):
            raise self.wrong(node, f"`{text}` takes whole numbers", f"`{STEPS[found[1]].written}`")
        return Done(found[1], tuple(map(int, numbers)))

    def origin(
        self,
        names: list[str],
        steps: list[str],
        choice: tuple[int, ...],
        weight: Pattern,
        key: yaml.Node,
        node: yaml.Node,
    ) -> Origin:
        """A source of a weight, for one choice that the key's groups give."""
        own = {text: self.choice_of(text, choice, key, node) for text in (*names, *steps)}
        patterns = tuple(self.pattern(name, own[name], node) for name in names)
        for pattern in patterns:
            if stray := sorted(pattern.numbers - weight.numbers):
                raise self.wrong(node, f"`{{{stray[0]}}}` does not stand in the weight's name")
        done = tuple(self.step(taken(step, own[step]), node) for step in steps)
        self.refuse_order(names, done, node)
        return Origin(patterns, done)

    def choice_of(self, text: str, choice: tuple[int, ...], key: yaml.Node, node: yaml.Node) -> tuple[int, ...]:
        """The choice of a name or step: the key's, if it has the key's groups, or none."""
        groups, wanted = ([len(group) for group in groups_of(t)] for t in (text, self.text(key)))
        if groups not in ([], wanted):
            raise self.wrong(
                node,
                f"`{text}` has choices of {groups}, and the weight's name of {wanted}",
                "the first group goes with the first, the second with the second",
            )
        return choice if groups else ()

    def pattern(self, text: str, choice: tuple[int, ...], node: yaml.Node) -> Pattern:
        try:
            return chosen(text, choice)
        except Malformed as failure:
            raise self.wrong(node, str(failure)) from None

    def text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value or node.tag.removeprefix(TAG) not in PLAIN:
            way_out = "names that begin with `{` stand between quotes" if isinstance(node, yaml.MappingNode) else ""
            raise self.wrong(node, "a name is needed here", way_out)
        return node.value

    def span(self, node: yaml.Node) -> Span:
        return Span(self.source, node.start_mark.index, node.end_mark.index)

    def wrong(self, node: yaml.Node | None, reason: str, way_out: str = "") -> Wrong:
        span = None if node is None else self.span(node)
        return Wrong(BadMap(path=self.source.name, reason=reason, span=span, way_out=way_out))
