"""Shared weights stay shared, for each kind of sharing, through whatever a weight goes through.

The twin of a kind (sharing_kinds.py) has one array for each owner. A model whose weights are still shared computes what
its twin does from any numbers that its owners get, and takes the twin's step; one that has kept a copy does not.
"""

import copy
import json
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx
from safetensors.numpy import load_file
from sharing_kinds import CONNECTED, KINDS, TABLE, Data, Kind, Weights, tower

import netc
from netc.compiler import check_text, flax_source
from netc.ir.counts import count
from netc.ir.network import Program, Recipe
from netc.model import Model, build_module, origin_of, set_weights, weights_of
from netc.training.data.examples import Data as Examples
from netc.training.loop import Training, prepare_training

EXAMPLES, BATCH, STEPS, RATE, LENGTH = 24, 8, 20, 0.1, 1000

OPTIMIZERS = {
    "sgd(0.01, momentum = 0.9)": optax.sgd(0.01, momentum=0.9),
    "adamw(0.01, weight_decay = 0.1)": optax.adamw(0.01, weight_decay=0.1),
    "clip_by_global_norm(0.1) -> adam(0.01)": optax.chain(optax.clip_by_global_norm(0.1), optax.adam(0.01)),
    "lion(0.003)": optax.lion(0.003),
}
"""Optimizers as netc writes them and as Optax does; how a weight is counted shows in decay, norms and momentum."""
ALL_OF_IT = "clip_by_global_norm(0.1) -> adamw(0.01, weight_decay = 0.1)"
TRAINED = [
    *((name, ALL_OF_IT, optax.chain(optax.clip_by_global_norm(0.1), optax.adamw(0.01, weight_decay=0.1)))
      for name in KINDS),
    *((name, text, optimizer) for name in ("branches", "depth", "transposed convolutions")
      for text, optimizer in OPTIMIZERS.items()),
]  # fmt: skip
"""Each kind with decay, a norm and momentum at once. The optimizer sees the owners' numbers and not the kind, so
that the others need no more than a few kinds, one for each form of sharing: side by side, in a row, and views."""


@cache
def compiled(name: str, optimizer: str = "adam(0.01)") -> tuple[Program, Recipe]:
    """A kind's net and a recipe that trains it on the squared error of `target`."""
    recipe = (
        f'train N {{ data = arrays("d.npz")  loss = squared_error(y, target)  optimizer = {optimizer}'
        f"  batch = {BATCH}  steps = {STEPS}  seed = 3 }}"
    )
    checked = check_text(f"{KINDS[name].text}\n{recipe}")
    assert checked.problems == ()
    return checked.programs[-1], checked.recipes[-1]


def examples(program: Program) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    root = program.root
    types = {name: root.types[name] for name in root.inputs} | {"target": root.types[root.outputs[0][1]]}
    return {
        name: random.integers(0, type_.element.size, (EXAMPLES, *type_.shape))
        if type_.element.size
        else random.normal(0, 1, (EXAMPLES, *type_.shape)).astype(np.float32)
        for name, type_ in types.items()
    }


def training(name: str, optimizer: str) -> Training:
    program, recipe = compiled(name, optimizer)
    data = examples(program)
    return prepare_training(build_module(program, recipe.seed), program, recipe, Examples(data, data, {}))


def train(run: Training) -> None:
    """Takes netc's steps, and puts the weights into the model."""
    for step in range(STEPS):
        run.state, _ = run.step(run.state, run.feed(step), run.order(step))
    run.settle()


def weights(model: Model) -> dict[str, np.ndarray]:
    return {name: np.asarray(w) for name, w in weights_of(model, origin_of(model)[1]).items()}


def error(kind: Kind, w: Weights, data: Data) -> tuple[jax.Array, jax.Array]:
    """The loss of a batch: half the squared error, summed over an example's numbers; and the outputs."""
    made = kind.twin(w, data)
    off = made - data["target"]
    return (off.reshape(len(off), -1) ** 2).sum(axis=1).mean() / 2, made


@cache
def twin(name: str) -> Callable[[Weights, Data], tuple[Weights, jax.Array]]:
    """The gradient of the twin's loss, and its outputs."""
    return jax.jit(jax.grad(partial(error, KINDS[name]), has_aux=True))


def down(w: Any, gradient: Any) -> Any:
    """A step of gradient descent."""
    return jax.tree.map(lambda w, g: jnp.asarray(np.asarray(w) - np.float32(RATE) * np.asarray(g)), w, gradient)


def close(ours: Weights, theirs: Weights) -> None:
    """Equal but for float32's rounding in sums of another order, over some steps."""
    assert ours.keys() == theirs.keys()
    for name, a in ours.items():
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, theirs[name], rtol=2e-5, atol=5e-6, err_msg=name)


