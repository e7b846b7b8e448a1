"""Data sets by name: what fields they have, as far as that is known before they are opened."""

from dataclasses import dataclass
from typing import ClassVar

from netc.arguments import REJECTED, Entry, Integer, ListOf, Text, argument
from netc.types import Element, Type

LABEL = "label"


@dataclass(frozen=True)
class DataSet(Entry):
    """A row of the table. `fields` are the types of one example's fields; None: known when it is opened.

    Fields that are `alike` hold the same kind of thing: they are prepared by the same numbers.
    """

    alike: ClassVar[tuple[str, ...]] = ()

    def fields(self) -> dict[str, Type] | None:
        raise NotImplementedError


@dataclass(frozen=True)
class ADataSet:
    """Accepts another data set."""

    words: tuple[str, ...] = ()

    def read(self, value: object) -> object:
        return value if isinstance(value, DataSet) else REJECTED

    def describe(self) -> str:
        return "a data set such as `mnist`"


def labelled(side: int, classes: int = 10) -> dict[str, Type]:
    return {"image": Type((side, side, 1)), LABEL: Type((), Element("class", classes))}


@dataclass(frozen=True)
class Digits(DataSet):
    """1,797 real handwritten digits of 8x8 pixels from 0 to 1, which come with scikit-learn (Alpaydin & Kaynak 1998,
    the test set of UCI). 1,437 are for training and 360 for testing, the same every time and of each digit alike."""

    def fields(self) -> dict[str, Type] | None:
        return labelled(8)


@dataclass(frozen=True)
class Mnist(DataSet):
    """Handwritten digits of 28x28 pixels from 0 to 1, 60,000 for training and 10,000 for testing (LeCun, Cortes &
    Burges).

    `--data DIR` names the folder with its four IDX files, gzipped or not. Without it, netc looks in its cache
    (`$NETC_DATA`, or `~/.cache/netc`), and else fetches them once from their publisher and compares their checksums.
    """

    def fields(self) -> dict[str, Type] | None:
        return labelled(28)


@dataclass(frozen=True)
class FashionMnist(DataSet):
    """Pictures of ten kinds of clothes in MNIST's form, and found as MNIST is (Xiao, Rasul & Vollgraf 2017)."""

    def fields(self) -> dict[str, Type] | None:
        return labelled(28)


@dataclass(frozen=True)
class Idx(DataSet):
    """Your own images in a folder with four files of MNIST's names and form (IDX), of any size and number of classes:
    fields `image` and `label`."""

    folder: str = argument("the folder, as seen from that of the .net file or of `--data`", Text())

    def fields(self) -> dict[str, Type] | None:
        return None


@dataclass(frozen=True)
class Arrays(DataSet):
    """Your own arrays in an .npz file, as `numpy.savez("file.npz", x=..., label=...)` writes it: each array is a field
    of its name, its first axis the examples.

    Arrays called `test_x`, `test_label` and so on are the test set; without them it is the last tenth. A field with
    one whole number for each example holds classes, counted from 0. So do whole numbers that are compared with scores
    at each position, and what feeds an input of tokens holds those.
    """

    file: str = argument("the file, as seen from the folder of the .net file or from `--data`", Text())

    def fields(self) -> dict[str, Type] | None:
        return None


@dataclass(frozen=True)
class Pairs(DataSet):
    """Pairs of images of a labelled set for a siamese net, half of them of one class and half of two (Hadsell, Chopra
    & LeCun 2006): fields `left`, `right`, and `same`, which is 1 or 0. There are as many pairs as images, and they
    are the same every time."""

    alike = ("left", "right")

    of: DataSet = argument("the labelled set", ADataSet())

    def fields(self) -> dict[str, Type] | None:
        inner = self.of.fields()
        if inner is None or "image" not in inner:
            return None
        return {"left": inner["image"], "right": inner["image"], "same": Type(())}


@dataclass(frozen=True)
class Binary(DataSet):
    """A labelled set as a question with two answers, such as `binary(digits, positive = [1, 3, 5, 7, 9])`, odd or even:
    the field `label` is 1 for the positive classes and 0 for others, and `sign` says the same as +1 and -1."""

    of: DataSet = argument("the labelled set", ADataSet())
    positive: tuple[int, ...] = argument("the classes that count as positive", ListOf(Integer(0)))

    def fields(self) -> dict[str, Type] | None:
        inner = self.of.fields()
        return inner and {**inner, LABEL: Type((), Element("class", 2)), "sign": Type(())}


DATASETS: tuple[type[DataSet], ...] = (Digits, Mnist, FashionMnist, Idx, Arrays, Pairs, Binary)
