"""Weights from elsewhere: maps of names, their steps, files of three kinds, and nothing of what does not fit."""

import os
import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file
from small_runs import problem, run_netc

import netc
from netc.importing.load import read_foreign
from netc.importing.maps import MAPS, read_map
from netc.importing.steps import STEPS
from netc.layers.base import Refusal

NET = """
net Small {
  input x: [4]
  output y = x -> hidden: repeat 2 { dense(4) -> relu } -> last: dense(3)
}
"""
MAP = """
weights:
  hidden.{i}.dense1.kernel: layers.{2*i+1}.weight -> transpose(1, 0)
  hidden.{i}.dense1.bias: layers.{2*i+1}.bias
  last.{kernel|bias}: head.{w|b}
ignore:
  - "*.steps"
"""


def numbers() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes = {"layers.1.weight": (4, 4), "layers.1.bias": 4, "layers.3.weight": (4, 4), "layers.3.bias": 4}
    named = {name: rng.normal(size=shape).astype("f") for name, shape in shapes.items()}
    return named | {
        "head.w": rng.normal(size=(4, 3)).astype("f"),
        "head.b": np.ones(3, "f"),
        "layers.1.steps": np.ones(1),
    }


def as_safetensors(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    save_file(dict(arrays), path)


def as_state_dict(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, path)


def as_old_state_dict(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


def as_hdf5(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


WRITERS: dict[str, Callable[[Mapping[str, np.ndarray], Path], None]] = {
    "model.safetensors": as_safetensors,
    "model.pt": as_state_dict,
    "model.bin": as_old_state_dict,
    "model.weights.h5": as_hdf5,
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a net, its map, and its weights as safetensors."""
    monkeypatch.chdir(tmp_path)
    Path("small.net").write_text(NET)
    Path("map.yaml").write_text(MAP)
    as_safetensors(numbers(), Path("model.safetensors"))
    return tmp_path


def imported(*options: str, file: str = "model.safetensors") -> Any:
    return run_netc("import", file, "--net", "small.net", "--map", "./map.yaml", *options)


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_imported_is_what_the_map_says(name: str, place: Path) -> None:
    WRITERS[name](numbers(), Path(name))
    result = imported("-o", "out.safetensors", "-v", file=name)
    assert result.code == 0, result.err
    assert (
        result.err
        == "out.safetensors holds 6 weights of 55 numbers; 1 tensor of the file is ignored, as the map says\n"
    )
    assert result.out.splitlines()[2] == "hidden.1.dense1.kernel [4, 4] = layers.3.weight -> transpose(1, 0)"
    model = netc.load_weights(netc.compile(NET), "out.safetensors")
    x, w = np.ones((2, 4), "f"), numbers()
    h = x
    for i in (1, 3):
        h = np.maximum(h @ w[f"layers.{i}.weight"].T + w[f"layers.{i}.bias"], 0)
    np.testing.assert_allclose(model.predict(x), h @ w["head.w"] + w["head.b"], rtol=1e-5)


def test_the_file_is_named_by_the_net_and_never_overwritten(place: Path) -> None:
    assert imported().code == 0 and Path("Small.safetensors").is_file()
    assert "cannot-write" in imported().err
    assert imported("--force").code == 0
    with safe_open("Small.safetensors", "numpy") as file:
        assert "Small" in file.metadata()["netc"]


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float64])
def test_numbers_of_other_precision(kind: torch.dtype, place: Path) -> None:
    torch.save({name: torch.from_numpy(array).to(kind) for name, array in numbers().items()}, "model.pt")
    found = read_foreign(netc.compile(NET).program, Path("model.pt"), read_map("./map.yaml")).weights
    wanted = torch.from_numpy(numbers()["head.w"]).to(kind).float().numpy()
    np.testing.assert_array_equal(found["last.kernel"], wanted)
    assert found["last.kernel"].dtype == np.float32


W = np.arange(24.0, dtype="f").reshape(2, 3, 4)
STEPPED: dict[str, tuple[str, np.ndarray]] = {
    "transpose": ("a -> transpose(2, 0, 1)", W.transpose(2, 0, 1)),
    "reshape": ("a -> reshape(-1, 2, 2)", W.reshape(6, 2, 2)),
    "part": ("a -> part(1, 2, 3)", W[:, 2:]),
    "slice": ("a -> slice(-1, 1, 3)", W[:, :, 1:3]),
    "reorder": ("a -> reorder(1, 2, 0, 1)", W[:, [2, 0, 1]]),
    "flip": ("a -> flip(2)", W[:, :, ::-1]),
    "add": ("(a, b) -> add", 3 * W),
    "concat": ("(a, b, a) -> concat(0)", np.concatenate([W, 2 * W, W])),
}


@pytest.mark.parametrize("step", STEPPED)
def test_steps(step: str, tmp_path: Path) -> None:
    text, wanted = STEPPED[step]
    extents = ", ".join(map(str, wanted.shape))
    net = netc.compile(f"net N {{ input x: [3]  weight W: [{extents}]  output y = x + W[0, 0, 0:1] }}")
    save_file({"a": W, "b": 2 * W} if "b" in text.split("->")[0] else {"a": W}, tmp_path / "w")
    found = read_foreign(net.program, tmp_path / "w", read_map({"weights": {"W": text}})).weights
    np.testing.assert_array_equal(found["W"], wanted)


def test_every_step_is_tried() -> None:
    assert STEPPED.keys() == STEPS.keys()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("given", [(), (9,), (-4, 0, 0), (0, 0, 0), (1, 2, 1), (0, 7, 3), (-1, -1), (0, 1, 2, 9)])
def test_a_step_gives_the_shape_that_it_says(step: str, given: tuple[int, ...]) -> None:
    arrays = [W, W] if STEPS[step].several else [W]
    shape = STEPS[step].rule(tuple(array.shape for array in arrays), given, (4, 6))
    if not isinstance(shape, Refusal):
        assert STEPS[step].apply(arrays, given, (4, 6)).shape == shape


TIED = """
net Tied {
  input x: [4]
  layer encode = dense(6, bias = false)
  output y = x -> encode -> decode: dense(4, kernel = encode.kernel.T, bias = false)
}
"""


def test_copies_of_a_shared_weight_must_be_equal(tmp_path: Path) -> None:
    net, path = netc.compile(TIED), tmp_path / "tied.safetensors"
    w = np.random.default_rng(0).normal(size=(6, 4)).astype("f")
    copies = {"weights": {"encode.kernel": ["enc -> transpose(1, 0)", "dec"]}}
    for arrays in ({"enc": w, "dec": w.T.copy()}, {"enc": w}, {"dec": w.T.copy()}):
        save_file(arrays, path)
        model = netc.import_weights(net, path, copies)
        np.testing.assert_allclose(model.predict(np.eye(4, dtype="f")), w.T @ w, rtol=1e-5)
    save_file({"enc": w, "dec": w.T + 1e-6}, path)
    text = problem(lambda: netc.import_weights(net, path, copies))
    assert "`enc -> transpose(1, 0)` and `dec` differ, and are both `encode.kernel` in `Tied`" in text
    save_file({"enc": w}, path)
    only = {"weights": {"decode.kernel": "enc"}}
    assert "`decode.kernel` is `encode.kernel.T` in `Tied`" in problem(lambda: netc.import_weights(net, path, only))


def test_a_model_keeps_its_weights_where_not_all_fit(place: Path) -> None:
    model = netc.compile(NET).init(seed=3)
    before = model.predict(np.ones((1, 4)))
    as_safetensors({**numbers(), "head.b": np.ones(4, "f")}, Path("model.safetensors"))
    assert "`head.b` is [4], and `last.bias` is [3]" in problem(
        lambda: netc.import_weights(model, "model.safetensors", "./map.yaml")
    )
    np.testing.assert_array_equal(model.predict(np.ones((1, 4))), before)


MISTAKES: dict[str, tuple[str, str, str]] = {
    "no source": (
        "  last.{kernel|bias}: head.{w|b}\n",
        "",
        "the map has no source for `last.kernel` [4, 3], `last.bias` [3]",
    ),
    "left over": ('  - "*.steps"', "  - other", "no weight takes `layers.1.steps` [1]"),
    "transposed": (".weight -> transpose(1, 0)", ".weight -> reshape(2, 8)", "it has as many numbers: `-> reshape`"),
    "misspelt": ("head.{w|b}", "head.{v|b}", "`head.v` for `last.kernel` is not in it\n"),
    "nothing": (
        "hidden.{i}.dense1.bias",
        "hidden.{i}.dense2.bias",
        "`Small` has no weights like `hidden.{i}.dense2.bias`",
    ),
    "twice": ("ignore:", "  last.bias: head.b\nignore:", "two lines of the map name `last.bias`"),
    "no step": ("transpose(1, 0)", "transpos(1, 0)", "there is no step `transpos`"),
    "no numbers": ("transpose(1, 0)", "transpose(1, x)", "`transpose(1, x)` takes whole numbers"),
    "bad step": ("transpose(1, 0)", "transpose(1, 1)", "`transpose(1, 1)` does not name each axis of [4, 4] once"),
    "python": ("head.{w|b}", "!!python/object/apply:os.system [ls]", "a name is needed"),
    "brace": ("{2*i+1}.bias", "{2*i+1.bias", "the braces of"),
    "gap": ("{2*i+1}.bias", "{2**i}.bias", "is no number such as"),
    "stray": ("{2*i+1}.bias", "{j}.bias", "`{j}` does not stand in the weight's name"),
    "choices": ("head.{w|b}", "head.{w|b|c}", "has choices of [3], and the weight's name of [2]"),
    "section": ("ignore:", "ignored:", "a map has no `ignored`"),
    "key twice": (
        "  last.{kernel|bias}: head.{w|b}",
        "  last.{kernel|bias}: a\n  last.{kernel|bias}: b",
        "stands there twice",
    ),
    "no YAML": ("weights:", "weights: [", "it is not plain YAML"),
    "two alone": ("head.{w|b}", "(head.{w|b}, head.{w|b})", "what becomes one of 2 tensors is not said"),
    "one added": ("head.{w|b}", "head.{w|b} -> add", "`add` and `concat` take several tensors"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_named_and_nothing_written(case: str, place: Path) -> None:
    old, new, said = MISTAKES[case]
    assert old in MAP
    Path("map.yaml").write_text(MAP.replace(old, new))
    result = imported()
    assert result.code == 1 and said in result.err + "\n", result.err
    assert not Path("Small.safetensors").exists()


@pytest.mark.parametrize(
    "text", ["", "- a", "weights: 3", "weights: {a: [b, [c]]}", "a: &x [*x]", "[" * 100_000, "weights: {a: }"]
)
def test_what_is_no_map(text: str, place: Path) -> None:
    Path("map.yaml").write_text(text)
    assert imported().err.startswith("error[bad-map]: `map.yaml` is no map of weights: ")


def test_a_transposed_weight_is_recognised(place: Path) -> None:
    as_safetensors({**numbers(), "head.w": np.ones((3, 4), "f")}, Path("model.safetensors"))
    assert "`head.w` is [3, 4], and `last.kernel` is [4, 3]" in imported().err
    assert "transposed? `-> transpose(1, 0)` would fit" in imported().err


class Harm:
    def __reduce__(self) -> Any:
        return os.mkdir, ("harm",)


def test_pickles_are_refused_unopened(place: Path) -> None:
    """Neither a plain pickle nor one in PyTorch's archive runs what it holds."""
    Path("model.pt").write_bytes(pickle.dumps({"w": Harm()}))
    assert "is not opened" in imported(file="model.pt").err
    torch.save({"w": Harm()}, "model.pt")
    result = imported(file="model.pt")
    assert result.code == 1 and result.err.startswith("error[corrupt-weights]") and "is not opened" in result.err
    assert not Path("harm").exists() and not Path("Small.safetensors").exists()


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kept", [0, 5, 0.3, 0.9])
def test_truncated_files_are_named(name: str, kept: float, place: Path) -> None:
    WRITERS[name](numbers(), Path(name))
    whole = Path(name).read_bytes()
    Path(name).write_bytes(whole[: int(kept if kept in (0, 5) else kept * len(whole))])
    result = imported(file=name)
    assert result.code == 1 and result.err.startswith(f"error[corrupt-weights]: `{name}` has no weights")


def test_hdf5_that_leads_elsewhere_is_refused(place: Path) -> None:
    as_hdf5({"secret": np.ones((4, 3), "f")}, Path("other.h5"))
    links: dict[str, Callable[[h5py.File], object]] = {
        "is a link to somewhere else": lambda f: f.__setitem__("w", h5py.ExternalLink("other.h5", "secret")),
        "lie in another file": lambda f: f.create_dataset("w", (2,), "f", external=[("small.net", 0, 8)]),
        "they are not there": lambda f: f.create_dataset("w", (2**40,), "f", chunks=(1024,)),
        "holds itself": lambda f: f.create_group("g").__setitem__("again", f["g"]),
    }
    for said, make in links.items():
        with h5py.File("model.h5", "w") as file:
            make(file)
        assert said in imported(file="model.h5").err


def test_keras_tensors_are_called_by_their_layers(place: Path) -> None:
    with h5py.File("model.h5", "w") as file:
        for place_, name, array in (("dense", "head", "w"), ("dense_1", "tail", "b")):
            group = file.create_group(f"layers/{place_}/vars")
            group.attrs["name"], group["0"] = name, numbers()[f"head.{array}"]
    net = netc.compile("net N { input x: [4]  output y = x -> d: dense(3) }")
    found = read_foreign(net.program, Path("model.h5"), read_map({"weights": {"d.{kernel|bias}": "{head|tail}.0"}}))
    np.testing.assert_array_equal(found.weights["d.kernel"], numbers()["head.w"])


@pytest.mark.parametrize(
    ("package", "extra", "name"), [("torch", "torch", "model.pt"), ("h5py", "keras", "model.weights.h5")]
)
def test_a_missing_package_is_named(
    package: str, extra: str, name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    WRITERS[name](numbers(), Path(name))
    monkeypatch.setitem(sys.modules, package, None)
    result = imported(file=name)
    assert result.code == 1 and f"pip install 'netc[{extra}]'" in result.err


def test_names_may_have_a_prefix_that_is_stripped(place: Path) -> None:
    as_safetensors({f"module.{name}": array for name, array in numbers().items()}, Path("model.safetensors"))
    Path("map.yaml").write_text(MAP + "strip: [module.]\n")
    assert imported().code == 0


SPECS = sorted(path.name.removesuffix(".yaml") for path in MAPS.glob("*.yaml"))


@pytest.mark.parametrize("name", SPECS)
def test_a_shipped_map_names_every_weight_of_its_spec(name: str) -> None:
    """What its sources are is tested against the libraries themselves (test_originals.py)."""
    net = netc.compile(MAPS.parent / f"{name.partition('.')[0]}.net")
    lines = read_map(name).lines
    for weight, _ in net.program.weights():
        assert sum(line.weight.match(weight) is not None for line in lines) == 1, weight
    for line in lines:
        assert line.optional or any(line.weight.match(weight) is not None for weight, _ in net.program.weights())


def test_a_shipped_map_is_found_by_the_name_of_its_spec(place: Path) -> None:
    result = run_netc("import", "model.safetensors", "--net", "vgg16", "--map", "keras")
    assert result.code == 1 and "`block1_conv1.0` for `block1.conv1.kernel` is not in it" in result.err
    result = run_netc("import", "model.safetensors", "--net", "vgg16", "--map", "kears")
    assert result.code == 1 and "vgg16.keras" in result.err


PAGE = (Path(__file__).parents[1] / "docs" / "importing.md").read_text()


def test_the_page_has_all_steps_and_maps() -> None:
    for step in STEPS.values():
        assert f"| `{step.written}` | {step.meaning} |\n" in PAGE
    for name in SPECS:
        assert f"`{name}`" in PAGE


TAGGER = """
net Tagger {
  input text: token(30)[7]
  output y = text -> words: embedding(30, 8) -> memory: lstm(8) -> hidden: repeat 2 { dense(8) -> relu }
    -> norm: batchnorm -> tags: dense(30, bias = false)
}
"""


def test_the_map_of_the_page_works(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(PAGE.partition("```yaml\n")[2].partition("```")[0])
    rng = np.random.default_rng(0)
    head = rng.normal(size=(30, 8)).astype("f")
    shapes = {
        "embedding.weight": (30, 8),
        "lstm.weight_ih_l0": (32, 8),
        "lstm.weight_hh_l0": (32, 8),
        "lstm.bias_ih_l0": 32,
        "lstm.bias_hh_l0": 32,
        "layers.1.weight": (8, 8),
        "layers.1.bias": 8,
        "layers.3.weight": (8, 8),
        "layers.3.bias": 8,
        "bn.weight": 8,
        "bn.bias": 8,
        "bn.running_mean": 8,
        "bn.running_var": 8,
        "bn.num_batches_tracked": 1,
    }
    arrays = {f"module.{name}": rng.random(shape).astype("f") for name, shape in shapes.items()}
    save_file(arrays | {"module.head.weight": head, "tied.weight": head}, tmp_path / "tagger.safetensors")
    found = read_foreign(
        netc.compile(TAGGER).program, tmp_path / "tagger.safetensors", read_map(str(tmp_path / "map.yaml"))
    )
    np.testing.assert_array_equal(found.weights["tags.kernel"], head.T)
