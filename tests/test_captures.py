"""Rows of layers, captures, and what one Flax layer can be used for: emitted nets compute what the text says."""

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

import netc
from netc.compiler import check_text, flax_source
from netc.ir.counts import count
from netc.model import weights_of


@pytest.mark.parametrize("body", ["dense(4)", "dense(4) -> relu", "dense(8)"])
def test_a_row_of_layers_checks_and_runs(body: str) -> None:
    net = netc.compile(f"net A {{ input x: [4]  output y = x -> repeat 3 {{ {body} }} }}")
    model = net.init()
    assert count(net.program).params == sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert model.predict(jnp.ones((2, 4))).shape == (2, *net.program.root.types["y"].shape)


def test_a_row_has_its_measures() -> None:
    text = "net A { input x: [4]  output y = x -> body: repeat 3 { dense(4) }  assert body.params == 60 }"
    assert check_text(text).problems == ()


LAYER_ONE_LEVEL_DOWN = """
block own(l) { input x  output (x -> l) -> tower: dense(4) }
net A { input x: [4]  layer tower = dense(4)  a = x -> tower  output y = a -> own(tower) }
"""
LAYER_TWO_LEVELS_DOWN = """
block outer(l) { input tower  output tower -> repeat 2 { dense(4) -> l } }
net A { input x: [4]  layer tower = dense(4)  a = x -> tower  output y = a -> outer(tower) }
"""
WEIGHT = """
block f(w) { input h  output h @ w }
net A { input x: [4]  weight h: [4, 4]  output y = x -> f(h) }
"""


@pytest.mark.parametrize("text", [LAYER_ONE_LEVEL_DOWN, LAYER_TWO_LEVELS_DOWN, WEIGHT], ids=["one", "two", "weight"])
def test_captures_and_names_of_a_block_do_not_meet(text: str) -> None:
    """The layer or weight from outside has the name of a value or layer of the block, and is another thing."""
    net = netc.compile(text)
    model = net.init()
    weights = weights_of(model, flax_source(net.program))
    x = jnp.asarray([[1.0, -2.0, 3.0, 0.5]])

    def dense(name: str, x: jax.Array) -> jax.Array:
        return x @ weights[f"{name}.kernel"] + weights[f"{name}.bias"]

    if "h" in weights:
        expected = x @ weights["h"]
    elif "y.own1.tower.kernel" in weights:
        expected = dense("y.own1.tower", dense("tower", dense("tower", x)))
    else:
        expected = dense("tower", x)
        for i in range(2):
            expected = dense("tower", dense(f"y.outer1.repeat1.{i}.dense1", expected))
    assert jnp.allclose(model.predict(x), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "net A { input x: [4, 4]  input z: [2, 2]  layer f = flatten  output y = (x -> f, z -> f) -> concat }",
            "`f` was made for [4, 4], and is given [2, 2]",
        ),
        (
            "net A { input x: [4]  weight W: [4] = 1  output y = x -> batchnorm(scale = W) }",
            "`batchnorm` has no argument `scale`",
        ),
    ],
)
def test_what_flax_could_not_do_is_refused(text: str, message: str) -> None:
    """Emitted layers are made for one shape where they name it, and some have no form for weights of others."""
    assert [p.message() for p in check_text(text).problems] == [message]
