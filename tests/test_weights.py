"""Files of weights: written once by owner, read back strictly, also those from elsewhere; hostile ones are named."""

import errno
import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from flax import nnx
from safetensors import safe_open
from safetensors.numpy import load_file, save, save_file
from small_runs import SMALL, blobs, data_of, problem, run_netc

import netc
from netc.model import origin_of, weights_of

TIED = """
net Tied {
  input x: [4]
  layer encode = dense(6)
  output y = x -> encode -> tanh -> decode: dense(4, kernel = encode.kernel.T)
}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tied.safetensors"
    netc.save_weights(netc.compile(TIED).init(seed=5), path)
    return path


def test_each_owner_is_written_once_with_its_uses(file: Path) -> None:
    assert list(load_file(file)) == ["decode.bias", "encode.bias", "encode.kernel"]
    with safe_open(file, "numpy") as opened:
        note = json.loads(opened.metadata()["netc"])
    assert note["net"] == "Tied" and len(note["table"]) == 64
    assert note["weights"]["encode.kernel"] == {
        "shape": [4, 6],
        "trainable": True,
        "uses": [
            {"layer": "encode", "slot": "kernel", "view": "encode.kernel", "times": 1},
            {"layer": "decode", "slot": "kernel", "view": "encode.kernel.T", "times": 1},
        ],
    }


def test_what_is_saved_comes_back(file: Path) -> None:
    net = netc.compile(TIED)
    model, other = net.init(seed=5), net.init(seed=6)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("f")
    assert not np.array_equal(model.predict(x), other.predict(x))
    assert netc.load_weights(other, file) is other
    for loaded in (other, netc.load_weights(net, file)):
        np.testing.assert_array_equal(model.predict(x), loaded.predict(x))


def test_a_loaded_model_is_as_one_that_was_made_and_given_its_weights(tmp_path: Path) -> None:
    """No weight is drawn at random for it, and yet dropout has the same keys, and batchnorm its statistics."""
    flow = "x -> dense(6) -> batchnorm -> dropout(0.5) -> repeat 2 { dense(6) -> dropout }"
    net = netc.compile(f"net N {{ input x: [4]  output y = {flow} }}")
    netc.save_weights(net.init(seed=5), tmp_path / "w")
    made = netc.load_weights(net.init(), tmp_path / "w")
    loaded = netc.load_weights(net, tmp_path / "w")
    theirs, ours = (dict(nnx.to_flat_state(nnx.state(model))) for model in (made, loaded))
    assert theirs.keys() == ours.keys() and any("rngs" in path for path in ours)
    for path, leaf in theirs.items():
        assert type(leaf) is type(ours[path])
        np.testing.assert_array_equal(data_of(ours[path][...]), data_of(leaf[...]))
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("f")
    np.testing.assert_array_equal(made(x), loaded(x))


def test_files_are_the_same_each_time(file: Path, tmp_path: Path) -> None:
    netc.save_weights(netc.compile(TIED).init(seed=5), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, ml_dtypes.bfloat16])
def test_a_file_from_elsewhere_loads_by_names_and_shapes(file: Path, kind: type) -> None:
    numbers = {name: (w * 4).astype(kind) for name, w in load_file(file).items()}
    save_file(numbers, file, metadata={"format": "pt"})
    model = netc.load_weights(netc.compile(TIED), file)
    found = weights_of(model, origin_of(model)[1])
    assert all((found[name] == w.astype(np.float32)).all() for name, w in numbers.items())


def test_nothing_of_a_file_that_does_not_fit_is_loaded(file: Path) -> None:
    numbers = load_file(file)
    save_file(numbers | {"encode.kernel": np.ones((6, 4), "f"), "spare": np.ones(2, "f")}, file)
    net = netc.compile(TIED)
    model = net.init(seed=1)
    before = weights_of(model, origin_of(model)[1])
    text = problem(lambda: netc.load_weights(model, file))
    assert "`encode.kernel` is [6, 4], and [4, 6] in `Tied`" in text and "`Tied` has no `spare` [2]" in text
    after = weights_of(model, origin_of(model)[1])
    assert all((before[name] == after[name]).all() for name in before)


def test_a_part_of_a_net_takes_its_weights(tmp_path: Path) -> None:
    """A tower that two branches share in the file, and one uses in the net, is still one weight."""
    text = "input a, b: [4]  layer t = dense(3)  output y = (a -> t) + (b -> t)"
    one = "input a: [4]  layer t = dense(3)  output y = a -> t"
    first, second = (netc.compile(f"net N {{ {body} }}") for body in (text, one))
    model = first.init(seed=2)
    netc.save_weights(model, tmp_path / "t.safetensors")
    loaded = netc.load_weights(second, tmp_path / "t.safetensors")
    x = np.ones((1, 4), "f")
    np.testing.assert_allclose(loaded.predict(x), model.predict(x, x) / 2, rtol=1e-6)


def with_header(header: object, body: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def tensor(shape: list[int], start: int, end: int, kind: str = "F32") -> dict[str, object]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


NOTED = {
    name: np.ones(shape, "f") for name, shape in (("encode.kernel", (4, 6)), ("encode.bias", 6), ("decode.bias", 4))
}
HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "cut off in its header": save(NOTED)[:30],
    "cut off in its numbers": save(NOTED)[:-3],
    "longer than its header says": save(NOTED) + b"more",
    "a huge header": with_header({}, length=2**63),
    "a header of 100 GB": with_header({}, length=10**11),
    "no JSON": with_header(b"{{{{{{{{"),
    "deep JSON": with_header(b"[" * 100_000),
    "a list": with_header([1, 2]),
    "overlapping offsets": with_header({"a": tensor([2], 0, 8), "b": tensor([2], 4, 12)}, bytes(12)),
    "offsets outside": with_header({"a": tensor([2], 0, 8)}, bytes(4)),
    "offsets turned around": with_header({"a": tensor([2], 8, 0)}, bytes(8)),
    "a shape that overflows": with_header({"a": tensor([2**62, 2**62], 0, 8)}, bytes(8)),
    "a negative shape": with_header({"a": tensor([-2], 0, 8)}, bytes(8)),
    "an unknown type": with_header({"a": tensor([2], 0, 8, "Q7")}, bytes(8)),
    "a pickle": b"\x80\x04\x95" + bytes(40),
    "a note that is no JSON": save(NOTED, {"netc": "{"}),
    "a note that is deep": save(NOTED, {"netc": "[" * 100_000}),
    "a note of something else": save(NOTED, {"netc": json.dumps({"net": 1, "weights": []})}),
    "a note with a false hash": save(NOTED, {"netc": json.dumps({"net": "N", "table": "0", "weights": {}})}),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_named(case: str, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(HOSTILE[case])
    text = problem(lambda: netc.load_weights(netc.compile(TIED), path))
    assert text.startswith(f"error[corrupt-weights]: `{path}` has no weights that can be read: ")


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reasons = {"missing": "No such file or directory", ".": "it is a folder", "pipe": "it is a device or a pipe"}
    for name, reason in reasons.items():
        assert reason in problem(lambda name=name: netc.load_weights(netc.compile(TIED), tmp_path / name))
    assert "null" in problem(lambda: netc.load_weights(netc.compile(TIED), "w\0null"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "small"
    netc.train(SMALL, data=blobs(), out=folder, set={"steps": 1})
    return folder


def test_export_writes_what_the_run_keeps(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "small.safetensors"
    result = run_netc("export", run, "--to", "safetensors", "-o", out)
    assert (result.code, result.out, result.err) == (0, "", f"{out} holds 4 weights\n")
    assert out.read_bytes() == (run / "weights.safetensors").read_bytes()
    assert netc.load_weights(netc.compile(SMALL), out).predict(np.zeros((1, 4))).shape == (1, 3)


OTHERS: dict[str, tuple[dict[str, np.ndarray], str]] = {
    "a weight too many": ({"spare": np.ones((2, 3), "f")}, "has no `spare` [2, 3]"),
    "a weight of another shape": ({"y.dense1.bias": np.ones(7, "f")}, "`y.dense1.bias` is [7], and [8] in `Small`"),
    "a weight of whole numbers": ({"y.dense1.bias": np.ones(8, "i4")}, "`y.dense1.bias` holds I32"),
}


@pytest.mark.parametrize("case", [*HOSTILE, *OTHERS])
def test_commands_name_what_is_wrong_with_a_run_s_weights(case: str, run: Path, tmp_path: Path) -> None:
    """Exit code 1, one message, and no traceback, whatever stands in the file."""
    shutil.copytree(run, tmp_path / "run")
    file = tmp_path / "run" / "weights.safetensors"
    changes, message = OTHERS.get(case, ({}, f"error[corrupt-weights]: `{file}` has no weights that can be read: "))
    file.write_bytes(save(load_file(file) | changes) if changes else HOSTILE[case])
    result = run_netc("export", tmp_path / "run", "--to", "safetensors", "-o", tmp_path / "w.safetensors")
    assert (result.code, result.out) == (1, "") and not (tmp_path / "w.safetensors").exists()
    assert message in result.err and result.err.count("error[") == 1 and "Traceback" not in result.err


def below_a_file(place: Path) -> Path:
    (place / "file").write_text("")
    return place / "file" / "w.safetensors"


def taken(place: Path) -> Path:
    (place / "w.safetensors").write_text("mine")
    return place / "w.safetensors"


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "taken": (taken, "it exists already\n   = help: choose another name, or give `--force`"),
    "a folder": (lambda place: place, "it is no file\n   = help: choose another name"),
    "below a file": (below_a_file, "`PLACE/file` is no folder\n   = help: make room, or choose another name"),
    "a device": (lambda place: Path("/dev/full"), "it is no file\n   = help: choose another name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_export_says_why_it_cannot_write(case: str, run: Path, tmp_path: Path) -> None:
    make, reason = REFUSED[case]
    out = make(tmp_path)
    result = run_netc("export", run, "--to", "safetensors", "-o", out)
    assert (result.code, result.out) == (1, "")
    assert result.err == f"error[cannot-write]: cannot write `{out}`: {reason.replace('PLACE', str(tmp_path))}\n"
    assert case != "taken" or out.read_text() == "mine"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_takes_nothing_is_named(
    number: int, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that was there is whole afterwards, and nothing else is left."""

    def fail(*arguments: object) -> None:
        raise OSError(number, os.strerror(number))

    out = taken(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", fail)
    result = run_netc("export", run, "--to", "safetensors", "-o", out, "--force")
    assert result.code == 1 and f"cannot write `{out}`: {os.strerror(number)}" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"] and out.read_text() == "mine"


def test_force_overwrites_a_file(run: Path, tmp_path: Path) -> None:
    out = taken(tmp_path)
    assert run_netc("export", run, "--to", "safetensors", "-o", out, "--force").code == 0
    assert out.read_bytes() == (run / "weights.safetensors").read_bytes()


def test_export_needs_a_run(tmp_path: Path) -> None:
    result = run_netc("export", tmp_path, "--to", "safetensors", "-o", tmp_path / "w")
    assert result.code == 1 and result.err.startswith("error[not-a-run]")
    assert run_netc("export", tmp_path, "--to", "pickle", "-o", tmp_path / "w").code == 2
