"""`over_time { step }`: one set of weights at every step in time, through every form of a program."""

import json
from collections.abc import Mapping

import interpreter
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from jax import Array

import netc
from netc.compiler import check_text, flax_source
from netc.ir.counts import count, layer_rows
from netc.ir.data import from_data, to_data
from netc.ir.dot import dot
from netc.ir.network import Program
from netc.ir.read import parse_program
from netc.ir.sharing import weight_rows
from netc.ir.text import print_program
from netc.model import weights_of

NETS = {
    "named layer": """net N { input x: [5, 8]  layer step = dense(6) -> tanh
        output y = x -> over_time { step } }""",
    "named layer, in time and out of it": """net N { input x: [5, 8]  input z: [8]  layer step = dense(6)
        output y = x -> over_time { step -> relu }  output w = z -> step }""",
    "block with labels": """block cell(n) = first: dense(n) -> relu -> dropout(0.2) -> second: dense(n)
        net N { input x: [5, 8]  output y = x -> steps: over_time { cell(4) } -> flatten -> dense(2) }""",
    "images": """net N { input film: [3, 6, 6, 2]
        output y = film -> over_time { conv(4, 3x3) -> batchnorm -> relu -> global_avgpool }
            -> lstm(5, last = true) }""",
    "several values in and out": """block both { input a  input b  output a + b -> dense(3)  output a * b }
        net N { input x: [5, 4]  input z: [5, 4]
        p, q = (x, z) -> over_time { both }  output y = (p, q) -> concat }""",
    "loop in loop": """net N { input x: [2, 3, 4]
        output y = x -> over_time { over_time { dense(4) -> tanh } -> repeat 2 { dense(4) } } }""",
    "a weight from outside": """net N { input x: [5, 4]  weight W: [4, 4] = glorot
        output y = x * 2 -> over_time { dense(4, kernel = W.T) } }""",
    "two lengths": """net N { input x: [5, 4]  input z: [3, 4]  layer steps = over_time { dense(2) -> relu }
        output y = x -> steps  output w = z -> steps }""",
    "a fork": "net N { input x: [5, 4]  output y = x -> over_time { [identity, dense(2)] } -> concat }",
    "numbers": "net N { input x: [5]  output y = x + 1 -> over_time { tanh } }",
}


def program_of(text: str) -> Program:
    checked = check_text(text)
    assert checked.problems == ()
    return checked.programs[-1]


@pytest.mark.parametrize("name", NETS)
def test_forms_load_back(name: str) -> None:
    program = program_of(NETS[name])
    assert "over_time" in print_program(program)
    assert parse_program(print_program(program)) == program
    assert from_data(json.loads(json.dumps(to_data(program)))) == program
    assert "at each step in time" in dot(program)
    rows = layer_rows(program)
    total = count(program)
    assert sum(row.count.flops for row in rows) == total.flops
    assert sum(row.count.connections for row in rows) == total.connections
    assert sum(row.count.memory for row in rows) == total.memory


