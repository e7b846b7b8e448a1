"""Models: the emitted module of a program, made to run, with `predict`, and its weights by canonical names."""

import functools
import linecache
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from netc.compiler import flax_source
from netc.emit.constraints import CONSTRAIN
from netc.emit.flax import Emitted
from netc.ir.network import Program
from netc.layers.base import Refusal
from netc.passes.slide import slide
from netc.problems import RunError
from netc.recipes.problems import CannotSlide, DataMismatch
from netc.types import Type

LARGEST_BATCH = 1000
"""Examples that go through a net at once; more of them go in parts."""

Prepare = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class ModelInput:
    """An input of a net, and what is done to it first: a run's preparation."""

    name: str
    type: Type
    prepare: Prepare | None = None

    def prepared(self, extents: tuple[int, ...]) -> tuple[int, ...]:
        """The extents that preparation makes of others."""
        blank = np.zeros((1, *extents, self.type.channels), np.float32)
        fits = self.prepare is not None and blank.ndim == len(self.type.shape) + 1
        return self.prepare(blank).shape[1:-1] if self.prepare is not None and fits else extents


class Model(nnx.Module):
    """What the class of every net also is: it predicts in evaluation mode."""

    # Names from a .net file never begin with an underscore, so none can take this one's place.
    _inputs: ClassVar[tuple[ModelInput, ...]] = ()
    _program: ClassVar[Program]
    _emitted: ClassVar[Emitted]

    def predict(self, *inputs: Any) -> Any:
        """The outputs for a batch of inputs [batch, ...], as NumPy arrays; several outputs are a tuple.

        Inputs are given in the order of the net's, as they were given to training: a run's model prepares them
        first. Dropout is off, and running statistics are used. Batches of any size: each size is compiled once,
        and more than 1,000 examples go through in parts of 1,000. Raises `RunError` for inputs of other shapes.
        """
        return outputs_on(self, read_inputs(self._inputs, inputs))

    def at(self, *extents: int) -> "Model":
        """The same net with the same weights on larger inputs: what it gives has a position for each window of its own
        input's size, and is there what `predict` gives for that window (netc.passes.slide).

        `extents` are those of the arrays that `predict` will be given, height and width for images:
        `model.at(28, 140)`. Raises `RunError` where the net cannot slide, naming the layer.
        """
        program, emitted = origin_of(self)
        prepared = self._inputs[0].prepared(extents)
        slid = slide(program, prepared)
        if isinstance(slid, Refusal):
            raise RunError([CannotSlide(net=program.root.name, reason=slid.message, way_out=slid.help)])
        prepare = {input.name: input.prepare for input in self._inputs if input.prepare is not None}
        model = build_module(slid, prepare=prepare)
        set_weights(model, origin_of(model)[1], weights_of(self, emitted))
        return model


def outputs_on(model: Model, arrays: list[np.ndarray]) -> Any:
    """The outputs in evaluation mode for a batch of each input, prepared."""
    view = nnx.view(model, deterministic=True, use_running_average=True, raise_if_not_found=False)
    graph, state = nnx.split(view)
    made = [jax.tree.map(np.asarray, forward(graph, state, *part)) for part in parts_of(arrays)]
    count = len(arrays[0])
    return made[0] if len(made) == 1 else jax.tree.map(lambda *a: np.concatenate(a)[:count], *made)


def read_inputs(inputs: tuple[ModelInput, ...], given: tuple[Any, ...]) -> list[np.ndarray]:
    """A batch for each input, prepared, of the right shape and all of one length."""
    if len(given) != len(inputs):
        names = ", ".join(i.name for i in inputs)
        raise refused(f"the net takes {len(inputs)} inputs ({names}), and {len(given)} are given")
    arrays = [read_input(input, np.asarray(array)) for input, array in zip(inputs, given, strict=True)]
    if len({len(array) for array in arrays}) > 1:
        lengths = ", ".join(f"`{i.name}` {len(a):,}" for i, a in zip(inputs, arrays, strict=True))
        raise refused(f"the inputs have different numbers of examples: {lengths}")
    return arrays


def read_input(input: ModelInput, array: np.ndarray) -> np.ndarray:
    wanted = f"a batch of `{input.name}` {input.type}"
    whole = input.type.element.name != "f32"
    if array.dtype.kind not in ("iub" if whole else "fiub") or array.ndim == 0:
        raise refused(f"{wanted} is needed, and the array given holds {array.dtype}")
    if (size := input.type.element.size) is not None and (wrong := (array < 0) | (array >= size)).any():
        example = int(np.argwhere(wrong)[0, 0])
        text = f"{wanted} is needed, and the array given holds {array[wrong][0]} in example {example}"
        raise refused(text, f"they are whole numbers from 0 to {size - 1}")
    array = array.astype(np.int32 if whole else np.float32, copy=False)
    fits = array.ndim == len(input.type.shape) + 1
    if input.prepare is not None and fits:
        array = input.prepare(array)
    if array.shape[1:] != input.type.shape:
        one = "one example alone is a batch of one: `x[None]`" if array.ndim == len(input.type.shape) else ""
        raise refused(f"{wanted} is needed, and the array given is {list(array.shape)}", one)
    return array


