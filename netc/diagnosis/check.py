"""What a check comes to."""

from dataclasses import dataclass, field

PASS, WARN, FAIL, SKIP = "pass", "warn", "fail", "skip"
WORST = (FAIL, WARN, PASS, SKIP)
"""Statuses, worst first: of several findings of one check the worst is the check's."""


@dataclass(frozen=True)
class Check:
    """One check: what was looked at, how it went, a sentence, its figures, and a way out where one is needed."""

    name: str
    status: str
    text: str
    figures: dict[str, float | str | None] = field(default_factory=dict)
    way_out: str = ""
