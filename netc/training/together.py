"""Runs that are measured together: what their nets, all members of ensembles among them, say on average, over crops of
the test set's images, or over augmented copies of it, if asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from netc.emit.fields import term_text
from netc.ir.network import DataField
from netc.model import LARGEST_BATCH, Model, outputs_on
from netc.training.answers import losses_read
from netc.training.copies import copies
from netc.training.crops import MIRRORED, PLACES, crops_at, is_cropped, is_image, mirrored, refuse_crops, with_margin
from netc.training.data.examples import Arrays, mismatch
from netc.training.data.stored import pieces, read
from netc.training.evaluation import functions, over_all
from netc.training.matching import Matched, match, measured_terms
from netc.training.members import Mean, beside_members, mean_of, members_of
from netc.training.prepare import Field
from netc.training.saved import Saved


@dataclass(frozen=True)
class Crops:
    """Which crops are looked at: `five` or `ten`, out of images with a margin of so many pixels."""

    kind: str
    margin: int = 0


def measure_together(
    runs: Sequence[Saved], data: Any = None, crops: Crops | None = None, augmented: int = 0
) -> dict[str, Any]:
    """The loss and metrics of the runs' average by the first run's recipe, and, where there are several nets, under
    `members` those of each. A net's average over crops, or over so many augmented copies, counts as its own answer."""
    matched = [matched_run(run, data, crops) for run in runs]
    for run, one in zip(runs[1:], matched[1:], strict=True):
        refuse_unlike(runs[0], matched[0], run, one, data is None)
    mean, recipe = mean_of(matched[0].recipe), matched[0].recipe
    predicted = [
        outputs_of(member, run, views_of(run, one, crops, augmented), mean)
        for run, one in zip(runs, matched, strict=True)
        for member in members_of(run.model)
    ]
    used = functions(runs[0].program, recipe)

    def found(params: Any, rest: Any, batch: Any) -> list[dict[str, Any]]:
        return [used.measure(outputs, batch["data"]) for outputs in batch["outputs"]]

    several = predicted if len(predicted) > 1 else []
    whole = {name: np.asarray(made) for name, made in mean(predicted).items()}
    every = over_all(found, used, {"data": labels(matched[0]), "outputs": [whole, *several]})
    together, *members = every(None, None)
    return beside_members(together, *members) if members else together


def matched_run(run: Saved, data: Any, crops: Crops | None) -> Matched:
    """A run's data, also cut out at all places where its `prepare` crops."""
    views: Sequence[dict[str, Field]] = ()
    if crops is not None:
        refuse_crops(run.program, run.config.fields, crops.margin)
        views = [crops_at(run.config.fields, place) for place in PLACES] if is_cropped(run.config.fields) else ()
    given = run.plan.data if data is None else data
    return match(run.recipe, run.program, given, run.plan.base, run.config.fields, split=False, views=views)


def views_of(run: Saved, matched: Matched, crops: Crops | None, augmented: int) -> list[Arrays]:
    """The test set as the net is to look at it, once or several times."""
    if augmented:
        return copies(run.program, matched.recipe, matched.data, augmented)
    if crops is None:
        return [matched.data.test]
    root = run.program.root
    images = tuple(field for name, field in matched.recipe.feeds if is_image(root.types[name]))
    views = list(matched.views or with_margin(matched.data.test, images, crops.margin))
    return views + [mirrored(view, images) for view in views] if MIRRORED[crops.kind] else views


def outputs_of(model: Model, run: Saved, views: Sequence[Arrays], mean: Mean) -> dict[str, Any]:
    """What a net says of all examples, on average over views of them."""
    names, feeds = [name for name, _ in run.program.root.outputs], [field for _, field in run.recipe.feeds]
    made = [on_all(model, [view[field] for field in feeds]) for view in views]
    outputs = [dict(zip(names, m if isinstance(m, tuple) else (m,), strict=True)) for m in made]
    return mean(outputs) if len(outputs) > 1 else outputs[0]


def on_all(model: Model, arrays: Sequence[Any]) -> Any:
    """The outputs for a prepared batch of each input, in memory or on disk, which is read in parts."""
    count = len(arrays[0])
    parts = []
    for start in range(0, count, LARGEST_BATCH):
        places = np.minimum(start + np.arange(min(LARGEST_BATCH, count)), count - 1)
        parts.append(outputs_on(model, [read(array, places) for array in arrays]))
    return jax.tree.map(lambda *a: np.concatenate(a)[:count], *parts)


def labels(matched: Matched) -> Arrays:
    """The fields that the loss and metrics look at."""
    operands = (operand for term in measured_terms(matched.recipe) for operand in term.positional)
    return {o.name: matched.data.test[o.name] for o in operands if isinstance(o, DataField)}


def refuse_unlike(first: Saved, ours: Matched, other: Saved, theirs: Matched, own_data: bool) -> None:
    """Raises `RunError` for runs that answer another question than the first: averages of those mean nothing."""

    def unlike(ours: str, theirs: str, way_out: str) -> Any:
        return mismatch(f"`{first.folder}` {ours}, and `{other.folder}` {theirs}", way_out)

    datas = [term_text(run.recipe.data) for run in (first, other)]
    if own_data and datas[0] != datas[1]:
        raise unlike(f"is about `{datas[0]}`", f"about `{datas[1]}`", "average runs on the same data")
    outputs = [said(run) for run in (first, other)]
    if outputs[0] != outputs[1]:
        way_out = "average runs whose outputs have the same names and shapes, and losses that read them alike"
        raise unlike(f"gives {outputs[0]}", f"gives {outputs[1]}", way_out)
    for name, array in labels(ours).items():
        same = labels(theirs).get(name)
        if same is None:
            fields = ", ".join(f"`{field}`" for field in labels(theirs))
            raise unlike(f"is measured by `{name}`", f"by {fields}", "average runs with the same labels")
        if array.shape != same.shape:
            shapes = list(array.shape), list(same.shape)
            raise unlike(f"has a test set whose `{name}` is {shapes[0]}", f"one of {shapes[1]}", "give both the same")
        if not all(np.array_equal(a, b) for (_, a), (_, b) in zip(pieces(array), pieces(same), strict=True)):
            raise unlike("has a test set", f"one with another `{name}`", "name one for both with `--data`")


def said(run: Saved) -> str:
    """The outputs of a run's net, and how they are read."""
    losses, root = losses_read(run.recipe), run.program.root
    listed = []
    for name, value in root.outputs:
        read = losses[name].reading if name in losses else "numbers"
        listed.append(f"`{name}` {root.types[value]} of {read}")
    return ", ".join(listed)
