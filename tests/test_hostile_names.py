"""The same net under plain and hostile names, at every place that a name can have: equal outputs, and equal ones
after a step of training. It uses all the support code that emitted source can."""

import ast
import os
from pathlib import Path

import jax
import module_runs
import numpy as np
import optax
import pytest
from flax import nnx

from netc.compiler import check_text, flax_source
from netc.ir.network import Program
from netc.model import run_source, set_weights
from netc.training.loop import functions

TEXT = """
CONSTANT = [3, 4]
activation BEND(CURVE) = 2 * tanh(CURVE / 3)
block BLOCK(PARAMETER = 3) {
  input INNER_INPUT
  layer INNER_LAYER = dense(PARAMETER)
  INNER_VALUE = INNER_INPUT -> INNER_LAYER -> INNER_LAYER
  output INNER_VALUE + INNER_INPUT -> BEND
}
block AROUND(FUNCTION, PARAMETER) = FUNCTION -> dense(PARAMETER) -> FUNCTION
net OTHER(PARAMETER = 3) { input INNER_INPUT: [3]  output OUTPUT = INNER_INPUT -> LABEL: dense(PARAMETER) -> BEND }
net NET(PARAMETER = 3) {
  input INPUT, SECOND_INPUT: [3]
  weight WEIGHT: [3, 3] = normal(0.5)
  layer LAYER = BLOCK -> dense(PARAMETER)
  layer TABLE = conv(2, 3x1, connect = ["XX"], pad = same, init = fan_in(2.4)) -> subsample(1x1)
  VALUE = INPUT -> LAYER -> AROUND(BEND, 3) -> OTHER
  PICTURE = VALUE -> reshape([3, 1, 1]) -> TABLE -> flatten -> dense(3)
  output OUTPUT = (SECOND_INPUT -> LAYER -> LABEL: dense(3) -> for TURN in CONSTANT { dense(TURN) -> relu } -> dense(3))
    + VALUE @ WEIGHT + (VALUE -> dense(3, kernel = LABEL.kernel) -> repeat 2 { dense(3, kernel = WEIGHT.T) }) + PICTURE
  output SECOND_OUTPUT = VALUE * 2 + INPUT -> rbf(codes = [[1, 2, 3], [0, -1, 1], [0.5, 0.5, 0.5]])
}
train RECIPE for NET {
  data      = arrays("{0}\\"; import os #")
  loss      = squared_error(OUTPUT, INPUT) + 0.5 * squared_error(SECOND_OUTPUT, SECOND_INPUT)
  optimizer = sgd(rate = 0.01)
}
"""
PLACES = (
    *("CONSTANT", "BEND", "CURVE", "BLOCK", "PARAMETER", "INNER_INPUT", "INNER_LAYER", "INNER_VALUE", "AROUND"),
    *("FUNCTION", "OTHER", "OUTPUT", "LABEL", "NET", "INPUT", "SECOND_INPUT", "WEIGHT", "LAYER", "TABLE", "VALUE"),
    *("PICTURE", "TURN", "SECOND_OUTPUT", "RECIPE"),
)
WORDS = (
    *("False", "None", "True", "as", "assert_", "async", "await", "break", "class", "continue", "def", "del"),
    *("elif", "except", "finally", "from", "global", "is", "lambda", "nonlocal", "pass", "raise", "return", "try"),
    *("while", "with", "yield", "match", "case", "type", "_", "__", "print", "len", "list", "dict", "int", "float"),
    *("str", "object", "self", "nnx", "jax", "jnp", "lax", "rngs", "__class__", "__init__", "__call__", "__dict__"),
    *("__name__", "__getattr__", "_x", "h", "h1", "h2", "x", "x0", "x1", "x2", "v1", "v2", "v10", "out", "out1"),
    *("out2", "class_", "Net", "a_b", "TableConv", "convolve", "fan_in_uniform", "window_sum", "table_kernel"),
    *("Subsample", "digit_codes", "DIGIT_ROWS", "losses", "measures", "optax", "outputs", "data", "optimizer"),
    *("loss", "metrics", "total_steps", "annotations", "Array", "Sequence", "eval", "predict", "init", "sow"),
    *("perturb", "set_attributes", "iter_children", "iter_modules", "prepare_with", "kernel", "bias"),
    *("coefficient", "shape", "T", "params", "flops", "conv1", "dense1", "repeat1", "for1", "n1", "e1", "inf"),
    *("nan", "Module", "Param", "List", "Model", "state", "graphdef", "split", "merge", "__pytree__"),
    *("_pytree__state", "_object__state", "lookup", "metric", "name", "digits", "mnist", "adam", "accuracy"),
    *("label", "image"),
)
INPUTS = [np.random.default_rng(i).normal(size=(2, 3)).astype(np.float32) for i in range(2)]


