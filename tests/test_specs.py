"""Every shipped spec compiles, keeps its published counts, and its emitted module agrees with the checker.

Large ones (shipped.py) are traced and never run: shapes of the module's weights and of what its call gives.
"""

import gzip
import re
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from shipped import LARGE, SMALL, SPECS, is_large

import netc
from netc.compiler import check_file, check_text, flax_source
from netc.ir.counts import count
from netc.ir.network import Program
from netc.ir.verify import verify
from netc.model import run_source, variable, weights_of

TOWER = """  layer other = conv(20, 5x5) -> maxpool(2x2) -> conv(50, 5x5) -> maxpool(2x2) -> flatten -> dense(500)
    -> relu -> dense(10) -> dense(2)
  output a"""
PUBLISHED = {
    "alexnet": 60_965_224,
    "alexnet_one_tower": 61_100_840,
    "cifar10_full": 89_578,
    "cifar10_quick": 145_578,
    "googlenet": 13_004_888,
    "gpt2": 124_439_808,
    "lenet5": 60_000,
    "lenet5_modern": 61_706,
    "lenet_caffe": 431_080,
    "mnist_autoencoder": 2_837_314,
    "mobilenet_v2": 3_504_872,
    "resnet": 25_557_032,
    "siamese": 431_102,
    "tied_autoencoder": 1_420_814,
    "vgg16": 138_357_544,
    "vit": 86_567_656,
    "word_lstm": 4_651_600,
}
"""With the weights of their papers; where one is shared that was not there, the connections are those of the paper."""
PUBLISHED_CONNECTIONS = {"lenet5": 340_908, "constrained_mlp": 2_913_290}
# Depths and blocks of ResNets, and their parameters in torchvision.
RESNETS = {
    18: ([2, 2, 2, 2], "basic", 11_689_512),
    34: ([3, 4, 6, 3], "basic", 21_797_672),
    101: ([3, 4, 23, 3], "bottleneck", 44_549_160),
    152: ([3, 8, 36, 3], "bottleneck", 60_192_808),
}


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_spec_checks(spec: Path) -> None:
    checked = check_file(str(spec))
    assert checked.problems == ()
    assert {recipe.net for recipe in checked.recipes} <= {program.root.name for program in checked.programs}
    for program in checked.programs:
        verify(program)
    assert count(checked.programs[-1]).params == PUBLISHED.get(spec.stem, count(checked.programs[-1]).params)


def test_the_large_specs_are_those_that_are_large() -> None:
    assert set(LARGE) == {spec.stem for spec in SPECS if is_large(spec)}


@pytest.mark.parametrize("depth", RESNETS)
def test_resnets_of_other_depths(depth: int) -> None:
    depths, unit, params = RESNETS[depth]
    checked = check_file(str(SPECS[0].with_name("resnet.net")), None, {"depths": str(depths), "unit": unit})
    assert checked.problems == () and count(checked.programs[-1]).params == params
    assert len(flax_source(checked.programs[-1]).source.splitlines()) < 400


def test_rows_of_equal_layers_cost_no_more_source() -> None:
    """A ResNet of 1,002 layers has as many lines as one of 50, but for those that say that rows are loops."""
    settings = {"depths": "[3, 40, 287, 3]"}
    long = check_file(str(SPECS[0].with_name("resnet.net")), None, settings).programs[-1]
    short = netc.compile(SPECS[0].with_name("resnet.net")).program
    more = len(flax_source(long).source.splitlines()) - len(flax_source(short).source.splitlines())
    assert 0 < more < 60 and "in_turn(" in flax_source(long).source


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_a_spec_is_what_the_checker_says(spec: Path) -> None:
    """Shapes of weights and outputs; and portable source starts and computes the same, operation by operation."""
    program = netc.compile(spec).program
    root = program.root
    traced = []
    for portable in (False, True):
        emitted = flax_source(program, portable)
        assert not portable or "netc." not in emitted.source.replace("by netc.", "")
        made = run_source(emitted.source, spec.stem)[emitted.class_name]
        start, model = started(made)
        shapes = {name: variable(model, at.path).shape[len(at.index) :] for name, at in emitted.variables.items()}
        assert shapes == {name: weight.shape for name, weight in program.weights()}
        assert count(program).params == sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
        outputs, operations = trace(model, inputs_of(program))
        assert outputs == [root.types[value].shape for _, value in root.outputs]
        traced.append((start, operations))
    assert traced[0] == traced[1]


