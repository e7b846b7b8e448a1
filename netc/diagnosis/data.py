"""Checks of the data as the net gets them: the size of its inputs, its labels, and whether the two have to do with each
other."""

from collections.abc import Iterator

import numpy as np

from netc.diagnosis.check import FAIL, PASS, SKIP, WARN, Check
from netc.ir.network import DataField, Program, Recipe
from netc.training.data.stored import read
from netc.training.loop import Training
from netc.training.matching import applied_terms
from netc.types import F32

MOST = 2000
"""So many examples are looked at."""
QUERIES = 300
LARGE, SMALL = 10.0, 1e-2
"""Inputs whose root mean square is outside these are not of the size that first weights are made for, which is 1."""
RARE = 0.1
"""A class is rare with less than this part of an even share."""
SURE = 3.0
"""Standard deviations by which neighbours must tell labels better than chance."""


def sample(training: Training, field: str) -> np.ndarray:
    """Examples of a field as the net gets them, evenly spread over the training set."""
    places = np.unique(np.linspace(0, training.examples - 1, MOST).astype(int))
    return np.asarray(read(training.feed.arrays[field], places))


def check_inputs(training: Training, program: Program) -> Iterator[Check]:
    """One for each input of f32 numbers."""
    for name, field in training.recipe.feeds:
        if program.root.types[name].element == F32:
            yield check_input(name, sample(training, field).astype(np.float64))


def check_input(name: str, array: np.ndarray) -> Check:
    size, mean, spread = float(np.sqrt(np.mean(array**2))), float(array.mean()), float(array.std())
    still = float(np.mean(array.std(axis=0) == 0))
    figures: dict[str, float | str | None] = {"mean": mean, "deviation": spread, "smallest": float(array.min())}
    figures |= {"largest": float(array.max()), "constant": still}
    text = f"`{name}` has mean {mean:.3g} and deviation {spread:.3g}, from {array.min():.3g} to {array.max():.3g}"
    text += f"; {100 * still:.0f} % of its numbers are the same in all examples" if still else ""
    fits = SMALL <= size <= LARGE and spread > 0
    way_out = "" if fits else "bring inputs to mean 0 and deviation 1: `prepare = standardize`"
    return Check("inputs", PASS if fits else FAIL if not spread else WARN, text, figures, way_out)


def labels_of(training: Training, recipe: Recipe) -> dict[str, np.ndarray]:
    """The fields that losses are about and that hold one class for each example."""
    operands = [operand for term in applied_terms((recipe.loss,)) for operand in term.positional]
    names = dict.fromkeys(operand.name for operand in operands if isinstance(operand, DataField))
    arrays = {name: np.asarray(training.feed.arrays[name]) for name in names}
    return {name: array for name, array in arrays.items() if array.ndim == 1 and array.dtype.kind in "iu"}


def check_labels(training: Training) -> Iterator[Check]:
    """How often each class is there, and whether examples of one class are alike."""
    for name, labels in labels_of(training, training.recipe).items():
        classes, counts = np.unique(labels, return_counts=True)
        least, most = classes[counts.argmin()], classes[counts.argmax()]
        text = f"`{name}` has {len(classes)} classes, from {counts.min():,} examples of {least} to "
        text += f"{counts.max():,} of {most}"
        rare = counts.min() < RARE * len(labels) / len(classes)
        status, way_out = (
            (PASS, "") if not rare else (WARN, "`weights = balanced` of the loss counts rare classes more")
        )
        if len(classes) == 1:
            status, way_out = FAIL, "a training set of one class teaches nothing: look at how labels are read"
        figures: dict[str, float | str | None] = {"classes": len(classes), "least": int(counts.min())}
        yield Check("labels", status, text, figures | {"most": int(counts.max())}, way_out)
        yield check_neighbours(training, name, labels)


def check_neighbours(training: Training, name: str, labels: np.ndarray) -> Check:
    """Whether the class of the nearest other example, or of the nearest class's mean, is right more often than the most
    frequent class is. Labels that were shuffled, or read from other files than their examples, fail it."""
    title, fields = "labels and inputs", [field for _, field in training.recipe.feeds]
    if len(fields) != 1 or training.feed.arrays[fields[0]].dtype.kind != "f":
        return Check(title, SKIP, "several inputs, or tokens, have no nearest neighbours here")
    places = np.unique(np.linspace(0, training.examples - 1, MOST).astype(int))
    random = np.random.default_rng(0).permutation(len(places))
    x, y = sample(training, fields[0]).reshape(len(places), -1)[random], labels[places][random]
    count = min(QUERIES, len(x) // 3)
    if count < 2:
        return Check(title, SKIP, "there are too few examples")
    queries, others, known = x[:count], x[count:], y[count:]
    nearest = known[distances(queries, others).argmin(axis=1)]
    classes = np.unique(known)
    means = np.stack([others[known == one].mean(axis=0) for one in classes])
    central = classes[distances(queries, means).argmin(axis=1)]
    right = max(float(np.mean(nearest == y[:count])), float(np.mean(central == y[:count])))
    chance = float(np.unique(y, return_counts=True)[1].max() / len(y))
    told = right > chance + SURE * np.sqrt(chance * (1 - chance) / count)
    text = (
        f"neighbours tell `{name}` in {100 * right:.0f} % of {count} examples, where always saying the most frequent "
    )
    text += f"class is right in {100 * chance:.0f} %"
    way_out = (
        "" if told else "look at whether labels belong to their examples; hard data have no such neighbours, either"
    )
    return Check(title, PASS if told else WARN, text, {"right": right, "chance": chance}, way_out)


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Squared, of each row to each: [rows, rows], up to what is the same for all of the second."""
    return np.sum(other**2, axis=1) - 2 * one @ other.T
