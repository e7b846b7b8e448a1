"""Preparation on the host: fitted on the training set, applied to everything after it, kept with the run."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from netc.ir.network import Applied

Fitted = list[dict[str, Any]]


@dataclass(frozen=True)
class Preparer:
    """The steps of a recipe's `prepare` with the numbers that they took from the training set."""

    steps: Fitted

    def __call__(self, images: np.ndarray) -> np.ndarray:
        for step in self.steps:
            images = APPLY[step["kind"]](images, step)
        return images


def fit_preparation(steps: tuple[Applied, ...], images: np.ndarray) -> Preparer:
    """Fits the steps in turn on the training images [examples, ...]."""
    fitted: Fitted = []
    for step in steps:
        settings = {"kind": step.name, **{k: list(v) if isinstance(v, tuple) else v for k, v in step.named}}
        if step.name == "standardize":
            axes = tuple(range(images.ndim - 1)) if settings.get("per_channel") else None
            std = np.asarray(images.std(axis=axes, dtype=np.float64))
            settings["mean"] = np.asarray(images.mean(axis=axes, dtype=np.float64)).tolist()
            settings["std"] = np.where(std == 0, 1.0, std).tolist()
        if step.name == "scale":
            settings["smallest"], settings["largest"] = float(images.min()), float(images.max())
        fitted.append(settings)
        images = APPLY[step.name](images, settings)
    return Preparer(fitted)


def pad(images: np.ndarray, step: dict[str, Any]) -> np.ndarray:
    n = step["width"]
    return np.pad(images, ((0, 0), (n, n), (n, n), (0, 0)))


def crop(images: np.ndarray, step: dict[str, Any]) -> np.ndarray:
    size = step["size"]
    height, width = size[0], size[-1]
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return images[:, top : top + height, left : left + width]


def standardize(images: np.ndarray, step: dict[str, Any]) -> np.ndarray:
    return ((images - np.asarray(step["mean"], np.float32)) / np.asarray(step["std"], np.float32)).astype(np.float32)


def scale(images: np.ndarray, step: dict[str, Any]) -> np.ndarray:
    low, high = step.get("low", 0.0), step.get("high", 1.0)
    width = (step["largest"] - step["smallest"]) or 1.0
    return (low + (images - step["smallest"]) * ((high - low) / width)).astype(np.float32)


APPLY = {"pad": pad, "crop": crop, "standardize": standardize, "scale": scale}
