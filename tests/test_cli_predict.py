"""netc eval and predict as a user runs them: pictures and arrays in, classes, probabilities and numbers out."""

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from small_runs import make_place, run_netc

import netc

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_place(tmp_path_factory.mktemp("place"))


def test_eval_measures_the_test_set(place: Path) -> None:
    found = run_netc("eval", place / "small")
    history = json.loads((place / "small" / "metrics.jsonl").read_text().splitlines()[-1])
    assert (found.code, found.err) == (0, "")
    assert found.out == "".join(f"{name}: {value:.4f}\n" for name, value in history["test"].items())
    found = run_netc("eval", place / "small", "--format", "json")
    assert json.loads(found.out) == history["test"]


def test_eval_on_other_data_uses_the_run_s_preparation(place: Path, tmp_path: Path) -> None:
    arrays = dict(np.load(place / "p.npz"))
    np.savez(tmp_path / "p.npz", image=arrays["image"] * 0.5, label=arrays["label"])
    found = json.loads(run_netc("eval", place / "pictures", "--data", tmp_path, "--format", "json").out)
    images, label = (arrays["image"] * 0.5)[36:], arrays["label"][36:]
    answers = netc.load(place / "pictures").predict(images)
    assert found["accuracy"] == pytest.approx((answers.argmax(1) == label).mean())


@pytest.mark.parametrize("command", ["eval", "predict"])
def test_a_folder_that_is_no_run_is_named(tmp_path: Path, command: str) -> None:
    found = run_netc(command, tmp_path, *(["x.npy"] if command == "predict" else []))
    assert found.code == 1
    assert found.err.startswith(f"error[not-a-run]: `{tmp_path}` is not a run that can be read: it has no run.yaml")


# predict


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x.astype(np.float64))
    return e / e.sum(-1, keepdims=True)


def probabilities(row: dict[str, Any], output: str) -> list[float]:
    """Those of an answer in JSON, by class."""
    return [entry["probability"] for entry in sorted(row["outputs"][output]["classes"], key=lambda e: e["class"])]


def test_predict_gives_the_softmax_of_the_logits(place: Path, tmp_path: Path) -> None:
    x = RNG.normal(size=(7, 4)) + 2
    np.save(tmp_path / "one.npy", x[0])
    np.save(tmp_path / "six.npy", x[1:])
    files = [tmp_path / "one.npy", tmp_path / "six.npy"]
    expected = softmax(netc.load(place / "small").predict(x))
    rows = json.loads(run_netc("predict", place / "small", *files, "--format", "json").out)
    assert [row["input"] for row in rows] == [str(files[0]), *(f"{files[1]}[{i}]" for i in range(6))]
    np.testing.assert_allclose([probabilities(row, "y") for row in rows], expected, rtol=1e-6)
    first = rows[0]["outputs"]["y"]["classes"]
    assert [e["probability"] for e in first] == sorted((e["probability"] for e in first), reverse=True)
    found = run_netc("predict", place / "small", *files, "--top", 2)
    best = np.argsort(-expected[0])[:2]
    shown = ", ".join(f"{i} ({expected[0, i]:.1%})" for i in best)
    assert found.out.splitlines()[0] == f"{files[0]}: {shown}" and len(found.out.splitlines()) == 7
    assert (
        len(
            json.loads(run_netc("predict", place / "small", *files, "--top", 2, "--format", "json").out)[0]["outputs"][
                "y"
            ]["classes"]
        )
        == 2
    )


