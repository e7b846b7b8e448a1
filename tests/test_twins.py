"""Every shipped spec equals a twin written by hand in plain `jax.numpy` from equal weights: outputs, loss, gradients.
(For large ones shipped.py names an implementation by others instead.)

Twins, in `twins/` by families, know netc's weights by their canonical names and nothing else of it: convolutions are
sums over shifted images, losses the formulas of their papers. Gradients are those of the recipe's own loss, averaged
over a batch; of the twin's for a net without a recipe.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import module_runs
import numpy as np
import pytest
from flax import nnx
from jax import Array
from shipped import SMALL, SMALLER
from twins.images import blocks, digit_strings, digits, lenet5, lenet5_modern, mnist_best, siamese, tiled_digits
from twins.layered import autoencoder, constrained_mlp, logistic, mlp, mnist_autoencoder, tied_autoencoder
from twins.losses import bernoulli, contrastive, cross_entropy, ctc, first_class, next_token, rbf_map, squared_error
from twins.orbits import orbit_digits, scale_digits
from twins.parts import Data, Weights
from twins.sequences import lines_lstm, tied_gpt, transformer, universal_transformer, word_lstm
from twins.vision import alexnet, cifar10_full, cifar10_quick, lenet_caffe, unet

import netc
from netc.compiler import flax_source
from netc.emit.recipe import emit_recipe
from netc.ir.network import Program, Weight
from netc.layers.digit_codes import DIGIT_CODES
from netc.model import run_source, set_weights, weights_of
from netc.types import Type

SPECS = Path(__file__).parents[1] / "specs"
BATCH = 6


@dataclass(frozen=True)
class Twin:
    """A spec by hand: its outputs, its loss for each example, the weights that this loss does not depend on, and the
    sizes that it is compared at, where they are not the spec's own. `exact` ones are compared on two examples in
    float64: over so many positions and pools, rounding would choose another path through a relu somewhere. `labels`
    are the batch's."""

    spec: str
    run: Callable[[Weights, Data], tuple[Array, ...]]
    loss: Callable[[tuple[Array, ...], Data], Array]
    idle: tuple[str, ...] = ()
    sizes: tuple[tuple[str, int | str], ...] = ()
    exact: bool = False
    labels: tuple[int | tuple[int, ...], ...] = (3, 3, 8, 0, 9, 1)


STRINGS = ((3, 3, 8, 10, 10), (0, 9, 1, 1, 10), (7, 2, 5, 4, 6), (1, 2, 3, 10, 10), (9, 9, 9, 9, 9), (4, 0, 4, 0, 10))
"""Labels for `ctc`, filled up with its blank."""
TWINS = (
    Twin("lenet5", lenet5, rbf_map),
    Twin("lenet5_modern", lenet5_modern, cross_entropy),
    Twin("mnist_best", mnist_best, cross_entropy, (), (("maps", 8),)),
    Twin("lenet_caffe", lenet_caffe, cross_entropy),
    Twin("cifar10_quick", cifar10_quick, cross_entropy),
    Twin("cifar10_full", cifar10_full, cross_entropy),
    Twin("alexnet", alexnet, cross_entropy, (), (("hidden", 8), ("classes", 10)), exact=True),
    Twin("unet", unet, first_class, (), (("maps", 2), ("size", 188)), exact=True),
    Twin("word_lstm", word_lstm, next_token, (), (("vocab", 50), ("width", 8))),
    Twin("digits", digits, cross_entropy),
    Twin("mlp", mlp, cross_entropy),
    Twin("tiled_digits", tiled_digits, cross_entropy),
    Twin("blocks", blocks, cross_entropy),
    Twin("lines_lstm", lines_lstm, cross_entropy),
    Twin("constrained_mlp", constrained_mlp, cross_entropy),
    Twin("scale_digits", scale_digits, cross_entropy),
    Twin("orbit_digits", orbit_digits, cross_entropy),
    # What is added to all scores of a query is lost in their softmax: biases of keys do nothing.
    Twin(
        "tied_gpt",
        tied_gpt,
        next_token,
        ("layers.0.attend.attention1.key_bias", "layers.1.attend.attention1.key_bias"),
        (("context", 12), ("width", 32), ("depth", 2), ("data", 'text("text/sonnets.txt", context = 12)')),
    ),
    Twin("transformer", transformer, next_token, (), (("length", 5), ("width", 32))),
    Twin(
        "universal_transformer",
        universal_transformer,
        cross_entropy,
        ("step.attend.attention1.key_bias",),
        (("width", 32), ("steps", 3)),
    ),
    Twin("logistic", logistic, bernoulli, labels=(0, 1, 0, 1, 0, 1)),
    Twin("digit_strings", digit_strings, ctc, labels=STRINGS),
    Twin("autoencoder", autoencoder, squared_error),
    Twin("mnist_autoencoder", mnist_autoencoder, squared_error),
    Twin("tied_autoencoder", tied_autoencoder, squared_error),
    # The loss sees the difference of the outputs alone, from which biases that no relu follows cancel.
    Twin("siamese", siamese, contrastive, ("tower.ip2.bias", "tower.feat.bias")),
)
BY_SPEC = {twin.spec: twin for twin in TWINS}


