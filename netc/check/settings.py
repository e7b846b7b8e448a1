"""Settings (`--set key=value`): texts in, expressions for parameters of nets and fields of recipes out; statements
for `constrain` and `adjust`."""

from collections.abc import Mapping

from netc.check.context import Context
from netc.check.file import File
from netc.check.problems import UnknownName, WrongKind
from netc.check.things import Definition
from netc.problems import Problem
from netc.recipes.fields import ADJUST, CONSTRAIN, FIELDS, STATEMENTS
from netc.source import Source, Span, Word
from netc.syntax import tree
from netc.syntax.parse import parse


def parse_settings(settings: Mapping[str, str], context: Context) -> dict[str, tree.Node]:
    """`--set key=value`: each value is an expression of the language, that of a statement what follows its word."""
    parsed_settings: dict[str, tree.Node] = {}
    for key, text in settings.items():
        if bare(key) in STATEMENTS:
            parsed_settings[key] = parse_statements(key, text, context)
            continue
        parsed = parse(Source(f"--set {key}", f"value = {text}"))
        if isinstance(parsed, Problem):
            context.report(parsed)
        elif len(parsed.items) == 1 and isinstance(parsed.items[0], tree.Constant):
            parsed_settings[key] = parsed.items[0].flow
        else:
            span = Span(Source(f"--set {key}", text), 0, len(text))
            context.report(WrongKind(span=span, wanted="a value", found="more than one"))
    return parsed_settings


MORE = {
    CONSTRAIN: (tree.Constrain, "constraints alone", "`a: frozen constrain b: max_norm(3)`"),
    ADJUST: (tree.Adjust, "adjustments alone", "`a: rate(0.1) adjust b: no_decay`"),
}
"""By the word that statements begin with: their class, what is wanted of a setting, and how it has two of them."""


def parse_statements(key: str, text: str, context: Context) -> tree.Train:
    """`a: frozen constrain b: max_norm(3)` as the statements of a recipe; none if it is empty or has mistakes."""
    keyword = bare(key)
    kind, wanted, two = MORE[keyword]
    statements = f"{keyword} {text}" if text.strip() else ""
    source = Source(f"--set {key}", f"train settings {{ {statements} }}")
    parsed = parse(source)
    if isinstance(parsed, Problem):
        context.report(parsed)
    elif len(parsed.items) == 1 and all(isinstance(item, kind) for item in parsed.items[0].fields):
        return parsed.items[0]
    else:
        span, way_out = Span(source, 0, len(source.text)), f"two are written {two}"
        context.report(WrongKind(span=span, wanted=wanted, found="more", way_out=way_out))
    word = Word.at("settings", Span(source, 6, 14))
    return tree.Train(word, None, (), span=Span(source, 0, 0))


def bare(key: str) -> str:
    return key.removeprefix("net.").removeprefix("train.")


def settings_of(owner: str, parsed: Mapping[str, tree.Node]) -> dict[str, tree.Node]:
    """The settings that are for nets, or for recipes, by bare names."""
    own = {key.removeprefix(f"{owner}."): node for key, node in parsed.items()}
    return {name: node for name, node in own.items() if "." not in name}


def parameter_texts(definition: Definition, settings: Mapping[str, tree.Node]) -> dict[str, str]:
    """A net's parameters as the settings or the file give them; those without a value are left out."""
    assert isinstance(definition.node, tree.Net)
    declared = definition.node.parameters.items if definition.node.parameters else ()
    given = {str(p.name): settings.get(p.name, p.default) for p in declared}
    return {name: node.span.text for name, node in given.items() if node is not None}


def report_unused_settings(settings: Mapping[str, tree.Node], used: set[str], file: File, context: Context) -> None:
    """A setting that sets nothing is an error, never ignored."""
    known = {str(p.name) for d in file.nets if d.node.parameters for p in d.node.parameters.items}
    known |= {"rate", *STATEMENTS, *(field.name for field in FIELDS if not field.planned)}
    for key in settings:
        if bare(key) not in used:
            context.report(UnknownName(what="setting", name=key, known=tuple(sorted(known))))
