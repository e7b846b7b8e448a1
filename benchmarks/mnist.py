"""Where MNIST's four files are for the benchmarks that train on them, and what they say where there are none."""

import os
from pathlib import Path

from benchmarks.front import ROOT
from benchmarks.measure import Table

MNIST = Path(os.environ.get("NETC_MNIST", ROOT.parent / "shared" / "data" / "mnist"))


def not_measured(title: str, folder: Path) -> Table | None:
    """A table without figures, if there is no such folder."""
    text = f"Not measured: there is no folder `{folder}`. `NETC_MNIST=FOLDER` says where the four files of MNIST are."
    return None if folder.is_dir() else Table(title, text, ())
