"""The fields of a `train` recipe."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RecipeField:
    """A field: what it says, and its default as the language writes it (empty: it must be given, or has none)."""

    name: str
    meaning: str
    default: str = ""
    planned: bool = False


CONSTRAIN = "constrain"
"""What the constraints of a recipe stand under among its fields, in run.yaml and settings."""
F32, BF16 = "f32", "bf16"
PRECISIONS = (F32, BF16)
"""What a recipe's `precision` can be, the default first."""

FIELDS: tuple[RecipeField, ...] = (
    RecipeField("data", "the data set, such as `mnist`"),
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
    RecipeField("batch", "how many examples each step looks at", "128"),
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
    RecipeField("ensemble", "how many members train together", planned=True),
    RecipeField("shared", "what the members of an ensemble share", planned=True),
    RecipeField("start", "the run to start from", planned=True),
    RecipeField("average", "averaging of weights", planned=True),
    RecipeField("checkpoint", "when to save", planned=True),
    RecipeField("stop", "when to stop early", planned=True),
    RecipeField("mesh", "the devices", planned=True),
    RecipeField("shard", "what is divided over devices", planned=True),
)
