"""Orbits: errors on turned digits of a net that shares its weights over turns and of a plain one, and what it costs."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import netc
from benchmarks.front import ROOT
from benchmarks.measure import Row, Table, as_ratio, at_most, in_milliseconds, ratios, spread, take_turns
from netc.ir.counts import count
from netc.kernels.orbits import OrbitConv
from netc.model import Model
from netc.training.data.examples import Arrays
from netc.training.data.published import read_folder

SPEC = ROOT / "specs" / "orbit_digits.net"
MNIST = Path(os.environ.get("NETC_MNIST", ROOT.parent / "shared" / "data" / "mnist"))
NETS = ("Turning", "Plain")
BATCH, SIDE, MAPS = 64, 24, 10


def tables(rounds: int) -> list[Table]:
    return [
        turned_digits(),
        *(cost(title, fed, rounds) for title, fed in (("on an image", 1), ("over rot4", 4 * MAPS))),
    ]


def turned_digits(steps: int | None = None) -> Table:
    """Both nets of the spec, trained on upright digits, or for some steps only, and tested on turned ones."""
    title = "Turned digits"
    if not MNIST.is_dir():
        text = (
            f"Not measured: there is no folder `{MNIST}`. `NETC_MNIST=FOLDER` says where the four files of MNIST are."
        )
        return Table(title, text, ())
    test = read_folder(MNIST, "mnist", 10).test
    rows = [row for net in NETS for row in errors(net, test, steps, MNIST)]
    text = (
        f"The nets of `specs/{SPEC.name}`, trained on MNIST's upright digits by their recipes; errors on its "
        f"{len(test['label']):,} test digits, upright and turned by 90, 180 and 270 degrees."
    )
    return Table(title, text, tuple(rows))


def errors(net: str, test: Arrays, steps: int | None = None, data: Any = MNIST) -> list[Row]:
    """The error rates of a net: its own on upright digits, and the mean over the three turns."""
    settings = {} if steps is None else {"steps": steps}
    with tempfile.TemporaryDirectory() as folder:
        run = netc.train(SPEC, data=data, out=Path(folder) / net, net=net, recipe=net, set=settings)
    upright, *turned = (error(run.model, np.rot90(test["image"], turns, (1, 2)), test["label"]) for turns in range(4))
    mean = sum(turned) / len(turned)
    params = count(netc.compile(SPEC, net=net).program).params
    what = f"errors of turned digits to those of upright ones, {net}"
    ratio = at_most(what, [mean / upright], 1.1, as_ratio) if net == NETS[0] else Row(what, as_ratio(mean / upright))
    return [
        Row(f"{net}, {params:,} parameters: upright", f"{upright:.2%}"),
        Row(f"{net}: turned", f"{mean:.2%} ({', '.join(f'{e:.2%}' for e in turned)})"),
        ratio,
    ]


def error(model: Model, images: np.ndarray, labels: np.ndarray) -> float:
    parts = [np.asarray(model.predict(images[i : i + 1000])) for i in range(0, len(images), 1000)]
    return float(np.mean(np.concatenate(parts).argmax(axis=-1) != labels))


def cost(title: str, fed: int, rounds: int) -> Table:
    """A step of a convolution over rot4 beside one of a plain convolution of as many maps, on equal numbers."""
    rngs, init = nnx.Rngs(0), nnx.initializers.lecun_normal()
    shape = (3, 3, 1, MAPS) if fed == 1 else (3, 3, 4, MAPS, MAPS)
    orbit = step(OrbitConv("rot4", shape, kernel_init=init, rngs=rngs))
    plain = step(nnx.Conv(fed, 4 * MAPS, (3, 3), rngs=rngs))
    flat = jax.random.normal(jax.random.key(0), (BATCH, SIDE, SIDE, fed))
    over = flat if fed == 1 else flat.reshape(BATCH, SIDE, SIDE, 4, MAPS)
    seconds = take_turns(
        {
            "orbit": lambda: jax.block_until_ready(orbit(over)),
            "plain": lambda: jax.block_until_ready(plain(flat)),
        },
        rounds,
    )
    rows = (
        Row(f"`conv({MAPS}, 3x3, orbit = rot4)`", spread(seconds["orbit"], in_milliseconds)),
        Row(f"`conv({4 * MAPS}, 3x3)`", spread(seconds["plain"], in_milliseconds)),
        at_most("the orbit convolution to the plain one", ratios(seconds, "orbit", "plain"), 1.15, as_ratio),
    )
    text = (
        f"Forward and backward, by weights and input, {BATCH} of {SIDE}x{SIDE} with {fed} map{'s' * (fed > 1)} in and "
        f"{4 * MAPS} out, in turn, {rounds} rounds."
    )
    return Table(f"Orbit convolution {title}", text, rows)


def step(layer: nnx.Module) -> Callable[[jax.Array], Any]:
    """The gradients of a layer's squared output by its weights and its input."""
    graph, state = nnx.split(layer)

    def loss(state: nnx.State, x: jax.Array) -> jax.Array:
        return jnp.sum(jnp.square(nnx.merge(graph, state)(x)))

    gradients = jax.jit(jax.grad(loss, argnums=(0, 1)))
    return lambda x: gradients(state, x)
