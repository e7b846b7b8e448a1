"""What has changed since a run began: its net, its recipe, its data, or what runs it. Refused, or said."""

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from netc.emit.fields import recipe_fields
from netc.ir.network import Program, Recipe
from netc.problems import RunError
from netc.recipes.problems import CannotResume
from netc.training.fingerprint import canonical, net_hash
from netc.types import show_shape

LENGTH = ("epochs", "steps")
FREE = (*LENGTH, "checkpoint")
"""The fields of a recipe that may change when a run goes on."""
SHOWN = 3
"""How many differences are listed."""


def refuse(folder: Path, reason: str, way_out: str = "") -> RunError:
    return RunError([CannotResume(path=str(folder), reason=reason, way_out=way_out)])


def weights_of(program: Program) -> dict[str, list[int]]:
    """The weights' shapes by their names."""
    return {name: list(weight.shape) for name, weight in program.weights()}


def net_note(program: Program) -> dict[str, Any]:
    """What tells a net in a checkpoint: its hash, and its weights for a message."""
    return {"hash": net_hash(program), "weights": weights_of(program)}


def refuse_net(folder: Path, recorded: str, kept: Program, program: Program) -> None:
    """The net must be that of the run; `kept` is what the folder's own source says, `recorded` the hash of that."""
    now = net_hash(program)
    if recorded in ("", now):
        return
    differences = weight_differences(weights_of(kept), weights_of(program)) or line_differences(kept, program)
    if not differences:
        text = (
            f"its net.net was changed, or is compiled otherwise now (the hash was {recorded[:12]}, and is {now[:12]})"
        )
        raise refuse(folder, text)
    raise refuse(folder, f"its net has changed: {listed(differences)}")


def refuse_checkpoint(folder: Path, step: int, note: Mapping[str, Any], program: Program) -> None:
    """A checkpoint must be of the net of the run."""
    if note["hash"] == net_hash(program):
        return
    differences = weight_differences(note["weights"], weights_of(program))
    what = (
        listed(differences) if differences else f"its hash is {note['hash'][:12]}, the net's {net_hash(program)[:12]}"
    )
    way_out = f"remove it: {folder / 'checkpoints' / str(step)}"
    raise refuse(folder, f"the checkpoint of step {step:,} is of another net: {what}", way_out)


def weight_differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The weights that are others, by name."""
    found = []
    for name in dict.fromkeys((*before, *now)):
        old, new = (show_shape(tuple(side[name])) if name in side else None for side in (before, now))
        if old == new:
            continue
        if new is None:
            found.append(f"the weight `{name}` {old} is gone")
        else:
            found.append(f"the weight `{name}` {new} is new" if old is None else f"`{name}` was {old}, and is {new}")
    return found


def line_differences(before: Program, now: Program) -> list[str]:
    """The lines of the nets' texts that differ, for nets with the same weights."""
    lines = zip_longest(canonical(before).splitlines(), canonical(now).splitlines(), fillvalue="")
    return [f"`{old.strip()}` is now `{new.strip()}`" for old, new in lines if old != new]


def listed(differences: list[str]) -> str:
    more = len(differences) - SHOWN
    return "; ".join(differences[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def recipe_differences(before: Recipe, now: Recipe) -> tuple[list[str], list[str]]:
    """The fields that may not change and did, and those that did and may."""
    old, new = recipe_fields(before), recipe_fields(now)
    changed = [name for name in dict.fromkeys((*old, *new)) if old.get(name, "") != new.get(name, "")]
    texts = {name: f"`{name}` was {shown(old, name)}, and is {shown(new, name)}" for name in changed}
    fixed = [texts[name] for name in changed if name not in FREE]
    return fixed, [texts[name] for name in changed if name in FREE]


def shown(fields: Mapping[str, str], name: str) -> str:
    return f"`{fields[name]}`" if fields.get(name) else "not given"


def refuse_recipe(folder: Path, before: Recipe, now: Recipe) -> list[str]:
    """The recipe must be that of the run, but for its length and checkpoints; gives what is to be said of those."""
    fixed, free = recipe_differences(before, now)
    if fixed:
        way_out = "give the same settings, or leave FILE out to go on as the run began: `netc train --resume --out ...`"
        raise refuse(folder, f"its recipe has changed: {listed(fixed)}", way_out)
    return free


def refuse_data(folder: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """The data must be those of the run."""
    names: Iterable[str] = dict.fromkeys((*before, *now))
    found = [f"`{n}` was {before.get(n, 'not there')}, and is {now.get(n, 'not there')}" for n in names]
    differences = [text for n, text in zip(names, found, strict=True) if before.get(n) != now.get(n)]
    if before and differences:
        raise refuse(folder, f"its data have changed: {listed(differences)}")


def refuse_length(folder: Path, done: int, steps: int) -> None:
    if done > steps:
        raise refuse(
            folder, f"it has done {done:,} steps, and would now end after {steps:,}", "ask for more, not fewer"
        )


def version_notes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What runs it that may compute other bits."""
    return [
        f"{name} was {before[name]}, and is {now[name]}: the last bits of numbers may be others"
        for name in before
        if name in now and before[name] != now[name]
    ]
