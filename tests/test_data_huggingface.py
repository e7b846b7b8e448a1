"""Data sets of `datasets`, saved in a folder: what they give, and what is wrong with them. Nothing is fetched."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import problem

from netc.recipes import data as rows
from netc.training.data import load, place
from netc.training.data.examples import Data
from netc.types import Element, Type

USED = ("image", "label", "row")
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 4, 6, 3), np.uint8)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sets in two parts and in one, and one whose rows have different lengths."""
    import datasets
    from datasets import ClassLabel, Features, Image, List, Value

    datasets.disable_progress_bars()
    folder = tmp_path_factory.mktemp("datasets")
    columns = {
        "image": Image(),
        "label": ClassLabel(names=["a", "b", "c"]),
        "text": Value("string"),
        "row": List(Value("float64"), length=2),
    }
    features = Features(columns)

    def part(count: int) -> Any:
        rows = [[i, 0.5] for i in range(count)]
        made = {"image": list(PIXELS[:count]), "label": [i % 2 for i in range(count)], "text": ["t"] * count}
        return datasets.Dataset.from_dict({**made, "row": rows}, features=features)

    datasets.DatasetDict({"train": part(20), "test": part(6)}).save_to_disk(str(folder / "two"))
    part(20).save_to_disk(str(folder / "one"))
    datasets.Dataset.from_dict({"x": [[1.0], [1.0, 2.0]]}).save_to_disk(str(folder / "uneven"))
    datasets.Dataset.from_dict({"n": [1, None, 3]}).save_to_disk(str(folder / "lacking"))
    return folder


def read(folder: Path, name: str, **given: Any) -> Data:
    return place.in_memory(load(rows.Huggingface(name, **{"columns": USED, **given}), None, folder))


def test_columns_are_fields(saved: Path) -> None:
    found = read(saved, "two")
    label = Type((), Element("class", 3))
    assert found.types == {"image": Type((4, 6, 3)), "label": label, "row": Type((2,))}
    np.testing.assert_array_equal(found.train["image"], PIXELS.astype("f") / np.float32(255))
    assert found.test["row"].tolist() == [[i, 0.5] for i in range(6)] and found.test["row"].dtype == np.float32
    assert found.train["label"].tolist() == [0, 1] * 10 and found.train["label"].dtype == np.int32


def test_pictures_get_a_size_and_channels(saved: Path) -> None:
    assert read(saved, "two", size=(3, 5), channels=1).types["image"] == Type((3, 5, 1))


def test_a_part_alone_is_divided(saved: Path) -> None:
    found = read(saved, "one", test="")
    assert found.train["row"][:, 0].tolist() == list(range(18)) and found.test["row"][:, 0].tolist() == [18, 19]


def test_what_is_not_there_is_named(saved: Path) -> None:
    assert "`two` has no part `dev`, and has train, test" in problem(lambda: read(saved, "two", test="dev"))
    text = problem(lambda: read(saved, "two", columns=("labl",)))
    assert "`two` has no column `labl`" in text and "did you mean `label`?" in text
    text = problem(lambda: read(saved, "two", columns=()))
    assert "the column `text` of `two` is Value('string'), and numbers or pictures are needed" in text
    assert 'leave it out: `columns = ["image", "label", "row"]`' in text


def test_rows_of_different_lengths_are_refused(saved: Path) -> None:
    text = problem(lambda: read(saved, "uneven", columns=(), test=""))
    assert "the column `x` of `uneven`, part `train`: examples are [1] and [2], and must be alike" in text
    text = problem(lambda: read(saved, "lacking", columns=(), test=""))
    assert "the column `n` of `lacking`, part `train`: values are missing" in text


def test_a_damaged_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "dataset_dict.json").write_text("{")
    text = problem(lambda: read(tmp_path, "bad"))
    assert text.startswith(f"error[corrupt-data]: `{tmp_path}/bad` is not usable: `datasets` cannot read it (")


def test_without_a_network_the_way_out_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    def away(*given: object) -> None:
        raise ConnectionError("Couldn't reach 'some/set' on the Hub")

    monkeypatch.setattr(datasets, "load_dataset", away)
    text = problem(lambda: read(tmp_path, "some/set"))
    assert text.startswith("error[missing-data]: the data set `some/set` cannot be read: it is no folder that ")
    assert "cannot be fetched (Couldn't reach 'some/set' on the Hub)" in text and "name the folder" in text


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    text = problem(lambda: read(tmp_path, "some/set"))
    assert "the data set `huggingface` needs datasets, which is not installed" in text
    assert "pip install 'netc[huggingface]'" in text
