"""`precision = bf16`: nets run in bfloat16, and all that lasts or is measured stays float32."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from flax import nnx
from jax.extend.core import jaxprs_in_params
from layer_cases import CASES, Types, arrays, label, make, run, run_with_given, weights_of
from small_runs import blobs

import netc
from netc.compiler import check_text
from netc.layers.base import Layer
from netc.layers.orbits import Scale
from netc.layers.output import Rbf
from netc.layers.pool import Avgpool
from netc.model import build_module
from netc.recipes.fields import BF16
from netc.training.data.arrays import from_arrays
from netc.training.evaluation import Arrays, Functions
from netc.training.loop import Training, prepare_training
from netc.training.precision import cast, run_in
from netc.types import F32

SPECS = Path(__file__).parents[1] / "specs"
FLOATING = [case for case in CASES if case[1][0].element == F32]
WEIGHTED = [case for case in FLOATING if case[0].weights(case[1])]
PRODUCTS = ("dot_general", "conv_general_dilated")


class Alone(nnx.Module):
    """A net of one layer, in training."""

    def __init__(self, layer: Layer, inputs: Types) -> None:
        self.kind, self.inputs, self.inner = layer, inputs, make(layer, inputs)
        self.train()

    def __call__(self, *values: jax.Array) -> Any:
        made = run(self.kind, self.inputs, self.inner, list(values))
        several = isinstance(made, list | tuple)
        return jnp.concatenate([part.reshape(len(part), -1) for part in made], axis=-1) if several else made


@dataclass(frozen=True)
class Watched(Functions):
    """A recipe's functions that remember in what numbers the net's outputs came."""

    seen: list[Any] = field(default_factory=list)

    def run(self, model: Any, data: Arrays) -> dict[str, Any]:
        outputs = super().run(model, data)
        self.seen.extend(output.dtype for output in outputs.values())
        return outputs


def alone(layer: Layer, inputs: Types) -> tuple[Any, Any, Watched]:
    """The loss of a net of one layer and its gradients, its float32 weights, and who watched."""
    graph, params, rest = nnx.split(Alone(layer, inputs), nnx.Param, ...)
    data = {f"x{i}": value for i, value in enumerate(arrays(layer, inputs))}
    watched = Watched(lambda: None, lambda: None, lambda steps: None, tuple(data), ("y",), {})

    def loss(params: Any) -> Any:
        outputs, changed = run_in(BF16, watched, graph, params, rest, data)
        wave = jnp.cos(jnp.arange(outputs["y"].size).reshape(outputs["y"].shape))
        return jnp.sum(outputs["y"] * wave), (outputs["y"], changed)

    return jax.value_and_grad(loss, has_aux=True), params, watched


def equations(jaxpr: Any) -> Iterator[Any]:
    """All steps of a traced function and of those inside it."""
    for equation in jaxpr.eqns:
        yield equation
        for inner in jaxprs_in_params(equation.params):
            yield from equations(inner)


def wide(layer: Layer) -> bool:
    """Kinds that give float32 whatever they are given: their numbers are the net's answers, or counts of cells."""
    return isinstance(layer, Rbf) or (isinstance(layer, Avgpool) and (layer.pad != "valid" or layer.round == "up"))


@pytest.mark.parametrize(("layer", "inputs"), FLOATING, ids=label)
def test_every_layer_multiplies_in_bf16_forward_and_backward(layer: Layer, inputs: Types) -> None:
    loss, params, watched = alone(layer, inputs)
    traced, ((_, (output, changed)), gradients) = jax.make_jaxpr(loss, return_shape=True)(params)
    assert watched.seen == [jnp.float32 if wide(layer) else jnp.bfloat16]
    assert all(v.aval.dtype != jnp.float64 for e in equations(traced.jaxpr) for v in e.outvars)
    lasting = {leaf.dtype for leaf in jax.tree.leaves((output, changed, gradients))}
    assert {dtype for dtype in lasting if jnp.issubdtype(dtype, jnp.floating)} == {jnp.dtype(jnp.float32)}
    if not isinstance(getattr(layer, "orbit", None), Scale):  # The sizes of its kernel are made in float32.
        products = [e for e in equations(traced.jaxpr) if e.primitive.name in PRODUCTS]
        assert {v.aval.dtype for e in products for v in e.invars} <= {jnp.dtype(jnp.bfloat16)}
        assert bool(products) >= (layer.kind in ("dense", "conv", "local", "rnn", "gru", "lstm"))


@pytest.mark.parametrize(("layer", "inputs"), [c for c in WEIGHTED if c[0].kind != "batchnorm"], ids=label)
def test_weights_of_others_are_used_in_bf16_too(layer: Layer, inputs: Types) -> None:
    weights = weights_of(layer, inputs, make(layer, inputs))
    made = jax.eval_shape(
        lambda w, x: run_with_given(layer, inputs, w, x), *cast((weights, arrays(layer, inputs)), jnp.bfloat16)
    )
    assert made.dtype == jnp.bfloat16


