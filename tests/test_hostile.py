"""Hostile texts and files: each gives one problem and exit code 1, soon and in little memory, and never a traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_texts import TEXTS
from small_runs import run_netc

from netc.check import limits
from netc.check.limits import MOST_ERRORS
from netc.compiler import check_text, flax_source
from netc.ir.counts import count
from netc.syntax import limits as text_limits

ROOT = Path(__file__).parents[1]
GOOD = "net N { input x: [3]  output y = x -> dense(2) }\n"
MANY = {"20,000 mistakes": MOST_ERRORS + 1, "5,000 constants that wait": 121}


def test_each_hostile_text_gives_one_problem() -> None:
    """All in one process, which has limits on time and memory."""
    program = [sys.executable, "tests/hostile_texts.py"]
    done = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    found = dict(json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 0, f"after {list(found)[-1:]}: {done.stderr[-1000:]}"
    wanted = {name: ([code] if code else [], MANY.get(name, 1 if code else 0)) for name, (_, code) in TEXTS.items()}
    assert {name: (codes[:1], len(codes)) for name, codes in found.items()} == wanted


def test_exponential_nesting_is_counted_exactly_in_no_time() -> None:
    blocks = "\n".join(["block b0 = dense(3)", *(f"block b{i} = b{i - 1} -> b{i - 1}" for i in range(1, 19))])
    program = check_text(f"{blocks}\nnet N {{ input x: [3]  output y = x -> b18 }}").programs[0]
    assert count(program).params == 12 * 2**18
    assert count(program).flops == 21 * 2**18
    assert len(program.networks) == 20


def test_shared_layers_are_counted_once_and_work_each_time() -> None:
    text = "net N { input x: [3]  layer a = dense(3)  layer b = repeat 100 { a }  output y = x -> repeat 1000 { b } }"
    program = check_text(text).programs[0]
    assert (count(program).params, count(program).flops) == (12, 21 * 100_000)
    assert len(flax_source(program).source) < 1_000


def test_the_page_names_the_limits_that_hold() -> None:
    page = (ROOT / "docs" / "language.md").read_text().partition("## Limits")[2].partition("\n## ")[0]
    shown = [f"{limit:,}" for limit in (*vars(limits).values(), *vars(text_limits).values()) if isinstance(limit, int)]
    exceptions = {f"{limits.LARGEST:,}": "10^15", f"{limits.MOST_NUMBERS:,}": "2^40"}
    exceptions[f"{text_limits.MOST_CHARACTERS:,}"] = "16 MB"
    assert [number for number in shown if exceptions.get(number, number) not in page] == []


# Files


def netc(
    *arguments: str | bytes, cwd: Path, data: bytes = b"", encoding: str = "utf-8"
) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, that must end soon."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding}
    command: list[str | bytes] = [sys.executable, "-m", "netc", *arguments]
    return subprocess.run(command, capture_output=True, cwd=cwd, timeout=60, env=environment, input=data)


FILES: dict[str, tuple[bytes, str]] = {
    "binary": (bytes(range(256)) * 10, "not UTF-8 text"),
    "utf16": (GOOD.encode("utf-16"), "not UTF-8 text"),
    "latin1": (b"# caf\xe9\n" + GOOD.encode(), "save it as UTF-8"),
    "empty": (b"", "defines nothing"),
    "nul": (b"net N {\0}", "means nothing"),
    "huge": (b"#" + b"x" * (65 * 1024 * 1024), "16 MB"),
    "overlong": (b"a = \xc0\xaf", "not UTF-8 text"),
    "surrogate": (b"a = \xed\xa0\x80", "not UTF-8 text"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_hostile_file_is_refused(name: str, tmp_path: Path) -> None:
    data, message = FILES[name]
    (tmp_path / "a.net").write_bytes(data)
    done = netc("check", "a.net", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert message in done.stderr.decode() and "a.net" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert run_netc("fmt", tmp_path / "a.net").code == 1
    assert (tmp_path / "a.net").read_bytes() == data


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "uses.net").write_text('use "pipe"\n' + GOOD)
    for path in ("pipe", "/dev/zero", "/dev/tty", ".", "nothing.net", "a" * 10_000, "uses.net"):
        done = netc("check", path, cwd=tmp_path)
        assert done.returncode == 1, path
        assert b"cannot read" in done.stderr and b"Traceback" not in done.stderr


def test_files_that_use_each_other_doubly_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "a0.net").write_text("block b0 = dense(2)")
    for i in range(1, 35):
        twice = f'use "a{i - 1}.net"\n' * 2
        (tmp_path / f"a{i}.net").write_text(f"{twice}block b{i} = b{i - 1}")
    (tmp_path / "last.net").write_text('use "a34.net"\nnet N { input x: [3]  output y = x -> b34 }')
    done = netc("check", "last.net", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("text", [GOOD, "﻿" + GOOD, GOOD.replace("\n", "\r\n"), "# old\r" + GOOD.replace("  ", "\r")])
def test_byte_order_marks_and_line_ends_are_taken_as_they_come(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.net").write_bytes(text.encode())
    done = netc("check", "a.net", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")


def test_names_of_files_that_are_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (b"caf\xe9.net", b"a\nb.net", b"\x1b[31m.net", "\u202e.net".encode(), b"{0}'\".net"):
        Path(os.fsdecode(name)).write_text(GOOD)
        done = netc("check", name, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
        shown = run_netc("show", os.fsdecode(name))
        assert (shown.code, shown.err) == (0, "")
        Path(os.fsdecode(name)).write_text("a = b")
        done = netc("check", name, cwd=tmp_path)
        assert done.returncode == 1
        assert b"unknown-name" in done.stderr
        assert b"\x1b" not in done.stderr + done.stdout and b"Traceback" not in done.stderr
        for form in ("concise", "json"):
            shown = run_netc("check", os.fsdecode(name), "--format", form)
            assert (shown.code, shown.err) == (1, "")
            assert "unknown-name" in shown.out and "\x1b" not in shown.out


def test_output_of_any_character_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "ü.net").write_text('a = "ü" + 1')
    for encoding in ("ascii", "latin-1", "utf-16"):
        for form in ("text", "concise", "json"):
            done = netc("check", "ü.net", "--format", form, cwd=tmp_path, encoding=encoding)
            assert done.returncode == 1 and b"T\0r\0a\0c\0e" not in done.stderr and b"Traceback" not in done.stderr


def test_stdin_of_any_kind_is_formatted_or_refused(tmp_path: Path) -> None:
    for data, code in ((GOOD.encode(), 0), (b"\xff\xfe", 1), (b"\0", 1), (b"x" * (65 * 1024 * 1024), 1), (b"", 1)):
        done = netc("fmt", "-", cwd=tmp_path, data=data)
        assert done.returncode == code and b"Traceback" not in done.stderr


def test_a_file_that_cannot_be_written_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.net").write_text(GOOD)
    (tmp_path / "a.net.part").mkdir()
    done = netc("fmt", "a.net", cwd=tmp_path)
    assert done.returncode == 1 and b"cannot write" in done.stderr and b"Traceback" not in done.stderr
    assert (tmp_path / "a.net").read_text() == GOOD
