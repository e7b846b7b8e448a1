"""Sets that are read from disk while a net trains give the bits of those in memory."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import chunks_of, problem, weights

import netc
from netc.recipes import data as rows
from netc.training import Chunk, Epoch, fingerprint, loop
from netc.training.data import arrays, load, place, stored
from netc.training.feeding import Batches
from netc.training.run import Interrupted

STEPS = """
net Small { input image: [8, 8, 1]  output y = image -> conv(4, 3x3) -> relu -> flatten -> dropout(0.1) -> dense(10) }
train Small { data = arrays("digits")  prepare = pad(1) -> crop(8) -> standardize(per_channel = true)
  augment = shift(1)  loss = cross_entropy(y, label, weights = balanced)  metric = accuracy(y, label)
  optimizer = adam(rate = 0.01)  batch = 32  epochs = 2  validation = 0.1 }
"""
BATCH = Batches.__call__
STREAMED = {"data": 'arrays("digits", stream = true)'}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 training and 60 test digits as .npy files of bytes, and a .net file beside them."""
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("streaming")
    (folder / "digits").mkdir()
    found: Any = load_digits()
    for name, part in (("", slice(300)), ("test_", slice(300, 360))):
        np.save(folder / "digits" / f"{name}image.npy", found.images[part, ..., None].astype(np.uint8) * 15)
        np.save(folder / "digits" / f"{name}label.npy", found.target[part])
    (folder / "small.net").write_text(STEPS)
    return folder


@pytest.fixture(scope="module")
def in_memory(digits: Path) -> Path:
    netc.train(digits / "small.net", out=digits / "memory")
    return digits / "memory"


