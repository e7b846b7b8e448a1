"""A checked recipe in, Python source out: `loss`, `metrics` and `optimizer` as readable functions of Optax and JAX."""

from netc.ir.network import Applied, Arithmetic, DataField, Output, Recipe, Term
from netc.recipes.optimizers import TOTAL_STEPS

HEAD = """import optax

from netc.kernels import losses
from netc.kernels import metrics as measures
"""


def emit_recipe(recipe: Recipe) -> str:
    """Source with `loss(outputs, data)` and `metrics(outputs, data)`, which give a number for each example, and
    `optimizer(total_steps)`. `outputs` and `data` are dicts by name; a likelihood comes out as a loss, negated."""
    loss = expression(recipe.loss, "losses")
    lines = [HEAD, "", "def loss(outputs, data):", f"    return {f'-({loss})' if recipe.maximise else loss}", "", ""]
    lines += ["def metrics(outputs, data):", "    return {"]
    lines += [f"        {name!r}: {expression(term, 'measures')}," for name, term in recipe.metrics]
    lines += ["    }", "", "", "def optimizer(total_steps):", f"    return {chain(recipe.optimizer)}", ""]
    return "\n".join(lines)


def expression(term: Term, table: str) -> str:
    match term:
        case Output(name=name):
            return f"outputs[{name!r}]"
        case DataField(name=name):
            return f"data[{name!r}]"
        case Applied(name=name, positional=positional, named=named):
            arguments = [expression(t, table) for t in positional] + [f"{k}={plain(v)}" for k, v in named]
            return f"{table}.{name}({', '.join(arguments)})"
        case Arithmetic(operator=operator, left=left, right=right):
            return f"({expression(left, table)} {operator} {expression(right, table)})"
        case _:
            return plain(term)


def plain(term: Term) -> str:
    assert isinstance(term, int | float | bool | str | None), term
    return repr(term)


def chain(transforms: tuple[Applied, ...]) -> str:
    calls = [optax_call(transform) for transform in transforms]
    return calls[0] if len(calls) == 1 else f"optax.chain({', '.join(calls)})"


def optax_call(applied: Applied) -> str:
    arguments = []
    for name, value in applied.named:
        if isinstance(value, Applied):
            arguments.append(f"{name}={optax_call(value)}")
        else:
            arguments.append(f"{name}={'total_steps' if value == TOTAL_STEPS else plain(value)}")
    return f"optax.{applied.name}({', '.join(arguments)})"
