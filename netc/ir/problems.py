"""What can be wrong with a program that is read from text or data."""

from dataclasses import dataclass

from netc.problems import Problem


@dataclass(frozen=True, kw_only=True)
class BrokenProgram(Problem):
    """A program in the IR's text or YAML form cannot be loaded.

    The form is that of docs/ir.md, and what it says must keep the law of the IR (`netc/ir/verify.py`): every
    weight has one owner, values flow forward, types fit. `netc show FILE --as ir` writes programs that load.
    """

    reason: str
    where: str = ""
    """The place in data, as `networks[2].calls[0].inputs`; in text the span says it."""

    def message(self) -> str:
        return f"{self.where}: {self.reason}" if self.where else self.reason


PROBLEMS = (BrokenProgram,)
