"""The LALR tables of the grammars in `grammar/`, read from the JSON that `python -m netc.syntax.generate` writes.

They are data and no Python module because reading JSON takes a few milliseconds, and compiling as much Python
literally 60, whenever there is no bytecode cache.
"""

import json
from pathlib import Path
from typing import Any

NETC = Path(__file__).with_name("tables.json")
IR = Path(__file__).parents[1] / "ir" / "tables.json"


def load(path: Path) -> tuple[dict[str, Any], dict[int, Any]]:
    """Lark's data and memo of a parser."""
    tables = json.loads(path.read_text())
    data = tables["data"]
    states: dict[str, Any] = data["parser"]["parser"]
    states["tokens"] = numbered(states["tokens"])
    states["states"] = {int(state): numbered(actions) for state, actions in states["states"].items()}
    return data, numbered(tables["memo"])


def numbered(table: dict[str, Any]) -> dict[int, Any]:
    """JSON's keys are strings; those of states, tokens and rules are numbers."""
    return {int(key): value for key, value in table.items()}
