"""The `augment` of a recipe: its steps, and whether they can be done to the fields that feed the net."""

from collections.abc import Iterable, Mapping

from netc.arguments import Entry
from netc.check.problems import RecipeMismatch
from netc.check.rows import Checking, Fields, row, steps
from netc.ir.network import Applied, Recipe
from netc.layers.base import Refusal
from netc.recipes.augment import AUGMENTATIONS, Augmentation
from netc.recipes.prepare import is_prepared
from netc.syntax import tree
from netc.types import Type

KINDS: dict[str, type[Augmentation]] = {entry.kind: entry for entry in AUGMENTATIONS}
ROWS: dict[str, type[Entry]] = {**KINDS}
Steps = list[tuple[tree.Node, Augmentation]]


def check_augmentation(fields: Fields, recipe: Checking) -> Steps:
    """The steps of `augment`, each with its row."""
    found: Steps = []
    for step in steps(fields.get("augment")):
        made = row(step, ROWS, "augmentation", recipe, nests=False)
        if isinstance(made, Augmentation):
            found.append((step, made))
    return found


def refuse_augmentation(found: Steps, fed: Mapping[str, Type], recipe: Checking) -> None:
    """Reports the first step that cannot be done to prepared fields, which feed the net."""
    refusals = ((step, refused(made, fed, {})) for step, made in found)
    step, refusal = next(((step, refusal) for step, refusal in refusals if refusal), (None, None))
    if step is not None and refusal is not None:
        recipe.report(RecipeMismatch(span=step.span, text=refusal.message, way_out=refusal.help))


def refused(made: Augmentation, fed: Mapping[str, Type], labels: Mapping[str, Type]) -> Refusal | None:
    """Why a step cannot be done to the fields that feed the net, beside labels that stay as they are."""
    augmented = {name: type_ for name, type_ in fed.items() if is_prepared(type_)}
    if not augmented:
        listed = ", ".join(f"`{name}` {type_}" for name, type_ in fed.items())
        return Refusal(f"`{made.kind}` changes numbers that feed the net, and what feeds it is {listed}", "remove it")
    for name, type_ in augmented.items():
        beside = stays(type_, labels.items()) if made.moves else None
        if refusal := made.refuse(type_):
            return refusal
        if beside is not None:
            text = f"`{made.kind}` moves the pixels of `{name}`, {type_}, and `{beside}`, {labels[beside]}, stays"
            return Refusal(text, f"labels at each position no longer fit: remove `{made.kind}`")
    return None


def stays(image: Type, labels: Iterable[tuple[str, Type]]) -> str | None:
    """A field with something at each position of an image."""
    return next((name for name, type_ in labels if type_.shape[:2] == image.shape[:2]), None)


def augmentations(recipe: Recipe) -> list[tuple[Applied, Augmentation]]:
    """The steps of a checked recipe, each with its row."""
    return [(step, KINDS[step.name](**dict(step.named))) for step in recipe.augment]
