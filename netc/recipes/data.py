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
    """scikit-learn's embedded digits: 1,797 real images of 8x8 (Alpaydin & Kaynak 1998, UCI test set),
    pixels from 0 to 1; a fixed stratified split into 1,437 for training and 360 for testing."""

    def fields(self) -> dict[str, Type] | None:
        return labelled(8)


@dataclass(frozen=True)
class Mnist(DataSet):
    """MNIST (LeCun, Cortes & Burges): 60,000 and 10,000 digits of 28x28, pixels from 0 to 1.

    From `--data DIR` (IDX files, gzipped or not), else the cache (`$NETC_DATA`, or `~/.cache/netc`), else fetched
    with a checksum."""

    def fields(self) -> dict[str, Type] | None:
        return labelled(28)


@dataclass(frozen=True)
class FashionMnist(DataSet):
    """Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): 60,000 and 10,000 pictures of clothes, in MNIST's form."""

    def fields(self) -> dict[str, Type] | None:
        return labelled(28)


@dataclass(frozen=True)
class Idx(DataSet):
    """A folder with MNIST's four IDX files, of any image size and number of classes."""

    folder: str = argument("the folder, from the .net file's or from that of `--data`", Text())

    def fields(self) -> dict[str, Type] | None:
        return None


@dataclass(frozen=True)
class Arrays(DataSet):
    """An .npz file: each array is a field, first axis the examples; `test_NAME` arrays are the test set.

    Whole numbers are class labels. Without test arrays, the last tenth is the test set."""

    file: str = argument("the file, from the .net file's folder or from that of `--data`", Text())

    def fields(self) -> dict[str, Type] | None:
        return None


@dataclass(frozen=True)
class Pairs(DataSet):
    """Pairs of images of a labelled set, half of one class and half of two (Hadsell, Chopra & LeCun 2006):
    fields `left`, `right` and `same` (1 or 0). As many pairs as there are images, drawn by a fixed seed."""

    alike = ("left", "right")

    of: DataSet = argument("the labelled set", ADataSet())

    def fields(self) -> dict[str, Type] | None:
        inner = self.of.fields()
        if inner is None or "image" not in inner:
            return None
        return {"left": inner["image"], "right": inner["image"], "same": Type(())}


@dataclass(frozen=True)
class Binary(DataSet):
    """A labelled set as a question of two classes: `label` is 1 for the positive classes and 0 for others, and
    `sign` the same as +1 and -1."""

    of: DataSet = argument("the labelled set", ADataSet())
    positive: tuple[int, ...] = argument("the classes that count as positive", ListOf(Integer(0)))

    def fields(self) -> dict[str, Type] | None:
        inner = self.of.fields()
        return inner and {**inner, LABEL: Type((), Element("class", 2)), "sign": Type(())}


DATASETS: tuple[type[DataSet], ...] = (Digits, Mnist, FashionMnist, Idx, Arrays, Pairs, Binary)
