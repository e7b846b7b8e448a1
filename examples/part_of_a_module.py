"""Use a compiled net as a layer of one's own Flax module, and train it with a loss and a loop of one's own.

The encoder is a .net text; head, loss and loop are plain Flax and Optax. The loss pulls a point's noisy copies
together while the head tells the classes apart, which no recipe of a .net file says.

    python examples/part_of_a_module.py
"""

import jax
import jax.numpy as jnp
import optax
from flax import nnx

import netc

ENCODER = netc.compile("""
net Encoder(width = 16) {
  input x: [8]
  layer body = dense(width, init = he) -> relu -> dense(width, init = he)
  output code = x -> dense(width) -> [identity, body] -> add -> relu
}
""")


class Classifier(nnx.Module):
    def __init__(self, classes: int, rngs: nnx.Rngs):
        self.encoder = ENCODER.init(seed=0)
        self.head = nnx.Linear(16, classes, rngs=rngs)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        code = self.encoder(x)
        return code, self.head(code)


def loss(model: Classifier, x: jax.Array, noisy: jax.Array, label: jax.Array) -> jax.Array:
    code, scores = model(x)
    other, _ = model(noisy)
    right = optax.softmax_cross_entropy_with_integer_labels(scores, label).mean()
    return right + 0.1 * jnp.square(code - other).mean()


@nnx.jit
def step(model: Classifier, optimizer: nnx.Optimizer, x: jax.Array, noisy: jax.Array, label: jax.Array) -> jax.Array:
    value, gradients = nnx.value_and_grad(loss)(model, x, noisy, label)
    optimizer.update(model, gradients)
    return value


def main() -> tuple[float, float]:
    key = jax.random.key(0)
    centres = 2 * jax.random.normal(key, (4, 8))
    label = jnp.arange(256) % 4
    model = Classifier(4, nnx.Rngs(1))
    optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)
    losses = []
    for i in range(60):
        first, second = jax.random.split(jax.random.fold_in(key, i))
        x = centres[label] + jax.random.normal(first, (256, 8))
        losses.append(step(model, optimizer, x, x + 0.3 * jax.random.normal(second, x.shape), label))
    print(f"the loss falls from {losses[0]:.3f} to {losses[-1]:.3f}")
    return float(losses[0]), float(losses[-1])


if __name__ == "__main__":
    main()
