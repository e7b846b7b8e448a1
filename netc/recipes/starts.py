"""Weights that training starts from: a recipe's `start`."""

from dataclasses import dataclass

from netc.arguments import Entry, ListOf, Text, argument


@dataclass(frozen=True)
class Start(Entry):
    """A row of the table."""


@dataclass(frozen=True)
class Run(Start):
    """The weights of a run, by their names; running statistics are among them. Those that are `fresh` start as they
    would without a run: the last layer for other classes, say. Every other weight of the net must be in the run, in its
    shape; the run may have more. With `constrain tower: frozen`, what comes from the run stays as it is.

    The folder is opened when training begins, and only its weights are read.
    """

    folder: str = argument("the folder of the run, as seen from that of the .net file, or from where netc runs", Text())
    fresh: tuple[str, ...] = argument("weights that start anew, or layers, such as `[digit]`", ListOf(Text()), ())


STARTS: tuple[type[Start], ...] = (Run,)
