"""Preparation on the host: fitted on the training set, applied to everything after it, kept with the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netc.ir.network import Applied
from netc.training.data.stored import changed, extremes, pieces

Step = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """What a run keeps of a field of its data, as it was before it was prepared.

    `shape` and `element` are the type of an example, `smallest` and `largest` the range of the training set, and
    `steps` those of the recipe's `prepare`, with the numbers that they took from the training set.
    """

    shape: tuple[int, ...]
    element: str
    smallest: float
    largest: float
    steps: tuple[Step, ...] = ()

    def prepare(self, array: Any) -> Any:
        """Examples [count, ...] as the net takes them; a field on disk stays there."""
        return apply_preparation(self.steps, array)


def fit_preparation(steps: Sequence[Applied], images: Any) -> tuple[Step, ...]:
    """Fits the steps in turn on the training images [examples, ...]."""
    fitted: list[Step] = []
    for step in steps:
        settings: Step = {"kind": step.name, **{k: list(v) if isinstance(v, tuple) else v for k, v in step.named}}
        settings |= PREPARERS[step.name].fit(images, settings)
        fitted.append(settings)
        images = applied(settings, images)
    return tuple(fitted)


def apply_preparation(steps: Sequence[Step], images: Any) -> Any:
    for step in steps:
        images = applied(step, images)
    return images


def applied(step: Step, images: Any) -> Any:
    return changed(images, lambda array: PREPARERS[step["kind"]].apply(array, step))


def pad(images: np.ndarray, step: Step) -> np.ndarray:
    n = step["width"]
    return np.pad(images, ((0, 0), (n, n), (n, n), (0, 0)))


def crop(images: np.ndarray, step: Step) -> np.ndarray:
    size = step["size"]
    height, width = size[0], size[-1]
    down, right = step.get("at", (0.5, 0.5))
    top, left = int((images.shape[1] - height) * down), int((images.shape[2] - width) * right)
    return images[:, top : top + height, left : left + width]


def moments(images: Any, step: Step) -> Step:
    """The mean and standard deviation of all numbers, or of each channel; 1 in place of a deviation of 0.

    In one pass: what is known of the numbers so far and of a further part gives that of both (Chan, Golub & LeVeque
    1983, "Algorithms for computing the sample variance", equation 2.1).
    """
    axes = tuple(range(images.ndim - 1)) if step.get("per_channel") else None
    seen, mean, squares = 0, np.float64(0), np.float64(0)
    for _, part in pieces(images):
        count = part.size // (part.shape[-1] if axes else 1)
        here = part.mean(axis=axes, dtype=np.float64)
        further, seen = here - mean, seen + count
        squares += np.square(part - here).sum(axis=axes, dtype=np.float64)
        squares += np.square(further) * ((seen - count) * count / seen)
        mean += further * (count / seen)
    std = np.sqrt(squares / seen)
    return {"mean": mean.tolist(), "std": np.where(std == 0, 1.0, std).tolist()}


def standardize(images: np.ndarray, step: Step) -> np.ndarray:
    return ((images - np.asarray(step["mean"], np.float32)) / np.asarray(step["std"], np.float32)).astype(np.float32)


def bounds(images: Any, step: Step) -> Step:
    return dict(zip(("smallest", "largest"), extremes(images), strict=True))


def scale(images: np.ndarray, step: Step) -> np.ndarray:
    low, high = step.get("low", 0.0), step.get("high", 1.0)
    width = (step["largest"] - step["smallest"]) or 1.0
    return (low + (images - step["smallest"]) * ((high - low) / width)).astype(np.float32)


def nothing(images: Any, step: Step) -> Step:
    return {}


@dataclass(frozen=True)
class Preparer:
    """How a step is done; `needs` is what it must hold then, and `fit` takes of it what only the training set knows."""

    apply: Callable[[np.ndarray, Step], np.ndarray]
    needs: frozenset[str]
    fit: Callable[[Any, Step], Step] = nothing


PREPARERS: dict[str, Preparer] = {
    "pad": Preparer(pad, frozenset({"width"})),
    "crop": Preparer(crop, frozenset({"size"})),
    "standardize": Preparer(standardize, frozenset({"mean", "std"}), moments),
    "scale": Preparer(scale, frozenset({"smallest", "largest"}), bounds),
}
