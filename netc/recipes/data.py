"""Data sets by name: what fields they have, as far as that is known before they are opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from netc.arguments import REJECTED, Entry, Extents, Integer, ListOf, Text, Truth, argument
from netc.types import Element, Type

LABEL = "label"
STREAM = "whether it is read from disk while a net trains; unless given, only if it takes more than a quarter of memory"
STREAMS = (
    "it is read into memory; `images`, `arrays` of a folder or an uncompressed .npz file, and `huggingface` can be "
    "read from disk while a net trains"
)


@dataclass(frozen=True)
class DataSet(Entry):
    """A row of the table. `fields` are the types of one example's fields; None: known when it is opened.

    Fields that are `alike` hold the same kind of thing: they are prepared by the same numbers.
    """

    alike: ClassVar[tuple[str, ...]] = ()
    lacking: ClassVar[Mapping[str, str]] = {"stream": STREAMS}

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
class Cifar10(DataSet):
    """Colour pictures of 32x32 pixels from 0 to 1 of ten kinds of things, 50,000 for training and 10,000 for testing
    (Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images").

    `--data DIR` names the folder with the files of its binary version, `data_batch_1.bin` to `test_batch.bin`. Without
    it, netc looks in its cache (`$NETC_DATA`, or `~/.cache/netc`), and else fetches the archive once from its publisher
    and compares its checksum.
    """

    def fields(self) -> dict[str, Type] | None:
        return {"image": Type((32, 32, 3)), LABEL: Type((), Element("class", 10))}


@dataclass(frozen=True)
class Cifar100(DataSet):
    """As `cifar10`, of a hundred kinds of things: the field `coarse` is which of twenty groups of them it is of. Its
    files are `train.bin` and `test.bin`."""

    def fields(self) -> dict[str, Type] | None:
        image, label = Type((32, 32, 3)), Type((), Element("class", 100))
        return {"image": image, LABEL: label, "coarse": Type((), Element("class", 20))}


@dataclass(frozen=True)
class Channels:
    """Accepts how many channels pictures have: 1 or 3."""

    words: tuple[str, ...] = ()

    def read(self, value: object) -> object:
        found = Integer(1, 3).read(value)
        return REJECTED if found == 2 else found

    def describe(self) -> str:
        return "1 (grey) or 3 (colours)"


@dataclass(frozen=True)
class PictureSize:
    """Accepts a height and a width, or one number for both."""

    words: tuple[str, ...] = ()

    def read(self, value: object) -> object:
        found = Extents().read(value)
        return found if isinstance(found, tuple) and len(found) <= 2 else REJECTED

    def describe(self) -> str:
        return "a height and width such as `64x64`, or a whole number for both"


SIZE = "the height and width to which pictures are made larger or smaller; unless given, all must be of one size"


@dataclass(frozen=True)
class Images(DataSet):
    """Your own pictures in a folder with a folder for each class: fields `image`, of pixels from 0 to 1, and `label`,
    the classes in the sorted order of their names. Any format and mode that Pillow reads will do (PNG, JPEG ...).

    Where the folder has folders `train` and `test` (or `val`), the classes stand within those. Else the last tenth of
    the pictures of each class, in the order of their names, is the test set. Names that start with a dot are passed
    over. A set that is larger than the memory is read while the net trains. `netc predict` says classes by the names of
    their folders.
    """

    folder: str = argument("the folder, as seen from that of the .net file or of `--data`", Text())
    size: tuple[int, ...] | None = argument(SIZE, PictureSize(), None)
    channels: int = argument("how many channels pictures get", Channels(), 3)
    stream: bool | None = argument(STREAM, Truth(), None, keyword_only=True)

    def fields(self) -> dict[str, Type] | None:
        return None


TARGET = "target"


@dataclass(frozen=True)
class Csv(DataSet):
    """Your own table in a CSV file, whose first line names its columns: the field `x` has the numbers of all columns
    but one, in their order. That one is the field `label` or `target`.

    A `label` is a class: whole numbers from 0 as they stand, or texts, which become classes in sorted order. Without a
    file for testing the last tenth of the rows is the test set, of each class where there are classes.
    """

    file: str = argument("the file, as seen from the folder of the .net file or from `--data`", Text())
    label: str = argument("the column of classes", Text(), "")
    target: str = argument("or the column of numbers that the net learns", Text(), "")
    test: str = argument("a file with the same columns for testing", Text(), "")

    def fields(self) -> dict[str, Type] | None:
        return None


@dataclass(frozen=True)
class Huggingface(DataSet):
    """A data set of the Hugging Face hub, or one that `datasets` saved in a folder (`save_to_disk`): each column is a
    field of its name. Pictures have pixels from 0 to 1; `ClassLabel`s and whole numbers, one an example, are classes.

    It is fetched into the cache of `datasets` once, and needs that library. One that is larger than the memory is read
    while the net trains.
    """

    name: str = argument("its name on the hub, or a folder as seen from that of the .net file or of `--data`", Text())
    train: str = argument("the part for training", Text(), "train")
    test: str = argument("the part for testing", Text(), "test")
    config: str = argument("which of its configurations, if it has several", Text(), "")
    columns: tuple[str, ...] = argument("the columns that are used; all, unless given", ListOf(Text()), ())
    size: tuple[int, ...] | None = argument(SIZE, PictureSize(), None)
    channels: int = argument("how many channels pictures get", Channels(), 3)
    stream: bool | None = argument(STREAM, Truth(), None, keyword_only=True)

    def fields(self) -> dict[str, Type] | None:
        return None


@dataclass(frozen=True)
class Idx(DataSet):
    """Your own images in a folder with four files of MNIST's names and form (IDX), of any size and number of classes:
    fields `image` and `label`."""

    folder: str = argument("the folder, as seen from that of the .net file or of `--data`", Text())

    def fields(self) -> dict[str, Type] | None:
        return None


@dataclass(frozen=True)
class Arrays(DataSet):
    """Your own arrays in an .npz file, as `numpy.savez("file.npz", x=..., label=...)` writes it, or in a folder, as
    `numpy.save("folder/x.npy", ...)` does: each array is a field of its name, its first axis the examples.

    Arrays called `test_x`, `test_label` and so on are the test set; without them it is the last tenth. A field with
    one whole number for each example holds classes, counted from 0. So do whole numbers that are compared with scores
    at each position, or that `ctc` takes for labels; what feeds an input of tokens holds those.

    A folder, or an .npz file that `numpy.savez` wrote and not `savez_compressed`, may be larger than the memory: it is
    then read while the net trains.
    """

    file: str = argument("the file or folder, as seen from the folder of the .net file or from `--data`", Text())
    stream: bool | None = argument(STREAM, Truth(), None, keyword_only=True)

    def fields(self) -> dict[str, Type] | None:
        return None


BYTES = 256
"""How many different bytes there are."""


@dataclass(frozen=True)
class TextFile(DataSet, kind="text"):
    """A text file for a language model of bytes, which learns what comes next: fields `text`, a window of `context`
    bytes, and `next`, the byte after each of them. Any file is taken as its bytes; UTF-8 needs no more than that.

    Windows follow each other without overlap. The last tenth of the file is the test set, and no window is in both
    parts; what is left at the end of each, shorter than a window, is not used.
    """

    file: str = argument("the file, as seen from the folder of the .net file or from `--data`", Text())
    context: int = argument("how many bytes a window has", Integer(1, 2**20), 128)

    def fields(self) -> dict[str, Type] | None:
        window = (self.context,)
        return {"text": Type(window, Element("token", BYTES)), "next": Type(window, Element("class", BYTES))}


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
class Triplets(DataSet):
    """Three images of a labelled set at a time, for the loss `triplet` (Schroff, Kalenichenko & Philbin 2015): fields
    `anchor`, `positive`, another of its class, and `negative`, one of another class. Each image is the anchor once, and
    they are the same every time."""

    alike = ("anchor", "positive", "negative")

    of: DataSet = argument("the labelled set", ADataSet())

    def fields(self) -> dict[str, Type] | None:
        inner = self.of.fields()
        if inner is None or "image" not in inner:
            return None
        return dict.fromkeys(self.alike, inner["image"])


@dataclass(frozen=True)
class Counts:
    """Accepts one or several whole numbers, each of at least 1."""

    high: int
    words: tuple[str, ...] = ()

    def read(self, value: object) -> object:
        return REJECTED if value == () else ListOf(Integer(1, self.high)).read(value)

    def describe(self) -> str:
        return f"whole numbers from 1 to {self.high}, such as `[3, 4, 5]`"


@dataclass(frozen=True)
class Strips(DataSet):
    """Several images of a labelled set side by side in one wide image, as the digits of a number are, for reading whole
    strings with `ctc`: fields `image`, and `label`, the classes from left to right. Each image is in one strip, test
    strips are made of test images alone, and they are the same every time.

    Strips hold one of the numbers of `digits`, each as likely, somewhere in an image that has room for the longest,
    with random gaps: neighbours overlap by up to `overlap` columns, though no more than half of the narrower one, or
    have up to `gap` columns between them. Columns are counted from where the image is not 0.

    Labels of n classes are `class(n + 1)`; the last class fills up labels that are shorter: `strips(mnist)` has
    `class(11)[5]`, and its loss is `ctc(logits, label, blank = 10)`.
    """

    of: DataSet = argument("the labelled set", ADataSet())
    digits: tuple[int, ...] = argument("how many images are in a strip", Counts(20), (3, 4, 5))
    overlap: int = argument("by how many columns neighbours may overlap", Integer(0, 100), 4)
    gap: int = argument("how many columns may be between them", Integer(0, 100), 8)

    def fields(self) -> dict[str, Type] | None:
        inner = self.of.fields()
        return inner and self.fields_of(inner)

    def fields_of(self, inner: dict[str, Type]) -> dict[str, Type] | None:
        """The fields for those of the labelled set; None where that is none of images with one class each."""
        image, label = inner.get("image", Type(())), inner.get(LABEL, Type(()))
        if len(image.shape) != 3 or label.shape or label.element.size is None:
            return None
        height, width, channels = image.shape
        longest = max(self.digits)
        wide = Type((height, longest * (width + self.gap), channels))
        return {"image": wide, LABEL: Type((longest,), Element("class", label.element.size + 1))}


@dataclass(frozen=True)
class Binary(DataSet):
    """A labelled set as a question with two answers, such as `binary(digits, positive = [1, 3, 5, 7, 9])`, odd or even:
    the field `label` is 1 for the positive classes and 0 for others, and `sign` says the same as +1 and -1."""

    of: DataSet = argument("the labelled set", ADataSet())
    positive: tuple[int, ...] = argument("the classes that count as positive", ListOf(Integer(0)))

    def fields(self) -> dict[str, Type] | None:
        inner = self.of.fields()
        return inner and {**inner, LABEL: Type((), Element("class", 2)), "sign": Type(())}


DATASETS: tuple[type[DataSet], ...] = (
    Digits,
    Mnist,
    FashionMnist,
    Cifar10,
    Cifar100,
    Idx,
    Images,
    Arrays,
    Csv,
    Huggingface,
    TextFile,
    Pairs,
    Triplets,
    Binary,
    Strips,
)
