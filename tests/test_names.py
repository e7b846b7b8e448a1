"""Names and strings of a text never become code: nets with hostile ones compute what nets with plain ones do."""

import ast
import keyword
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flax import nnx

import netc
from netc.compiler import check_text, flax_source, support
from netc.emit.recipe import emit_recipe
from netc.kernels import modules
from netc.layers import LAYERS
from netc.model import build_module, run_source, set_weights, weights_of
from netc.syntax.parse import KEYWORDS

TEXT = """
{constant} = 2
block {block}({parameter}) {{
  input {inner}
  {local} = {inner} -> {label}: dense({parameter}) -> tanh
  output {local} -> repeat {constant} {{ dense({parameter}) }}
}}
net {net} {{
  input {input}: [4]
  weight {weight}: [4, 4] = glorot
  layer {layer} = dense(4)
  {value} = {input} @ {weight} -> {layer} -> {layer} -> {block}(3)
  output {output} = {value} -> {head}: conv_free -> dense(2)
}}
train {recipe} for {net} {{
  data      = arrays("data.npz")
  loss      = squared_error({output}, target) + 0.5 * squared_error({output}, target)
  metric    = mean_squared_error({output}, target)
  optimizer = sgd(rate = 0.1)
  batch     = 4
  steps     = 2
}}
""".replace("{head}: conv_free -> ", "{head}: dense(3) -> ")
PLACES = (
    *("constant", "block", "parameter", "inner", "local", "label", "net", "input", "weight", "layer"),
    *("value", "output", "head", "recipe"),
)
PLAIN = {place: f"plain_{place}" for place in PLACES}
OF_MODULES = [name for name in vars(modules) if not name.startswith("__")]
OF_FLAX = [name for name in dir(nnx.Module) if not name.startswith("__")]
HOSTILE = (
    *keyword.kwlist,
    *keyword.softkwlist,
    *("print", "range", "len", "list", "object", "super", "property", "exec", "eval", "open", "type", "Exception"),
    *("__import__", "__class__", "__init__", "__call__", "__dict__", "__doc__", "__name__", "__builtins__", "__"),
    *("self", "rngs", "nnx", "jax", "jnp", "lax", "optax", "numpy", "annotations", "Array", "Sequence", "Module"),
    *("losses", "measures", "outputs", "data", "optimizer", "metrics", "total_steps", "target", "loss"),
    *("x", "x0", "x_2", "h", "h2", "v1", "v2", "v1_", "out", "out1", "n", "n_", "kernel", "bias", "dense1", "T"),
    *("repeat1", "shape", "params", "channels", "predict", "init", "_inputs", "Model", "netc", "plain_net"),
    *OF_MODULES,
    *OF_FLAX,
)
# Words of the language are syntax, and what a layer, initialiser or function is called is not to be hidden from itself.
USED_HERE = {"dense", "tanh", "glorot", "sgd", "arrays", "squared_error", "mean_squared_error"}
WORDS = sorted({word for word in HOSTILE if word not in KEYWORDS | {"and", "or", "not", "true", "false"} | USED_HERE})
X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def named(turn: int) -> dict[str, str]:
    """A different word at each place; over all turns every word stands at every place."""
    return {place: WORDS[(turn + 7 * i) % len(WORDS)] for i, place in enumerate(PLACES)}


def outputs(text: str, weights: list[np.ndarray] | None = None) -> tuple[Any, list[np.ndarray]]:
    checked = check_text(text)
    assert not checked.problems, checked.problems
    program = checked.programs[-1]
    model, emitted = build_module(program), flax_source(program)
    if weights is not None:
        set_weights(model, emitted, dict(zip(emitted.variables, weights, strict=True)))
    return model.predict(X), list(weights_of(model, emitted).values())


EXPECTED, WEIGHTS = outputs(TEXT.format(**PLAIN))


