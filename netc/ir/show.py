"""A program for people and for programs: the table by layer, and the documented JSON."""

import json
from dataclasses import asdict
from math import prod
from typing import Any

from netc.ir.constraints import constraints_of
from netc.ir.counts import LayerRow, count, layer_rows
from netc.ir.network import Program
from netc.ir.sharing import weight_rows
from netc.layers.constraints import Frozen

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
MOST_NAMES = 6
"""So many weights are named that the same constraints hold for."""
COLUMNS = ("layer", "kind", "output", "params", "connections", "flops", "memory")


def table(program: Program) -> str:
    """The layers in the order of their use, with totals; a layer used again shows `shared` for its parameters. Below
    stands what is constrained."""
    rows = [COLUMNS, *(cells(row) for row in layer_rows(program))]
    total = count(program)
    rows.append(("total", "", "", *numbers(total.params, total.connections, total.flops), size(total.memory)))
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    lines = [
        "  ".join(
            cell.ljust(w) if i < 3 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    rule = "-" * max(map(len, lines))
    head = f"{program.root.name}: " + ", ".join(f"{v} {program.root.types[v]}" for v in program.root.inputs)
    return "\n".join([head, "", lines[0], rule, *lines[1:-1], rule, lines[-1], *constraint_lines(program)])


def constraint_lines(program: Program) -> list[str]:
    """For each set of constraints, the weights that they hold for."""
    groups: dict[str, list[str]] = {}
    for name, constraints in constraints_of(program).items():
        groups.setdefault(", ".join(map(str, constraints)), []).append(name)
    listed = [f"  {text}: {names_text(names)}" for text, names in groups.items()]
    return ["", "constrained", *listed] if listed else []


def names_text(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def cells(row: LayerRow) -> tuple[str, ...]:
    params, connections, flops = numbers(row.count.params, row.count.connections, row.count.flops)
    outputs = ", ".join(map(str, row.outputs))
    return row.path, row.kind, outputs, "shared" if row.shared else params, connections, flops, size(row.count.memory)


def numbers(*values: int) -> tuple[str, ...]:
    return tuple(f"{value:,}" if value else "" for value in values)


def size(memory: int) -> str:
    """Bytes for one example, in float32."""
    if not memory:
        return ""
    power = min((memory.bit_length() - 1) // 10, len(UNITS) - 1)
    return f"{memory / 1024**power:,.1f} {UNITS[power]}" if power else f"{memory} B"


def json_text(program: Program) -> str:
    return json.dumps(json_data(program), indent=2)


def json_data(program: Program) -> dict[str, Any]:
    """The documented form of `netc show --as json`."""
    total, root, constraints = count(program), program.root, constraints_of(program)
    weights = weight_rows(program)

    def is_frozen(name: str) -> bool:
        return Frozen() in constraints.get(name, ())

    return {
        "name": root.name,
        "params": total.params,
        "frozen": sum(prod(row.shape) for row in weights if is_frozen(row.name)),
        "state": total.state,
        "connections": total.connections,
        "flops": total.flops,
        "memory": total.memory,
        "inputs": {name: str(root.types[name]) for name in root.inputs},
        "outputs": {name: list(root.types[value].shape) for name, value in root.outputs},
        "layers": [
            {
                "name": row.path,
                "kind": row.kind,
                "output": [list(t.shape) for t in row.outputs],
                "orbit": [None if t.orbit is None else str(t.orbit) for t in row.outputs],
                "params": row.count.params,
                "connections": row.count.connections,
                "flops": row.count.flops,
                "memory": row.count.memory,
                "shared": row.shared,
            }
            for row in layer_rows(program)
        ],
        "weights": [
            {
                "name": row.name,
                "shape": list(row.shape),
                "trainable": row.trainable and not is_frozen(row.name),
                "constraints": [str(constraint) for constraint in constraints.get(row.name, ())],
                "uses": [asdict(use) for use in row.uses],
            }
            for row in weights
        ],
    }
