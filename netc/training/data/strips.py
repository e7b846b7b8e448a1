"""Strips: images of a labelled set side by side in one wide image, with their classes from left to right."""

from itertools import pairwise

import numpy as np

from netc.recipes.data import Strips
from netc.training.data.derived import lacking
from netc.training.data.examples import Arrays, Data, Where, mismatch
from netc.training.data.place import in_memory
from netc.types import Type


def load_strips(entry: Strips, where: Where) -> Data:
    inner = in_memory(where.load(entry.of))
    types = entry.fields_of(inner.types)
    if types is None:
        raise lacking("strips", "image [height, width, channels] and label", inner)
    return Data(dealt(inner.train, entry, types, 0), dealt(inner.test, entry, types, 1), types)


def dealt(arrays: Arrays, entry: Strips, types: dict[str, Type], seed: int) -> Arrays:
    """All images dealt out to strips, in random order; too few for the last strip are left over."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(arrays["label"]))
    if len(order) < max(entry.digits):
        raise mismatch(f"`strips` needs {max(entry.digits)} images for one strip, and the set has {len(order)}")
    lengths = rng.choice(entry.digits, len(order))
    ends = np.cumsum(lengths)
    count = int((ends <= len(order)).sum())
    fill = types["label"].element.size
    assert fill is not None
    image = np.zeros((count, *types["image"].shape), np.float32)
    label = np.full((count, *types["label"].shape), fill - 1, np.int32)
    for i, (end, length) in enumerate(zip(ends[:count], lengths[:count], strict=True)):
        chosen = order[end - length : end]
        label[i, :length] = arrays["label"][chosen]
        place(image[i], [inked(arrays["image"][j]) for j in chosen], entry, rng)
    return {"image": image, "label": label}


def inked(image: np.ndarray) -> np.ndarray:
    """The columns from the first to the last that are not 0; of an empty image all."""
    columns = np.flatnonzero(image.any(axis=(0, 2)))
    return image[:, columns[0] : columns[-1] + 1] if len(columns) else image


def place(strip: np.ndarray, parts: list[np.ndarray], entry: Strips, rng: np.random.Generator) -> None:
    """Puts parts into an empty strip with random gaps, from a random column on; where they overlap the larger number
    stays."""
    widths = [part.shape[1] for part in parts]
    gaps = rng.integers(-entry.overlap, entry.gap + 1, len(parts) - 1)
    gaps = np.maximum(gaps, [-(min(pair) // 2) for pair in pairwise(widths)])
    starts = np.cumsum([0, *(w + g for w, g in zip(widths, gaps, strict=False))])
    starts += rng.integers(0, strip.shape[1] - starts[-1] - widths[-1] + 1)
    for part, start in zip(parts, starts, strict=True):
        here = strip[:, start : start + part.shape[1]]
        np.maximum(here, part, out=here)
