"""scikit-learn's embedded digits, with one fixed split."""

from typing import Any

import numpy as np

from netc.problems import RunError
from netc.recipes.data import Digits, labelled
from netc.recipes.problems import MissingExtra
from netc.training.data.examples import Data, Where, mismatch

TEST_EXAMPLES, SPLIT_SEED = 360, 0


def load_digits(entry: Digits, where: Where) -> Data:
    """1,797 images of 8x8, pixels from 0 to 1, split by class into 1,437 and 360."""
    if where.folder is not None:
        raise mismatch("`digits` come with scikit-learn, and are not read from a folder", "leave `--data` out")
    try:
        from sklearn.datasets import load_digits as bundled
        from sklearn.model_selection import train_test_split
    except ImportError as failure:
        missing = MissingExtra(package="scikit-learn", extra="data", purpose="the data set `digits`")
        raise RunError([missing]) from failure
    digits: Any = bundled()
    images = (digits.images[..., None] / 16).astype(np.float32)
    labels = digits.target.astype(np.int32)
    split = train_test_split(images, labels, test_size=TEST_EXAMPLES, random_state=SPLIT_SEED, stratify=labels)
    train, test = ({"image": np.asarray(i), "label": np.asarray(k)} for i, k in (split[0::2], split[1::2]))
    return Data(train, test, labelled(8))