def refused(text: str, way_out: str = "") -> RunError:
    return RunError([DataMismatch(text=text, way_out=way_out)])


def parts_of(arrays: list[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Batches of at most `LARGEST_BATCH`; the last of several is filled up with zeros to the size of the others."""
    count = len(arrays[0])
    if count <= LARGEST_BATCH:
        yield arrays
        return
    for start in range(0, count, LARGEST_BATCH):
        parts = [array[start : start + LARGEST_BATCH] for array in arrays]
        lacking = LARGEST_BATCH - len(parts[0])
        yield [np.pad(part, ((0, lacking), *((0, 0),) * (part.ndim - 1))) for part in parts]


@functools.partial(jax.jit, static_argnums=0)
def forward(graph: Any, state: Any, *inputs: Any) -> Any:
    return nnx.merge(graph, state)(*inputs)


def build_module(program: Program, seed: int = 0, prepare: Mapping[str, Prepare] | None = None) -> Model:
    """The Flax module of a program with fresh weights, put where its constraints hold. `prepare` is what `predict` does
    first, by input."""
    made, names = class_of(program, prepare or {})
    model = made(nnx.Rngs(seed))
    if made._emitted.constrains:
        names[CONSTRAIN](model)
    return model


def load_module(
    program: Program, weights: Mapping[str, np.ndarray], seed: int = 0, prepare: Mapping[str, Prepare] | None = None
) -> Model:
    """The Flax module of a program with weights by their canonical names. The rest, the keys of dropout, is as
    `build_module` makes it; but no weight is drawn at random first, which takes long for a large net."""
    made, _ = class_of(program, prepare or {})
    arrays: dict[Any, Any] = {attributes(path): array for path, array in arrays_at(made._emitted, weights).items()}
    graphs: list[Any] = []

    def rest() -> Any:
        graph, state = nnx.split(made(nnx.Rngs(seed)))
        graphs.append((graph, jax.eval_shape(lambda: state)))
        return nnx.from_flat_state({path: leaf for path, leaf in nnx.to_flat_state(state) if path not in arrays})

    kept = dict(nnx.to_flat_state(jax.jit(rest)()))
    graph, shapes = graphs[0]
    state = {
        path: leaf.replace(jnp.asarray(arrays[path])) if path in arrays else kept[path]
        for path, leaf in nnx.to_flat_state(shapes)
    }
    return nnx.merge(graph, nnx.from_flat_state(state))


def class_of(program: Program, prepare: Mapping[str, Prepare]) -> tuple[type[Any], dict[str, Any]]:
    """The class of a program's module, and the names beside it. The emitted source is what runs, and tracebacks show
    it."""
    emitted = flax_source(program, places=True, device=jax.default_backend())
    names = run_source(emitted.source, f"<netc {program.root.name}>")
    made = names[emitted.class_name]
    types = program.root.types
    inputs = tuple(ModelInput(name, types[name], prepare.get(name)) for name in program.root.inputs)
    own_class = {"__module__": made.__module__, "_inputs": inputs, "_program": program, "_emitted": emitted}
    return type(made.__name__, (made, Model), own_class), names


def run_source(source: str, name: str) -> dict[str, Any]:
    """The names that emitted source defines."""
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    namespace: dict[str, Any] = {"__name__": "netc.emitted"}
    exec(compile(source, name, "exec"), namespace)
    return namespace


def variable(model: nnx.Module, path: str) -> Any:
    """The Flax variable at an attribute path such as `repeat1.3.conv1.kernel`."""
    found: Any = model
    for part in attributes(path):
        found = found[part] if isinstance(part, int) else getattr(found, part)
    return found


def attributes(path: str) -> tuple[str | int, ...]:
    """The parts of an attribute path, with places in lists as numbers."""
    return tuple(int(part) if part.isdigit() else part for part in path.split("."))


def origin_of(model: Model) -> tuple[Program, Emitted]:
    """The program that a model was made from, and what was emitted for it."""
    return type(model)._program, type(model)._emitted


def weights_of(model: nnx.Module, emitted: Emitted) -> dict[str, np.ndarray]:
    """Every weight by its canonical name."""
    return {name: np.asarray(variable(model, at.path)[...])[at.index] for name, at in emitted.variables.items()}


def set_weights(model: nnx.Module, emitted: Emitted, weights: Mapping[str, Any]) -> None:
    """Puts weights by their canonical names into a model."""
    for path, array in arrays_at(emitted, weights).items():
        variable(model, path)[...] = array


def arrays_at(emitted: Emitted, weights: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of a module by their paths, of weights by their canonical names: stacks put together."""
    found: dict[str, Any] = {}
    parts: dict[str, dict[tuple[int, ...], Any]] = {}
    for name, at in emitted.variables.items():
        if at.index:
            parts.setdefault(at.path, {})[at.index] = weights[name]
        else:
            found[at.path] = weights[name]
    return found | {path: stacked(own) for path, own in parts.items()}


def stacked(parts: Mapping[tuple[int, ...], Any]) -> Any:
    """One array of parts by their places in its first axes. The places are in order, and each is taken."""
    places = [1 + last for last in max(parts)]
    whole = jnp.stack([parts[place] for place in sorted(parts)])
    return whole.reshape(*places, *whole.shape[1:])
