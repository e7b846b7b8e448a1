"""What runs come to on data: one, several together, or over crops."""

import os
from collections.abc import Sequence
from typing import Any

from netc.problems import RunError
from netc.recipes.problems import DataMismatch
from netc.training.copies import refuse_copies
from netc.training.data.examples import mismatch
from netc.training.evaluation import evaluate as evaluate_model
from netc.training.evaluation import functions
from netc.training.saved import Saved, open_run
from netc.training.together import Crops, matched_run, measure_together

Folder = str | os.PathLike[str]


def evaluate(
    folder: Folder | Sequence[Folder],
    data: Any = None,
    best: bool = False,
    crops: str | None = None,
    margin: int = 0,
    augmented: int = 0,
) -> dict[str, Any]:
    """The loss and metrics of a run, by name, on the test set of its own data or of others.

    `data` is as for `train`; where it is given as arrays without `test_NAME` fields, all examples are measured. Several
    folders are measured together: the mean of what their nets say, which must be about the same data and outputs; the
    key `members` then has each net's measures by name, and so it does for an ensemble. With `crops`, "five" or "ten",
    each net's answer is the mean over that many windows of each image; `margin` pixels are put around images that
    `prepare` does not crop. With `augmented` it is the mean over so many copies of each example, changed by chance as
    the recipe's `augment` says, by its seed. `best` is as for `load`.
    """
    runs = [open_run(one, best) for one in ([folder] if isinstance(folder, str | os.PathLike) else folder)]
    for run in runs:
        refuse_lost_data(run, data)
        if augmented:
            refuse_copies(run.recipe, augmented)
    if crops and augmented:
        raise mismatch("`crops` and `augmented` are both given", "average over one of them: windows, or copies")
    if len(runs) > 1 or runs[0].recipe.ensemble > 1 or crops or augmented:
        return measure_together(runs, data, Crops(crops, margin) if crops else None, augmented)
    matched = matched_run(runs[0], data, None)
    return evaluate_model(runs[0].model, functions(runs[0].program, matched.recipe), matched.data.test)


def refuse_lost_data(run: Saved, data: Any) -> None:
    if run.config.from_python and data is None:
        folder = str(run.folder)
        way_out = f"measure it from Python: `netc.evaluate({folder!r}, data=...)`, or name a folder with `--data`"
        raise RunError([DataMismatch(text="the run's data were given from Python, and are not kept", way_out=way_out)])
