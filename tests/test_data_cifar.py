"""CIFAR-10 and CIFAR-100 in their binary version, and a publisher that sends them."""

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from publishers import serving
from small_runs import problem

from netc.recipes import data as rows
from netc.training.data import cifar, load
from netc.training.data.values import check_values

RNG = np.random.default_rng(0)
SETS = {"cifar10": rows.Cifar10(), "cifar100": rows.Cifar100()}


def contents(name: str) -> dict[str, bytes]:
    """Files of three examples each, whose first pixel is red 255."""
    version, found = cifar.VERSIONS[name], {}
    for file in (*version.train, *version.test):
        raw = RNG.integers(0, 256, (3, len(version.labels) + cifar.PIXELS), np.uint8)
        raw[:, : len(version.labels)] = [[i] * len(version.labels) for i in (7, 0, 9)]
        raw[:, len(version.labels)] = 255
        found[file] = raw.tobytes()
    return found


def write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    return folder


def archive(name: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for file, raw in files.items():
            member = tarfile.TarInfo(f"{cifar.VERSIONS[name].folder}/{file}")
            member.size = len(raw)
            made.addfile(member, io.BytesIO(raw))
    return buffer.getvalue()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("inner", ["", "cifar-10-batches-bin", "cifar-100-binary"])
def test_a_folder_is_read(tmp_path: Path, name: str, inner: str) -> None:
    own = cifar.VERSIONS[name]
    files = contents(name)
    write(tmp_path / "d" / (own.folder if inner else ""), files)
    found = load(SETS[name], tmp_path / "d", Path())
    check_values(found)
    assert found.types == SETS[name].fields() and len(found.train["label"]) == 3 * len(own.train)
    assert found.test["label"].tolist() == [7, 0, 9]
    raw = np.frombuffer(files[own.test[0]], np.uint8).reshape(3, -1)[1]
    green = raw[len(own.labels) + 1024 + 5 * 32 + 4]
    assert found.test["image"][1, 5, 4, 1] == np.float32(green) / np.float32(255)
    assert (found.train["image"][:, 0, 0, 0] == 1).all()


def test_labels_of_groups_come_first(tmp_path: Path) -> None:
    files = contents("cifar100")
    raw = bytearray(files["test.bin"])
    raw[0], raw[1] = 19, 99
    found = load(rows.Cifar100(), write(tmp_path / "d", {**files, "test.bin": bytes(raw)}), Path())
    assert (found.test["coarse"][0], found.test["label"][0]) == (19, 99)


def test_what_is_not_whole_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "d", contents("cifar10"))
    (folder / "test_batch.bin").write_bytes(b"1234")
    text = problem(lambda: load(rows.Cifar10(), folder, Path()))
    assert "test_batch.bin` is not usable: it has 4 bytes, and examples have 3,073 each" in text
    (folder / "test_batch.bin").unlink()
    text = problem(lambda: load(rows.Cifar10(), folder, Path()))
    assert text.startswith("error[missing-data]: the data set `cifar10` cannot be read: ") and "`--data DIR`" in text
    assert "unpack `cifar-10-binary.tar.gz` of https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz" in text
    assert "there is no folder" in problem(lambda: load(rows.Cifar10(), tmp_path / "none", Path()))


def test_the_archive_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = archive("cifar10", contents("cifar10"))
    monkeypatch.setenv("NETC_DATA", str(tmp_path / "cache"))
    with serving({"cifar.tar.gz": raw}) as publisher:
        address = f"http://127.0.0.1:{publisher.server_port}/cifar.tar.gz"
        own = replace(cifar.VERSIONS["cifar10"], address=address, checksum=hashlib.md5(raw).hexdigest())
        monkeypatch.setitem(cifar.VERSIONS, "cifar10", own)
        for _ in range(2):
            assert len(load(rows.Cifar10(), None, Path()).train["label"]) == 15
        assert publisher.asked == ["cifar.tar.gz"]
        cache = tmp_path / "cache" / "cifar10"
        assert sorted(path.name for path in cache.iterdir()) == sorted(contents("cifar10"))
        (cache / "test_batch.bin").unlink()
        publisher.files["cifar.tar.gz"] = raw[:-1]
        text = problem(lambda: load(rows.Cifar10(), None, Path()))
    assert "what the publisher sent has another checksum than was published" in text


def test_an_archive_of_something_else_is_named() -> None:
    wanted = cifar.VERSIONS["cifar10"].test
    text = problem(lambda: cifar.unpacked(archive("cifar10", {}), cifar.VERSIONS["cifar10"], wanted))
    assert "it is no such archive" in text
