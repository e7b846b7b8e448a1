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
from netc.compiler import check_file, check_text, flax_source
from netc.ir.counts import count
from netc.ir.verify import verify
from netc.model import weights_of

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.net"))
TOWER = """  layer other = conv(20, 5x5) -> maxpool(2x2) -> conv(50, 5x5) -> maxpool(2x2) -> flatten -> dense(500)
    -> relu -> dense(10) -> dense(2)
  output a"""
PUBLISHED = {"lenet5": 60_000, "lenet5_modern": 61_706, "siamese": 431_102, "tied_autoencoder": 1_420_814}


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


LOST: dict[str, tuple[str, dict[str, str]]] = {
    "a tower for each branch": ("siamese", {"right -> tower": "right -> other", "  output a": TOWER}),
    "a decoder of its own": ("tied_autoencoder", {", kernel = encode4.kernel.T": ""}),
    "other weights in each line": (
        "lines_lstm",
        {"over_time { flatten -> line: dense(32) -> relu }": "local(32, 1x8) -> relu -> reshape([8, 32])"},
    ),
    "detectors that do not turn": (
        "orbit_digits",
        {
            "conv(maps, 3x3, orbit = turns,": "conv(4 * maps, 3x3,",
            "conv(10, 4x4, orbit = rot4,": "conv(40, 4x4,",
            "    -> orbit_pool(max)\n": "    -> conv(10, 1x1, bias = false)\n",
        },
    ),
    "a detector for each size": (
        "scale_digits",
        {
            "conv(maps, 3x3, orbit = scale(sizes), pad = same)": "for k in [3, 5, 7] { conv(maps, k, pad = same) }",
            " -> orbit_pool(max)\n": "\n",
        },
    ),
    "one size": (
        "scale_digits",
        {"conv(maps, 3x3, orbit = scale(sizes),": "conv(maps, 3x3,", " -> orbit_pool(max)\n": "\n"},
    ),
    "other weights at each place": ("tiled_digits", {"one: conv(8, 3x3)": "one: local(8, 3x3)"}),
    "more sets in turn": ("tiled_digits", {"tile = 2": "tile = 3"}),
    "no sets in turn": ("tiled_digits", {", tile = 2": ""}),
    "all places alike": ("tiled_digits", {"all: local(": "all: conv("}),
}
"""Ways in which a spec would share its weights no longer, or otherwise: what it is then, and how its text changes."""


@pytest.mark.parametrize("way", LOST)
def test_asserts_of_a_spec_fail_where_its_sharing_is_lost(way: str) -> None:
    spec, changes = LOST[way]
    text = next(path for path in SPECS if path.stem == spec).read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    assert {problem.code for problem in check_text(text).problems} == {"failed-assert"}


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
    embedded = spec.stem in ("digits", "logistic", "tiled_digits", "scale_digits", "lines_lstm")
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
