"""Checkpoints: when a training saves all that its going on depends on."""

from dataclasses import dataclass

from netc.arguments import Entry, Integer, Real, Text, argument

SPANS = ("epochs", "steps", "minutes")
"""What a checkpoint can be saved after; a recipe says one of them."""
LOSS = "loss"
MINUTES = 1.0


@dataclass(frozen=True)
class Every(Entry):
    """Saves a checkpoint at the first pause after so many epochs, steps or minutes: pauses are the ends of epochs, and
    in them five times a second or so. Without any of the three it is a minute. One more is saved when the run ends.

    From a checkpoint `netc train --resume` goes on as if the run had never stopped. When it is saved changes nothing in
    what is trained. `best` keeps the weights of the epoch after which the test set's loss, or that metric, was best;
    `netc eval RUN --best` uses them.
    """

    epochs: float | None = argument("epochs between two checkpoints", Real(0, above=True), None)
    steps: int | None = argument("steps between two, in place of epochs", Integer(1), None, keyword_only=True)
    minutes: float | None = argument("minutes between two, in place of epochs", Real(0), None, keyword_only=True)
    keep: int = argument(
        "how many of the latest are kept; one that is damaged is replaced by the one before",
        Integer(2),
        2,
        keyword_only=True,
    )
    best: str | None = argument(
        "`loss`, or the metric whose best epoch's weights are kept", Text(), None, keyword_only=True
    )


CHECKPOINTS = (Every,)