def form(layer: Layer) -> tuple[object, ...]:
    """What makes one case of a kind unlike another, but for extents."""
    settings = {"orbit", "connect", "tile", "round"} & layer.given().keys()
    return type(layer), *(str(getattr(layer, name)) for name in sorted(settings))


def test_gradients_are_finite() -> None:
    """One program for each form of each kind, in training."""
    cases = list({form(layer): (layer, inputs) for layer, inputs in FLOATING if layer.weights(inputs)}.values())
    losses = [alone(*case) for case in cases]

    @jax.jit
    def every(params: Any) -> Any:
        return [loss(own) for (loss, _, _), own in zip(losses, params, strict=True)]

    for (layer, _), ((loss, _), gradients) in zip(cases, every([params for _, params, _ in losses]), strict=True):
        assert np.isfinite(loss) and all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients)), layer


NET = """
block step(n) = dense(n) -> tanh
net All {
  input x: [4]
  input image: [6, 6, 1]
  weight W: [8, 8] = normal(0.3)
  layer deeper = step(8)
  maps  = image -> conv(4, 3x3, orbit = rot4) -> batchnorm -> conv(4, 3x3, orbit = rot4) -> orbit_pool(mean)
    -> avgpool(2x2, stride = 1, pad = 1) -> conv(2, 2x2, tile = 2)
  h     = x -> dense(8, kernel = (W + W.T)[0:4]) -> batchnorm -> repeat 2 { deeper } -> reshape([2, 4])
    -> batchnorm -> lstm(4, last = true)
  output y = (h, maps -> subsample(2x2) -> global_avgpool) -> concat -> dense(3)
  constrain deeper: frozen
  constrain W: max_norm(1)
}
train All { data = arrays("x.npz")  loss = cross_entropy(y, label)  metric = accuracy(y, label)
  optimizer = adam(rate = 0.01)  batch = 16  epochs = 2 }
"""


def training(precision: str) -> Training:
    arrays = blobs()
    arrays["image"] = np.random.default_rng(1).normal(size=(len(arrays["x"]), 6, 6, 1)).astype("f")
    checked = check_text(NET, settings={"precision": precision})
    assert not checked.errors, [p.message() for p in checked.errors]
    program, recipe = checked.programs[0], checked.recipes[0]
    return prepare_training(build_module(program), program, recipe, from_arrays(arrays))


def test_steps_keep_everything_in_float32_and_go_where_those_in_float32_go() -> None:
    """Weights, Adam's state and running statistics; what is frozen stays to the bit."""
    low, exact = training("bf16"), training("f32")
    lowered = [one.step.lower(one.state, one.feed(0), one.order(0)).as_text() for one in (low, exact)]
    assert ["bf16" in text for text in lowered] == [True, False]
    dtypes = [leaf.dtype for leaf in low.state]
    first = jax.tree.unflatten(low.definition, [jnp.copy(leaf) for leaf in low.state])
    for number in range(4):
        low.state, loss = low.step(low.state, low.feed(number), low.order(number))
        exact.state, other = exact.step(exact.state, exact.feed(number), exact.order(number))
        assert loss.dtype == jnp.float32 and abs(float(loss) - float(other)) < 0.03
    assert [leaf.dtype for leaf in low.state] == dtypes == [leaf.dtype for leaf in exact.state]
    (params, rest, _, _), (others, state, _, _) = (
        jax.tree.unflatten(one.definition, one.state) for one in (low, exact)
    )
    frozen = [nnx.split_state(each, nnx.Param, nnx.BatchStat, ...)[:2] for each in (first[1], rest, state)]
    for a, b in zip(jax.tree.leaves(frozen[0][0]), jax.tree.leaves(frozen[1][0]), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(jax.tree.leaves(frozen[1][1]), jax.tree.leaves(frozen[2][1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=0.05, atol=0.05)
    for a, b in zip(jax.tree.leaves(params), jax.tree.leaves(others), strict=True):
        np.testing.assert_allclose(a, b, atol=0.1)
    assert float(jnp.linalg.norm(params["W"][...], axis=0).max()) <= 1 + 1e-6


def test_digits_are_learnt_as_well_and_measured_in_float32(tmp_path: Path) -> None:
    runs = {
        name: netc.train(SPECS / "digits.net", out=tmp_path / name, set={"epochs": 3, "precision": name})
        for name in ("f32", "bf16")
    }
    accuracy = {name: run.test["accuracy"] for name, run in runs.items()}
    assert accuracy["bf16"] > 0.9 and abs(accuracy["bf16"] - accuracy["f32"]) < 0.02
    assert runs["bf16"].test["loss"] != runs["f32"].test["loss"]
    assert yaml.safe_load((tmp_path / "bf16" / "run.yaml").read_text())["train"]["precision"] == "bf16"
    assert yaml.safe_load((tmp_path / "f32" / "run.yaml").read_text())["train"]["precision"] == "f32"
    assert netc.evaluate(tmp_path / "bf16") == pytest.approx(runs["bf16"].test, rel=1e-6)
    again = netc.load(tmp_path / "bf16").predict(np.zeros((2, 8, 8, 1)))
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, runs["bf16"].model.predict(np.zeros((2, 8, 8, 1))))
