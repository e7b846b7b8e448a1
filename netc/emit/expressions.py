"""Python expressions for values, and when they need parentheses."""

import ast
import re
from dataclasses import dataclass

from netc.layers.base import Lowering


@dataclass
class Expression:
    """Python for a value; `scratch` are the scratch variables that it reads."""

    text: str
    scratch: frozenset[str] = frozenset()


def template(lowering: Lowering, given: bool) -> str:
    if not given:
        return lowering.call
    assert lowering.function is not None
    return lowering.function


def is_loose(text: str) -> bool:
    """Whether an expression needs parentheses before an attribute or index, or inside other arithmetic."""
    return isinstance(ast.parse(text, mode="eval").body, ast.BinOp | ast.UnaryOp)


def is_exposed(form: str, position: int) -> bool:
    """Whether an input stands in a lowering otherwise than as a whole argument or by itself."""
    here = rf"\{{{position}\}}"
    return len(re.findall(here, form)) > len(re.findall(rf"(?:^|[(\[,])\s*{here}\s*(?=$|[)\],])", form))


def texts(expressions: list[Expression]) -> str:
    return ", ".join(e.text for e in expressions)


def reads(expressions: list[Expression]) -> frozenset[str]:
    return frozenset().union(*(e.scratch for e in expressions))
