"""Long rows as one loop over stacked weights: outputs, gradients and changes are those of the row written out."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import netc
from netc.compiler import check_text, support
from netc.emit.flax import Emitted, emit
from netc.emit.loops import LONG
from netc.ir.network import Program
from netc.model import run_source, weights_of
from netc.training.precision import cast, compute_in

WRITTEN_OUT = 10**9
SUBLAYER = "block sub(f) = [identity, rmsnorm -> f] -> add "

BODIES = {
    "dense": "net N { input x: [6]  output y = x -> repeat 3 { [identity, dense(6) -> tanh] -> add } }",
    "transformer": SUBLAYER
    + """net N { input x: [5, 8]
      output y = x -> repeat 3 { sub(attention(2, causal = true)) -> sub(dense(16) -> gelu -> dense(8)) } }""",
    "two values": """block f { input a, b  c = a + b -> dense(4) -> tanh  output p = c  output q = a * c }
      net N { input x: [4]  p, q = (x, 2 * x) -> repeat 3 { f }  output y = p - q }""",
    "weights from outside": """
      net N { input x: [4]  weight W: [4, 4]
              output y = x -> repeat 3 { dense(4, kernel = W.T) -> tanh -> dense(4) } }""",
    "nothing but weights from outside": """
      net N { input x: [4]  weight W: [4, 4]
              output y = x -> repeat 3 { dense(4, kernel = W, bias = false) -> tanh } }""",
    "one layer": "net N { input x: [4]  layer step = dense(4) -> tanh  output y = x -> repeat 5 { step } }",
    "one layer without a block": "net N { input x: [4]  layer step = dense(4)  output y = x -> repeat 5 { step } }",
    "rows in rows": """
      net N { input x: [4]
              output y = x -> repeat 3 { [identity, repeat 2 { dense(4) -> tanh } -> dropout(0.3)] -> add } }""",
    "convolutions": """
      net N { input x: [6, 5, 4]
              output y = x -> repeat 3 { [identity, conv(8, 3x3, pad = same, groups = 2) -> batchnorm -> relu
              -> conv(4, 3x3, pad = same, dilation = 2)] -> add -> conv(4, 1x1) } }""",
    "over time": """
      net N { input x: [5, 6]  output y = x -> repeat 3 { over_time { dense(6) -> batchnorm } -> tanh -> gru(6) } }""",
    "by chance": """
      net N { input x: [5, 8]  output y = x -> repeat 4 { [identity, attention(2, dropout = 0.2)
              -> gaussian_noise(0.1) -> dropout(0.3) -> droppath(0.2)] -> add -> batchnorm } }""",
    "nothing but chance": "net N { input x: [9]  output y = x -> dense(9) -> repeat 4 { dropout(0.2) } }",
}


PORTABLE = ("convolutions", "one layer", "by chance")
"""Those whose source is tried without netc."""


def program_of(text: str) -> Program:
    checked = check_text(text)
    assert not checked.problems
    return checked.programs[-1]


def made(text: str, long: int, portable: bool = False) -> tuple[Any, Emitted]:
    emitted = emit(program_of(text), support(), portable, long=long)
    return run_source(emitted.source, f"<row of {long}>")[emitted.class_name](nnx.Rngs(3)), emitted


def used(model: Any, x: jax.Array) -> dict[str, Any]:
    """What a model gives, its gradients and what it changed, as training runs it."""
    graph, params, rest = nnx.split(model, nnx.Param, ...)

    @jax.jit
    def step(params: Any, rest: Any, x: jax.Array) -> Any:
        def loss(params: Any, x: jax.Array) -> Any:
            run = nnx.merge(graph, params, rest, copy=True)
            y = run(x)
            return jnp.mean(jnp.sin(y)), (y, nnx.state(run, nnx.Not(nnx.Param)))

        gradients, (y, changed) = jax.grad(loss, argnums=(0, 1), has_aux=True)(params, x)
        return {"y": y, "gradients": gradients, "changed": changed}

    once = step(params, rest, x)
    return once | {"next": step(params, once["changed"], x)}


def numbers(array: Any) -> np.ndarray:
    array = array.get_value() if isinstance(array, nnx.Variable) else array
    return np.asarray(jax.random.key_data(array) if jnp.issubdtype(array.dtype, jax.dtypes.prng_key) else array)


def one_of(stacks: dict[Any, Any], path: tuple[Any, ...]) -> Any:
    """What a row written out has at a path, out of stacks."""
    if path in stacks:
        return stacks[path]
    places = tuple(part for part in path if isinstance(part, int))
    stack = stacks[tuple(part for part in path if not isinstance(part, int))]
    return stack.get_value()[places]


def alike(row: Any, loop: Any, atol: float = 2e-5) -> None:
    """Two states, that of a row written out and that of a loop."""
    written, stacks = dict(nnx.to_flat_state(row)), dict(nnx.to_flat_state(loop))
    assert sum(numbers(a).size for a in written.values()) == sum(numbers(a).size for a in stacks.values())
    for path, array in written.items():
        found = numbers(one_of(stacks, path))
        assert np.allclose(numbers(array), found, atol=atol, rtol=1e-4), (path, np.abs(numbers(array) - found).max())


def inputs(text: str) -> jax.Array:
    root = program_of(text).root
    return jax.random.normal(jax.random.key(1), (7, *root.types[root.inputs[0]].shape))


def same(row: Any, loop: Any, x: jax.Array) -> None:
    """Outputs, gradients and changes of two steps."""
    written, looped = used(row, x), used(loop, x)
    for one, other in ((written, looped), (written["next"], looped["next"])):
        assert np.allclose(one["y"], other["y"], atol=2e-5)
        assert np.allclose(one["gradients"][1], other["gradients"][1], atol=2e-5)
        alike(one["gradients"][0], other["gradients"][0])
        alike(one["changed"], other["changed"])


@pytest.mark.parametrize("name", BODIES)
def test_a_loop_is_the_row_written_out(name: str) -> None:
    """In training too, where each layer draws numbers and takes statistics of its own: to the bit, chance included."""
    text, portable = BODIES[name], name in PORTABLE
    (row, written), (loop, looped) = made(text, WRITTEN_OUT), made(text, 2, portable)
    assert "for " in written.source.split("class N(")[1] and "in_turn(" not in written.source
    call = looped.source.split("class N(")[1]
    assert "in_turn(" in call or "again(" in call
    assert ("netc.kernels" in looped.source) == (not portable)
    assert written.variables.keys() == looped.variables.keys()
    alike(nnx.state(row), nnx.state(loop), atol=0)
    x = inputs(text)
    same(row, loop, x)
    row.eval()
    loop.eval()
    same(row, loop, x)
    # Closed over: nothing may be written.
    assert np.allclose(jax.jit(lambda x: loop(x))(x), row(x), atol=2e-5)


def test_slopes_along_directions_and_of_slopes_are_those_of_the_row() -> None:
    found = []
    for long in (WRITTEN_OUT, 2):
        model, _ = made(BODIES["dense"], long)
        graph, state = nnx.split(model)
        x = inputs(BODIES["dense"])

        def loss(state: Any, graph: Any = graph, x: jax.Array = x) -> jax.Array:
            return jnp.mean(nnx.merge(graph, state)(x) ** 2)

        def steepness(state: Any, loss: Any = loss) -> jax.Array:
            return sum((jnp.sum(g**2) for g in jax.tree.leaves(jax.grad(loss)(state))), jnp.zeros(()))

        found.append((jax.jvp(loss, (state,), (state,)), jax.grad(steepness)(state)))
    assert np.allclose(found[0][0], found[1][0], rtol=1e-5)
    alike(found[0][1], found[1][1])


@pytest.mark.parametrize("numbers", [jnp.bfloat16, jnp.float64], ids=["bf16", "float64"])
def test_a_loop_computes_in_the_numbers_of_its_weights(numbers: Any) -> None:
    outputs = []
    with jax.enable_x64(True):
        for long in (WRITTEN_OUT, 2):
            model, _ = made(BODIES["transformer"], long)
            nnx.update(model, cast(nnx.state(model), numbers))
            compute_in(model, numbers)
            outputs.append(model(inputs(BODIES["transformer"]).astype(numbers)))
    assert outputs[0].dtype == outputs[1].dtype == numbers
    exact = {jnp.bfloat16: 0.1, jnp.float64: 1e-12}[numbers]
    assert np.allclose(*(np.asarray(y, np.float64) for y in outputs), atol=exact)


def test_whole_numbers_that_flow_in_become_what_the_body_gives() -> None:
    (row, _), (loop, _) = made(BODIES["dense"], WRITTEN_OUT), made(BODIES["dense"], 2)
    x = jnp.arange(12).reshape(2, 6)
    assert np.allclose(row(x), loop(x), atol=1e-5)


def lines(flow: str, before: str = "") -> str:
    return emit(program_of(f"net N {{ input x: [8, 8, 4] {before} output y = x -> {flow} }}"), support()).source


def test_long_rows_are_loops_and_short_ones_are_not() -> None:
    assert "in_turn(self." in lines(f"repeat {LONG} {{ dense(4) -> relu }}")
    assert "in_turn" not in lines(f"repeat {LONG - 1} {{ dense(4) -> relu }}")
    assert f"again(self.s, {LONG}, x)" in lines(f"repeat {LONG} {{ s }}", "layer s = dense(4) ")


ROW = f"repeat {LONG} {{ dense(4) -> tanh }}"
WRITTEN = {
    "a layer from outside": (f"repeat {LONG} {{ dense(4) -> s }}", "layer s = dense(4)"),
    "a weight taken out": (f"row: {ROW} -> dense(4, kernel = row.3.dense1.kernel)", ""),
    "one constrained": (f"row: {ROW}", "constrain row.3.*.kernel: max_norm(0.1)"),
    "one frozen": (f"row: {ROW}", "constrain row.3: frozen"),
    "a table": (f"repeat {LONG} {{ conv(4, 1x1, connect = T) }}".replace("T", str(["XXXX"] * 4).replace("'", '"')), ""),
    "transposed convolution": (f"repeat {LONG} {{ conv_transpose(4, 1x1) }}", ""),
    "a kernel from outside": (f"repeat {LONG} {{ conv(4, 1x1, kernel = W) }}", "weight W: [1, 1, 4, 4]"),
}


@pytest.mark.parametrize("flow, before", WRITTEN.values(), ids=WRITTEN)
def test_rows_whose_layers_are_told_apart_or_would_be_slow_are_written_out(flow: str, before: str) -> None:
    assert "in_turn" not in lines(flow, before) and "again" not in lines(flow, before)


def test_names_numbers_and_trainings_are_those_of_the_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long row by netc's own ways: names and first numbers, and a step that constrains one of its weights."""
    text = f"""net N {{ input x: [4]  h = x -> row: repeat {LONG} {{ dense(4) -> tanh }}  output y = h -> dense(2)
      constrain row.*.kernel: max_norm(0.1) }}
      train N {{ data = arrays("none.npz")  loss = cross_entropy(y, label)  optimizer = adam(rate = 0.01)
      batch = 8  steps = 3  precision = bf16 }}"""
    random = np.random.default_rng(0)
    data = {"x": random.random((16, 4), np.float32), "label": random.integers(0, 2, 16).astype(np.int32)}
    found = []
    for long in (LONG, WRITTEN_OUT):
        monkeypatch.setattr("netc.compiler.emit", lambda *given, long=long, **how: emit(*given, **how, long=long))
        net = netc.compile(text)
        assert ("in_turn" in net.source()) == (long == LONG)
        model = netc.train(text, data=data, out=tmp_path / str(long)).model
        found.append(weights_of(model, type(model)._emitted))
    assert found[0].keys() == found[1].keys() and f"row.{LONG - 1}.dense1.kernel" in found[0]
    for name, weight in found[0].items():
        assert np.allclose(weight, found[1][name], atol=0.01), name
        assert not name.startswith("row.") or "kernel" not in name or np.linalg.norm(weight, axis=0).max() < 0.1001