def in_a_row(w: Weights) -> np.ndarray:
    """All owners' numbers in the order of their names, and zeros: of one length for all kinds, so that each optimizer
    is compiled once. Zeros without gradients stay zeros, and change no norm."""
    numbers = np.concatenate([np.ravel(w[owner]) for owner in sorted(w)])
    return np.pad(numbers, (0, LENGTH - len(numbers)))


@cache
def taken(optimizer: Any) -> Callable[..., Any]:
    """A step of an optimizer of Optax."""

    def step(gradient: jax.Array, state: Any, w: jax.Array) -> tuple[jax.Array, Any]:
        updates, state = optimizer.update(gradient, state, w)
        return w + updates, state

    return jax.jit(step)


def trained_twin(name: str, begin: Weights, optimizer: Any, batches: list[Data]) -> dict[str, np.ndarray]:
    """The twin's weights after a step for each batch."""
    row = in_a_row(begin)
    state, w = optimizer.init(row), {**begin}
    owners = sorted(begin)
    ends = np.cumsum([begin[owner].size for owner in owners])
    for batch in batches:
        row, state = taken(optimizer)(in_a_row(twin(name)(w, batch)[0]), state, row)
        parts = np.split(np.asarray(row), ends)
        w = {owner: part.reshape(begin[owner].shape) for owner, part in zip(owners, parts, strict=False)}
    return w


def batches_of(run: Training, data: dict[str, np.ndarray]) -> list[Data]:
    """The batches of a training, step by step, in the order that its seed gives."""
    found = []
    for step in range(STEPS):
        start = step % run.per_epoch * BATCH
        chosen = np.asarray(run.order(step))[start : start + BATCH]
        found.append({name: array[chosen] for name, array in data.items()})
    return found


@pytest.mark.parametrize("name", KINDS)
def test_a_shared_weight_is_one_leaf(name: str) -> None:
    """Counted once, and once in the parameters and in each part of the optimizer's state that is like them."""
    program, _ = compiled(name)
    owners = [weight.shape for _, weight in program.weights()]
    assert tuple(owner for owner, _ in program.weights()) == KINDS[name].owners
    run = training(name, "adam(0.01)")
    params, rest, state, _ = jax.tree.unflatten(run.definition, run.state)
    adam = state[0][0]
    for leaves in (params, adam.mu, adam.nu, nnx.state(run.model, nnx.Param)):
        assert sorted(leaf.shape for leaf in jax.tree.leaves(leaves)) == sorted(owners)
    assert jax.tree.leaves(rest) == []
    assert count(program).params == sum(leaf.size for leaf in jax.tree.leaves(params))


@pytest.mark.parametrize(("name", "optimizer", "transform"), TRAINED, ids=lambda x: x if isinstance(x, str) else "")
def test_training_equals_that_of_the_twin(name: str, optimizer: str, transform: Any) -> None:
    """The gradient of an owner is the sum of its uses'; it is decayed once, clipped once, and has one momentum."""
    run = training(name, optimizer)
    begin = weights(run.model)
    expected = trained_twin(name, begin, transform, batches_of(run, examples(compiled(name)[0])))
    train(run)
    close(weights(run.model), expected)
    assert all(np.abs(begin[owner] - w).max() > 1e-4 for owner, w in expected.items())


ONCE = {
    "clip_by_global_norm(0.05) -> sgd(0.5)": optax.chain(optax.clip_by_global_norm(0.05), optax.sgd(0.5)),
    "clip(0.01) -> sgd(0.5)": optax.chain(optax.clip(0.01), optax.sgd(0.5)),
    "add_decayed_weights(0.5) -> sgd(0.05)": optax.chain(optax.add_decayed_weights(0.5), optax.sgd(0.05)),
}
"""What would come out otherwise if each use of a weight were clipped or decayed by itself."""


@pytest.mark.parametrize("optimizer", ONCE)
def test_a_shared_weight_is_clipped_and_decayed_once(optimizer: str) -> None:
    """Two branches see one tower. A twin that hands each branch's part of the gradient to the optimizer by itself, and
    adds up what comes out, learns something else: this test can fail."""
    transform: Any = ONCE[optimizer]
    run = training("branches", optimizer)
    begin, batches = weights(run.model), batches_of(run, examples(compiled("branches")[0]))
    once = trained_twin("branches", begin, transform, batches)

    @jax.jit
    def parts(w: Weights, data: Data) -> tuple[Weights, Weights]:
        def branch_error(left: Weights, right: Weights) -> jax.Array:
            off = tower(left, data["a"]) * tower(right, data["b"]) - data["target"]
            return (off**2).sum(axis=1).mean() / 2

        return jax.grad(branch_error, argnums=(0, 1))(w, w)

    update, each, states = jax.jit(transform.update), begin, [transform.init(begin)] * 2
    for batch in batches:
        for branch, gradient in enumerate(parts(each, batch)):
            updates: Any
            updates, states[branch] = update(gradient, states[branch], each)
            each = {owner: w + np.asarray(updates[owner]) for owner, w in each.items()}
    train(run)
    close(weights(run.model), once)
    assert max(np.abs(each[owner] - w).max() for owner, w in once.items()) > 0.01


