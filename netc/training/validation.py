"""The validation set: examples that are taken from the training set by the seed, and that no step looks at."""

import math
from dataclasses import replace

import numpy as np

from netc.ir.network import Recipe
from netc.training.data.examples import Arrays, Data, mismatch


def split_off(recipe: Recipe, data: Data) -> Data:
    """The data with their validation set, if the recipe asks for one; both parts keep the order of the examples.

    The same seed chooses the same examples. It is done before anything is taken from the training set, such as the
    numbers of `prepare`.
    """
    if recipe.validation is None:
        return data
    examples = len(next(iter(data.train.values())))
    count = places(recipe.validation, examples)
    if not 0 < count < examples:
        text = f"the validation set would have {count:,} of the training set's {examples:,} examples"
        raise mismatch(text, "at least one must be left to train on, and one to look at: `validation = 0.1`")
    # Of NumPy's random numbers, only these are promised to be the same in all versions.
    chosen = np.random.RandomState(recipe.seed).permutation(examples)[:count]
    apart = np.zeros(examples, bool)
    apart[chosen] = True
    return replace(data, train=part(data.train, ~apart), validation=part(data.train, apart))


def places(validation: float | int, examples: int) -> int:
    """How many examples a recipe's `validation` means."""
    return validation if isinstance(validation, int) else math.floor(validation * examples + 0.5)


def part(arrays: Arrays, chosen: np.ndarray) -> Arrays:
    return {name: array[chosen] for name, array in arrays.items()}
