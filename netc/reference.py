"""The generated pages docs/layers.md, recipes.md and errors.md: `python -m netc.reference` writes them anew.

Everything on them comes from the tables and, for errors, from the golden tests; nothing depends on the day or the
version, and a test compares the pages with what this module makes.
"""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from netc.arguments import Entry
from netc.examples import Example, example_of
from netc.explain import (
    PROBLEMS,
    arguments_of,
    documentation,
    fields_of,
    parameter,
    signature,
)
from netc.layers import LAYERS
from netc.layers.base import Layer
from netc.layers.constraints import CONSTRAINTS
from netc.layers.initialisers import INITIALISERS
from netc.layers.orbits import ORBITS
from netc.problems import Problem
from netc.recipes.adjustments import ADJUSTMENTS
from netc.recipes.augment import AUGMENTATIONS, Augmentation
from netc.recipes.averages import AVERAGES
from netc.recipes.checkpoints import CHECKPOINTS
from netc.recipes.data import DATASETS, DataSet
from netc.recipes.fields import FIELDS
from netc.recipes.losses import LOSSES
from netc.recipes.metrics import METRICS
from netc.recipes.optimizers import Row, schedules, transforms
from netc.recipes.prepare import PREPARATIONS
from netc.recipes.starts import STARTS
from netc.recipes.stops import STOPS

ROOT = Path(__file__).parents[1]
ERRORS = ROOT / "tests" / "golden" / "errors"
RULE = "\n" + "-" * 80 + "\n"
# The case that shows a problem best; of the others, the first is as good as any.
CASES = {
    "bad-argument": "dropout-rate",
    "bad-arithmetic": "index",
    "bad-config": "batch",
    "bad-input": "shape",
    "contradictory-constraints": "net-and-recipe",
    "corrupt-data": "truncated-idx",
    "cycle": "two-blocks",
    "data-mismatch": "label-too-large",
    "defined-twice": "values",
    "extra-argument": "layer",
    "failed-assert": "several",
    "missing-argument": "second",
    "missing-part": "loss",
    "no-such-weight": "nearest",
    "not-yet": "recipe-fields",
    "outside-value": "in-a-block",
    "recipe-mismatch": "prepared-shape",
    "shape-mismatch": "tied-kernel",
    "stray-character": "unicode-arrow",
    "syntax-problem": "no-else",
    "too-large": "repeat",
    "unclosed-bracket": "parenthesis",
    "unfit-constraint": "tied",
    "unknown-argument": "nearest",
    "unknown-attribute": "nearest",
    "unknown-keyword": "in-a-net",
    "unknown-name": "value",
    "unreadable": "used-file",
    "unused": "value",
    "used-before-definition": "value",
    "wrong-kind": "layer-for-a-value",
}
MADE = "*Made by `make docs` from the tables in `netc/`; change those, not this page.*"


def layers_page() -> str:
    """Every layer kind by family, a family being a module of `netc.layers`."""
    families: dict[str, list[type[Layer]]] = {}
    for kind in LAYERS:
        families.setdefault(kind.__module__, []).append(kind)
    parts = ["# Layers", LAYERS_INTRO, MADE]
    for module, kinds in families.items():
        listed = ", ".join(f"[{kind.kind}](#{kind.kind})" for kind in kinds)
        text = (sys.modules[module].__doc__ or "").strip()
        parts += [f"## {module.rpartition('.')[2].capitalize()}", text, listed, *map(layer_section, kinds)]
    kept = ", ".join(f"`{kind.kind}`" for kind in LAYERS if kind.keeps_orbit and not kind.elementwise)
    return joined([*parts, *section("What an orbit can be", ORBITS_INTRO + kept, map(entry_section, ORBITS))])


ORBITS_INTRO = """\
`conv(8, 3x3, orbit = rot4)` uses one kernel for several detectors, whose answers stand side by side: a value over the
orbit, `[26, 26, 8] over rot4`. A further `conv` over the same orbit keeps it; all that asks for `orbit_pool` first does
not. At run time the orbit's axis stands before the channels.

Arithmetic, functions of each number and these take values over an orbit: """
LAYERS_INTRO = """\
A layer maps values to values: `x -> conv(6, 5x5) -> relu`. Shapes are written without the batch axis: images are
`[height, width, channels]`, sequences `[time, channels]`, vectors `[channels]`.

Arguments stand in the order of the tables, or by name; one without a default must be given. Connections are the links
of one example that carry a weight, biases included; flops count a multiply-add as 2, and 1 for a bias, a comparison
or a function of one number. Each example is shown with the Flax code that it becomes."""


def layer_section(kind: type[Layer]) -> str:
    example = example_of(kind)
    return joined(
        [
            f"### {kind.kind}",
            f"`{signature(kind)}`",
            documentation(kind),
            arguments_table(kind),
            weights_table(example),
            "For example " + cost(example) + ":",
            fenced(
                "\n".join(
                    [*(f"input {n}: {t}" for n, t in example.inputs), f"output y: {example.output} = {example.flow}"]
                )
            ),
            fenced(example.flax, "python"),
        ]
    )


