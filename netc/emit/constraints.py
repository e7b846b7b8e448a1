"""Constraints of weights in, Python source out: `constrain(model)`, which puts every weight back where they hold, and
`FROZEN`, the paths of the weights that stay as they start."""

from collections.abc import Mapping

from netc.emit.emitted import Place
from netc.ir.constraints import constraints_of
from netc.ir.network import Program, Weight
from netc.layers.constraints import Constraint, Frozen, UnitNorm, ZeroMean, incoming_axes

CONSTRAIN, FROZEN = "constrain", "FROZEN"
WHOLE = "weight[...]"


def projection(constraints: tuple[Constraint, ...], weight: Weight) -> str:
    """The projection of `weight[...]` as an expression, its constraints applied in their order; empty for none."""
    text, axis = WHOLE, incoming_axes(weight.axes, len(weight.shape))
    kinds = {type(constraint) for constraint in constraints}
    for constraint in constraints:
        if isinstance(constraint, UnitNorm) and ZeroMean in kinds:
            text = f"centered_unit_norm({text}, axis={axis!r})"
        elif not (isinstance(constraint, ZeroMean) and UnitNorm in kinds):
            text = constraint.flax(text, axis) or text
    return "" if text == WHOLE else text


def emit_constraints(program: Program, variables: Mapping[str, Place]) -> tuple[str, tuple[str, ...]]:
    """The source of what a program constrains, and the names that it uses of
    `netc.kernels.constraints`; empty where nothing is constrained. `variables` are the places of weights."""
    held = constraints_of(program)
    weights = dict(program.weights()) if held else {}
    frozen = dict.fromkeys(variables[name].path for name, constraints in held.items() if Frozen() in constraints)
    groups: dict[str, dict[str, None]] = {}
    used: set[str] = set()
    for name, constraints in held.items():
        if text := projection(constraints, weights[name]):
            place = variables[name]
            groups.setdefault(stacked(text, place), {})[attribute(place.path)] = None
            used.update(called(text))
    tuples = listed(f"{FROZEN} = (", [f'"{path}"' for path in frozen], ")", "")
    parts = [f"# These stay as they start: keep them from the optimizer.\n{tuples}"] if frozen else []
    if groups:
        parts.append("\n".join([HEAD, *(line for text, paths in groups.items() for line in loop(text, list(paths)))]))
    return "\n\n\n".join(parts), tuple(sorted(used))


def stacked(text: str, place: Place) -> str:
    """The projection of each of the weights in a stack."""
    if not place.index:
        return text
    each = f"lambda weight: {text.replace(WHOLE, 'weight')}"
    for _ in place.index:
        each = f"jax.vmap({each})"
    return f"{each}({WHOLE})"


HEAD = f'''def {CONSTRAIN}(model):
    """Puts weights back where their constraints hold: call it after every step that changes them."""'''


def loop(text: str, paths: list[str]) -> list[str]:
    """The lines that put some weights back."""
    if len(paths) == 1:
        return [f"    weight = {paths[0]}", f"    weight[...] = {text}"]
    return [listed("    for weight in (", paths, "):", "    "), f"        weight[...] = {text}"]


def listed(opening: str, items: list[str], closing: str, indent: str) -> str:
    """Items between brackets, on one line if they fit."""
    short = f"{opening}{', '.join(items)}{',' * (len(items) == 1)}{closing}"
    if len(short) <= 120:
        return short
    return "\n".join([opening, *(f"{indent}    {item}," for item in items), f"{indent}{closing}"])


def attribute(path: str) -> str:
    """`model.repeat1[3].dense1.kernel`."""
    return "model" + "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("."))


def called(text: str) -> list[str]:
    """The functions that an expression calls, one inside the other."""
    return [part for part in text.partition(WHOLE)[0].split("(") if part]
