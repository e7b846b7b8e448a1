"""Writes `tables.py`, the LALR tables of `grammar/netc.lark`: `python -m netc.syntax.generate`."""

from hashlib import sha256
from pathlib import Path

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

GRAMMAR = Path(__file__).parents[2] / "grammar" / "netc.lark"
TABLES = Path(__file__).with_name("tables.py")


def build(grammar: str) -> Lark:
    """The parser, built from the grammar with every conflict an error."""
    return Lark(grammar, parser="lalr", strict=True, propagate_positions=True, maybe_placeholders=True)


def tables(grammar: str) -> str:
    data, memo = build(grammar).memo_serialize([TerminalDef, Rule])
    return (
        '"""Generated from grammar/netc.lark by `python -m netc.syntax.generate`; not to be edited."""\n\n'
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
    TABLES.write_text(tables(GRAMMAR.read_text()))