def cost(example: Example) -> str:
    """The cost of the layer in its example, in a clause."""
    params = sum(product(w.shape) for w in example.instance.weights if w.trainable)
    counts = (("parameters", params), ("connections", example.cost.connections), ("flops", example.cost.flops))
    said = [f"{number:,} {what}" for what, number in counts if number]
    return f"({', '.join(said)})" if said else "(no work is counted)"


def product(shape: tuple[int, ...]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size


def weights_table(example: Example) -> str:
    """The weights in the example, with the meaning of their axes."""
    rows = [
        (f"`{w.name}`", str(list(w.shape)), ", ".join(w.axes), "trained" if w.trainable else "state")
        for w in example.instance.weights
    ]
    return table(("weight", "shape in the example", "axes", ""), rows)


def arguments_table(entry: type[Entry]) -> str:
    rows = [
        (f"`{a.name}`", a.meaning, a.accepts, "needed" if a.default is None else f"`{a.default}`" if a.default else "")
        for a in arguments_of(entry)
    ]
    return table(("argument", "meaning", "accepts", "default"), rows)


def recipes_page() -> str:
    """What stands in a `train` recipe, table by table."""
    fields = [(f"`{f.name}`", f.meaning + (" (not yet)" if f.planned else ""), f.default) for f in FIELDS]
    return joined(
        [
            "# Recipes",
            RECIPES_INTRO,
            MADE,
            "## Fields",
            table(("field", "what it says", "default"), fields),
            *section("Data sets", DATASETS_INTRO, map(entry_section, DATASETS)),
            *section("Preparations", PREPARE_INTRO, map(entry_section, PREPARATIONS)),
            *section("Augmentations", AUGMENT_INTRO, map(entry_section, AUGMENTATIONS)),
            *section("Losses", LOSSES_INTRO, map(entry_section, LOSSES)),
            *section("Metrics", METRICS_INTRO, map(entry_section, METRICS)),
            *section("Initialisers", INITIALISERS_INTRO, map(entry_section, INITIALISERS)),
            *section("Constraints", CONSTRAINTS_INTRO, map(entry_section, CONSTRAINTS)),
            *section("Optimizers", OPTIMIZERS_INTRO, [rows_table(transforms().values())]),
            *section("Starts", STARTS_INTRO, map(entry_section, STARTS)),
            *section("Stops", STOPS_INTRO, map(entry_section, STOPS)),
            *section("Adjustments", ADJUSTMENTS_INTRO, map(entry_section, ADJUSTMENTS)),
            *section("Averages", AVERAGES_INTRO, map(entry_section, AVERAGES)),
            *section("Schedules", SCHEDULES_INTRO, [rows_table(schedules().values())]),
            *section("Checkpoints", CHECKPOINTS_INTRO, map(entry_section, CHECKPOINTS)),
        ]
    )


RECIPES_INTRO = """\
A recipe says how a net is trained. It stands beside the net in the .net file:

```
train Digits {
  data      = digits
  prepare   = standardize
  loss      = cross_entropy(digit, label)
  metric    = accuracy(digit, label)
  optimizer = clip_by_global_norm(1.0) -> adam(rate = cosine(0.002))
  batch     = 32
  epochs    = 40
}
```

`netc train FILE` follows it, and `--set epochs=5` replaces a field for one run. Everything is checked before anything
runs: names, shapes, and whether labels fit the loss."""
DATASETS_INTRO = "A data set has fields, which losses and metrics call by name, and a training and a test set."
PREPARE_INTRO = """\
What is done to every image before the net sees it, in training, in tests and in use; `prepare = pad(2) -> standardize`
does one after another."""
AUGMENT_INTRO = """\
What chance does to training images before each step; `augment = shift(2) -> rotate(10) -> elastic(34, 4)` does one
after another. Tests, `netc eval` and `netc predict` take images as they are; the training loss is that of
changed ones.

It acts after `prepare` and on the same fields, those of numbers that feed the net: distances are in pixels of the
prepared image, numbers in its units. Where such a field is the target too, as an autoencoder's is, the target is the
changed image. What is drawn for an example depends on the recipe's `seed`, the epoch and the example's place in the
training set alone: not on the batch, the order, or the machine's pace. Each of several images of an example has
chances of its own.

Neighbours among `shift`, `rotate`, `zoom`, `shear` and `elastic` that fill borders alike read the image once,
linearly between pixels, so that a chain blurs no more than one of them; what stands behind `elastic` reads it once
more. What comes in from beyond the border is by `fill` the `smallest` number of each channel, the background of
images that are dark around what they show; `edge` goes on with the outermost pixels and `reflect` mirrors the image
there, for photographs; a number is itself, such as 0, the mean after `standardize`."""
LOSSES_INTRO = """\
`loss = ...` is made small and `likelihood = ...` is made large, as a mean over the examples of a batch. The first
arguments are outputs of the net and fields of the data, by name; losses can be added and multiplied by numbers:
`loss = cross_entropy(digit, label) + 0.3 * cross_entropy(aux, label)`."""
METRICS_INTRO = """\
`metric = ...` is measured on the test set, as a mean over its examples unless it says otherwise. Several stand in a
list: `metric = [accuracy(digit, label), top_k(digit, label, k = 3)]`."""
INITIALISERS_INTRO = """\
How weights start: `dense(10, init = he)`, `default conv(init = fan_in(2.4))`, `weight W: [784, 10] = normal(0.01)`. A
plain number sets every number of a weight to it. Fan-in is how many numbers of the input go into one of the output,
fan-out how many of the output one of the input goes into."""
CONSTRAINTS_INTRO = """\
What must stay true of weights: `constrain tower.*: max_norm(3)`, in a net, a block or a recipe. All but `frozen` are
projections, which put a weight back after every step and at the start. Several on one weight are applied in the order
of this list."""
OPTIMIZERS_INTRO = """\
Optax's, under Optax's names and with its defaults; what each computes is in Optax's documentation. `rate` is Optax's
`learning_rate`. Transforms make a chain: `optimizer = clip(1.0) -> sgd(rate = 0.1, momentum = 0.9)`."""
STARTS_INTRO = """\
`start = run("runs/digits", fresh = [digit])`: the first weights, where they are not drawn at random."""
STOPS_INTRO = """\
`stop = patience(5)`: when training ends before its last epoch. The weights are then those of its last step."""
ADJUSTMENTS_INTRO = """\
`adjust *.bias: rate(2)`: weights that the optimizer treats otherwise than others, by selectors as those of `constrain`.
Of several of one name on one weight, the last counts."""
AVERAGES_INTRO = """\
`average = ema(0.999)`: an average of the weights over the steps. The test set is measured by it, and it is what the
run keeps; the optimizer goes on from the weights themselves. Running statistics are averaged as weights are, and
constraints are projected once more on the average."""
CHECKPOINTS_INTRO = """\
`checkpoint = every(epochs = 1)` saves weights, the optimizer's state and all else that a training goes on
from, after each epoch; [training.md](training.md) says what that is good for."""
SCHEDULES_INTRO = """\
A rate that changes from step to step: `adam(rate = cosine(0.002))`. The short names last for the whole run unless
`steps` says otherwise."""


def section(title: str, text: str, parts: Iterable[str]) -> list[str]:
    return [f"## {title}", text, *parts]


def entry_section(entry: type[Entry]) -> str:
    fields = fields_of(entry) if issubclass(entry, DataSet) else ""
    example = entry.example if issubclass(entry, Augmentation) else ""
    return joined(
        [
            f"### {entry.kind}",
            f"`{signature(entry)}`",
            documentation(entry),
            f"Fields: {fields}." if fields else "",
            f"For example `augment = {example}`." if example else "",
            arguments_table(entry),
        ]
    )


def rows_table(rows: Iterable[Row]) -> str:
    """Rows by name, with their arguments; what a row is called in Optax stands beside it where that differs."""
    listed = [
        (
            f"`{row.name}`" + ("" if row.name == row.optax_name else f" ({row.optax_name})"),
            ", ".join(f"`{parameter(p)}`" for p in row.parameters),
        )
        for row in rows
    ]
    return table(("name", "arguments"), listed)


def errors_page() -> str:
    """Every problem by code, each with a case of the golden tests."""
    return joined(["# Errors and warnings", ERRORS_INTRO, MADE, *map(problem_section, PROBLEMS)])


ERRORS_INTRO = """\
Every problem has a code, a place, a message and a way out. All problems of a file are shown at once; one mistake gives
one message. `netc explain CODE` prints what stands here. The exit code is 1 if there is an error, and 0 if there are
only warnings."""


def problem_section(problem: type[Problem]) -> str:
    folder = ERRORS / problem.code
    case = folder / f"{CASES[problem.code]}.txt" if problem.code in CASES else min(folder.glob("*.txt"))
    source, _, shown = case.read_text().partition(RULE)
    head = f"## {problem.code}" + (" (a warning)" if problem.severity == "warning" else "")
    parts = [head, documentation(problem)]
    source = fenced(source.strip("\n")) if case.with_suffix(".net").exists() else f"For example, {source.strip()}:"
    return joined([*parts, source, fenced(shown.strip("\n"))])


def joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def fenced(text: str, language: str = "") -> str:
    return f"```{language}\n{text}\n```"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table; nothing where there are no rows."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]]) if rows else ""


PAGES: dict[str, Callable[[], str]] = {
    "layers.md": layers_page,
    "recipes.md": recipes_page,
    "errors.md": errors_page,
}


def main() -> None:
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page() + "\n")


if __name__ == "__main__":
    main()
