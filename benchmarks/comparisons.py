"""The lecture's comparisons on MNIST's digits, a table each, of nets that differ in one thing.

Nets and recipes are in `benchmarks/compared/`. Settings were chosen on 10,000 training images that were held out, and
nothing by test images.
"""

import json
from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.kept import wrong
from benchmarks.measure import Row, Table
from benchmarks.mnist import MNIST, not_measured
from benchmarks.trials import IMAGES, Comparison, Outcome, Trial, chosen, of_seeds, table
from benchmarks.turned import error
from netc.ir.counts import count
from netc.ir.network import Program
from netc.model import Model, origin_of
from netc.training.data.examples import Data
from netc.training.data.published import read_folder
from netc.training.run import SIGNALS

DEPTHS = (1, 2, 4, 8, 16)
RATES = (0.01, 0.1, 1.0)
VERY_FEW, FEW = 1_000, 5_000
SHIFT = 2
"""By how many pixels test images are shifted."""


def tables(rounds: int) -> list[Table]:
    if missing := not_measured("Comparisons", MNIST):
        return [missing]
    data = read_folder(MNIST, "mnist", 10)
    return [table(comparison, data) for comparison in comparisons()]


def comparisons() -> tuple[Comparison, ...]:
    return (by_depth(), normalised(), pooled(), dropped(), shared(), known())


def by_depth() -> Comparison:
    text = (
        "`compared/deep.net`: 784-64-...-64-10 with `sigmoid` and `init = glorot`, or `relu` and `init = he`; SGD with "
        "momentum 0.9, each at the rate that was best with four hidden layers, batches of 100, 5 epochs of 60,000 "
        "images. Gradients are the root mean squares of those of each kernel in one step, from the first layer to the "
        "last, the median of the seeds."
    )
    kinds = {"sigmoids": ("sigmoid", 0.2), "relus": ("relu", 0.01)}
    trials = {
        (unit, depth): Trial(
            f"{name}, rate {rate:g}, {depth} hidden",
            "deep",
            "Deep",
            (("unit", unit), ("depth", depth), ("rate", rate), ("epochs", 5)),
        )
        for unit, (name, rate) in kinds.items()
        for depth in DEPTHS
    }
    deep = [depth for depth in DEPTHS if depth > 2]
    claims = tuple((trials["relus", depth].name, trials["sigmoids", depth].name) for depth in deep)
    return Comparison("Sigmoid and ReLU, by depth", text, tuple(trials.values()), gradients, claims)


def normalised() -> Comparison:
    text = (
        "`compared/deep.net` with 8 hidden layers of 64 units, with and without `batchnorm` between `dense` and the "
        "function; SGD with momentum 0.9 at three rates, batches of 100, 2 epochs of 60,000 images."
    )
    kinds = {"sigmoids": "sigmoid", "relus": "relu"}
    trials = {
        (unit, rate): Trial(
            f"{name}, rate {rate:g}",
            "deep",
            "Deep",
            (("unit", unit), ("depth", 8), ("rate", rate), ("epochs", 2)),
        )
        for plain, kind in kinds.items()
        for unit, name in {plain: kind, f"normed_{plain}": f"{kind}, batchnorm"}.items()
        for rate in RATES
    }
    claims = tuple((trials[f"normed_{unit}", rate].name, trials[unit, rate].name) for unit in kinds for rate in RATES)
    return Comparison("With and without batchnorm", text, tuple(trials.values()), claims=claims)


def pooled() -> Comparison:
    text = (
        "The net `Conv` of `compared/images.net`: convolutions of 8 and 16 maps with windows of 5x5, each with a pool "
        f"of 2x2 after it, and `dense` layers of 64 and 10; {LENGTH}."
    )
    trials = tuple(
        of_images("Conv", f"{name} pooling", IMAGES, *settings)
        for name, settings in {"max": (), "average": (("pool", "avgpool"),)}.items()
    )
    return Comparison("Max and average pooling", text, trials, shifted)


def dropped() -> Comparison:
    text = (
        f"`compared/dropped.net`: 784-800-800-10, trained on {FEW:,} images; Adam, batches of 100, 3 epochs of 60,000 "
        "images, in which each of those that a seed draws comes 12 times. Dropout is of 0.2 of the pixels and of half "
        "of the hidden units."
    )
    without = Trial("without dropout", "dropped", "Wide", (), FEW)
    dropout = Trial("with dropout", "dropped", "Wide", (("pixels", 0.2), ("units", 0.5)), FEW)
    return Comparison("With and without dropout", text, (without, dropout), learnt, ((dropout.name, without.name),))


