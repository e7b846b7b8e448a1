"""Writes the LALR tables of the grammars in `grammar/` as Python modules: `python -m netc.syntax.generate`."""

from hashlib import sha256
from pathlib import Path

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

GRAMMARS = Path(__file__).parents[2] / "grammar"
TABLES = {
    GRAMMARS / "netc.lark": Path(__file__).with_name("tables.py"),
    GRAMMARS / "ir.lark": Path(__file__).parents[1] / "ir" / "tables.py",
}


def build(grammar: str) -> Lark:
    """The parser, built from the grammar with every conflict an error."""
    return Lark(grammar, parser="lalr", strict=True, propagate_positions=True, maybe_placeholders=True)


def tables(path: Path) -> str:
    """The module that holds the tables of a grammar."""
    grammar = path.read_text()
    data, memo = build(grammar).memo_serialize([TerminalDef, Rule])
    return (
        f'"""Generated from grammar/{path.name} by `python -m netc.syntax.generate`; not to be edited."""\n\n'
        f'GRAMMAR = "{sha256(grammar.encode()).hexdigest()}"\n\n'
        f"DATA: dict = {ordered(data)!r}\n\nMEMO: dict = {ordered(memo)!r}\n"
    )


def ordered(value: object) -> object:
    """The same data with sets and dicts in a fixed order, so that the file does not change by chance."""
    match value:
        case dict():
            return {key: ordered(value[key]) for key in sorted(value, key=lambda k: (str(type(k)), k))}
        case list() | tuple():
            return type(value)(ordered(item) for item in value)
        case set() | frozenset():
            return sorted(value)
        case _:
            return value


if __name__ == "__main__":
    for grammar, module in TABLES.items():
        module.write_text(tables(grammar))
