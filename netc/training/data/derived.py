"""Data sets made of another one: pairs and triplets of images, and questions of two classes."""

from dataclasses import replace

import numpy as np

from netc.problems import RunError
from netc.recipes.data import LABEL, Binary, Pairs, Triplets
from netc.training.data.examples import Arrays, Data, Where, mismatch
from netc.types import Element, Type


def refuse_unlabelled(kind: str, inner: Data, fields: tuple[str, ...] = ("image", LABEL)) -> None:
    """A set that others are made of has some fields, and one label for each example."""
    if not inner.types.keys() >= set(fields) or inner.types[LABEL].shape:
        raise lacking(kind, " and ".join(fields), inner)


def lacking(kind: str, wanted: str, inner: Data) -> RunError:
    listed = ", ".join(f"`{name}` {type_}" for name, type_ in inner.types.items())
    return mismatch(f"`{kind}` takes a data set with {wanted}, one class for each example, and this one has {listed}")


def load_pairs(entry: Pairs, where: Where) -> Data:
    inner = where.load(entry.of)
    refuse_unlabelled(entry.kind, inner)
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


def load_triplets(entry: Triplets, where: Where) -> Data:
    inner = where.load(entry.of)
    refuse_unlabelled(entry.kind, inner)
    types = dict.fromkeys(entry.alike, inner.types["image"])
    return Data(in_threes(inner.train, 0), in_threes(inner.test, 1), types)


def in_threes(arrays: Arrays, seed: int) -> Arrays:
    """Each image with another of its class, itself if it has no other, and with one of any other class."""
    rng = np.random.default_rng(seed)
    images, labels = arrays["image"], arrays["label"]
    positive, negative = np.empty((2, len(labels)), np.int64)
    for label in np.unique(labels):
        own, others = np.flatnonzero(labels == label), np.flatnonzero(labels != label)
        if len(others) == 0:
            raise mismatch(f"`triplets` needs images of at least two classes, and all are of class {label}")
        # A place other than its own, round the circle of its class.
        ahead = rng.integers(1, max(len(own), 2), len(own))
        positive[own] = own[(np.arange(len(own)) + ahead) % len(own)]
        negative[own] = rng.choice(others, len(own))
    return {"anchor": images, "positive": images[positive], "negative": images[negative]}


def load_binary(entry: Binary, where: Where) -> Data:
    inner = where.load(entry.of)
    refuse_unlabelled(entry.kind, inner, (LABEL,))
    types = {**inner.types, "label": Type((), Element("class", 2)), "sign": Type(())}
    return replace(inner, train=halved(inner.train, entry), test=halved(inner.test, entry), types=types, names={})


def halved(arrays: Arrays, entry: Binary) -> Arrays:
    positive = np.isin(arrays["label"], entry.positive)
    sign = np.where(positive, 1, -1).astype(np.float32)
    return {**arrays, "label": positive.astype(np.int32), "sign": sign}
