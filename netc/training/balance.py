"""`weights = balanced` of a loss: the weights of classes by how often the training set has them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netc.ir.network import Applied, Arithmetic, DataField, Output, Program, Recipe, Term
from netc.recipes.losses import BALANCED
from netc.training.data.examples import Arrays, mismatch
from netc.training.data.stored import pieces


def balanced(recipe: Recipe, program: Program, train: Arrays) -> Recipe:
    """The recipe with numbers in place of `balanced`; its run keeps these."""
    classes = {name: program.root.types[value].channels for name, value in program.root.outputs}
    return replace(recipe, loss=with_numbers(recipe.loss, classes, train))


def with_numbers(term: Term, classes: Mapping[str, int], train: Arrays) -> Term:
    match term:
        case Arithmetic(left=left, right=right):
            return replace(term, left=with_numbers(left, classes, train), right=with_numbers(right, classes, train))
        case Applied(named=named) if ("weights", BALANCED) in named:
            weights = weights_of(term, classes, train)
            return replace(term, named=tuple((n, weights if n == "weights" else v) for n, v in named))
        case _:
            return term


def weights_of(term: Applied, classes: Mapping[str, int], train: Arrays) -> tuple[float, ...]:
    """n / (k count) for each of k classes, of n labels in all, as scikit-learn's `balanced`; of labels that are
    distributions, their sum is the count."""
    scores, label = term.positional
    if not isinstance(scores, Output) or not isinstance(label, DataField):
        raise mismatch("`balanced` counts a field of the data, for scores of the net", "give the weights as a list")
    array, size = train[label.name], classes[scores.name]
    counts = sum(counted(part, size) for _, part in pieces(array))
    assert isinstance(counts, np.ndarray)
    if not counts.all():
        first = np.flatnonzero(counts == 0)[0]
        text = f"the training set has no example of class {first}, which `balanced` would divide by"
        raise mismatch(text, "give the weights as a list: `weights = [1, 2, ...]`")
    return tuple((counts.sum() / (size * counts)).tolist())


def counted(labels: np.ndarray, size: int) -> np.ndarray:
    """How much there is of each class in labels [examples, ...] or distributions [examples, ..., size]."""
    whole = labels.dtype.kind in "iu"
    return np.bincount(labels.reshape(-1), minlength=size) if whole else labels.reshape(-1, size).sum(0, np.float64)
