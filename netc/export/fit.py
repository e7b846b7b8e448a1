"""Whether the weights of a file are those of a net: their names, their shapes, and what shares them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from netc.export.note import Note
from netc.ir.network import Program
from netc.ir.sharing import weight_sources
from netc.recipes.problems import WeightsMismatch
from netc.types import show_shape

NUMBERS = ("F64", "F32", "F16", "BF16")
"""The types whose numbers can be weights."""
MOST_NAMED = 5


@dataclass(frozen=True)
class Found:
    """A tensor of a file: its shape, and the type of its numbers in safetensors' spelling."""

    shape: tuple[int, ...]
    numbers: str


def misfits(path: Path, found: Mapping[str, Found], note: Note | None, program: Program) -> list[WeightsMismatch]:
    """All that keeps a file's weights from being a net's; weights that are missing or too many because they are
    shared in one of the two are a mistake of sharing alone."""
    net, wanted = program.root.name, {name: weight.shape for name, weight in program.weights()}
    ours, theirs = weight_sources(program), note.sources if note else {}
    origin = f"load it into `{note.net}`, whose weights it holds" if note and note.net != net else ""
    differing = shared_otherwise(ours, theirs)
    shapes = [n for n in wanted if n in found and found[n].shape != wanted[n]]
    numbers = [n for n in wanted if n in found and found[n].numbers not in NUMBERS]
    missing = [n for n in wanted if n not in found and n not in differing]
    extra = [n for n in found if n not in wanted and n not in differing]

    def problem(text: str, way_out: str) -> WeightsMismatch:
        return WeightsMismatch(path=str(path), text=text, way_out=origin or way_out)

    problems = [problem(*differs(slot, net, ours[slot], theirs[slot])) for slot in differing]
    if shapes:
        listed = (f"`{n}` is {show_shape(found[n].shape)}, and {show_shape(wanted[n])} in `{net}`" for n in shapes)
        problems.append(problem(some(listed, "; "), "compile the net with the parameters that it had then"))
    if numbers:
        listed = (f"`{n}` holds {found[n].numbers}" for n in numbers)
        problems.append(problem(f"weights are floating-point numbers, and {some(listed)}", ""))
    if missing:
        listed = (f"`{n}` {show_shape(wanted[n])}" for n in missing)
        problems.append(problem(f"it has no {some(listed)}", f"it must hold every weight of `{net}`"))
    if extra:
        listed = (f"`{n}` {show_shape(found[n].shape)}" for n in extra)
        problems.append(problem(f"`{net}` has no {some(listed)}", f"it must hold the weights of `{net}`, and no more"))
    return problems


def shared_otherwise(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """The slots, of layers that both have, that see other weights in the file than in the net."""
    return [slot for slot, view in ours.items() if slot in theirs and theirs[slot] != view]


def differs(slot: str, net: str, ours: str, theirs: str) -> tuple[str, str]:
    """What is shared in another way, and the way out."""
    if ours == slot:
        text = f"`{slot}` is `{theirs}` in it, and a weight of its own in `{net}`"
        return text, f"make them one in the net, `{argument(slot)} = {theirs}`, or load it into the net it was made by"
    if theirs == slot:
        text = f"`{slot}` is a weight of its own in it, and `{ours}` in `{net}`"
        return text, f"take `{argument(slot)} = {ours}` out of the net, or load it into the net it was made by"
    return f"`{slot}` is `{theirs}` in it, and `{ours}` in `{net}`", "load it into the net it was made by"


def argument(slot: str) -> str:
    return slot.rpartition(".")[2]


def some(texts: Iterable[str], between: str = ", ") -> str:
    """The first of several, and how many more there are."""
    listed = list(texts)
    more = len(listed) - MOST_NAMED
    return between.join(listed[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