def shared() -> Comparison:
    text = (
        "The nets `Conv` and `Local` of `compared/images.net`: two layers of 8 and 16 maps that see windows of 5x5, "
        "with weights that are shared over positions or not, each with a pool of 2x2 after it, and `dense` layers of "
        f"64 and 10; {LENGTH}. The net was chosen, by images held out of training, as one in which sharing helps with "
        "few images; with strides in place of pools, and 5,000 images, local weights did better."
    )
    sizes, nets = (VERY_FEW, IMAGES), {"Conv": "conv", "Local": "local"}
    trials = {(net, images): of_images(net, name, images) for images in sizes for net, name in nets.items()}
    claims = ((trials["Conv", VERY_FEW].name, trials["Local", VERY_FEW].name),)
    return Comparison("Shared weights and local ones", text, tuple(trials.values()), shifted, claims)


def known() -> Comparison:
    text = (
        "What is known of images put into the net (`Conv` of `compared/images.net`, as above), into the data (images "
        "that are shifted by up to 2 pixels, turned by up to 10 degrees and made larger or smaller by up to a tenth, "
        "anew each time that they are seen), into both, or into neither (`Dense`, 784-256-128-10); "
        f"{LENGTH}."
    )
    nets = {
        "Dense": "dense",
        "DenseDistorted": "dense, distorted images",
        "Conv": "conv",
        "ConvDistorted": "conv, distorted images",
    }
    sizes = (VERY_FEW, FEW, IMAGES)
    trials = {(net, images): of_images(net, name, images) for images in sizes for net, name in nets.items()}
    pairs = [("DenseDistorted", "Dense"), ("Conv", "Dense"), ("ConvDistorted", "Conv")]
    claims = tuple((trials[a, images].name, trials[b, images].name) for images in sizes[:2] for a, b in pairs)
    return Comparison("Prior knowledge in the net, and in the data", text, tuple(trials.values()), claims=claims)


LENGTH = "Adam, batches of 100, 2 epochs of 60,000 images, in which each of those that a seed draws comes as often"


def of_images(recipe: str, name: str, images: int, *settings: tuple[str, str]) -> Trial:
    return Trial(f"{name}, {images:,} images", "images", recipe, settings, images)


def gradients(found: Outcome, data: Data) -> list[Row]:
    """The gradients of all kernels, at the first and the last look into the training."""
    looks = [(run.folder / SIGNALS).read_text().splitlines() for run in found.finite.values()]
    return [layer_by_layer(found, [json.loads(lines[at]) for lines in looks]) for at in (0, -1)] if looks else []


def layer_by_layer(found: Outcome, looks: Sequence[Mapping[str, Any]]) -> Row:
    """The median of the seeds for each layer."""
    kernels = [name for name, weight in program_of(found).weights() if len(weight.shape) > 1]
    sizes = [median(look["weights"][kernel]["gradient"] for look in looks) for kernel in kernels]
    text = f"{', '.join(f'{size:.1e}' for size in sizes)}; the first to the last {sizes[0] / sizes[-1]:.1e}"
    return Row(f"{found.trial.name}: gradients after {looks[0]['step']:,} steps", text)


def learnt(found: Outcome, data: Data) -> list[Row]:
    """Errors of the training images themselves."""
    image, label, shares = data.train["image"], data.train["label"], []
    for seed, run in found.finite.items():
        these = chosen(data, found.trial.images, seed)
        shares.append(error(run.model, image[these], label[these]))
    what = f"{found.trial.name}: errors of the training images"
    return [Row(what, of_seeds(shares, "{:.2%}".format, ".2%"))]


def shifted(found: Outcome, data: Data) -> list[Row]:
    """How many parameters there are, and the errors of shifted test images."""
    errors = [errors_of_shifted(run.model, data) for run in found.finite.values()]
    params = f"{count(program_of(found)).params:,} parameters"
    return [Row(f"{found.trial.name}, {params}: images shifted by {SHIFT} pixels", of_seeds(errors))]


def errors_of_shifted(model: Model, data: Data) -> int:
    """Of 10,000, the mean of shifts up, down, left and right; what comes in from beyond the border is background."""
    image, label = data.test["image"], data.test["label"]
    around = np.pad(image, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)))
    corners = [(0, SHIFT), (2 * SHIFT, SHIFT), (SHIFT, 0), (SHIFT, 2 * SHIFT)]
    height, width = image.shape[1:3]
    moved = (around[:, top : top + height, left : left + width] for top, left in corners)
    return wrong(1 - mean(error(model, images, label) for images in moved))


def program_of(found: Outcome) -> Program:
    """The net of its runs."""
    return origin_of(next(iter(found.finite.values())).model)[0]
