"""Train five nets from five seeds at once: `jax.vmap` over the weights of a compiled net.

`nnx.split` takes a module apart into its structure and its weights. The weights of five are stacked, and one step
for one net, under `jax.vmap`, is a step for all.

    python examples/ensemble.py
"""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

import netc

NET = netc.compile("""
net Ring {
  input point: [2]
  output inside: [2] = point -> dense(16, init = he) -> tanh -> dense(2)
}
""")
SEEDS = 5


def stacked(seeds: int) -> tuple[Any, Any]:
    """The structure that all share, and their weights with an axis for the seeds."""
    parts = [nnx.split(NET.init(seed)) for seed in range(seeds)]
    return parts[0][0], jax.tree.map(lambda *weights: jnp.stack(weights), *(state for _, state in parts))


def main() -> tuple[float, float]:
    structure, weights = stacked(SEEDS)
    optimizer = optax.adam(0.03)

    def loss(weights: Any, points: jax.Array, label: jax.Array) -> jax.Array:
        scores = nnx.merge(structure, weights)(points)
        return optax.softmax_cross_entropy_with_integer_labels(scores, label).mean()

    def step(weights: Any, state: Any, points: jax.Array, label: jax.Array) -> tuple[Any, Any]:
        updates, state = optimizer.update(jax.grad(loss)(weights, points, label), state)
        return optax.apply_updates(weights, updates), state

    steps = jax.jit(jax.vmap(step, in_axes=(0, 0, None, None)))
    points = jax.random.normal(jax.random.key(1), (1200, 2))
    label = (jnp.linalg.norm(points, axis=1) < 1).astype(jnp.int32)
    state = jax.vmap(optimizer.init)(weights)
    for _ in range(150):
        weights, state = steps(weights, state, points[:1000], label[:1000])

    scores = jax.vmap(lambda weights: nnx.merge(structure, weights)(points[1000:]))(weights)
    each = (scores.argmax(axis=-1) == label[1000:]).mean(axis=1)
    together = (scores.mean(axis=0).argmax(axis=-1) == label[1000:]).mean()
    print(f"alone they are right on {', '.join(f'{share:.1%}' for share in each)}; together on {together:.1%}")
    return float(each.min()), float(together)


if __name__ == "__main__":
    main()
