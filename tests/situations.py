"""Mistakes that no .net file can hold: each function makes one in a folder and gives the problems that show.

A function's docstring stands in its golden file, tests/golden/errors/CODE/CASE.txt, above what is shown.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from netc.compiler import check_file
from netc.ir.data import parse_yaml
from netc.ir.read import parse_program
from netc.problems import CompileError, Problem

Situation = Callable[[Path], tuple[Problem, ...]]


def missing(folder: Path) -> tuple[Problem, ...]:
    """netc check nets/lenet.net, and there is no such file"""
    return check_file("nets/lenet.net").problems


def a_folder(folder: Path) -> tuple[Problem, ...]:
    """netc check nets, which is a folder"""
    (folder / "nets").mkdir()
    return check_file("nets").problems


def picture(folder: Path) -> tuple[Problem, ...]:
    """netc check lenet.png, a picture"""
    (folder / "lenet.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    return check_file("lenet.png").problems


def latin_1(folder: Path) -> tuple[Problem, ...]:
    """netc check naive.net, saved as Latin-1: # naïve"""
    (folder / "naive.net").write_bytes("# naïve\nnet X { input x: [3]  output y = x }\n".encode("latin-1"))
    return check_file("naive.net").problems


def utf_16(folder: Path) -> tuple[Problem, ...]:
    """netc check wide.net, saved as UTF-16"""
    (folder / "wide.net").write_bytes("net X { input x: [3]  output y = x }\n".encode("utf-16"))
    return check_file("wide.net").problems


def no_permission(folder: Path) -> tuple[Problem, ...]:
    """netc check loop.net, a link that leads to itself, so that the system refuses to open it"""
    (folder / "loop.net").symlink_to("loop.net")
    return check_file("loop.net").problems


def long_name(folder: Path) -> tuple[Problem, ...]:
    """netc check a path with a NUL character in it"""
    return check_file("lenet\0.net").problems


def deep(folder: Path) -> tuple[Problem, ...]:
    """a = [[[ ... 1 ... ]]], 10,000 brackets deep"""
    (folder / "deep.net").write_text("a = " + "[" * 10_000 + "1" + "]" * 10_000 + "\n")
    return check_file("deep.net").problems


def deep_and_open(folder: Path) -> tuple[Problem, ...]:
    """a = ((( ..., 10,000 brackets that are never closed"""
    (folder / "open.net").write_text("a = " + "(" * 10_000 + "\n")
    return check_file("open.net").problems


def deep_sum(folder: Path) -> tuple[Problem, ...]:
    """a = 1 + 1 + 1 ..., 10,000 times: each sum is the left side of the next one"""
    (folder / "sum.net").write_text("a = " + " + ".join(["1"] * 10_000) + "\n")
    return check_file("sum.net").problems


def many_blocks(folder: Path) -> tuple[Problem, ...]:
    """50 blocks, each of which uses the one before"""
    blocks = "".join(f"block b{i} = b{i - 1} -> relu\n" for i in range(1, 51))
    (folder / "blocks.net").write_text(f"block b0 = relu\n{blocks}net X {{ input x: [3]  output y = x -> b50 }}\n")
    return check_file("blocks.net").problems


def many_files(folder: Path) -> tuple[Problem, ...]:
    """500 files, each of which uses the next one"""
    for i in range(500):
        (folder / f"{i}.net").write_text(f'use "{i + 1}.net"\n')
    return check_file("0.net").problems


def huge(folder: Path) -> tuple[Problem, ...]:
    """a .net file of 17 MB"""
    (folder / "huge.net").write_text("# " + "x" * 17 * 1024 * 1024 + "\n")
    return check_file("huge.net").problems


def long_line(folder: Path) -> tuple[Problem, ...]:
    """a = ["xxx ... xxx", ..., $, "xxx ... xxx", ...], one line of 5 MB"""
    strings = ", ".join(['"' + "x" * 9_000 + '"'] * 280)
    (folder / "line.net").write_text(f"a = [{strings}, $, {strings}]\n")
    return check_file("line.net").problems


def cut_ir(folder: Path) -> tuple[Problem, ...]:
    """network N {, the text of an IR that ends too early"""
    return refused(lambda: parse_program("network N {\n  input x: [4]\n", "n.ir"))


def foreign_weight(folder: Path) -> tuple[Problem, ...]:
    """the text of an IR with a view of a weight that is not there"""
    made = "y: [2] = x -> d: dense(2, bias = false)\n    views kernel = W.T"
    text = f"network N {{\n  input x: [4]\n  {made}\n  output y = y\n}}\n"
    return refused(lambda: parse_program(text, "n.ir"))


def unlawful_data(folder: Path) -> tuple[Problem, ...]:
    """the YAML of an IR whose second key is misspelt"""
    return refused(lambda: parse_yaml("networks:\n- {name: N, inptus: [x]}\n"))


def refused(load: Callable[[], object]) -> tuple[Problem, ...]:
    with pytest.raises(CompileError) as raised:
        load()
    return raised.value.problems


SITUATIONS: dict[str, Situation] = {
    "unreadable/missing": missing,
    "unreadable/folder": a_folder,
    "unreadable/picture": picture,
    "unreadable/latin-1": latin_1,
    "unreadable/utf-16": utf_16,
    "unreadable/link": no_permission,
    "unreadable/nul": long_name,
    "too-large/nesting": deep,
    "too-large/open-brackets": deep_and_open,
    "too-large/sum": deep_sum,
    "too-large/blocks": many_blocks,
    "too-large/files": many_files,
    "too-large/file": huge,
    "stray-character/long-line": long_line,
    "broken-program/cut": cut_ir,
    "broken-program/foreign-weight": foreign_weight,
    "broken-program/data": unlawful_data,
}
