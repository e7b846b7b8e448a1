"""Folders of pictures: what they give, and what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_runs import problem

from netc.check.rows import bind
from netc.recipes import data as rows
from netc.training.data import load, place
from netc.training.data.examples import Data
from netc.types import Element, Type

RNG = np.random.default_rng(0)
COUNTS = {"cat": 12, "dog": 25, "owl": 1}


def write_picture(path: Path, mode: str = "RGB", size: tuple[int, int] = (6, 4)) -> np.ndarray:
    """A random picture, `size` being its width and height; its pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RNG.integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return pixels


def write_classes(folder: Path, counts: dict[str, int] = COUNTS) -> Path:
    for name, count in counts.items():
        for i in range(count):
            write_picture(folder / name / f"{i:03}.png")
    return folder


def read(folder: Path, **given: object) -> Data:
    entry = bind(rows.Images, (folder.name,), given)
    assert isinstance(entry, rows.Images)
    return place.in_memory(load(entry, None, folder.parent))


def test_the_last_tenth_of_each_class_is_for_testing(tmp_path: Path) -> None:
    write_classes(tmp_path / "p")
    (tmp_path / "p" / ".cache").mkdir()
    (tmp_path / "p" / "cat" / ".DS_Store").write_bytes(b"no picture")
    found = read(tmp_path / "p")
    assert found.types == {"image": Type((4, 6, 3)), "label": Type((), Element("class", 3))}
    assert found.names == {"label": ("cat", "dog", "owl")}
    assert load(rows.Binary(rows.Images("p"), (0,)), None, tmp_path).names == {}
    assert np.bincount(found.train["label"]).tolist() == [11, 23, 1]
    assert np.bincount(found.test["label"]).tolist() == [1, 2]
    last = np.asarray(Image.open(tmp_path / "p" / "dog" / "024.png"), np.float32) / np.float32(255)
    np.testing.assert_array_equal(found.test["image"][-1], last)
    assert found.train["image"].dtype == np.float32 and found.train["label"].dtype == np.int32


@pytest.mark.parametrize("name", ["test", "val"])
def test_folders_for_training_and_testing(tmp_path: Path, name: str) -> None:
    write_classes(tmp_path / "p" / "train")
    write_classes(tmp_path / "p" / name, {"dog": 2})
    (tmp_path / "p" / name / "dog" / "000.png").rename(tmp_path / "p" / name / "dog" / "z.png")
    found = read(tmp_path / "p")
    assert found.types["label"].element.size == 3 and len(found.train["label"]) == 38
    assert found.test["label"].tolist() == [1, 1]
    named = np.asarray(Image.open(tmp_path / "p" / name / "dog" / "z.png"), np.float32) / np.float32(255)
    np.testing.assert_array_equal(found.test["image"][1], named)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_of_any_mode_and_size_get_one(tmp_path: Path, mode: str, channels: int) -> None:
    ending = "tif" if mode == "CMYK" else "png"
    for i in range(2):
        write_picture(tmp_path / "p" / "a" / f"{i}.{ending}", mode, (9 - i, 7 + i))
    found = read(tmp_path / "p", size=(5, 8), channels=channels)
    assert found.train["image"].shape == (1, 5, 8, channels)
    assert 0 <= found.train["image"].min() < found.train["image"].max() <= 1


def spoilt(change: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda folder: change(write_classes(folder))


BAD = {
    "missing": (lambda d: None, "error[missing-data]: the data set `images` cannot be read: there is no folder `D`"),
    "no-classes": (lambda d: d.mkdir(), "`D` has no folders\n   = help: put the pictures of each class into a folder"),
    "empty-class": (
        spoilt(lambda d: (d / "ant").mkdir()),
        "error[data-mismatch]: the folder of a class, `D/ant`, is empty",
    ),
    "no-picture": (
        spoilt(lambda d: (d / "cat" / "notes.txt").write_text("cats")),
        "error[corrupt-data]: `D/cat/notes.txt` is not usable: it is no picture that can be read",
    ),
    "cut-off": (
        spoilt(lambda d: (d / "cat" / "003.png").write_bytes((d / "cat" / "003.png").read_bytes()[:60])),
        "error[corrupt-data]: `D/cat/003.png` is not usable: it is no picture that can be read (",
    ),
    "other-size": (
        spoilt(lambda d: write_picture(d / "dog" / "003.png", size=(5, 4))),
        "error[data-mismatch]: `D/dog/003.png` has 4x5 pixels, and the first picture 4x6",
    ),
    "no-test": (
        spoilt(lambda d: (d / "train" / "cat").mkdir(parents=True)),
        "`D` has a folder `train`, and there is no `D/test` or `D/val`",
    ),
    "new-class": (
        lambda d: (write_classes(d / "train"), write_classes(d / "test", {"yak": 1})),
        "error[data-mismatch]: `D/test` has the class `yak`, and `D/train` has cat, dog, owl",
    ),
    "one-each": (lambda d: write_classes(d, {"cat": 1, "dog": 1}), "`D` has one picture of each class"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    make, expected = BAD[case]
    make(Path("D"))
    assert expected in problem(lambda: place.in_memory(load(rows.Images("D"), None, Path())))


@pytest.mark.parametrize("given", [{"channels": 2}, {"channels": 4}, {"size": (4, 4, 3)}, {"size": 0}])
def test_arguments_of_images_are_checked(given: dict[str, object]) -> None:
    assert isinstance(bind(rows.Images, ("p",), given), list)
