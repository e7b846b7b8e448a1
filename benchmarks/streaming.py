"""Epochs of data that are read from disk while a net trains, beside those of the same data in memory."""

import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.measure import Row, Table, as_ratio, at_most, in_seconds, ratios, spread, take_turns
from benchmarks.training import EPOCHS, passes
from netc.model import build_module
from netc.training.loop import Training, prepare_training
from netc.training.matching import match
from netc.training.plan import plan_file

EXAMPLES, BATCH, LIMIT = 1024, 16, 1.1
NET = """
net Streaming {
  input image: [64, 64, 3]
  output kind: [8] = image
    -> conv(12, 3x3, pad = same) -> relu -> conv(12, 3x3, pad = same) -> relu -> maxpool(2)
    -> conv(24, 3x3, pad = same) -> relu -> conv(24, 3x3, pad = same) -> relu -> maxpool(4)
    -> flatten -> dense(8)
}

train Streaming {
  data      = DATA
  prepare   = standardize(per_channel = true)
  augment   = shift(2)
  loss      = cross_entropy(kind, label)
  optimizer = sgd(rate = 0.001)
  batch     = BATCH
}
"""
"""A step of it takes a core some ten times as long as the reading of its pictures."""


@dataclass(frozen=True)
class Case:
    """A data set of a folder, as the language writes it, and how many workers read it; 0 are threads."""

    name: str
    data: str
    workers: int


CASES = (
    Case("arrays, by threads", "arrays", 0),
    Case("arrays, by 2 workers", "arrays", 2),
    Case("images, by threads", "images", 0),
    Case("images, by 2 workers", "images", 2),
)


def tables(rounds: int) -> list[Table]:
    with tempfile.TemporaryDirectory() as folder:
        save(Path(folder), EXAMPLES)
        return [compare(Path(folder), rounds)]


def compare(folder: Path, rounds: int) -> Table:
    """Epochs of each case and of the same data in memory, in turn."""
    kinds = {f"{kind} in memory": (kind, False, 0) for kind in dict.fromkeys(case.data for case in CASES)}
    kinds |= {case.name: (case.data, True, case.workers) for case in CASES}
    with ExitStack() as opened:
        epochs = {}
        for name, (data, stream, workers) in kinds.items():
            training = made(folder, data, stream, workers)
            opened.enter_context(closing(training.feed))
            epochs[name] = passes(training)
        seconds = take_turns({name: lambda own=own: next(own) for name, own in epochs.items()}, rounds)
    rows = [Row(f"an epoch, {name}", spread(taken, in_seconds)) for name, taken in seconds.items()]
    for case in CASES:
        found = ratios(seconds, case.name, f"{case.data} in memory")
        rows.append(at_most(f"{case.name}: an epoch from disk to one in memory", found, LIMIT, as_ratio))
    text = (
        f"{EXAMPLES:,} pictures of 64x64 as PNG files, and as one .npy file of bytes; batches of {BATCH}, shuffled and "
        f"augmented. Epochs in turn, {rounds} rounds."
    )
    return Table("Data read from disk while a net trains", text, tuple(rows))


def save(folder: Path, examples: int) -> None:
    """Random pictures, smooth as photographs are, as files by class, and as arrays."""
    from PIL import Image

    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (examples, 8, 8, 3), np.uint8)
    label = np.arange(examples) % 8
    image = np.empty((examples, 64, 64, 3), np.uint8)
    for i, pixels in enumerate(small):
        picture = Image.fromarray(pixels).resize((64, 64), Image.Resampling.BICUBIC)
        own = folder / "images" / f"class{label[i]}"
        own.mkdir(parents=True, exist_ok=True)
        picture.save(own / f"{i:05}.png")
        image[i] = np.asarray(picture)
    (folder / "arrays").mkdir()
    np.save(folder / "arrays" / "image.npy", image)
    np.save(folder / "arrays" / "label.npy", label)
    np.save(folder / "arrays" / "test_image.npy", image[:BATCH])
    np.save(folder / "arrays" / "test_label.npy", label[:BATCH])


def made(folder: Path, data: str, stream: bool, workers: int) -> Training:
    """A training that does not come to an end; its test set is one batch."""
    term = f'{data}("{folder / data}", stream = {str(stream).lower()})'
    plan = plan_file(NET.replace("DATA", term).replace("BATCH", str(BATCH)), set={"epochs": EPOCHS})
    matched = match(plan.recipe, plan.program, plan.data, plan.base, workers=workers)
    test = {name: array[:BATCH] for name, array in matched.data.test.items()}
    model = build_module(plan.program, plan.recipe.seed)
    return prepare_training(model, plan.program, matched.recipe, replace(matched.data, test=test))