def same(one: Path, other: Path) -> None:
    assert weights(one) == weights(other)
    assert (one / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    texts = {(folder / "run.yaml").read_text().replace(", stream = true", "") for folder in (one, other)}
    assert len(texts) == 1


def test_a_streamed_run_has_the_bits_of_one_in_memory(
    digits: Path, in_memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "PIECE", 64 * 7)
    for threads in (1, 5):
        monkeypatch.setattr(stored, "THREADS", threads)
        netc.train(digits / "small.net", out=tmp_path / str(threads), set=STREAMED)
    same(tmp_path / "1", tmp_path / "5")
    netc.train(digits / "small.net", out=tmp_path / "memory")
    same(tmp_path / "memory", tmp_path / "5")
    several: tuple[dict[str, Any], ...] = ({}, {"crops": "five"}, {"augmented": 2})
    for views in several:
        disk, memory = (netc.evaluate([tmp_path / kind] * 2, **views) for kind in ("5", "memory"))
        assert disk == memory


def test_pictures_are_streamed_to_the_same_bits(tmp_path: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_digits

    found: Any = load_digits()
    for i, (pixels, label) in enumerate(zip(found.images[:80], found.target[:80], strict=True)):
        (tmp_path / "pictures" / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels * 15).astype(np.uint8)).save(tmp_path / "pictures" / str(label) / f"{i:02}.png")
    steps = STEPS.replace('arrays("digits")', 'images("pictures", channels = 1)').replace("epochs = 2", "epochs = 1")
    (tmp_path / "small.net").write_text(steps)
    netc.train(tmp_path / "small.net", out=tmp_path / "memory")
    streamed = 'images("pictures", channels = 1, stream = true)'
    netc.train(tmp_path / "small.net", out=tmp_path / "disk", set={"data": streamed})
    assert weights(tmp_path / "memory") == weights(tmp_path / "disk")
    assert (tmp_path / "memory" / "metrics.jsonl").read_bytes() == (tmp_path / "disk" / "metrics.jsonl").read_bytes()


@pytest.mark.parametrize("step", [3, 10])
def test_a_streamed_run_goes_on_in_mid_epoch_to_the_same_bits(
    digits: Path, in_memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(loop, "next_length", chunks_of(1))

    def watch(event: Chunk | Epoch) -> None:
        if isinstance(event, Chunk) and event.step == step:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(Interrupted) as stopped:
        netc.train(digits / "small.net", out=tmp_path / "run", set=STREAMED, watch=watch)
    assert stopped.value.run.step == step
    netc.train(digits / "small.net", out=tmp_path / "run", set=STREAMED, resume=True)
    same(in_memory, tmp_path / "run")


def test_a_large_set_is_streamed_unasked(
    digits: Path, in_memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 4 * 360 * (64 + 1)
    asked: list[int] = []
    monkeypatch.setattr(Batches, "__call__", lambda self, step: asked.append(step) or BATCH(self, step))
    monkeypatch.setattr(place, "memory_limit", lambda: size)
    netc.train(digits / "small.net", out=tmp_path / "fits", set={"epochs": 1})
    assert not asked
    monkeypatch.setattr(place, "memory_limit", lambda: size - 1)
    run = netc.train(digits / "small.net", out=tmp_path / "streams")
    same(in_memory, tmp_path / "streams")
    assert asked and set(asked) == set(range(run.step))
    assert netc.evaluate(tmp_path / "streams") == run.test


def test_memory_mapped_arrays_from_python_are_streamed(
    digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(Batches, "__call__", lambda self, step: asked.append(step) or BATCH(self, step))
    monkeypatch.setattr(place, "memory_limit", lambda: 0)
    for name, mode in (("memory", None), ("disk", "r")):
        assert not asked
        files = (digits / "digits").glob("*.npy")
        arrays = {path.stem: np.load(path, mmap_mode=mode) for path in files}  # pyright: ignore[reportArgumentType]
        netc.train(digits / "small.net", data=arrays, out=tmp_path / name, set={"epochs": 1})
    assert asked
    same(tmp_path / "memory", tmp_path / "disk")


def test_changed_files_are_noticed_on_resume(digits: Path, tmp_path: Path) -> None:
    shutil.copytree(digits / "digits", tmp_path / "digits")
    shutil.copy(digits / "small.net", tmp_path / "small.net")
    netc.train(tmp_path / "small.net", out=tmp_path / "run", set=STREAMED | {"epochs": 0})
    image = np.load(tmp_path / "digits" / "image.npy")
    np.save(tmp_path / "digits" / "image.npy", np.where(np.arange(300)[:, None, None, None] == 17, 255 - image, image))
    text = problem(lambda: netc.train(tmp_path / "small.net", out=tmp_path / "run", set=STREAMED, resume=True))
    assert text.startswith("error[cannot-resume]: ") and "its data have changed: `image` was " in text


def test_of_a_huge_field_some_examples_and_the_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "LARGEST", 4 * 1000)
    np.save(tmp_path / "x.npy", np.arange(4000, dtype="f").reshape(1000, 4))

    def told() -> dict[str, str]:
        return fingerprint.data_fingerprint(place.placed(load(rows.Arrays(".", stream=True), None, tmp_path)))

    before = told()
    assert before["x"].startswith("900 x [4] float32, crc32 of 256 examples ")
    assert before == fingerprint.data_fingerprint(place.in_memory(load(rows.Arrays("."), None, tmp_path)))
    np.save(tmp_path / "more.npy", np.zeros(1000, "f"))
    assert told()["files"] != before["files"]


def test_without_grain_a_streamed_set_is_refused(digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grain", None)
    text = problem(lambda: netc.train(digits / "small.net", out=digits / "none", set=STREAMED))
    assert text.startswith("error[missing-extra]: a data set that is read from disk while a net trains needs grain")


ARCHIVED = {
    "x": np.arange(600, dtype="u1").reshape(50, 12),
    "y": np.asfortranarray(np.arange(200, dtype=">f8").reshape(50, 4)),
    "label": np.arange(50) % 3,
}


def test_an_archive_that_is_not_compressed_is_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez(tmp_path / "x.npz", **ARCHIVED)
    expected = load(rows.Arrays("x.npz"), None, tmp_path)
    assert not any(isinstance(array, stored.Stored) for array in expected.train.values())
    monkeypatch.setattr(arrays, "memory_limit", lambda: 0)
    for stream in (True, None):
        found = load(rows.Arrays("x.npz", stream=stream), None, tmp_path)
        assert {name for name, array in found.train.items() if isinstance(array, stored.Stored)} == {"x", "y"}
        assert found.types == expected.types
        assert fingerprint.data_fingerprint(found) == fingerprint.data_fingerprint(place.in_memory(expected))
        for name, array in expected.train.items():
            np.testing.assert_array_equal(stored.whole(found.train[name]), array)
    inside = load(rows.Arrays("x.npz", stream=False), None, tmp_path)
    assert not any(isinstance(array, stored.Stored) for array in inside.train.values())


def test_an_archive_that_is_compressed_or_damaged_is_not_streamed(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "x.npz", **ARCHIVED)
    text = problem(lambda: load(rows.Arrays("x.npz", stream=True), None, tmp_path))
    assert (
        "x.npz` is compressed, or damaged, and `stream = true`" in text
        and "a folder with an .npy file for each field" in text
    )
    np.savez(tmp_path / "y.npz", **ARCHIVED)
    whole = (tmp_path / "y.npz").read_bytes()
    for spoilt in (whole[:-300], whole.replace(b"NUMPY", b"NUMPZ"), whole.replace(b"50, 12", b"50, 99")):
        (tmp_path / "y.npz").write_bytes(spoilt)
        with pytest.raises(netc.RunError):
            load(rows.Arrays("y.npz", stream=True), None, tmp_path)


def test_a_set_larger_than_what_may_be_used_is_trained_on(tmp_path: Path) -> None:
    """256 MB on disk as bytes, 1 GB as numbers; the memory that grows is less than half of that."""
    (tmp_path / "big").mkdir()
    image = np.lib.format.open_memmap(tmp_path / "big" / "image.npy", "w+", np.uint8, (2**16, 64, 64, 1))
    image[:, ::7, ::5] = np.arange(2**16, dtype=np.uint8)[:, None, None, None]
    image.flush()
    np.save(tmp_path / "big" / "label.npy", np.arange(2**16) // 2**7 % 2)
    (tmp_path / "small.net").write_text(
        "net Small { input image: [64, 64, 1]  output y = image -> flatten -> dense(2) }\n"
        'train Small { data = arrays("big", stream = true)  prepare = standardize  loss = cross_entropy(y, label)'
        "  optimizer = sgd(rate = 0.01)  batch = 256  steps = 8 }"
    )
    script = (
        "import sys, threading, time, netc, jax; jax.numpy.ones(3).block_until_ready(); import grain\n"
        "from netc.training.data import stored; stored.THREADS = 2\n"
        "def own():\n"
        "    return int(next(l for l in open('/proc/self/status') if l.startswith('RssAnon')).split()[1]) / 1024\n"
        "first, most = own(), [0.0]\n"
        "def watch():\n"
        "    while True: most[0] = max(most[0], own()); time.sleep(0.01)\n"
        "threading.Thread(target=watch, daemon=True).start()\n"
        "netc.train('small.net', out='run')\n"
        "print(most[0] - first)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 1 < float(done.stdout) < 512
