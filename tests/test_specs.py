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
from netc.ir.network import Program
from netc.ir.verify import verify
from netc.model import weights_of
from netc.types import F32

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.net"))
PUBLISHED = {"lenet5": 60_000, "lenet5_modern": 61_706, "siamese": 431_102, "tied_autoencoder": 1_420_814}


def ones(program: Program) -> list[jax.Array]:
    """Two examples of each input."""
    types = [program.root.types[name] for name in program.root.inputs]
    return [jnp.ones((2, *t.shape), jnp.float32 if t.element == F32 else jnp.int32) for t in types]


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
    inputs = ones(program)
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
        inputs = ones(program)
        results.append(jax.tree.leaves(model(*inputs)))
    assert all((a == b).all() for a, b in zip(*results, strict=True))


def test_gpt2_s_sizes_give_gpt2_s_parameters() -> None:
    """As OpenAI's model has them, tied; 163,037,184 without."""
    sizes = {"vocab": 50257, "context": 1024, "width": 768, "depth": 12, "heads": 12}
    tied = (Path(__file__).parents[1] / "specs" / "tied_gpt.net").read_text()
    assert count(netc.compile(tied, set=sizes).program).params == 124_439_808
    untied = tied.replace("kernel = embed.table.T, ", "").partition("  assert")[0] + "}"
    assert count(netc.compile(untied, set=sizes).program).params == 163_037_184


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


# A contrastive loss sees the difference of two outputs alone, from which biases that no relu follows cancel; what is
# added to all scores of a query is lost in their softmax.
IDLE = {
    "siamese": {"tower.ip2.bias", "tower.feat.bias"},
    "tied_gpt": {f"layers.{i}.attend.attention1.key_bias" for i in range(4)},
    "universal_transformer": {"step.attend.attention1.key_bias"},
}
TEXT = np.frombuffer(b"the quick brown fox jumps over the lazy dog. " * 60, np.uint8)[: 20 * 128 + 1]
WORDS = np.arange(20 * 13).reshape(20, 13) ** 2 % 32
GIVEN: dict[str, Any] = {
    "tied_gpt": {"text": TEXT[:-1].reshape(20, 128), "next": TEXT[1:].reshape(20, 128)},
    "transformer": {"source": WORDS[:, ::-1][:, 1:], "target": WORDS[:, :-1], "next": WORDS[:, 1:]},
}
EMBEDDED = ("digits", "logistic", "tiled", "lines_lstm", "universal_transformer")
WARM = {"optimizer": "adam(0.001)", "batch": 4}
"""Instead of a rate that starts at 0, for specs that warm up."""
CHANGED: dict[str, dict[str, object]] = {"tied_gpt": WARM, "transformer": WARM, "universal_transformer": WARM}


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_spec_trains_a_step_on_its_own_data(spec: Path, mnist: Path, tmp_path: Path) -> None:
    net = netc.compile(spec)
    chosen: Any = {"net": net.name, "recipe": net.recipes[0].name}
    data: Any = None if spec.stem in EMBEDDED else GIVEN.get(spec.stem, mnist)
    run = netc.train(spec, data=data, out=tmp_path / "run", set={"steps": 1, **CHANGED.get(spec.stem, {})}, **chosen)
    assert np.isfinite(run.history[-1]["loss"])
    assert all(np.isfinite(value) for value in run.test.values())
    emitted = flax_source(net.program)
    before = weights_of(net.init(net.recipes[0].seed), emitted)
    after = weights_of(run.model, emitted)
    trainable = [name for name, weight in net.program.weights() if weight.trainable]
    still = {name for name in trainable if np.allclose(before[name], after[name], rtol=0, atol=1e-8)}
    assert still <= IDLE.get(spec.stem, set())