def test_optimizers_that_look_at_whole_weights_see_those_of_a_row_one_by_one(tmp_path: Path) -> None:
    """`lamb` scales each weight's update by the norms of both; rates by selector take one of a row out."""
    text = f"""net N {{ input x: [4]  h = x -> row: repeat {LONG} {{ dense(4) -> tanh }}  output y = h -> dense(2) }}
      train N {{ data = arrays("none.npz")  loss = cross_entropy(y, label)  batch = 8  steps = 3
      optimizer = OPTIMIZER }}"""
    random = np.random.default_rng(0)
    data = {"x": random.random((16, 4), np.float32), "label": random.integers(0, 2, 16).astype(np.int32)}
    for optimizer in (
        "lamb(rate = 0.01)",
        "adam(rate = 0.01) adjust row.3.*: rate(0)",
        "adamw(rate = 0.1) decay = kernels",
    ):
        found = []
        for long in (LONG, WRITTEN_OUT):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("netc.compiler.emit", lambda *given, long=long, **how: emit(*given, **how, long=long))
                net = text.replace("OPTIMIZER", optimizer)
                model = netc.train(net, data=data, out=tmp_path / f"{optimizer[:5]}{long}").model
                found.append(weights_of(model, type(model)._emitted))
        for name, weight in found[0].items():
            assert np.allclose(weight, found[1][name], atol=1e-5), (optimizer, name)
