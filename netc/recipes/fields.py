"""The fields of a `train` recipe."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RecipeField:
    """A field: what it says, and its default as the language writes it (empty: it must be given, or has none)."""

    name: str
    meaning: str
    default: str = ""
    planned: bool = False


CONSTRAIN, ADJUST = "constrain", "adjust"
"""What the statements of a recipe stand under among its fields, in run.yaml and settings."""
STATEMENTS = (CONSTRAIN, ADJUST)
F32, BF16 = "f32", "bf16"
PRECISIONS = (F32, BF16)
"""What a recipe's `precision` can be, the default first."""

FIELDS: tuple[RecipeField, ...] = (
    RecipeField("data", "the data set, such as `mnist`"),
    RecipeField(
        "validation",
        "what part of the training set, or how many of its examples, are split off by the seed and never trained on; "
        "after each epoch they are measured beside the test set",
    ),
    RecipeField("prepare", "what is done to every image, in training and after, such as `pad(2) -> standardize`"),
    RecipeField(
        "augment",
        "what chance does to training images after `prepare`, anew in each epoch, such as `shift(2) -> rotate(10)`",
    ),
    RecipeField(
        "loss",
        "what is made small, on outputs of the net and fields of the data, such as `cross_entropy(digit, label)`",
    ),
    RecipeField("likelihood", "what is made large, in place of a `loss`"),
    RecipeField(
        "metric", "what is measured on the test set, such as `accuracy(digit, label)`; several stand in a list"
    ),
    RecipeField(
        "optimizer", "how weights change: a chain of Optax's transforms, such as `clip(1.0) -> adam(rate = 0.001)`"
    ),
    RecipeField(
        "decay",
        "which weights the optimizer's weight decay is for: `all`, or `kernels`, those of two axes or more, without "
        "biases and the scales of norms",
        "all",
    ),
    RecipeField(
        "batch",
        "how many examples go through the net at once; each step looks at so many, or at `accumulate` times as many",
        "128",
    ),
    RecipeField(
        "accumulate",
        "of how many batches each step adds up the gradients, one after another, to save memory: `batch = 32` with "
        "`accumulate = 4` trains as `batch = 128`",
        "1",
    ),
    RecipeField("epochs", "how often training goes through the training set", "10"),
    RecipeField("steps", "how many steps there are in all, in place of `epochs`"),
    RecipeField(
        "seed", "where chance starts: first weights, order of the data, dropout; the same seed gives the same run", "0"
    ),
    RecipeField(
        "precision",
        "the numbers that the net computes with while it trains, `f32` or `bf16`; weights, loss and metrics are `f32`",
        "f32",
    ),
    RecipeField(
        "start", 'the run whose weights training starts from, such as `run("runs/digits")`, to go on or to fine-tune'
    ),
    RecipeField("stop", "when training ends before its last epoch, such as `patience(5)`"),
    RecipeField(
        "average",
        "an average of the weights over the steps, such as `ema(0.999)`; it is what is measured, saved and used, and "
        "training goes on without it",
    ),
    RecipeField(
        "ensemble",
        "how many members train together, each as a run of its own by `seed`, `seed + 1` ...; what they give together "
        "is the mean of their probabilities, or of their outputs where the loss reads no classes from them",
        "1",
    ),
    RecipeField(
        "shared",
        "the weights, or layers with all theirs, that the members of an ensemble have in common, such as `[conv1]`: "
        "each is one weight, that of the first member, and follows the mean of the members' gradients",
    ),
    RecipeField(
        "checkpoint",
        "when to save what `netc train --resume` goes on from, such as `every(epochs = 2, best = accuracy)`",
        "every(minutes = 1)",
    ),
    RecipeField("mesh", "the devices", planned=True),
    RecipeField("shard", "what is divided over devices", planned=True),
)
