"""A folder of pictures for each class, as examples on disk: a picture is read when it is needed."""

import os
from pathlib import Path

import numpy as np

from netc.problems import RunError
from netc.recipes.data import LABEL, Images
from netc.recipes.problems import MissingData
from netc.training.data.examples import Data, Where, mismatch
from netc.training.data.folders import files_text, last_of_each
from netc.training.data.stored import Stored
from netc.training.pictures import Pictures, broken
from netc.types import Element, Type

TRAIN, TESTS = "train", ("test", "val")
Labelled = tuple[list[Path], np.ndarray]


def load_images(entry: Images, where: Where) -> Data:
    """Pixels from 0 to 1, float32 [height, width, channels], and classes in the sorted order of their folders."""
    folder = where.path(entry.folder)
    if not os.path.isdir(folder):
        reason, way_out = f"there is no folder `{folder}`", "`images(...)` names one with a folder for each class"
        raise RunError([MissingData(name=entry.kind, reason=reason, way_out=way_out)])
    train, test, classes = parts(folder)
    first, second = ({"image": pictures(part[0], entry), LABEL: part[1]} for part in (train, test))
    types = {"image": Type(first["image"].shape[1:]), LABEL: Type((), Element("class", len(classes)))}
    files = files_text(folder, (*train[0], *test[0]))
    names = {LABEL: tuple(os.fsencode(name).decode(errors="replace") for name in classes)}
    return Data(first, second, types, stream=entry.stream, files=files, names=names)


def parts(folder: Path) -> tuple[Labelled, Labelled, list[str]]:
    """The pictures for training and testing, and the names of the classes."""
    if not (folder / TRAIN).is_dir():
        classes = inner_folders(folder)
        files, labels = labelled(folder, classes)
        test = last_of_each(labels)
        if not test.any():
            raise mismatch(f"`{folder}` has one picture of each class, and none is left for testing")
        return chosen(files, labels, ~test), chosen(files, labels, test), classes
    tests = next((folder / name for name in TESTS if (folder / name).is_dir()), None)
    if tests is None:
        listed = " or ".join(f"`{folder / name}`" for name in TESTS)
        raise mismatch(f"`{folder}` has a folder `{TRAIN}`, and there is no {listed}")
    classes = inner_folders(folder / TRAIN)
    for name in inner_folders(tests):
        if name not in classes:
            raise mismatch(f"`{tests}` has the class `{name}`, and `{folder / TRAIN}` has {', '.join(classes)}")
    return labelled(folder / TRAIN, classes), labelled(tests, inner_folders(tests), classes), classes


def chosen(files: list[Path], labels: np.ndarray, these: np.ndarray) -> Labelled:
    return [files[i] for i in np.flatnonzero(these)], labels[these]


def inner_folders(folder: Path) -> list[str]:
    """The names of the classes, sorted; a name that starts with a dot is none."""
    found = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not found:
        reason, way_out = f"`{folder}` has no folders", "put the pictures of each class into a folder of its name"
        raise RunError([MissingData(name=Images.kind, reason=reason, way_out=way_out)])
    return found


def labelled(folder: Path, names: list[str], classes: list[str] | None = None) -> Labelled:
    """The pictures in the folders of some classes, folders within them too, each sorted by name."""
    files: list[Path] = []
    labels: list[int] = []
    for name in names:
        own = sorted(path for path in (folder / name).rglob("*") if path.is_file() and not path.name.startswith("."))
        if not own:
            raise mismatch(f"the folder of a class, `{folder / name}`, is empty", "remove it, or put pictures into it")
        files += own
        labels += [(classes or names).index(name)] * len(own)
    return files, np.array(labels, np.int32)


def pictures(files: list[Path], entry: Images) -> Stored:
    def raw(place: int) -> bytes:
        try:
            return files[place].read_bytes()
        except OSError as failure:
            raise broken(str(files[place]), failure.strerror or str(failure)) from failure

    return Pictures(len(files), raw, lambda place: str(files[place]), entry.size, entry.channels).field()
