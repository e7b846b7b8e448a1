"""What makes commands that compute faster; set before JAX is imported, and never by `import netc`.

`NETC_CACHE` says where compiled programs are kept (`off`: nowhere), `NETC_MALLOC=system` leaves memory to the system.
"""

import ctypes
import hashlib
import os
import platform
import re
import sys
import warnings
from pathlib import Path

CACHE, MALLOC = "NETC_CACHE", "NETC_MALLOC"
LARGEST_CACHE = 2**30
"""Bytes; the programs that were used longest ago go first."""
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8
"""Settings of glibc's `mallopt` (malloc.h)."""
BROKEN = re.compile(r"Error reading persistent compilation cache entry for '(\w+)'")


def prepare() -> None:
    """Sets the allocator and the cache of compiled programs."""
    if os.environ.get(MALLOC) != "system":
        keep_memory()
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ and os.environ.get(CACHE) != "off":
        keep_compiled(Path(os.environ.get(CACHE) or user_cache()))


def keep_memory() -> None:
    """Large buffers stay the process's own: by default glibc maps and unmaps them anew in every step, and each page
    is cleared when it is first touched."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_ARENA_MAX, 1)


def user_cache() -> Path:
    """Where programs keep what they can make again (the XDG base directories; `~/Library/Caches` on a Mac)."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "netc"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netc"


def keep_compiled(folder: Path) -> None:
    """Programs that XLA compiled are read at the next start; JAX knows them by the program, its versions and flags, and
    the folder by the processor, as homes may be shared. Without a folder to write to they are compiled each time."""
    folder = folder / f"compiled-{processor()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        return
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ.setdefault("JAX_COMPILATION_CACHE_MAX_SIZE", str(LARGEST_CACHE))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")
    shown = warnings.showwarning

    def drop_broken(message: Warning | str, *place: object, **named: object) -> None:
        """A damaged program was compiled anew; it is removed, so that the new one takes its place."""
        found = BROKEN.match(str(message))
        if found is None:
            shown(message, *place, **named)  # type: ignore[arg-type]
            return
        for path in folder.glob(f"{found[1]}-*"):
            path.unlink(missing_ok=True)

    warnings.showwarning = drop_broken  # type: ignore[assignment]


def processor() -> str:
    """A hash of what the processor can do: programs are for the instructions of the one that they were compiled on."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    known = [line for line in lines if line.startswith(("flags", "Features", "model name"))]
    return hashlib.sha256("\n".join([platform.machine(), *known[:2]]).encode()).hexdigest()[:12]
