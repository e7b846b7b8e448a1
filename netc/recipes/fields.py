"""The fields of a `train` recipe."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RecipeField:
    """A field: what it says, and its default as the language writes it (empty: it must be given, or has none)."""

    name: str
    meaning: str
    default: str = ""
    planned: bool = False


FIELDS: tuple[RecipeField, ...] = (
    RecipeField("data", "the data set"),
    RecipeField("prepare", "what is done to every image, in training and after: `pad(2) -> standardize`"),
    RecipeField("loss", "what is made small, on outputs of the net and fields of the data"),
    RecipeField("likelihood", "what is made large, in place of a loss"),
    RecipeField("metric", "what is reported; several in a list"),
    RecipeField("optimizer", "a chain of Optax transforms: `clip(1.0) -> adam(rate = 0.001)`"),
    RecipeField("batch", "examples in a step", "128"),
    RecipeField("epochs", "passes over the training set", "10"),
    RecipeField("steps", "steps in all, in place of epochs"),
    RecipeField("seed", "of initial weights, order of data and dropout", "0"),
    RecipeField("augment", "what is done to training images", planned=True),
    RecipeField("precision", "bf16 or f32", planned=True),
    RecipeField("ensemble", "how many members train together", planned=True),
    RecipeField("shared", "what the members of an ensemble share", planned=True),
    RecipeField("start", "the run to start from", planned=True),
    RecipeField("average", "averaging of weights", planned=True),
    RecipeField("checkpoint", "when to save", planned=True),
    RecipeField("stop", "when to stop early", planned=True),
    RecipeField("mesh", "the devices", planned=True),
    RecipeField("shard", "what is divided over devices", planned=True),
)
