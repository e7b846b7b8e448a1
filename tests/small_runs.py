"""What tests of training share: two small nets with their data and runs, and the command line run in this process."""

import gc
import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import netc
from netc.cli.main import main
from netc.compiler import check_text
from netc.model import build_module
from netc.rendering import render_all
from netc.training.data.arrays import from_arrays
from netc.training.loop import Training, prepare_training

SMALL = """
net Small { input x: [4]  output y = x -> dense(8) -> relu -> dense(3) }
train Small { data = arrays("x.npz")  loss = cross_entropy(y, label)  metric = accuracy(y, label)
  optimizer = adam(rate = 0.01)  batch = 16  epochs = 3 }
"""
PICTURES = """
net Pictures { input image: [6, 5, 3]  output kind = image -> flatten -> dense(4) }
train Pictures { data = arrays("p.npz")  prepare = standardize(per_channel = true)
  loss = cross_entropy(kind, label)  metric = accuracy(kind, label)  optimizer = sgd(rate = 0.01)  epochs = 1 }
"""


def blobs(n: int = 203) -> dict[str, Any]:
    """Three classes of points that `SMALL` can tell apart; 183 of 203 are for training."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, n)
    return {"x": (rng.normal(size=(n, 4)) + 3 * np.eye(4)[label]).astype("f"), "label": label}


def save_blobs(folder: Path) -> None:
    """What `SMALL` is trained on, as the file that it names."""
    arrays = blobs()
    np.savez(folder / "x.npz", x=arrays["x"], label=arrays["label"])


def make_place(folder: Path) -> Path:
    """A folder with both nets, their data, and a run of each."""
    rng = np.random.default_rng(0)
    arrays = blobs(80)
    np.savez(folder / "x.npz", x=arrays["x"], label=arrays["label"])
    np.savez(folder / "p.npz", image=rng.random((40, 6, 5, 3)), label=rng.integers(0, 4, 40))
    for name, text in (("small", SMALL), ("pictures", PICTURES)):
        (folder / f"{name}.net").write_text(text)
        netc.train(folder / f"{name}.net", out=folder / name)
    return folder


def training(
    optimizer: str = "adam(rate = 0.01)",
    arrays: dict[str, np.ndarray] | None = None,
    text: str = SMALL,
    **fields: object,
) -> Training:
    """The training of `SMALL`, or another text, with other fields, before its first step."""
    settings = {"optimizer": optimizer, **{name: str(value) for name, value in fields.items()}}
    checked = check_text(text, settings=settings)
    assert not checked.errors, render_all(checked.errors)
    program, recipe = checked.programs[0], checked.recipes[0]
    return prepare_training(build_module(program, recipe.seed), program, recipe, from_arrays(arrays or blobs()))


def chunks_of(length: int) -> Callable[[int, float], int]:
    """In place of `next_length`: chunks of one length, whatever they take."""
    return lambda count, seconds: length


def data_of(leaf: Any) -> np.ndarray:
    """An array of a training's state; keys of random numbers by their data."""
    return np.asarray(jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf)


def weights(folder: Path) -> bytes:
    return (folder / "weights.safetensors").read_bytes()


def problem(action: Callable[[], object]) -> str:
    """What the user sees of the mistake."""
    with pytest.raises(netc.NetcError) as failure:
        action()
    return render_all(failure.value.problems)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


def run_netc(*arguments: object, stdin: bytes = b"") -> Result:
    """Runs the command line."""
    out, err, given = io.StringIO(), io.StringIO(), io.TextIOWrapper(io.BytesIO(stdin))
    with (
        redirect_stdout(out),
        redirect_stderr(err),
        mock.patch.object(sys, "stdin", given),
        mock.patch.object(sys, "argv", ["netc", *map(str, arguments)]),
        pytest.raises(SystemExit) as ended,
    ):
        main()
    gc.enable()
    return Result(int(ended.value.code or 0), out.getvalue(), err.getvalue())
