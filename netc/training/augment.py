"""A recipe's augmentation inside the training step: emitted functions of one image, on whole batches."""

from collections.abc import Callable, Mapping
from typing import Any

import jax

from netc.check.augment import augmentations
from netc.emit.recipe import emit_recipe
from netc.ir.network import Program, Recipe
from netc.kernels.augment import FITS
from netc.model import run_source
from netc.recipes.prepare import is_prepared
from netc.training.data.stored import pieces

Augment = Callable[[dict[str, Any], Any, Any, Any], dict[str, Any]]
"""Gives the fields of a batch augmented, for a seed, an epoch and the places [batch] of the examples in the training
set."""


def unchanged(data: dict[str, Any], seed: Any, epoch: Any, chosen: Any) -> dict[str, Any]:
    return data


def make_augmentation(program: Program, recipe: Recipe, train: Mapping[str, Any]) -> Augment:
    """The augmentation of a recipe, with what it takes from the training set."""
    if not recipe.augment:
        return unchanged
    augment = run_source(emit_recipe(recipe), f"<netc recipe {recipe.name}>")["augment"]
    types = program.root.types
    names = tuple(dict.fromkeys(field for name, field in recipe.feeds if is_prepared(types[name])))
    fits = {made.kind: FITS[made.kind] for _, made in augmentations(recipe) if made.fitted}
    fitted = {
        name: {kind: fit(part for _, part in pieces(train[name])) for kind, fit in fits.items()} for name in names
    }

    def augmented(data: dict[str, Any], seed: Any, epoch: Any, chosen: Any) -> dict[str, Any]:
        keys = example_keys(seed, epoch, chosen)
        changed = dict(data)
        for i, name in enumerate(names):
            own = jax.vmap(jax.random.fold_in, (0, None))(keys, i) if i else keys
            changed[name] = jax.vmap(augment, (0, 0, None))(data[name], own, fitted[name])
        return changed

    return augmented


def example_keys(seed: Any, epoch: Any, chosen: Any) -> Any:
    """A random key for each example in an epoch; neither batches nor the order matter."""
    of_epoch = jax.random.fold_in(jax.random.key(seed), epoch)
    return jax.vmap(jax.random.fold_in, (None, 0))(of_epoch, chosen)