@dataclass
class Pair:
    """A spec's model, in evaluation mode, and its twin, with data for both."""

    net: netc.CompiledNet
    model: nnx.Module
    twin: Twin
    data: Data

    def weights(self, model: nnx.Module) -> dict[str, Array]:
        """Weights, or gradients in their place, by canonical names."""
        return {name: jnp.asarray(a) for name, a in weights_of(model, flax_source(self.net.program)).items()}

    def ours(self, model: Any) -> tuple[Array, ...]:
        made = model(*(self.data[field] for _, field in feeds(self.net)))
        return made if isinstance(made, tuple) else (made,)

    def our_loss(self, outputs: tuple[Array, ...]) -> Array:
        if not self.net.recipes:
            return self.twin.loss(outputs, self.data).mean()
        names = (name for name, _ in self.net.program.root.outputs)
        loss = run_source(emit_recipe(self.net.recipes[0]), "recipe")["loss"]
        return loss(dict(zip(names, outputs, strict=True)), self.data).mean()

    def our_gradients(self) -> tuple[Array, tuple[Array, ...], dict[str, Array]]:
        """The loss, the outputs, and the gradient of each weight."""
        graph, params, rest = nnx.split(self.model, nnx.Param, ...)

        def loss(params: nnx.State) -> tuple[Array, tuple[Array, ...]]:
            outputs = self.ours(nnx.merge(graph, params, rest))
            return self.our_loss(outputs), outputs

        (total, outputs), state = jax.jit(jax.value_and_grad(loss, has_aux=True))(params)
        return total, outputs, self.weights(nnx.merge(graph, state, rest))

    def their_gradients(self) -> tuple[Array, tuple[Array, ...], dict[str, Array]]:
        """The same of the twin."""

        def loss(weights: Weights) -> tuple[Array, tuple[Array, ...]]:
            outputs = self.twin.run(weights, self.data)
            return self.twin.loss(outputs, self.data).mean(), outputs

        (total, outputs), gradients = jax.jit(jax.value_and_grad(loss, has_aux=True))(self.weights(self.model))
        return total, outputs, gradients

    def check(self) -> dict[str, Array]:
        """Compares outputs, loss and the gradients of what is trained; gives the gradients."""
        loss, outputs, gradients = self.our_gradients()
        other_loss, other_outputs, others = self.their_gradients()
        for a, b in zip(outputs, other_outputs, strict=True):
            assert a.shape == b.shape
            assert_close("output", a, b)
        assert_close("loss", loss, other_loss)
        assert gradients.keys() == others.keys()
        trained = [name for name, weight in self.net.program.weights() if weight.trainable]
        for name in trained:
            assert_close(f"gradient of {name}", gradients[name], others[name])
        return {name: gradients[name] for name in trained}


