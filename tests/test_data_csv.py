"""Tables in CSV files: what they give, and what is wrong with them by file, line and column."""

from pathlib import Path

import numpy as np
import pytest
from small_runs import problem

import netc
from netc.recipes import data as rows
from netc.training.data import load
from netc.types import Element, Type

PLANTS = "height, kind, width\n" + "".join(f"{i}.5, {'fern' if i % 3 else 'aloe'}, -{i}e1\n" for i in range(30))


def write(folder: Path, text: str, name: str = "t.csv") -> Path:
    (folder / name).write_text(text)
    return folder


def test_texts_are_classes_and_other_columns_one_field(tmp_path: Path) -> None:
    found = load(rows.Csv("t.csv", label="kind"), None, write(tmp_path, "\ufeff" + PLANTS))
    assert found.types == {"x": Type((2,)), "label": Type((), Element("class", 2))}
    assert len(found.names["label"]) == 2 and list(found.names["label"]) == sorted(found.names["label"])
    assert np.bincount(found.train["label"]).tolist() == [9, 18] and np.bincount(found.test["label"]).tolist() == [1, 2]
    np.testing.assert_array_equal(found.test["x"], np.array([[27.5, -270], [28.5, -280], [29.5, -290]], "f"))
    assert found.train["x"].dtype == np.float32 and found.train["label"].dtype == np.int32


def test_a_target_is_a_number_and_the_last_tenth_for_testing(tmp_path: Path) -> None:
    found = load(rows.Csv("t.csv", target="b"), None, write(tmp_path, "a,b\n" + "".join(f"{i},7\n" for i in range(20))))
    assert found.types == {"x": Type((1,)), "target": Type(())}
    assert found.test["x"].ravel().tolist() == [18, 19] and found.test["target"].dtype == np.float32


def test_a_file_for_testing_may_have_its_columns_in_another_order(tmp_path: Path) -> None:
    write(tmp_path, "a,b,y\n1,2,0\n3,4,4\n")
    write(tmp_path, 'y,b,a\n1,"20",10\n', "u.csv")
    found = load(rows.Csv("t.csv", label="y", test="u.csv"), None, tmp_path)
    assert found.types["label"] == Type((), Element("class", 5)) and found.train["label"].tolist() == [0, 4]
    assert found.names == {}
    assert found.test["x"].tolist() == [[10, 20]] and found.test["label"].tolist() == [1]


def test_a_net_learns_a_table(tmp_path: Path) -> None:
    text = (
        'net N { input plant: [2]  output kind = plant -> dense(2) }\ntrain N { data = csv("t.csv", label = "kind")\n'
    )
    text += "  prepare = standardize  loss = cross_entropy(kind, label)  optimizer = sgd(0.1)  epochs = 1 }"
    run = netc.train(write(write(tmp_path, PLANTS), text, "n.net") / "n.net", out=tmp_path / "run")
    assert np.isfinite(run.test["loss"])


BAD = {
    "missing-value": ("a,y\n1,x\n,x\n", "`t.csv`, line 3, column `a`: the value is missing"),
    "text": ("a,y\n1,x\n\ntwo,x\n", "`t.csv`, line 4, column `a`: `two` is no number"),
    "nan": ("a,y\nnan,x\n", "`t.csv`, line 2, column `a`: `nan` is no number"),
    "large": ("a,y\n1e39,x\n", "`t.csv`, line 2, column `a`: `1e39` is no number"),
    "no-label": ("a,y\n1,x\n2,\n", "`t.csv`, line 3, column `y`: the value is missing"),
    "broken-label": ("a,y\n1,0\n2,1.5\n", "`t.csv`, line 3, column `y`: `1.5` is no class"),
    "negative-label": ("a,y\n1,0\n2,-1\n", "`-1` is no class\n   = help: classes are whole numbers from 0, or texts; "),
    "cells": ("a,y\n1,x\n2\n", "`t.csv`, line 3: it has 1 value, and there are 2 columns"),
    "no-names": ("1,2\n3,4\n", "`t.csv`, line 1: it holds numbers, and the names of the columns are needed"),
    "two-names": ("a,y,a\n1,x,3\n", "`t.csv`, line 1: there are two columns `a`"),
    "no-name": ("a,y,\n1,x,3\n", "`t.csv`, line 1: column 3 has no name"),
    "no-rows": ("a,y\n", "`t.csv` has no rows"),
    "empty": ("", "`t.csv` has no rows"),
    "no-column": ("a,yy\n1,x\n", "`t.csv` has no column `y`\n   = help: did you mean `yy`?"),
    "label-alone": ("y\nx\n", "`t.csv` has no column but `y`"),
    "quotes": ('a,y\n"1,x\n', "error[corrupt-data]: `t.csv` is not usable: "),
    "one-each": ("a,y\n1,x\n2,z\n", "each class has one row, and none is left for testing"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    text, expected = BAD[case]
    Path("t.csv").write_text(text)
    assert expected in problem(lambda: load(rows.Csv("t.csv", label="y"), None, Path()))


BAD_TESTS = {
    "new-class": (
        "a,y\n1,x\n2,z\n",
        "`u.csv`, line 3, column `y`: `z` is no class of the training set\n   = help: it has v, x",
    ),
    "other-columns": ("a,b,y\n1,2,x\n", "`u.csv` has a column `b`, and `t.csv` has none"),
    "fewer-columns": ("y\nx\n", "`t.csv` has a column `a`, and `u.csv` has none"),
}


@pytest.mark.parametrize("case", BAD_TESTS)
def test_a_test_set_must_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    text, expected = BAD_TESTS[case]
    Path("t.csv").write_text("a,y\n1,x\n2,v\n")
    Path("u.csv").write_text(text)
    assert expected in problem(lambda: load(rows.Csv("t.csv", label="y", test="u.csv"), None, Path()))


def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,y\n\xff\xfe,1\n")
    assert "is not usable: it is not UTF-8 text" in problem(lambda: load(rows.Csv("t.csv"), None, tmp_path))
    assert "there is no file" in problem(lambda: load(rows.Csv("u.csv"), None, tmp_path))
    both = rows.Csv("t.csv", label="a", target="y")
    assert "`csv` is given a `label` and a `target`" in problem(lambda: load(both, None, tmp_path))
