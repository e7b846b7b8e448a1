"""Emitted source computes what the text says, however its expressions nest."""

import jax.numpy as jnp
import pytest

import netc


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        ("(x + x) -> reshape([2, 2])", 2.0),
        ("((x, x) -> add) * 2", 4.0),
        ("(x, x * 2) -> mul", 2.0),
        ("2 * (x - 3)", -4.0),
    ],
)
def test_nested_arithmetic_keeps_its_parentheses(flow: str, expected: float) -> None:
    model = netc.compile(f"net N {{ input x: [4]  output y = {flow} }}").init()
    assert (model.predict(jnp.ones((2, 4))) == expected).all()