def assert_close(what: str, ours: Any, theirs: Any) -> None:
    """Equal but for float32's rounding in sums of another order."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    scale = max(float(np.abs(theirs).max()), 0.01)
    assert np.allclose(ours, theirs, rtol=1e-3, atol=2e-5 * scale), f"{what}: {np.abs(ours - theirs).max()} of {scale}"


def feeds(net: netc.CompiledNet) -> tuple[tuple[str, str], ...]:
    """The field of the data for each input of a net."""
    return net.recipes[0].feeds if net.recipes else tuple((name, name) for name in net.program.root.inputs)


def make_pair(twin: Twin) -> Pair:
    net = netc.compile(SPECS / f"{twin.spec}.net", set=dict(twin.sizes))
    model, emitted = module_runs.module(net.program)
    rng, root = np.random.default_rng(0), net.program.root
    set_weights(model, emitted, random_weights(net.program, rng))
    data: dict[str, Array] = {field: random_values(root.types[name], rng) for name, field in feeds(net)}
    data["label"] = jnp.array(twin.labels)
    data["same"] = jnp.arange(BATCH) % 2 * 1.0
    texts = [data[field] for field in ("text", "target", "words") if field in data]
    data["next"] = jnp.roll([*texts, data["label"]][0], -1, axis=-1)
    if twin.exact:
        nnx.update(model, jax.tree.map(in_float64, nnx.state(model, nnx.Param)))
        data = {field: in_float64(values[:2]) for field, values in data.items()}
    return Pair(net, model, twin, data)


def in_float64(numbers: Array) -> Array:
    return numbers.astype(jnp.float64) if jnp.issubdtype(numbers.dtype, jnp.floating) else numbers


def random_weights(program: Program, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """As large as those that weights start with, and larger where those would fade in a net of smaller sizes: kernels
    by their fan-in, biases that are not all the same, scales and variances around 1."""

    def numbers(weight: Weight) -> np.ndarray:
        spread = (2 / np.prod(weight.shape[:-1])) ** 0.5 if len(weight.shape) > 1 else 0.1
        start = 1 if weight.shape and weight.name in ("scale", "var", "coefficient") else 0
        return (start + rng.normal(0, spread, weight.shape)).astype(np.float32)

    return {name: numbers(weight) for name, weight in program.weights()}


def random_values(type_: Type, rng: np.random.Generator) -> Array:
    """A batch of an input's type."""
    shape = (BATCH, *type_.shape)
    return jnp.asarray(rng.integers(0, type_.element.size, shape) if type_.element.size else rng.random(shape, "f"))


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.spec)
def test_a_spec_equals_its_twin(twin: Twin) -> None:
    with jax.enable_x64(twin.exact):
        gradients = make_pair(twin).check()
        idle = [name for name, gradient in gradients.items() if jnp.abs(gradient).max() < 1e-6]
    assert tuple(idle) == twin.idle


def test_every_spec_has_a_twin() -> None:
    assert {twin.spec for twin in TWINS} == {path.stem for path in SMALL} | set(SMALLER)


def test_lenet5_equals_its_twin_where_classes_compete() -> None:
    """Fresh weights are far from every code, and there equation 9's second term is the constant j. Near the code of
    the digit 3 it is not: exp(-y) of that class then outweighs exp(-j), and pushes away whatever is no 3."""
    pair = make_pair(BY_SPEC["lenet5"])
    weights = {name: np.asarray(a) for name, a in pair.weights(pair.model).items()}
    weights["F6.kernel"] = 0.02 * weights["F6.kernel"]
    weights["F6.bias"] = 0.95 * np.array(DIGIT_CODES[3], np.float32)
    set_weights(pair.model, flax_source(pair.net.program), weights)
    distances = pair.ours(pair.model)[0]
    assert (distances.argmin(axis=-1) == 3).all() and (jnp.exp(-distances[:, 3]) > jnp.exp(-1.0)).all()
    pair.check()


def test_a_tower_s_weights_are_shared() -> None:
    """The gradient of a shared weight is the sum over its uses: each branch alone gives a part of it."""
    pair = make_pair(BY_SPEC["siamese"])
    whole = pair.check()
    weights = pair.weights(pair.model)

    def loss(left: Weights, right: Weights) -> Array:
        outputs = siamese(left, pair.data)[0], siamese(right, pair.data)[1]
        return contrastive(outputs, pair.data).mean()

    by_left, by_right = jax.jit(jax.grad(loss, argnums=(0, 1)))(weights, weights)
    for name, gradient in whole.items():
        assert_close(name, gradient, by_left[name] + by_right[name])
        assert jnp.abs(by_left[name]).max() > 1e-6 and jnp.abs(by_right[name]).max() > 1e-6
