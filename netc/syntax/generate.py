"""Writes the LALR tables of the grammars in `grammar/` as JSON: `python -m netc.syntax.generate`."""

import json
from hashlib import sha256
from pathlib import Path

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from netc.syntax.tables import IR, NETC

GRAMMARS = Path(__file__).parents[2] / "grammar"
TABLES = {GRAMMARS / "netc.lark": NETC, GRAMMARS / "ir.lark": IR}


def build(grammar: str) -> Lark:
    """The parser, built from the grammar with every conflict an error."""
    return Lark(grammar, parser="lalr", strict=True, propagate_positions=True, maybe_placeholders=True)


def tables(grammar: str) -> str:
    """The tables as JSON, a line for each part, sets and dicts in a fixed order: nothing changes by chance."""
    data, memo = build(grammar).memo_serialize([TerminalDef, Rule])
    parts = {"grammar": sha256(grammar.encode()).hexdigest(), "data": ordered(data), "memo": ordered(memo)}
    lines = (f"{json.dumps(name)}:{json.dumps(part, separators=(',', ':'))}" for name, part in parts.items())
    return "{" + ",\n".join(lines) + "}\n"


def ordered(value: object) -> object:
    match value:
        case dict():
            return {key: ordered(value[key]) for key in sorted(value, key=lambda k: (str(type(k)), k))}
        case list() | tuple():
            return [ordered(item) for item in value]
        case set() | frozenset():
            return sorted(value)
        case _:
            return value


if __name__ == "__main__":
    for grammar, path in TABLES.items():
        path.write_text(tables(grammar.read_text()))