@partial(jax.jit, static_argnums=0)
def ours(graph: Any, state: Any, inputs: list[jax.Array], target: jax.Array) -> tuple[Any, jax.Array]:
    """The gradient and the outputs, as somebody writes it who knows JAX and nothing of netc."""

    def loss(state: Any) -> tuple[jax.Array, jax.Array]:
        made = nnx.merge(graph, state)(*inputs)
        return ((made - target) ** 2).reshape(len(target), -1).sum(axis=1).mean() / 2, made

    return jax.grad(loss, has_aux=True)(state)


def check_shared(name: str, model: Model) -> None:
    """Other numbers for the owners, then a step: the model does what its twin does with one array for each owner."""
    program, emitted = origin_of(model)
    data = {field: jnp.asarray(array) for field, array in examples(program).items()}
    given = [data[field] for field in program.root.inputs], data["target"]
    random = np.random.default_rng(1)
    moved = {owner: w + random.normal(0, 0.3, w.shape).astype(w.dtype) for owner, w in weights(model).items()}
    set_weights(model, emitted, moved)
    graph, state = nnx.split(model)
    (gradient, made), (expected_gradient, wanted) = ours(graph, state, *given), twin(name)(moved, data)
    np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-5)
    stepped, expected = down(state, gradient), down(moved, expected_gradient)
    nnx.update(model, stepped)
    close(weights(model), expected)
    np.testing.assert_allclose(ours(graph, stepped, *given)[1], twin(name)(expected, data)[1], rtol=1e-4, atol=1e-5)


def through_split(model: Model) -> Model:
    return nnx.merge(*nnx.split(model))


def through_jit(model: Model) -> Model:
    graph, state = nnx.split(model)
    return nnx.merge(graph, jax.jit(lambda state: jax.tree.map(lambda w: w * 1.5, state))(state))


def through_a_tree(model: Model) -> Model:
    graph, state = nnx.split(model)
    leaves, structure = jax.tree.flatten(state)
    return nnx.merge(graph, jax.tree.unflatten(structure, [jnp.array(np.asarray(leaf)) for leaf in leaves]))


def through_pickled_numbers(model: Model) -> Model:
    graph, state = nnx.split(model)
    kept = pickle.dumps(nnx.to_pure_dict(state))
    nnx.replace_by_pure_dict(state, pickle.loads(kept))
    return nnx.merge(graph, state)


def through_a_plain_map(model: Model) -> Model:
    """The module itself as a tree, without a word of NNX."""
    return jax.jit(lambda model: jax.tree.map(lambda w: w * 1.5, model))(model)


WAYS: dict[str, Callable[[Model], Model]] = {
    "nnx.split and merge": through_split,
    "nnx.clone": nnx.clone,
    "copy.deepcopy": copy.deepcopy,
    "jax.jit": through_jit,
    "jax.tree": through_a_tree,
    "jax.jit and tree.map of the module": through_a_plain_map,
    "pickle": through_pickled_numbers,
}


@pytest.mark.parametrize("name", KINDS)
def test_sharing_survives_what_users_do_with_a_module(name: str) -> None:
    model = build_module(compiled(name)[0], seed=11)
    for way in WAYS.values():
        check_shared(name, way(model))


def test_that_test_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that keeps a copy of a kernel for its other use computes the same at first, and is found out."""
    emitted = flax_source(compiled("transposes")[0])
    before = "        self.decode_bias = "
    copied = emitted.source.replace("self.encode.kernel[...].T", "self.copy[...].T").replace(
        before, f"        self.copy = nnx.Variable(jnp.array(self.encode.kernel[...]))\n{before}"
    )
    spoilt = replace(emitted, source=f"import jax.numpy as jnp\n{copied}")
    monkeypatch.setattr("netc.model.flax_source", lambda *arguments, **options: spoilt)
    with pytest.raises(AssertionError):
        check_shared("transposes", build_module(compiled("transposes")[0]))


@pytest.mark.parametrize("name", KINDS)
def test_sharing_survives_runs_and_files(name: str, tmp_path: Path) -> None:
    """Trained through a run folder, exported, loaded: written once by its owner's name, and shared at each stage."""
    program, recipe = compiled(name)
    text = program.root.span.source.text if program.root.span else ""
    data = examples(program)
    run = netc.train(text, data=data | {f"test_{field}": array for field, array in data.items()}, out=tmp_path / "run")
    loaded = netc.load(tmp_path / "run")
    reference = training(name, "adam(0.01)")
    begin = weights(build_module(program, recipe.seed))
    expected = trained_twin(name, begin, optax.adam(0.01), batches_of(reference, data))
    close(weights(loaded), expected)
    netc.save_weights(loaded, tmp_path / "w.safetensors")
    assert (tmp_path / "w.safetensors").read_bytes() == (run.folder / "weights.safetensors").read_bytes()
    assert load_file(tmp_path / "w.safetensors").keys() == set(KINDS[name].owners)
    again = netc.load_weights(netc.compile(text), tmp_path / "w.safetensors")
    assert all((weights(again)[owner] == w).all() for owner, w in weights(loaded).items())
    for model in (run.model, loaded, again):
        check_shared(name, model)


