"""Data sets made of another one: pairs of images, and questions of two classes."""

from dataclasses import replace

import numpy as np

from netc.problems import RunError
from netc.recipes.data import Binary, Pairs
from netc.training.data.examples import Arrays, Data, Where, mismatch
from netc.types import Element, Type


def lacking(kind: str, wanted: str, inner: Data) -> RunError:
    return mismatch(f"`{kind}` takes a data set with the fields {wanted}, and this one has {', '.join(inner.types)}")


def load_pairs(entry: Pairs, where: Where) -> Data:
    inner = where.load(entry.of)
    if "image" not in inner.types or "label" not in inner.types:
        raise lacking("pairs", "image and label", inner)
    types = {"left": inner.types["image"], "right": inner.types["image"], "same": Type(())}
    return Data(paired(inner.train, 0), paired(inner.test, 1), types)


def paired(arrays: Arrays, seed: int) -> Arrays:
    """Each image with another: of its own class in half of the pairs, of any other in the rest."""
    rng = np.random.default_rng(seed)
    images, labels = arrays["image"], arrays["label"]
    count = len(labels)
    same = rng.permutation(np.arange(count) % 2)
    partner = np.empty(count, np.int64)
    for label in np.unique(labels):
        own, others = np.flatnonzero(labels == label), np.flatnonzero(labels != label)
        if len(others) == 0:
            raise mismatch(f"`pairs` needs images of at least two classes, and all are of class {label}")
        here = labels == label
        partner[here & (same == 1)] = rng.choice(own, int((here & (same == 1)).sum()))
        partner[here & (same == 0)] = rng.choice(others, int((here & (same == 0)).sum()))
    return {"left": images, "right": images[partner], "same": same.astype(np.float32)}


def load_binary(entry: Binary, where: Where) -> Data:
    inner = where.load(entry.of)
    if "label" not in inner.types:
        raise lacking("binary", "label", inner)
    types = {**inner.types, "label": Type((), Element("class", 2)), "sign": Type(())}
    return replace(inner, train=halved(inner.train, entry), test=halved(inner.test, entry), types=types)


def halved(arrays: Arrays, entry: Binary) -> Arrays:
    positive = np.isin(arrays["label"], entry.positive)
    sign = np.where(positive, 1, -1).astype(np.float32)
    return {**arrays, "label": positive.astype(np.int32), "sign": sign}
