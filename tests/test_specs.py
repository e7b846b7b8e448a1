"""Every shipped spec compiles, keeps its published counts, and its emitted module agrees with the checker."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

import netc
from netc.compiler import check_file, flax_source
from netc.ir.counts import count
from netc.ir.verify import verify

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.net"))
PUBLISHED = {"lenet5": 60_000, "lenet5_modern": 61_706, "siamese": 431_102, "tied_autoencoder": 1_420_814}


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_spec_checks_and_runs(spec: Path) -> None:
    checked = check_file(str(spec))
    assert checked.problems == ()
    assert len(checked.recipes) == 1
    program = checked.programs[-1]
    verify(program)
    model = netc.compile(spec).init(seed=1)
    assert count(program).params == sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert count(program).params == PUBLISHED.get(spec.stem, count(program).params)
    inputs = [jnp.ones((2, *program.root.types[name].shape)) for name in program.root.inputs]
    outputs = model.predict(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert [o.shape[1:] for o in outputs] == [program.root.types[v].shape for _, v in program.root.outputs]


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_portable_source_equals_the_other(spec: Path) -> None:
    program = netc.compile(spec).program
    results = []
    for portable in (False, True):
        emitted = flax_source(program, portable)
        assert not portable or "netc." not in emitted.source.replace("by netc.", "")
        names: dict = {}
        exec(compile(emitted.source, spec.stem, "exec"), names)
        model = names[emitted.class_name](nnx.Rngs(0))
        model.eval()
        inputs = [jnp.ones((2, *program.root.types[name].shape)) for name in program.root.inputs]
        results.append(jax.tree.leaves(model(*inputs)))
    assert all((a == b).all() for a, b in zip(*results, strict=True))


def test_siamese_equals_a_twin_in_outputs_and_gradients() -> None:
    class Tower(nnx.Module):
        def __init__(self, rngs: nnx.Rngs):
            self.conv1 = nnx.Conv(1, 20, (5, 5), padding="VALID", rngs=rngs)
            self.conv2 = nnx.Conv(20, 50, (5, 5), padding="VALID", rngs=rngs)
            self.ip1 = nnx.Linear(800, 500, rngs=rngs)
            self.ip2 = nnx.Linear(500, 10, rngs=rngs)
            self.feat = nnx.Linear(10, 2, rngs=rngs)

        def __call__(self, x: jax.Array) -> jax.Array:
            x = nnx.max_pool(self.conv1(x), (2, 2), (2, 2))
            x = nnx.max_pool(self.conv2(x), (2, 2), (2, 2)).reshape(-1, 800)
            return self.feat(self.ip2(nnx.relu(self.ip1(x))))

    model = netc.compile(SPECS[0].parent / "siamese.net").init(seed=0)
    twin = Tower(nnx.Rngs(5))
    nnx.update(twin, nnx.state(model)["tower"])
    left, right = jax.random.normal(jax.random.key(0), (2, 3, 28, 28, 1))

    def loss(net: nnx.Module, both) -> jax.Array:
        a, b = both(net)
        return jnp.sum(jnp.square(a - 2 * b))

    ours = nnx.grad(lambda net: loss(net, lambda n: n(left, right)))(model)
    theirs = nnx.grad(lambda net: loss(net, lambda n: (n(left), n(right))))(twin)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        assert jnp.allclose(a, b, atol=1e-4)


def test_tied_autoencoder_equals_a_twin_in_outputs_and_gradients() -> None:
    net = netc.compile(SPECS[0].parent / "tied_autoencoder.net")
    model = net.init(seed=0)
    graph, params = nnx.split(model)
    flat = {"/".join(map(str, path)): leaf[...] for path, leaf in nnx.to_flat_state(params)}
    x = jax.random.uniform(jax.random.key(1), (3, 28, 28, 1))

    def twin(weights: dict) -> jax.Array:
        h = x.reshape(3, 784)
        for i in range(1, 5):
            h = h @ weights[f"encode{i}/kernel"] + weights[f"encode{i}/bias"]
            h = jax.nn.sigmoid(h) if i < 4 else h
        for i in range(4, 0, -1):
            h = jax.nn.sigmoid(h @ weights[f"encode{i}/kernel"].T + weights[f"decode{i}_bias"])
        return h.reshape(3, 28, 28, 1)

    assert jnp.allclose(model(x), twin(flat), atol=1e-5)
    ours = jax.grad(lambda p: jnp.sum(jnp.square(nnx.merge(graph, p)(x) - x)))(params)
    theirs = jax.grad(lambda w: jnp.sum(jnp.square(twin(w) - x)))(flat)
    for path, leaf in nnx.to_flat_state(ours):
        assert jnp.allclose(leaf[...], theirs["/".join(map(str, path))], atol=1e-3)
