"""Test-time augmentation: copies of a test set, each changed by chance as a training changes its images, over which
what a net says is averaged."""

from functools import partial
from typing import Any

import jax
import numpy as np

from netc.ir.network import Program, Recipe
from netc.recipes.prepare import is_prepared
from netc.training.augment import make_augmentation
from netc.training.data.examples import Arrays, Data, mismatch
from netc.training.data.stored import Stored, read

MOST = 10_000


def refuse_copies(recipe: Recipe, count: int) -> None:
    """Raises `RunError` where a recipe has no augmentation, and for what is no number of copies."""
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST:
        text = f"`augmented` is {count!r}, and is how many copies of each example are made"
        raise mismatch(text, f"give a whole number from 1 to {MOST:,}")
    if not recipe.augment:
        text = f"the recipe `{recipe.name}` has no `augment`, and copies would all be alike"
        raise mismatch(text, "measure it without copies, or over windows: `--crops five`")


def copies(program: Program, recipe: Recipe, data: Data, count: int) -> list[Arrays]:
    """The prepared test set so many times, augmented by the recipe's seed and the number of the copy. Images are
    changed when they are read."""
    augment = make_augmentation(program, recipe, data.train)
    names = [name for input, name in recipe.feeds if is_prepared(program.root.types[input])]

    @partial(jax.jit, static_argnums=0)
    def changed(name: str, examples: Arrays, number: Any, places: Any) -> Any:
        return augment(examples, recipe.seed, number, places)[name]

    def field(name: str, number: int) -> Stored:
        def examples(places: np.ndarray) -> np.ndarray:
            given = {own: read(data.test[own], places) for own in names}
            return np.asarray(changed(name, given, number, places.astype(np.int32)))

        return Stored(data.test[name].shape, data.test[name].dtype, examples)

    return [{**data.test, **{name: field(name, number) for name in names}} for number in range(count)]
