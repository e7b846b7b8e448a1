"""The IR's laws and forms: text and YAML load back equal, and broken programs are refused in words."""

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

import netc
from netc.compiler import check_text
from netc.ir.counts import count


@pytest.mark.parametrize("body", ["dense(4)", "dense(4) -> relu", "dense(8)"])
def test_a_row_of_layers_checks_and_runs(body: str) -> None:
    net = netc.compile(f"net A {{ input x: [4]  output y = x -> repeat 3 {{ {body} }} }}")
    model = net.init()
    assert count(net.program).params == sum(leaf.size for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert model.predict(jnp.ones((2, 4))).shape == (2, *net.program.root.types["y"].shape)


def test_a_row_has_its_measures() -> None:
    text = "net A { input x: [4]  output y = x -> body: repeat 3 { dense(4) }  assert body.params == 60 }"
    assert check_text(text).problems == ()
