"""The nets of three specs as one writes them in Flax by hand, and a training step for them.

Layers are made in the order of the specs, so that equal seeds give equal weights and equal dropout.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import optax
from flax import nnx
from jax import Array, lax

he = nnx.initializers.he_normal()


class MLP(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.hidden1 = nnx.Linear(784, 256, kernel_init=he, rngs=rngs)
        self.hidden2 = nnx.Linear(256, 128, kernel_init=he, rngs=rngs)
        self.out = nnx.Linear(128, 10, rngs=rngs)

    def __call__(self, image: Array) -> Array:
        h = image.reshape(image.shape[0], -1)
        return self.out(nnx.relu(self.hidden2(nnx.relu(self.hidden1(h)))))


class Digits(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(1, 32, (3, 3), kernel_init=he, rngs=rngs)
        self.conv2 = nnx.Conv(32, 32, (3, 3), kernel_init=he, rngs=rngs)
        self.hidden = nnx.Linear(512, 128, kernel_init=he, rngs=rngs)
        self.dropout = nnx.Dropout(0.3, rngs=rngs)
        self.classes = nnx.Linear(128, 10, rngs=rngs)

    def __call__(self, image: Array) -> Array:
        h = nnx.relu(self.conv1(image))
        h = nnx.max_pool(nnx.relu(self.conv2(h)), (2, 2), strides=(2, 2))
        h = nnx.relu(self.hidden(h.reshape(h.shape[0], -1)))
        return self.classes(self.dropout(h))


class LeNet5Modern(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.conv1 = nnx.Conv(1, 6, (5, 5), kernel_init=he, rngs=rngs)
        self.conv2 = nnx.Conv(6, 16, (5, 5), padding="VALID", kernel_init=he, rngs=rngs)
        self.dense1 = nnx.Linear(400, 120, kernel_init=he, rngs=rngs)
        self.dense2 = nnx.Linear(120, 84, kernel_init=he, rngs=rngs)
        self.dense3 = nnx.Linear(84, 10, kernel_init=he, rngs=rngs)

    def __call__(self, image: Array) -> Array:
        h = nnx.max_pool(nnx.relu(self.conv1(image)), (2, 2), strides=(2, 2))
        h = nnx.max_pool(nnx.relu(self.conv2(h)), (2, 2), strides=(2, 2))
        h = nnx.relu(self.dense1(h.reshape(h.shape[0], -1)))
        return self.dense3(nnx.relu(self.dense2(h)))


def make_step(graph: Any, optimizer: optax.GradientTransformation, batch: int) -> Callable[..., Any]:
    """A jitted step on donated weights that takes its batch from arrays on the device."""

    @partial(jax.jit, donate_argnums=(0, 1, 2))
    def step(params: Any, rest: Any, opt_state: Any, train: Any, order: Array, i: int) -> Any:
        chosen = lax.dynamic_slice_in_dim(order, i * batch, batch)
        images, labels = train["image"][chosen], train["label"][chosen]

        def mean_loss(params: Any) -> Any:
            model = nnx.merge(graph, params, rest, copy=True)
            losses = optax.softmax_cross_entropy_with_integer_labels(model(images), labels)
            return losses.mean(), nnx.state(model, nnx.Not(nnx.Param))

        (loss, rest), gradients = jax.value_and_grad(mean_loss, has_aux=True)(params)
        updates, opt_state = optimizer.update(gradients, opt_state, params)
        return optax.apply_updates(params, updates), rest, opt_state, loss

    return step