def started(made: type[Any]) -> tuple[str, Any]:
    """The operations that start the weights of a module, and the module with shapes in their place."""
    graphs = []

    def start() -> Any:
        graph, state = nnx.split(made(nnx.Rngs(0)))
        graphs.append(graph)
        return state

    operations, shapes = jax.make_jaxpr(start, return_shape=True)()
    return str(operations), nnx.merge(graphs[0], shapes)


def inputs_of(program: Program) -> list[jax.ShapeDtypeStruct]:
    """A batch of two for each input."""
    types = [program.root.types[name] for name in program.root.inputs]
    return [jax.ShapeDtypeStruct((2, *t.shape), jnp.float32 if t.element.name == "f32" else jnp.int32) for t in types]


def ones(like: jax.ShapeDtypeStruct) -> jax.Array:
    return jnp.ones(like.shape, like.dtype)


def trace(model: Any, inputs: list[jax.ShapeDtypeStruct]) -> tuple[list[tuple[int, ...]], str]:
    """Shapes of the outputs without the batch axis, and the operations, in training."""
    graph, state = nnx.split(model)
    forward = jax.make_jaxpr(lambda state, *given: nnx.merge(graph, state)(*given), return_shape=True)
    operations, outputs = forward(state, *inputs)
    return [output.shape[1:] for output in jax.tree.leaves(outputs)], str(operations)


@pytest.mark.parametrize("spec", SMALL, ids=lambda p: p.stem)
def test_spec_runs(spec: Path) -> None:
    program = check_file(str(spec)).programs[-1]
    model = netc.compile(spec).init(seed=1)
    assert count(program).params == sum(x.size for x in jax.tree.leaves(nnx.state(model, nnx.Param)))
    assert count(program).connections == PUBLISHED_CONNECTIONS.get(spec.stem, count(program).connections)
    outputs = model.predict(*map(ones, inputs_of(program)))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert [o.shape[1:] for o in outputs] == [program.root.types[v].shape for _, v in program.root.outputs]


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
    "other weights at each step of a string": ("digit_strings", {"F6: dense(84)": "F6: local(84, 1x1)"}),
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