AWAY = """
import runpy, sys

class Blocker:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "netc":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocker)
sys.argv = sys.argv[1:]
try:
    import netc
except ModuleNotFoundError:
    runpy.run_path(sys.argv[0], run_name="__main__")
else:
    sys.exit("netc was found")
"""


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a Python without netc makes of every kind's portable source."""
    folder = tmp_path_factory.mktemp("away")
    random = np.random.default_rng(2)
    for name in KINDS:
        program, _ = compiled(name)
        emitted = flax_source(program, portable=True)
        place = folder / name.replace(" ", "_")
        place.mkdir()
        (place / "model.py").write_text(emitted.source)
        told = {
            "class": emitted.class_name,
            "variables": {name: at.path for name, at in emitted.variables.items()},
            "inputs": program.root.inputs,
        }
        (place / "told.json").write_text(json.dumps(told))
        moves = {f"move {o}": random.normal(0, 0.3, w.shape).astype("f") for o, w in program.weights()}
        given: dict[str, Any] = examples(program) | moves
        np.savez(place / "given.npz", **given)
    script = str(Path(__file__).parent / "portable_runs.py")
    subprocess.run([sys.executable, "-I", "-c", AWAY, script, str(folder), str(RATE)], check=True, cwd=folder)
    return folder


@pytest.mark.parametrize("name", KINDS)
def test_portable_source_shares_where_there_is_no_netc(name: str, away: Path) -> None:
    """Made with another seed, pickled, copied: other numbers for the owners, and a step, do what the twin does."""
    kind, place = KINDS[name], away / name.replace(" ", "_")
    given, made = (dict(np.load(place / f"{file}.npz")) for file in ("given", "made"))
    data = {field: jnp.asarray(array) for field, array in given.items() if not field.startswith("move ")}
    stages = [{o: made[f"{stage} {o}"] for o in kind.owners} for stage in ("fresh", "moved", "stepped")]
    for stage, w in zip(("fresh", "moved", "stepped"), stages, strict=True):
        np.testing.assert_allclose(made[f"{stage} output"], twin(name)(w, data)[1], rtol=1e-4, atol=1e-5)
    fresh, moved, stepped = stages
    close(moved, {owner: w + given[f"move {owner}"] for owner, w in fresh.items()})
    close(stepped, down(moved, twin(name)(moved, data)[0]))
    ours = weights(build_module(compiled(name)[0], seed=3))
    assert any((fresh[owner] != ours[owner]).any() for owner in kind.owners)


@pytest.mark.parametrize(
    ("name", "table", "kernel"),
    [("tables", TABLE, (3, 3, len(CONNECTED))), ("groups", ("XXX...", "XXX...", "...XXX", "...XXX"), (3, 3, 2, 6))],
)
def test_absent_connections_have_nothing_to_store_or_decay(
    name: str, table: tuple[str, ...], kernel: tuple[int, ...]
) -> None:
    """A kernel for each connection, seven of twelve or twelve of 24; after decay and momentum the others still carry
    nothing."""
    program, _ = compiled(name)
    assert count(program).params == math.prod(kernel) + len(table[0])
    assert "".join(table).count("X") * 9 == math.prod(kernel)
    run = training(name, "adamw(0.01, weight_decay = 0.5) -> trace(0.9)")
    _, _, state, _ = jax.tree.unflatten(run.definition, run.state)
    moments = [leaf.shape for leaf in jax.tree.leaves(state) if leaf.ndim > 2]
    assert moments == [kernel] * 3
    train(run)
    image = jnp.asarray(np.random.default_rng(4).normal(size=(2, 5, 5, len(table))), jnp.float32)
    run.model.eval()
    before = run.model(image)
    for i, row in enumerate(table):
        changed = np.abs(run.model(image.at[..., i].add(1.0)) - before).max(axis=(0, 1, 2)) > 0
        assert ["X" if moved else "." for moved in changed] == list(row)