def test_all_files_go_through_in_one_batch(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from netc.model import Model

    sizes: list[int] = []
    predict = Model.predict
    monkeypatch.setattr(Model, "predict", lambda self, x: sizes.append(len(x)) or predict(self, x))
    for i in range(5):
        np.save(tmp_path / f"{i}.npy", RNG.normal(size=4))
    assert run_netc("predict", place / "small", *sorted(tmp_path.glob("*.npy"))).code == 0
    assert sizes == [5]


def picture(mode: str, size: tuple[int, int] = (5, 6)) -> Image.Image:
    colours = RNG.integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    if mode == "I;16":
        return Image.fromarray(RNG.integers(0, 65536, (size[1], size[0])).astype(np.uint16))
    return Image.fromarray(colours).convert(mode)


@pytest.mark.parametrize(
    ("mode", "ending"),
    [
        ("RGB", "png"),
        ("RGBA", "png"),
        ("L", "png"),
        ("LA", "png"),
        ("P", "png"),
        ("1", "png"),
        ("I;16", "png"),
        ("RGB", "jpg"),
        ("L", "jpg"),
        ("CMYK", "jpg"),
    ],
)
def test_pictures_of_any_mode_become_the_net_s_channels(place: Path, tmp_path: Path, mode: str, ending: str) -> None:
    path = tmp_path / f"x.{ending}"
    made = picture(mode)
    made.save(path)
    if mode == "I;16":
        pixels = np.repeat(np.round(np.asarray(made) / 257.0)[..., None], 3, axis=-1)
    else:
        with Image.open(path) as opened:
            pixels = np.asarray(opened.convert("RGB"), np.float64)
    expected = softmax(netc.load(place / "pictures").predict(pixels[None] / 255))
    for given, stdin in ((path, b""), ("-", path.read_bytes())):
        (row,) = json.loads(run_netc("predict", place / "pictures", given, "--format", "json", stdin=stdin).out)
        np.testing.assert_allclose(probabilities(row, "kind"), expected[0], rtol=1e-5)


def test_other_sizes_need_resize(place: Path, tmp_path: Path) -> None:
    picture("RGB", (10, 12)).save(tmp_path / "x.png")
    found = run_netc("predict", place / "pictures", tmp_path / "x.png")
    assert found.code == 1
    assert found.err == (
        f"error[bad-input]: `{tmp_path}/x.png` cannot be predicted: it is 12x10 pixels, and `image` takes 6x5\n"
        "   = help: `--resize` makes it fit\n"
    )
    assert run_netc("predict", place / "pictures", tmp_path / "x.png", "--resize").code == 0


def saved(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def png(mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    picture(mode).save(buffer, "png")
    return buffer.getvalue()


BAD_INPUTS: dict[str, tuple[str, bytes | None, str]] = {
    "missing": ("small", None, "No such file or directory"),
    "empty": ("small", b"", "it is empty"),
    "picture-for-vector": ("small", png(), "`x` takes [4], which is no picture\n   = help: give it as .npy"),
    "shape": ("small", saved(np.zeros(5)), "it is [5], and `x` takes [4] or a batch of those"),
    "no-examples": ("small", saved(np.zeros((0, 4))), "it is [0, 4], and `x` takes [4] or a batch of those"),
    "nan": ("small", saved(np.full(4, np.nan)), "it holds NaN or infinite numbers"),
    "texts": ("small", saved(np.array(["a"])), "it holds <U1, and numbers are needed"),
    "pickled": ("small", saved(np.array([{}], dtype=object)), "it is a damaged .npy file, or not of plain numbers ("),
    "cut-off": ("small", saved(np.zeros(4))[:-8], "it is a damaged .npy file, or not of plain numbers ("),
    "archive": ("small", b"PK\x03\x04", "it is an .npz or other archive\n   = help: give one of its arrays as .npy"),
    "no-picture": ("pictures", b"hello", "it is no picture that can be read\n"),
    "cut-off-picture": ("pictures", png()[:60], "it is no picture that can be read ("),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_what_cannot_be_predicted_is_named(place: Path, tmp_path: Path, case: str) -> None:
    run, content, reason = BAD_INPUTS[case]
    path = tmp_path / "given"
    if content is not None:
        path.write_bytes(content)
    found = run_netc("predict", place / run, path)
    assert found.code == 1 and found.out == ""
    assert found.err.startswith(f"error[bad-input]: `{path}` cannot be predicted: {reason}")


def test_pictures_have_the_range_of_the_training_data(place: Path, tmp_path: Path) -> None:
    picture("RGB").save(tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as opened:
        pixels = np.asarray(opened, np.float64)
    images = RNG.integers(0, 256, (30, 6, 5, 3))
    arrays = {"image": images.astype(np.uint8), "label": RNG.integers(0, 4, 30)}
    netc.train(place / "pictures.net", data=arrays, out=tmp_path / "bytes", set={"steps": 1})
    (row,) = json.loads(run_netc("predict", tmp_path / "bytes", tmp_path / "x.png", "--format", "json").out)
    expected = softmax(netc.load(tmp_path / "bytes").predict(pixels[None]))
    np.testing.assert_allclose(probabilities(row, "kind"), expected[0], rtol=1e-5)
    arrays["image"] = images / 127.5 - 1
    netc.train(place / "pictures.net", data=arrays, out=tmp_path / "signed", set={"steps": 1})
    found = run_netc("predict", tmp_path / "signed", tmp_path / "x.png")
    assert found.code == 1
    assert "pictures have pixels from 0 to 1 or 255, and the run was trained on numbers from -1 to 1" in found.err


TWO = """
net Two { input left, right: [2]
  output sum: [2] = (left, right) -> add
  output p: [1] = left -> dense(1) -> sigmoid
  output wide: [20] = left -> dense(20) }
train Two { data = arrays("two.npz")  likelihood = log_likelihood(p, label)  optimizer = sgd(rate = 0.1)  epochs = 1 }
"""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a net with two inputs and three outputs."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "two.net").write_text(TWO)
    a, b = (RNG.normal(size=(20, 2)) for _ in range(2))
    np.savez(folder / "two.npz", left=a, right=b, label=np.arange(20) % 2)
    netc.train(folder / "two.net", out=folder / "run")
    np.save(folder / "a.npy", a[0])
    np.save(folder / "b.npy", b[0])
    np.save(folder / "some.npy", a[:3])
    return folder


def test_several_inputs_take_files_in_order_or_by_name(two: Path) -> None:
    run, a, b = two / "run", two / "a.npy", two / "b.npy"
    first = run_netc("predict", run, a, b, "--format", "json")
    named = run_netc("predict", run, "--input", f"right={b}", "--input", f"left={a}", "--format", "json")
    assert first.code == 0 and first.out == named.out
    (row,) = json.loads(first.out)
    assert row["input"] == f"{a}, {b}" and list(row["outputs"]) == ["sum", "p", "wide"]
    assert row["outputs"]["sum"]["numbers"] == pytest.approx(np.load(a) + np.load(b))
    p = float(netc.load(run).predict(np.load(a)[None], np.load(b)[None])[1][0, 0])
    assert probabilities(row, "p") == pytest.approx([1 - p, p])
    text = run_netc("predict", run, a, b).out
    assert text.startswith(f"{a}, {b}: sum ") and "; p " in text
    assert "; wide 20 numbers [20]; `--format json` prints them, `--out FILE.npy` keeps them" in text


BAD_PAIRS: dict[str, tuple[list[str], int, str]] = {
    "none": ([], 2, "Give files to predict, or --input NAME=FILE."),
    "one": (["a.npy"], 1, "the net has the inputs `left`, `right`, and 1 file is given"),
    "both": (["a.npy", "b.npy", "--input", "left=a.npy"], 2, "or all of them with --input"),
    "form": (["--input", "a.npy"], 2, "'a.npy' is not of the form name=file"),
    "name": (["--input", "lef=a.npy"], 1, "the net has no input `lef`\n   = help: did you mean `left`?"),
    "half": (["--input", "left=a.npy"], 1, "the input `right` has no file\n   = help: add `--input right=FILE`"),
    "lengths": (["some.npy", "b.npy"], 1, "its inputs have different numbers of examples: `left` 3, `right` 1"),
}


@pytest.mark.parametrize("case", BAD_PAIRS)
def test_files_that_do_not_fit_the_inputs_are_named(two: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    arguments, code, message = BAD_PAIRS[case]
    monkeypatch.chdir(two)
    found = run_netc("predict", "run", *arguments)
    assert (found.code, found.out) == (code, "") and message in found.err


def test_out_keeps_the_numbers(two: Path, place: Path, tmp_path: Path) -> None:
    files = (two / "some.npy", two / "some.npy")
    found = run_netc("predict", two / "run", *files, "--out", tmp_path / "y.npz")
    assert (found.code, found.out) == (0, "")
    assert found.err == f"{tmp_path}/y.npz holds sum [3, 2], p [3, 2], wide [3, 20]\n"
    with np.load(tmp_path / "y.npz") as archive:
        np.testing.assert_allclose(archive["sum"], 2 * np.load(files[0]), rtol=1e-6)
        np.testing.assert_allclose(archive["p"].sum(axis=1), 1)
    for name, reason in (
        ("y.npz", "it exists already"),
        ("y.npy", "the net has the outputs sum, p, wide"),
        ("y.csv", "its name ends otherwise"),
    ):
        found = run_netc("predict", two / "run", *files, "--out", tmp_path / name)
        assert found.code == 1 and f"error[cannot-write]: cannot write `{tmp_path}/{name}`: {reason}" in found.err
    np.save(tmp_path / "x.npy", RNG.normal(size=(5, 4)))
    assert run_netc("predict", place / "small", tmp_path / "x.npy", "--out", tmp_path / "y.npy").code == 0
    assert np.load(tmp_path / "y.npy").shape == (5, 3)


def test_help_has_examples() -> None:
    for command in ("train", "eval", "predict"):
        found = run_netc(command, "--help")
        example = "specs/digits.net" if command == "train" else "runs/digits"
        assert found.code == 0 and f"  netc {command} {example}" in found.out


def test_predict_says_the_name_of_a_class_s_folder(tmp_path: Path) -> None:
    names = ("cat", "größe: [1]", os.fsdecode(b"\xff"))
    for name in names:
        (tmp_path / "p" / name).mkdir(parents=True)
        for i in range(2):
            Image.fromarray(RNG.integers(0, 256, (4, 4, 3), np.uint8)).save(tmp_path / "p" / name / f"{i}.png")
    (tmp_path / "n.net").write_text(
        "net N { input image: [4, 4, 3]  output kind = image -> flatten -> dense(3)  output size = kind -> dense(1) }\n"
        'train N { data = images("p")  loss = cross_entropy(kind, label)  optimizer = sgd(0.1)  steps = 1 }'
    )
    netc.train(tmp_path / "n.net", out=tmp_path / "run")
    picture = tmp_path / "p" / "cat" / "0.png"
    outputs = json.loads(run_netc("predict", tmp_path / "run", picture, "--format", "json").out)[0]["outputs"]
    told = {entry["class"]: entry["name"] for entry in outputs["kind"]["classes"]}
    assert told == {0: "cat", 1: "größe: [1]", 2: "\ufffd"}
    best = outputs["kind"]["classes"][0]
    assert outputs["size"].keys() == {"numbers"}
    text = run_netc("predict", tmp_path / "run", picture).out
    assert text.startswith(f"{picture}: kind {best['name']} ({best['probability']:.1%}); size ")
