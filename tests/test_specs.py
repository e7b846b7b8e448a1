"""Every shipped spec compiles, keeps its published counts, and its emitted module agrees with the checker."""

import gzip
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import netc
from netc.compiler import check_file, flax_source
from netc.ir.counts import count
from netc.ir.verify import verify
from netc.model import weights_of

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.net"))
PUBLISHED = {"lenet5": 60_000, "lenet5_modern": 61_706, "siamese": 431_102, "tied_autoencoder": 1_420_814}
"""With the weights of their papers; where one is shared that was not there, the connections are those of the paper."""
PUBLISHED_CONNECTIONS = {"lenet5": 340_908, "constrained_mlp": 2_913_290}


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_spec_checks_and_runs(spec: Path) -> None:
    checked = check_file(str(spec))
    assert checked.problems == ()
    assert len(checked.recipes) == len(checked.programs)
    program = checked.programs[-1]
    verify(program)
    model = netc.compile(spec).init(seed=1)
    assert count(program).params == sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert count(program).params == PUBLISHED.get(spec.stem, count(program).params)
    assert count(program).connections == PUBLISHED_CONNECTIONS.get(spec.stem, count(program).connections)
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


@pytest.fixture(scope="module")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like MNIST's, with few images: a bright square whose place tells the digit."""
    folder = tmp_path_factory.mktemp("mnist")
    rng = np.random.default_rng(0)
    for part, examples in (("train", 200), ("t10k", 40)):
        labels = np.arange(examples, dtype=np.uint8) % 10
        images = rng.integers(0, 50, (examples, 28, 28), np.uint8)
        for image, label in zip(images, labels, strict=True):
            row, column = divmod(int(label), 4)
            image[2 + 8 * row : 8 + 8 * row, 1 + 7 * column : 6 + 7 * column] += 200
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)
    return folder


def write_idx(path: Path, array: np.ndarray) -> None:
    """The IDX format of http://yann.lecun.com/exdb/mnist: 0, 0, a code for bytes, the rank, the extents, the bytes."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(extent.to_bytes(4, "big") for extent in array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


# A contrastive loss sees the difference of two outputs alone, from which biases that no relu follows cancel.
IDLE = {"siamese": {"tower.ip2.bias", "tower.feat.bias"}}


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_spec_trains_a_step_on_its_own_data(spec: Path, mnist: Path, tmp_path: Path) -> None:
    net = netc.compile(spec)
    embedded = spec.stem in ("digits", "logistic", "tiled", "lines_lstm")
    chosen: Any = {"net": net.name, "recipe": net.recipes[0].name}
    run = netc.train(spec, data=None if embedded else mnist, out=tmp_path / "run", set={"steps": 1}, **chosen)
    assert np.isfinite(run.history[-1]["loss"])
    assert all(np.isfinite(value) for value in run.test.values())
    emitted = flax_source(net.program)
    before = weights_of(net.init(net.recipes[0].seed), emitted)
    after = weights_of(run.model, emitted)
    trainable = [name for name, weight in net.program.weights() if weight.trainable]
    still = {name for name in trainable if np.allclose(before[name], after[name], rtol=0, atol=1e-8)}
    assert still <= IDLE.get(spec.stem, set())


def test_the_constraints_of_a_spec_bind_as_it_trains(mnist: Path, tmp_path: Path) -> None:
    """With a smaller norm and a higher rate than the spec's, a few steps come to the bound; without, they go beyond."""
    spec = Path(__file__).parents[1] / "specs" / "constrained_mlp.net"
    free = tmp_path / "free.net"
    free.write_text("".join(line for line in spec.read_text().splitlines(True) if "constrain " not in line))
    norms: dict[Path, float] = {}
    for each in (spec, free):
        settings = {"width": 32, "norm": 1.5, "rate": 0.1, "steps": 20}
        run = netc.train(each, data=mnist, out=tmp_path / f"run-{each.stem}", set=settings)
        weights = weights_of(run.model, flax_source(netc.compile(each, set={"width": 32}).program))
        kernels = [weights[f"{layer}.dense1.kernel"] for layer in ("enter", "deeper")]
        norms[each] = max(float(np.linalg.norm(kernel.astype("d"), axis=0).max()) for kernel in kernels)
    assert 1.5 - 1e-6 < norms[spec] <= 1.5 * (1 + 1e-6) < norms[free]