@pytest.mark.parametrize("width", [28, 61, 320])
def test_strings_of_any_width_are_read_with_the_same_weights(width: int) -> None:
    """The net for strips of that width; its recipe's strips have one."""
    nets = SPECS[0].with_name("digit_strings.net").read_text().partition("train ")[0]
    program = netc.compile(nets, set={"width": width}).program
    assert count(program).params == 44_511
    assert program.root.types["digits"].shape == ((width - 28) // 4 + 1, 11)


def test_gpt2_s_sizes_give_gpt2_s_parameters() -> None:
    """As OpenAI's model has them, tied; 163,037,184 without."""
    sizes = {"vocab": 50257, "context": 1024, "width": 768, "depth": 12, "heads": 12}
    tied = SPECS[0].with_name("tied_gpt.net").read_text().partition("train TiedGPT")[0]
    assert count(netc.compile(tied, set=sizes).program).params == 124_439_808
    untied = tied.replace("kernel = embed.table.T, ", "").partition("  assert")[0] + "}"
    assert count(netc.compile(untied, set=sizes).program).params == 163_037_184


OTHERWISE: dict[str, list[dict[str, str]]] = {
    "alexnet": [{"gpus": "1"}, {"gpus": "4"}, {"hidden": "512"}, {"classes": "10"}, {"classes": "10", "gpus": "1"}],
    "alexnet_one_tower": [{"classes": "10"}],
    "autoencoder": [{"code_size": "8"}],
    "constrained_mlp": [{"width": "64"}, {"norm": "1.5"}],
    "digit_strings": [{"width": "100"}],
    "googlenet": [{"classes": "10"}],
    "gpt2": [{"vocab": "100"}, {"context": "64"}, {"width": "96"}, {"depth": "2"}, {"heads": "4"}],
    "mlp": [{"hidden": "[64]"}, {"hidden": "[]"}],
    "mnist_best": [{"kernel": "3x3"}, {"maps": "8"}],
    "mobilenet_v2": [{"classes": "10"}],
    "resnet": [{"classes": "10"}, {"unit": "basic"}, {"depths": "[2, 2, 2, 2]"}, {"classes": "10", "unit": "basic"}],
    "tied_gpt": [
        {"vocab": "100"}, {"context": "64"}, {"width": "96"}, {"depth": "2"}, {"heads": "2"}, {"drop": "0"}
    ],
    "transformer": [{"vocab": "100"}, {"length": "7"}, {"width": "96"}, {"depth": "1"}, {"heads": "2"}],
    "unet": [{"classes": "10"}, {"maps": "8"}, {"size": "188"}],
    "universal_transformer": [{"width": "32"}, {"heads": "2"}, {"steps": "2"}],
    "vgg16": [{"classes": "10"}],
    "vit": [{"classes": "10"}, {"patch": "32"}, {"width": "96"}, {"depth": "1"}, {"heads": "4"}],
    "word_lstm": [{"vocab": "100"}, {"width": "8"}, {"steps": "3"}],
}  # fmt: skip
"""Each parameter of a spec's net with another value than its own."""


@pytest.mark.parametrize("spec", SPECS, ids=lambda p: p.stem)
def test_asserts_of_a_spec_hold_whatever_its_parameters_are(spec: Path) -> None:
    """Without its recipes, which are for data of one size."""
    net = "".join(part for part in re.split(r"^(?=\w)", spec.read_text(), flags=re.M) if part[:6] != "train ")
    declared = re.findall(r"(\w+) = ", "".join(re.findall(r"^net \w+\((.*)\) {$", net, flags=re.M)))
    assert {name for settings in OTHERWISE.get(spec.stem, []) for name in settings} == set(declared)
    for settings in OTHERWISE.get(spec.stem, []):
        checked = check_text(net, str(spec), settings=settings)
        assert checked.problems == (), (settings, [problem.message() for problem in checked.problems])


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
WORDS = np.arange(20 * 13).reshape(20, 13) ** 2 % 32
GIVEN: dict[str, Any] = {
    "transformer": {"source": WORDS[:, ::-1][:, 1:], "target": WORDS[:, :-1], "next": WORDS[:, 1:]}
}
"""The data of specs whose own are the user's."""
WARM = {"optimizer": "adam(0.001)", "batch": 4}
"""Instead of a rate that starts at 0, for specs that warm up."""
CHANGED: dict[str, dict[str, object]] = dict.fromkeys(
    ("digit_strings", "tied_gpt", "transformer", "universal_transformer"), WARM
)


@pytest.mark.parametrize("spec", [spec for spec in SMALL if netc.compile(spec).recipes], ids=lambda p: p.stem)
def test_spec_trains_a_step_on_its_own_data(spec: Path, mnist: Path, tmp_path: Path) -> None:
    net = netc.compile(spec)
    chosen: Any = {"net": net.name, "recipe": net.recipes[0].name}
    data: Any = GIVEN.get(spec.stem, mnist if "mnist" in repr(net.recipes[0].data) else None)
    run = netc.train(spec, data=data, out=tmp_path / "run", set={"steps": 1, **CHANGED.get(spec.stem, {})}, **chosen)
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