@pytest.mark.parametrize("name", NETS)
def test_emitted_net_computes_step_by_step(name: str) -> None:
    """The interpreter runs the body for each step in turn; the emitted module for all of them at once."""
    net = netc.compile(NETS[name])
    model = net.init(seed=1)
    weights = {n: np.asarray(w, np.float64) for n, w in weights_of(model, flax_source(net.program)).items()}
    assert count(net.program).params == sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
    rng, root = np.random.default_rng(0), net.program.root
    inputs = [rng.normal(size=(4, *root.types[v].shape)) for v in root.inputs]
    wanted = interpreter.run(net.program, weights, inputs)
    made = model.predict(*(jnp.asarray(x, jnp.float32) for x in inputs))
    for a, b in zip(jax.tree.leaves(made), wanted, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_portable_source_runs_without_netc() -> None:
    program = program_of(NETS["images"])
    emitted = flax_source(program, portable=True)
    assert "netc." not in emitted.source.replace("by netc.", "")
    names: dict = {}
    exec(compile(emitted.source, "<portable>", "exec"), names)
    assert names[emitted.class_name](nnx.Rngs(0))(jnp.ones((2, 3, 6, 6, 2))).shape == (2, 5)


def test_counts_are_those_of_each_step_times_the_steps() -> None:
    text = """net N { input x: [7, 6, 6, 1]  layer step = conv(4, 3x3) -> relu -> flatten -> dense(2)
        output y = x -> over_time { step -> tanh } 
        assert params == 40 + 130 and step.params == 170
        assert connections == 7 * (16 * 4 * 10 + 130) and flops == 7 * (16 * 4 * 19 + 64 + 2 * 128 + 2 + 2) }"""
    program = program_of(text)
    rows = {row.path: row for row in layer_rows(program)}
    assert [str(t) for t in rows["step.conv1"].outputs] == ["[7, 4, 4, 4]"]
    assert rows["step.conv1"].count.memory == 4 * 7 * 64
    assert rows["step.conv1"].count.params == 40


def test_a_weight_is_used_once_for_each_step() -> None:
    (kernel, _) = weight_rows(program_of(NETS["named layer, in time and out of it"]))
    assert [(use.layer, use.times) for use in kernel.uses] == [("step", 5), ("step", 1)]


def test_measures_of_the_loop_and_of_what_runs_in_it() -> None:
    text = """net N { input x: [5, 8]  output y = x -> steps: over_time { one: dense(4) -> relu }
        assert steps.params == 36 and steps.connections == 5 * 36 and steps.flops == 5 * (2 * 32 + 4 + 4)
        assert steps.one.kernel.shape == [8, 4] and y.shape == [5, 4] and y.time == 5 }"""
    assert check_text(text).problems == ()


def by_hand(weights: Mapping[str, Array], x: Array) -> Array:
    """`named layer` with each use written out."""
    steps = [jnp.tanh(x[:, t] @ weights["kernel"] + weights["bias"]) for t in range(x.shape[1])]
    return jnp.stack(steps, axis=1)


def test_the_gradient_is_the_sum_over_the_steps() -> None:
    model = netc.compile(NETS["named layer"]).init(seed=1)
    rng = np.random.default_rng(0)
    x, aim = (jnp.asarray(rng.normal(size=(3, 5, n)), jnp.float32) for n in (8, 6))
    graph, params, rest = nnx.split(model, nnx.Param, ...)
    gradient = jax.grad(lambda p: jnp.sum((nnx.merge(graph, p, rest)(x) - aim) ** 2))(params)
    weights = {name: leaf for (*_, name), leaf in nnx.to_flat_state(params)}
    arrays = {str(name): leaf[...] for name, leaf in weights.items()}
    ours = {str(path[-1]): leaf[...] for path, leaf in nnx.to_flat_state(gradient)}

    def of_step(t: int) -> dict[str, Array]:
        return jax.grad(lambda w: jnp.sum((by_hand(w, x)[:, t] - aim[:, t]) ** 2))(arrays)

    parts = [of_step(t) for t in range(5)]
    for name, found in ours.items():
        np.testing.assert_allclose(found, sum(part[name] for part in parts), rtol=1e-4, atol=1e-5)
        assert all(jnp.abs(part[name]).max() > 1e-3 for part in parts)


def test_batchnorm_takes_its_statistics_over_batch_and_time() -> None:
    model = netc.compile("net N { input x: [5, 3]  output y = x -> over_time { batchnorm } }").init()
    model.train()
    x = jnp.asarray(np.random.default_rng(0).normal(3, 2, size=(4, 5, 3)), jnp.float32)
    wanted = (x - x.mean((0, 1))) / jnp.sqrt(x.var((0, 1)) + 1e-5)
    np.testing.assert_allclose(model(x), wanted, rtol=1e-4, atol=1e-4)


def test_dropout_drops_other_numbers_at_each_step() -> None:
    model = netc.compile("net N { input x: [5, 200]  output y = x -> over_time { dropout(0.5) } }").init()
    model.train()
    dropped = np.asarray(model(jnp.ones((1, 5, 200)))[0]) == 0
    assert 0.3 < dropped.mean() < 0.7
    assert len({tuple(step) for step in dropped}) == 5
