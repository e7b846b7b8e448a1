"""The front half on files: reads .net files and what they `use`, and checks them. Imports no JAX."""

import os
from collections.abc import Mapping
from pathlib import Path

from netc.check.problems import MissingPart, UnknownName
from netc.check.program import Checked, check
from netc.emit.flax import Emitted, emit
from netc.ir.network import Program
from netc.problems import CompileError, Problem
from netc.source import Source
from netc.syntax import tree
from netc.syntax.problems import Unreadable

PACKAGE = Path(__file__).parent
SPECS = PACKAGE / "specs" if (PACKAGE / "specs").is_dir() else PACKAGE.parent / "specs"
SUPPORT = PACKAGE / "kernels" / "modules.py"


def check_file(path: str, net: str | None = None, settings: Mapping[str, str] | None = None) -> Checked:
    """Checks a .net file."""
    source = read(path)
    if isinstance(source, Problem):
        return Checked(None, (), (), (source,))
    return check_source(source, net, settings or {}, Path(path).parent)


def check_text(
    text: str, name: str = "<text>", net: str | None = None, settings: Mapping[str, str] | None = None
) -> Checked:
    """Checks a text; its `use` lines look in the current folder and the shipped specs."""
    return check_source(Source(name, text), net, settings or {}, Path())


def check_source(source: Source, net: str | None, settings: Mapping[str, str], folder: Path) -> Checked:
    def load(use: tree.Use) -> Source | Problem:
        if use.path is not None:
            user = use.target.span.source
            return read(os.path.normpath((folder if user is source else Path(user.name).parent) / use.path), use)
        return read_spec(use)

    return check(source, load, net, settings)


def read_spec(use: tree.Use) -> Source | Problem:
    """A shipped spec by its name."""
    known = tuple(sorted(path.stem for path in SPECS.glob("*.net")))
    if use.target not in known:
        return UnknownName(span=use.target.span, what="shipped spec", name=use.target, known=known)
    return read(str(SPECS / f"{use.target}.net"), use)


def read(path: str, use: tree.Use | None = None) -> Source | Unreadable:
    """Reads a file as UTF-8 text; a byte order mark and Windows line ends are taken as they come."""
    span = use.span if use else None
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        reason = f"it is not UTF-8 text (byte {failure.object[failure.start]:#04x} at offset {failure.start})"
        return Unreadable(span=span, path=path, reason=reason, way_out="a .net file is text: save it as UTF-8")
    except (OSError, ValueError) as failure:
        reason = os.strerror(failure.errno) if isinstance(failure, OSError) and failure.errno else str(failure)
        return Unreadable(span=span, path=path, reason=reason)
    return Source(path, text)


def programs(checked: Checked) -> tuple[Program, ...]:
    """The nets of a checked file, at least one; raises `CompileError` with what is wrong."""
    if checked.errors:
        raise CompileError(checked.problems)
    if not checked.programs:
        owner = checked.source.name if checked.source else "the text"
        example = "a net is written `net Name { input x: [784]  output y = x -> dense(10) }`"
        raise CompileError(checked.problems or (MissingPart(owner=f"`{owner}`", part="net", example=example),))
    return checked.programs


def flax_source(program: Program, portable: bool = False, places: bool = False) -> Emitted:
    """The Flax source of a program; portable source imports jax and flax alone."""
    return emit(program, SUPPORT.read_text() if portable else None, places)


def flax_text(program: Program) -> str:
    """The Flax source of a program by itself."""
    return flax_source(program).source
