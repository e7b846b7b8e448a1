"""What a file of weights says of itself: its net, and what shares each weight. safetensors itself has no aliases."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from netc.ir.network import Program
from netc.ir.sharing import weight_rows


@dataclass(frozen=True)
class Note:
    """The name of a net, a hash of its weight table, and what each layer's slots see: `decode.kernel` sees
    `encode.kernel.T`."""

    net: str
    table: str
    sources: Mapping[str, str]


def write_note(program: Program) -> str:
    """The note as JSON: for each weight its shape, whether it is trained, and all its uses."""
    weights = {
        row.name: {"shape": list(row.shape), "trainable": row.trainable, "uses": [asdict(use) for use in row.uses]}
        for row in weight_rows(program)
    }
    return json.dumps({"net": program.root.name, "table": table_hash(weights), "weights": weights})


def read_note(text: str) -> Note | None:
    """The note of a file, which may come from anywhere; None if it cannot be read, or is not as it was written."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    match data:
        case {"net": str(net), "table": str(table), "weights": dict(weights)} if table == table_hash(weights):
            sources = [source_of(use) for entry in weights.values() for use in uses_of(entry)]
            read = dict(source for source in sources if source is not None)
            return None if None in sources else Note(net, table, read)
    return None


def uses_of(entry: object) -> list[Any]:
    match entry:
        case {"uses": list(uses)}:
            return uses
    return [None]


def source_of(use: object) -> tuple[str, str] | None:
    match use:
        case {"layer": str(layer), "slot": str(slot), "view": str(view)}:
            return f"{layer}.{slot}", view
    return None


def table_hash(weights: Mapping[str, Any]) -> str:
    """The same for nets with the same weights, shared in the same way."""
    return hashlib.sha256(json.dumps(weights, sort_keys=True).encode()).hexdigest()
