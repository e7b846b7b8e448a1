"""Test-time crops: windows of an image that a net looks at one by one, and whose answers are averaged.

Five are the corners and the middle, ten those and their mirror images (Krizhevsky et al. 2012, section 4.1). They are
cut out of what the run's `prepare` crops; where it does not, out of images with a margin around them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from netc.ir.network import Program
from netc.recipes.prepare import is_prepared
from netc.training.data.examples import Arrays, mismatch
from netc.training.data.stored import changed
from netc.training.prepare import Field
from netc.types import Type

PLACES = ((0.5, 0.5), (0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
"""Where a window is, as parts of the height and width that it leaves free."""
MIRRORED = {"five": False, "ten": True}
"""The kinds of crops: whether mirror images are among them."""
CROP = "crop"


def crops_at(fields: Mapping[str, Field], place: tuple[float, float]) -> dict[str, Field]:
    """Fields whose preparation cuts out another part."""

    def at_place(field: Field) -> Field:
        steps = tuple({**step, "at": list(place)} if step["kind"] == CROP else step for step in field.steps)
        return replace(field, steps=steps)

    return {name: at_place(field) for name, field in fields.items()}


def is_cropped(fields: Mapping[str, Field]) -> bool:
    return any(step["kind"] == CROP for field in fields.values() for step in field.steps)


def refuse_crops(program: Program, fields: Mapping[str, Field], margin: int) -> None:
    """Raises `RunError` where there is nothing to crop, or where what the net says would move with the image."""
    root = program.root
    if not any(is_image(root.types[name]) for name in root.inputs):
        listed = ", ".join(f"`{name}` {root.types[name]}" for name in root.inputs)
        raise mismatch(f"crops are of images [height, width, channels], and `{root.name}` takes {listed}")
    for name, value in root.outputs:
        if len(root.types[value].shape) > 2:
            text = f"crops move the image, and `{name}` of `{root.name}`, {root.types[value]}, has positions in it"
            raise mismatch(text, "measure it without crops")
    if is_cropped(fields) and margin:
        raise mismatch("the run's `prepare` crops, and its crops are cut out of that", "leave the margin out")
    if not is_cropped(fields) and not margin:
        way_out = "give a margin, `--margin 2`: so many pixels are put around the image"
        raise mismatch("there is nothing to crop: the run's `prepare` has no `crop`", way_out)


def is_image(type_: Type) -> bool:
    return is_prepared(type_) and len(type_.shape) == 3


def with_margin(arrays: Arrays, images: tuple[str, ...], margin: int) -> Iterator[Arrays]:
    """The arrays for each place: `images` cut out of themselves with a margin of each channel's smallest number."""
    for place in PLACES:
        move = partial(moved, place=place, margin=margin)
        yield {name: changed(array, move) if name in images else array for name, array in arrays.items()}


def moved(images: np.ndarray, place: tuple[float, float], margin: int) -> np.ndarray:
    height, width = images.shape[1:3]
    top, left = (round(2 * margin * part) for part in place)
    ground = images.min(axis=(1, 2), keepdims=True)
    larger = np.repeat(np.repeat(ground, height + 2 * margin, axis=1), width + 2 * margin, axis=2)
    larger[:, margin : margin + height, margin : margin + width] = images
    return larger[:, top : top + height, left : left + width]


def mirrored(arrays: Arrays, images: tuple[str, ...]) -> Arrays:
    return {name: changed(array, flipped) if name in images else array for name, array in arrays.items()}


def flipped(images: np.ndarray) -> np.ndarray:
    return images[:, :, ::-1]