def text(names: dict[str, str]) -> str:
    """The text with a name at each place; longer places first, as some contain others."""
    made = TEXT
    for place in sorted(PLACES, key=len, reverse=True):
        made = made.replace(place, names[place])
    return made


def hostile(turn: int) -> dict[str, str]:
    return {place: WORDS[(turn + 5 * i) % len(WORDS)] for i, place in enumerate(PLACES)}


def results(names: dict[str, str]) -> list[np.ndarray]:
    """The outputs, those of the portable source, and those after one step of training."""
    checked = check_text(text(names))
    assert not checked.errors, [problem.message() for problem in checked.errors]
    program = next(p for p in checked.programs if p.root.name == names["NET"])
    given = module_runs.weights_for(program)
    found = [
        *module_runs.outputs(program, given, [*INPUTS]),
        *module_runs.outputs(program, given, [*INPUTS], portable=True),
    ]
    model, emitted = module_runs.module(program)
    set_weights(model, emitted, {name: w.astype(np.float32) for name, w in given.items()})
    used = functions(program, checked.recipes[0])
    graph, params, rest = nnx.split(model, nnx.Param, ...)
    fields = dict(zip(used.feeds, INPUTS, strict=True))

    def loss(params: nnx.State) -> jax.Array:
        return used.loss(used.run(nnx.merge(graph, params, rest), fields), fields).mean()

    optimizer = used.optimizer(1)
    updates, _ = optimizer.update(jax.grad(loss)(params), optimizer.init(params), params)
    after = nnx.merge(graph, optax.apply_updates(params, updates), rest)
    return [*found, *used.run(after, fields).values()]


PLAIN = {place: f"plain{place.lower()}" for place in PLACES}


@pytest.fixture(scope="module")
def expected() -> list[np.ndarray]:
    return results(PLAIN)


@pytest.mark.parametrize("turn", range(0, len(WORDS), 9))
def test_hostile_names_compute_and_train_as_plain_ones(turn: int, expected: list[np.ndarray]) -> None:
    for ours, theirs in zip(results(hostile(turn)), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_every_word_stands_at_many_places() -> None:
    shown = [hostile(turn) for turn in range(0, len(WORDS), 9)]
    assert all(len(set(names.values())) == len(PLACES) for names in shown)
    assert all(sum(word in names.values() for names in shown) >= 2 for word in WORDS)


PATHS = (
    "a\nimport os\n.net",
    'a\r"""\x0c.net',
    "{0}{self}.net",
    "\u2028\u202e.net",
    os.fsdecode(b"caf\xe9.net"),
    "#  # '",
)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_stands_in_comments_alone(path: str) -> None:
    def program(name: str) -> Program:
        return check_text(text(PLAIN), name=name).programs[-1]

    source = flax_source(program(path), places=True).source
    plain = flax_source(program("plain.net"), places=True).source
    assert ast.dump(ast.parse(source)) == ast.dump(ast.parse(plain))
    run_source(source, "<emitted>")


@pytest.mark.parametrize(
    ("flow", "value"),
    [
        ("x * 1e-400", 0.0),
        ("(-0.0) ^ x", 1.0),
        ("2 - -0.0 * x", 2.0),
        ("1e15 * x", 0.0),
        ("x -> leaky_relu(-0.0)", 0.0),
        ("x -> elu(1e-323)", 0.0),
        ("x + 5e-324", 0.0),
        ("-3 ^ 2 + x", -9.0),
    ],
)
def test_numbers_at_the_edges_are_what_they_are(flow: str, value: float) -> None:
    program = check_text(f"net N {{ input x: [1]  output y = {flow} }}").programs[0]
    assert (module_runs.outputs(program, {}, [np.zeros((2, 1))])[0] == value).all()


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e400", "1e16", "0x10", "1j", "True"])
def test_numbers_that_the_language_has_not(number: str) -> None:
    assert check_text(f"net N {{ input x: [1]  output y = x * {number} }}").errors


def test_strings_never_leave_the_data_and_tables(tmp_path: Path) -> None:
    program = check_text(text(PLAIN)).programs[-1]
    strings = {
        node.value
        for node in ast.walk(ast.parse(flax_source(program, places=True).source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert strings == {"plainnet, compiled by netc.", "XX"}
