"""Walks plain data from outside and knows the way back: what is not as it should be is said with its place."""

from dataclasses import dataclass
from typing import NoReturn

from netc.ir.problems import BrokenProgram
from netc.problems import CompileError

MOST_NESTING = 100
LARGEST = 10**18


@dataclass(frozen=True)
class Cursor:
    """A piece of data and where it stands: `networks[0].calls[2].inputs`."""

    value: object
    where: str = ""
    depth: int = 0

    def fail(self, reason: str) -> NoReturn:
        raise CompileError([BrokenProgram(where=self.where, reason=reason)])

    def inside(self, value: object, step: str) -> "Cursor":
        if self.depth > MOST_NESTING:
            self.fail(f"this is nested more than {MOST_NESTING} levels deep")
        return Cursor(value, (self.where + step).removeprefix("."), self.depth + 1)

    def fields(self, required: tuple[str, ...], optional: tuple[str, ...] | None = ()) -> "dict[str, Cursor]":
        """A mapping with all of the required keys and no others but the optional ones (None: any others)."""
        if not isinstance(self.value, dict):
            self.fail(f"a mapping with {', '.join(required)} is needed here")
        for key in self.value:
            if not isinstance(key, str) or (optional is not None and key not in (*required, *optional)):
                self.fail(f"there is no key {key!r:.60}; there are {', '.join((*required, *(optional or ())))}")
        for key in required:
            if key not in self.value:
                self.fail(f"the key `{key}` is missing")
        return {key: self.inside(value, f".{key}") for key, value in self.value.items()}

    def items(self) -> "list[Cursor]":
        if not isinstance(self.value, list | tuple):
            self.fail("a list is needed here")
        return [self.inside(value, f"[{i}]") for i, value in enumerate(self.value)]

    def text(self) -> str:
        return self.value if isinstance(self.value, str) else self.fail("a string is needed here")

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def truth(self) -> bool:
        return self.value if isinstance(self.value, bool) else self.fail("true or false is needed here")

    def whole(self) -> int:
        match self.value:
            case bool():
                return self.fail("a whole number is needed here")
            case int() as number if 0 <= number < LARGEST:
                return number
            case _:
                return self.fail("a whole number from 0 up is needed here")

    def shape(self) -> tuple[int, ...]:
        return tuple(item.whole() for item in self.items())
