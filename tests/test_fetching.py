"""Published data sets are fetched whole and with the right checksum, or not at all."""

import gzip
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from idx_files import contents
from publishers import Server, serving
from small_runs import problem

from netc.recipes import data as rows
from netc.training.data import load, published


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A publisher of MNIST with 30 images of 4x4, and an empty cache."""
    files = {f"{name}.gz": gzip.compress(content) for name, content in contents().items()}
    sums = {name.removesuffix(".gz"): hashlib.md5(raw).hexdigest() for name, raw in files.items()}
    monkeypatch.setenv("NETC_DATA", str(tmp_path / "cache"))
    with serving(files) as server:
        monkeypatch.setitem(published.PUBLISHERS, "mnist", (f"http://127.0.0.1:{server.server_port}/", sums))
        yield server


def test_a_published_set_is_fetched_once(publisher: Server, tmp_path: Path) -> None:
    assert len(load(rows.Mnist(), None, Path()).train["label"]) == 20
    assert sorted(publisher.asked) == sorted(publisher.files)
    assert sorted(path.name for path in (tmp_path / "cache" / "mnist").iterdir()) == sorted(publisher.files)
    load(rows.Mnist(), None, Path())
    assert len(publisher.asked) == 4


def test_another_checksum_is_refused_and_nothing_is_kept(publisher: Server, tmp_path: Path) -> None:
    publisher.files["t10k-images-idx3-ubyte.gz"] = gzip.compress(b"something else")
    text = problem(lambda: load(rows.Mnist(), None, Path()))
    assert text.startswith("error[corrupt-data]: `http://127.0.0.1:")
    assert "t10k-images-idx3-ubyte.gz` is not usable: what the publisher sent has another checksum" in text
    assert not (tmp_path / "cache" / "mnist" / "t10k-images-idx3-ubyte.gz").exists()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda server: server.shortened.add("train-images-idx3-ubyte.gz"), "IncompleteRead("),
        (lambda server: server.files.pop("train-images-idx3-ubyte.gz"), "HTTP Error 404: Not Found"),
    ],
)
def test_what_is_not_sent_whole_is_not_kept(
    publisher: Server, tmp_path: Path, spoil: Callable[[Server], object], reason: str
) -> None:
    spoil(publisher)
    text = problem(lambda: load(rows.Mnist(), None, Path()))
    assert text.startswith("error[missing-data]: the data set `mnist` cannot be read: it is not in `")
    assert f"train-images-idx3-ubyte.gz cannot be fetched ({reason}" in text
    assert "and give it with `--data DIR`" in text
    assert not (tmp_path / "cache").exists()


def test_without_a_network_the_way_out_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETC_DATA", str(tmp_path / "cache"))
    monkeypatch.setitem(published.PUBLISHERS, "mnist", ("http://127.0.0.1:9/", dict.fromkeys(published.WANTED, "")))
    text = problem(lambda: load(rows.Mnist(), None, Path()))
    assert "cannot be fetched (<urlopen error [Errno 111] Connection refused>)" in text
    assert "put the files train-images-idx3-ubyte.gz, " in text and "`--data DIR`" in text


def test_a_cache_that_cannot_be_written_is_named(
    publisher: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NETC_DATA", str(tmp_path / "file"))
    text = problem(lambda: load(rows.Mnist(), None, Path()))
    assert text.startswith(f"error[cannot-write]: cannot write `{tmp_path}/file/mnist/train-images-idx3-ubyte.gz`: ")
    assert text.endswith("   = help: make room, or name another cache with `NETC_DATA=DIR`")


# Derived sets.