@pytest.mark.parametrize("turn", range(len(WORDS)), ids=WORDS)
def test_a_net_with_hostile_names_computes_the_same(turn: int) -> None:
    names = named(turn)
    assert len(set(names.values())) == len(PLACES)
    text = TEXT.format(**names)
    found, _ = outputs(text, WEIGHTS)
    assert np.allclose(found, EXPECTED, atol=1e-6)
    checked = check_text(text)
    program = checked.programs[-1]
    for portable in (False, True):
        emitted = flax_source(program, portable)
        only_known_calls(emitted.source)
        defined = run_source(emitted.source, "<hostile>")
        assert isinstance(defined[emitted.class_name], type)
    source = emit_recipe(checked.recipes[0])
    only_known_calls(source)
    functions = run_source(source, "<hostile recipe>")
    output = names["output"]
    assert functions["loss"]({output: X}, {"target": X}).shape == (5,)


def only_known_calls(source: str) -> None:
    """What is called is a method, or something that the file defines or imports, or `range`."""
    tree = ast.parse(source)
    known = {"range"}
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.arg(arg=name) | ast.alias(name=name):
                known.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                known.add(name)
            case _:
                pass
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    used_modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert called <= known | {"int", "len", "max", "sum", "enumerate", "isinstance", "tuple"}
    assert used_modules <= {"flax", "jax", "collections.abc", "netc.kernels", *support()}


@pytest.mark.parametrize("turn", [turn for turn in range(0, len(WORDS), 29) if named(turn)["input"] != "target"])
def test_a_net_with_hostile_names_trains_and_loads(turn: int, tmp_path: Path) -> None:
    names = named(turn)
    run = netc.train(TEXT.format(**names), data={names["input"]: X, "target": X[:, :2]}, out=tmp_path / "run")
    assert run.status == "finished" and np.isfinite(run.test["loss"])
    assert np.allclose(netc.load(tmp_path / "run").predict(X), run.model.predict(X))


COLLISIONS = {
    "a path and a label": "net A { input x: [4]  a = x -> dense(4)  output y = a -> a_dense1: dense(4) }",
    "two cases": "block a = dense(4)  block A = dense(4) -> relu  net B { input x: [4]  output y = x -> a -> A }",
    "a net and its block": "block a = dense(4)  net A { input x: [4]  output y = x -> a }",
    "underscores": "net A { input x: [4]  layer if_ = dense(4)  layer if__ = dense(4)  output y = x -> if_ -> if__ }",
    "a label like a flow": "net A { input x: [4]  output y = x -> dense1: dense(4) -> dense(4) -> dense2: dense(4) }",
    "scratch": "net A { input h: [4]  h2 = h -> dense(4)  output y = (h -> dense(4) -> relu -> dense(4)) + h2 }",
}


@pytest.mark.parametrize("text", COLLISIONS.values(), ids=COLLISIONS)
def test_names_that_read_alike_stay_apart(text: str) -> None:
    program = check_text(text).programs[-1]
    emitted = flax_source(program)
    assert len(set(emitted.variables.values())) == len(emitted.variables) == len(list(program.weights()))
    assert netc.compile(text).init().predict(X).shape == (5, 4)


EVIL = '"""\n__import__("os").system("touch /tmp/evil")\n#'


def test_the_path_of_a_file_is_a_comment_and_nothing_else() -> None:
    program = check_text("net A { input x: [4]  output y = x -> dense(4) }", name=EVIL).programs[-1]
    emitted = flax_source(program, places=True)
    only_known_calls(emitted.source)
    assert "system" not in {n.attr for n in ast.walk(ast.parse(emitted.source)) if isinstance(n, ast.Attribute)}
    assert build_module(program).predict(X).shape == (5, 4)


STRINGS = ("X'", 'X\\"', "X\\n", "{0}", "{self}", "{x!r}", "%s", "X]) or exit() #", "__import__('os')")


@pytest.mark.parametrize("string", STRINGS)
def test_a_table_holds_nothing_but_connections(string: str) -> None:
    text = f'net A {{ input x: [8, 8, 1]  output y = x -> conv({len(string)}, 3x3, connect = ["{string}"]) }}'
    assert [p.code for p in check_text(text).problems] == ["shape-mismatch"]


def test_data_files_are_strings_of_run_yaml_alone() -> None:
    text = TEXT.format(**PLAIN).replace('arrays("data.npz")', 'arrays("{0}\\"); exit() #")')
    assert "exit" not in emit_recipe(check_text(text).recipes[0])


def test_every_layer_kind_is_a_python_name_of_its_own() -> None:
    assert all(kind.kind.isidentifier() and not keyword.iskeyword(kind.kind) for kind in LAYERS)
