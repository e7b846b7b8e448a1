"""Writes the LALR tables of the grammars in `grammar/` as JSON: `python -m netc.syntax.generate`."""

import json
from pathlib import Path
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from netc.syntax.tables import IR, NETC

GRAMMARS = Path(__file__).parents[2] / "grammar"
SHIFT, ENDS = 0, ("start_states", "end_states")
TABLES = {GRAMMARS / "netc.lark": NETC, GRAMMARS / "ir.lark": IR}


def build(grammar: str) -> Lark:
    """The parser, built from the grammar with every conflict an error."""
    return Lark(grammar, parser="lalr", strict=True, propagate_positions=True, maybe_placeholders=True)


def tables(grammar: str) -> str:
    """The tables as JSON, a line for each part, the same each time they are made."""
    data, memo = build(grammar).memo_serialize([TerminalDef, Rule])
    data["parser"]["parser"] = numbered_anew(data["parser"]["parser"])
    parts = {"data": ordered(data), "memo": ordered(memo)}
    lines = (f"{json.dumps(name)}:{json.dumps(part, separators=(',', ':'))}" for name, part in parts.items())
    return "{" + ",\n".join(lines) + "}\n"


def numbered_anew(parser: dict[str, Any]) -> dict[str, Any]:
    """The tables with tokens numbered by name and states as they are reached: Lark's numbers are those of sets."""
    names = parser["tokens"]
    tokens = {old: new for new, old in enumerate(sorted(names, key=lambda number: names[number]))}
    reached = [parser["start_states"]["start"]]
    for state in reached:
        actions = sorted(parser["states"][state].items(), key=lambda item: tokens[item[0]])
        reached += [to for _, (kind, to) in actions if kind == SHIFT and to not in reached]
    numbers = {old: new for new, old in enumerate(dict.fromkeys(reached))}

    def action(kind: int, to: Any) -> tuple[int, Any]:
        return kind, numbers[to] if kind == SHIFT else to

    return {
        "tokens": {tokens[old]: name for old, name in names.items()},
        "states": {
            numbers[state]: {tokens[token]: action(*done) for token, done in parser["states"][state].items()}
            for state in numbers
        },
        **{which: {rule: numbers[state] for rule, state in parser[which].items()} for which in ENDS},
    }


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
