"""A checked recipe in, Python source out: `loss`, `metrics` and `optimizer` as readable functions of Optax and JAX.

Names of the text become keys and strings by `repr`, numbers Python's floats: nothing of the text becomes code.
"""

from collections.abc import Iterable

from netc.emit.augment import emit_augmentation
from netc.ir.network import Applied, Arithmetic, DataField, Output, Recipe, Term
from netc.recipes.adjustments import MASKS, exempts
from netc.recipes.optimizers import TOTAL_STEPS

SOURCE = """{imports}
from netc.kernels import losses
from netc.kernels import metrics as measures


def loss(outputs, data):
    return {loss}


def metrics(outputs, data):
    return {metrics}


def optimizer({parameters}):
    return {optimizer}
"""
IMPORTS = "import optax\n"
AUGMENTED = "import jax\nimport optax\n\nfrom netc.kernels import augment as images"
"""The first lines, without and with an `augment`."""
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2}


def emit_recipe(recipe: Recipe) -> str:
    """Source with `loss(outputs, data)` and `metrics(outputs, data)`, which give a number for each example, and
    `optimizer(total_steps)`, which also takes the tree of the weights that decay if not all do, and
    `augment(image, key, fitted)` where the recipe has it. `outputs` and `data` are dicts by name; a likelihood comes
    out as a loss, negated."""
    loss = expression(recipe.loss, "losses")
    some_decay, augment = exempts(recipe), emit_augmentation(recipe)
    source = SOURCE.format(
        imports=AUGMENTED if augment else IMPORTS,
        loss=negated(recipe.loss, loss) if recipe.maximise else loss,
        metrics=listed("{", (f"{name!r}: {expression(term, 'measures')}" for name, term in recipe.metrics), "}"),
        parameters="total_steps, decays" if some_decay else "total_steps",
        optimizer=chain(recipe.optimizer, some_decay),
    )
    return f"{source}\n\n{augment}" if augment else source


def negated(term: Term, text: str) -> str:
    return f"-({text})" if isinstance(term, Arithmetic) else f"-{text}"


def listed(opening: str, items: Iterable[str], closing: str) -> str:
    """One item a line between brackets."""
    lines = [f"        {item},\n" for item in items]
    return f"{opening}\n{''.join(lines)}    {closing}" if lines else opening + closing


def expression(term: Term, table: str) -> str:
    """A loss or metric as an expression; numbers are floats, as JAX's are, where whole ones would overflow."""
    match term:
        case Output(name=name):
            return f"outputs[{name!r}]"
        case DataField(name=name):
            return f"data[{name!r}]"
        case Applied(name=name, positional=positional, named=named):
            arguments = [*(expression(t, table) for t in positional), *(f"{k}={plain(v)}" for k, v in named)]
            return f"{table}.{name}({', '.join(arguments)})"
        case Arithmetic(operator=operator, left=left, right=right):
            first, second = grouped(left, table, operator, 0), grouped(right, table, operator, 1)
            return f"{first} {operator} {second}"
        case int():
            return plain(float(term))
        case _:
            return plain(term)


def grouped(term: Term, table: str, operator: str, side: int) -> str:
    """An operand, in brackets where Python would group it otherwise; `side` is 0 on the left, 1 on the right."""
    text = expression(term, table)
    return f"({text})" if binds_weaker(term, operator, side) else text


def binds_weaker(term: Term, operator: str, side: int) -> bool:
    return isinstance(term, Arithmetic) and BINDING[term.operator] < BINDING[operator] + side


def plain(term: Term) -> str:
    assert isinstance(term, int | float | bool | str | tuple | None), term
    return repr(term)


def chain(transforms: tuple[Applied, ...], some_decay: bool = False) -> str:
    """One transform, or several in turn; if only `some_decay`, those with weight decay are told which weights."""
    calls = [optax_call(transform, MASKS.get(transform.name, "") if some_decay else "") for transform in transforms]
    return calls[0] if len(calls) == 1 else listed("optax.chain(", calls, ")")


def optax_call(applied: Applied, mask: str = "") -> str:
    arguments = []
    for name, value in applied.named:
        if isinstance(value, Applied):
            arguments.append(f"{name}={optax_call(value)}")
        else:
            arguments.append(f"{name}={'total_steps' if value == TOTAL_STEPS else plain(value)}")
    arguments += [f"{mask}=decays"] if mask else []
    return f"optax.{applied.name}({', '.join(arguments)})"
