"""What `netc explain` says: the documentation that problems and table entries carry themselves."""

from inspect import cleandoc

from netc.arguments import Entry
from netc.check import problems as check_problems
from netc.ir import problems as ir_problems
from netc.layers import LAYERS
from netc.layers.initialisers import INITIALISERS
from netc.problems import Problem, nearest
from netc.recipes.data import DATASETS
from netc.recipes.losses import LOSSES
from netc.recipes.metrics import METRICS
from netc.recipes.optimizers import schedules, transforms
from netc.recipes.prepare import PREPARATIONS
from netc.syntax import problems as syntax_problems

PROBLEMS: tuple[type[Problem], ...] = (*syntax_problems.PROBLEMS, *check_problems.PROBLEMS, *ir_problems.PROBLEMS)
ENTRIES: tuple[type[Entry], ...] = (*LAYERS, *INITIALISERS, *LOSSES, *METRICS, *DATASETS, *PREPARATIONS)


def explain_name(name: str) -> tuple[bool, str]:
    """Whether there is such a name, and its explanation or the nearest ones."""
    for problem in PROBLEMS:
        if problem.code == name:
            return True, f"{problem.severity}[{name}]\n\n{cleandoc(problem.__doc__ or '')}"
    for entry in ENTRIES:
        if entry.kind == name:
            return True, explain_entry(entry)
    if name in (rows := transforms() | schedules()):
        row = rows[name]
        listed = "\n".join(f"  {p.name}" + ("" if p.required else f" = {p.default}") for p in row.parameters)
        return True, f"{name}: optax.{row.optax_name}\n\n{listed}"
    known = [p.code for p in PROBLEMS] + [e.kind for e in ENTRIES] + [*transforms(), *schedules()]
    found = nearest(name, known)
    return False, f"nothing is called `{name}`" + (f": did you mean `{found}`?" if found else "")


def explain_entry(entry: type[Entry]) -> str:
    """An entry's documentation, and its arguments with meaning, what they accept, and default."""
    lines = [entry.kind, "", cleandoc(entry.__doc__ or ""), ""]
    for argument in entry.arguments():
        default = "" if argument.required else f" (default: {shown(argument.default)})"
        lines.append(f"  {argument.name}: {argument.meaning}; {argument.accepts.describe()}{default}")
    return "\n".join(lines).rstrip()


def shown(default: object) -> str:
    match default:
        case bool():
            return str(default).lower()
        case Entry():
            return default.kind
        case tuple():
            return ", ".join(map(str, default))
        case None:
            return "none"
        case _:
            return str(default)
