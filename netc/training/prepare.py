"""Preparation on the host: fitted on the training set, applied to everything after it, kept with the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from netc.ir.network import Applied

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

    def prepare(self, array: np.ndarray) -> np.ndarray:
        """Examples [count, ...] as the net takes them."""
        return apply_preparation(self.steps, array)


def fit_preparation(steps: Sequence[Applied], images: np.ndarray) -> tuple[Step, ...]:
    """Fits the steps in turn on the training images [examples, ...]."""
    fitted: list[Step] = []
    for step in steps:
        settings: Step = {"kind": step.name, **{k: list(v) if isinstance(v, tuple) else v for k, v in step.named}}
        settings |= PREPARERS[step.name].fit(images, settings)
        fitted.append(settings)
        images = PREPARERS[step.name].apply(images, settings)
    return tuple(fitted)


def apply_preparation(steps: Sequence[Step], images: np.ndarray) -> np.ndarray:
    for step in steps:
        images = PREPARERS[step["kind"]].apply(images, step)
    return images


def pad(images: np.ndarray, step: Step) -> np.ndarray:
    n = step["width"]
    return np.pad(images, ((0, 0), (n, n), (n, n), (0, 0)))


def crop(images: np.ndarray, step: Step) -> np.ndarray:
    size = step["size"]
    height, width = size[0], size[-1]
    down, right = step.get("at", (0.5, 0.5))
    top, left = int((images.shape[1] - height) * down), int((images.shape[2] - width) * right)
    return images[:, top : top + height, left : left + width]


def moments(images: np.ndarray, step: Step) -> Step:
    """The mean and standard deviation of all numbers, or of each channel; 1 in place of a deviation of 0."""
    axes = tuple(range(images.ndim - 1)) if step.get("per_channel") else None
    std = np.asarray(images.std(axis=axes, dtype=np.float64))
    mean = np.asarray(images.mean(axis=axes, dtype=np.float64))
    return {"mean": mean.tolist(), "std": np.where(std == 0, 1.0, std).tolist()}


def standardize(images: np.ndarray, step: Step) -> np.ndarray:
    return ((images - np.asarray(step["mean"], np.float32)) / np.asarray(step["std"], np.float32)).astype(np.float32)


def extremes(images: np.ndarray, step: Step) -> Step:
    return {"smallest": float(images.min()), "largest": float(images.max())}


def scale(images: np.ndarray, step: Step) -> np.ndarray:
    low, high = step.get("low", 0.0), step.get("high", 1.0)
    width = (step["largest"] - step["smallest"]) or 1.0
    return (low + (images - step["smallest"]) * ((high - low) / width)).astype(np.float32)


def nothing(images: np.ndarray, step: Step) -> Step:
    return {}


@dataclass(frozen=True)
class Preparer:
    """How a step is done; `needs` is what it must hold then, and `fit` takes of it what only the training set knows."""

    apply: Callable[[np.ndarray, Step], np.ndarray]
    needs: frozenset[str]
    fit: Callable[[np.ndarray, Step], Step] = nothing


PREPARERS: dict[str, Preparer] = {
    "pad": Preparer(pad, frozenset({"width"})),
    "crop": Preparer(crop, frozenset({"size"})),
    "standardize": Preparer(standardize, frozenset({"mean", "std"}), moments),
    "scale": Preparer(scale, frozenset({"smallest", "largest"}), extremes),
}
