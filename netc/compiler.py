"""The front half on files: reads .net files and what they `use`, and checks them. Imports no JAX."""

import functools
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from netc.check.problems import MissingPart, UnknownName
from netc.check.program import Checked, check
from netc.emit.flax import Emitted, emit
from netc.ir.network import Program
from netc.problems import CompileError, Problem
from netc.source import Source, Span
from netc.syntax import tree
from netc.syntax.limits import MOST_CHARACTERS
from netc.syntax.problems import Unreadable

PACKAGE = Path(__file__).parent
SPECS = PACKAGE / "specs" if (PACKAGE / "specs").is_dir() else PACKAGE.parent / "specs"
TEXT = "<text>"
SUPPORTING = (
    "modules",
    "local",
    "norms",
    "attention",
    "orbits",
    "recurrent",
    "transpose",
    "resample",
    "gates",
    "convolution",
    "products",
    "windows",
    "rows",
    "constraints",
)
SUPPORT = tuple(PACKAGE / "kernels" / f"{name}.py" for name in SUPPORTING)
"""The modules that emitted source uses."""
TAPS = PACKAGE / "kernels" / "taps.py"


Find = Callable[[str, tree.Use], Source | Problem]
"""Gives a file that another uses, by its path."""
MOST_BYTES = 4 * MOST_CHARACTERS + 1
"""So many bytes are surely too many characters, which is then reported."""


def check_file(
    path: str, net: str | None = None, settings: Mapping[str, str] | None = None, recipe: str | None = None
) -> Checked:
    """Checks a .net file."""
    source = read(path)
    if isinstance(source, Problem):
        return Checked(None, (), (), (source,))
    return check_source(source, net, settings or {}, recipe)


def check_text(
    text: str,
    name: str = TEXT,
    net: str | None = None,
    settings: Mapping[str, str] | None = None,
    recipe: str | None = None,
) -> Checked:
    """Checks a text; its `use` lines look in the folder of its name, and in the shipped specs."""
    return check_source(Source(name, text), net, settings or {}, recipe)


def check_source(
    source: Source,
    net: str | None,
    settings: Mapping[str, str],
    recipe: str | None,
    find: Find | None = None,
) -> Checked:
    """Checks a source; `find` gives the files that it uses, by their paths, instead of reading them."""
    used: dict[str, Source] = {}

    def load(use: tree.Use) -> Source | Problem:
        if use.path is None:
            found = read_spec(use, find or read)
        else:
            found = (find or read)(os.path.normpath(folder_of(use.target.span.source) / use.path), use)
        if isinstance(found, Source):
            used[found.name] = found
        return found

    return replace(check(source, load, net, settings, recipe), used=tuple(used.values()))


def folder_of(source: Source) -> Path:
    """The folder that the paths in a source start from: its own; a text has none, and starts from the current one."""
    return Path() if source.name == TEXT else Path(source.name).parent


def shipped() -> tuple[str, ...]:
    """The names of the shipped specs."""
    return tuple(sorted(path.stem for path in SPECS.glob("*.net")))


def read_spec(use: tree.Use, find: Find) -> Source | Problem:
    """A shipped spec by its name."""
    if use.target not in shipped():
        return UnknownName(span=use.target.span, what="shipped spec", name=use.target, known=shipped())
    return find(str(SPECS / f"{use.target}.net"), use)


def read(path: str, use: tree.Use | None = None) -> Source | Unreadable:
    """Reads a file as text. What is no regular file may have no end, and is refused."""
    span = use.span if use else None
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            folder = stat.S_ISDIR(mode)
            reason = "it is a folder" if folder else "it is a device or a pipe"
            way_out = "" if folder else "write the text into a file"
            return Unreadable(span=span, path=path, reason=reason, way_out=way_out)
        with open(path, "rb") as file:
            return decode(file.read(MOST_BYTES), path, span)
    except (OSError, ValueError) as failure:
        reason = os.strerror(failure.errno) if isinstance(failure, OSError) and failure.errno else str(failure)
        spec = SPECS / f"{path}.net"
        way_out = f"`{os.path.relpath(spec)}` is the shipped spec of that name" if path in shipped() else ""
        return Unreadable(span=span, path=path, reason=reason, way_out=way_out)


def decode(data: bytes, path: str, span: Span | None = None) -> Source | Unreadable:
    """UTF-8 text; a byte order mark, and the line ends of Windows and of old Macintoshes, are taken as they come."""
    cut_off = len(data) == MOST_BYTES
    try:
        text = data.decode("utf-8-sig", "replace" if cut_off else "strict")
    except UnicodeDecodeError as failure:
        reason = f"it is not UTF-8 text (byte {failure.object[failure.start]:#04x} at offset {failure.start})"
        return Unreadable(span=span, path=path, reason=reason, way_out="a .net file is text: save it as UTF-8")
    return Source(path, re.sub(r"\r(?!\n)", "\n", text[: MOST_CHARACTERS + 1]))


def programs(checked: Checked) -> tuple[Program, ...]:
    """The nets of a checked file, at least one; raises `CompileError` with what is wrong.

    What is wrong with recipes alone is no obstacle: a recipe need not fit a net whose parameters are set otherwise.
    """
    if checked.net_errors:
        raise CompileError(checked.problems)
    if not checked.programs:
        owner = checked.source.name if checked.source else "the text"
        example = "a net is written `net Name { input x: [784]  output y = x -> dense(10) }`"
        raise CompileError(checked.problems or (MissingPart(owner=f"`{owner}`", part="net", example=example),))
    return checked.programs


def flax_source(program: Program, portable: bool = False, places: bool = False, device: str | None = None) -> Emitted:
    """The Flax source of a program, for a kind of device (`cpu`, `gpu`, `tpu`) or any; portable source imports jax and
    flax alone."""
    return emit(program, support(), portable, places, device=device)


def tapped_source(program: Program, device: str) -> Emitted:
    """The Flax source of a program that tells of its values, for `netc.kernels.taps.listening`."""
    return emit(program, support() | {"netc.kernels.taps": TAPS.read_text()}, places=True, taps=True, device=device)


@functools.cache
def support() -> dict[str, str]:
    """The texts of the modules that emitted source uses, by their names."""
    return {f"netc.kernels.{path.stem}": path.read_text() for path in SUPPORT}


def flax_text(program: Program) -> str:
    """The Flax source of a program by itself."""
    return flax_source(program).source
