"""What `predict` is given, pictures, texts and .npy arrays, as batches of a net's inputs."""

import io
import sys
import tokenize
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from netc.problems import RunError
from netc.recipes.data import BYTES
from netc.recipes.problems import BadInput
from netc.training.pictures import CHANNELS, open_picture
from netc.training.prepare import Field
from netc.types import F32, Element, Type


@dataclass(frozen=True)
class Wanted:
    """An input of a net: its name, what an example must be before it is prepared, and what the net takes it for."""

    name: str
    field: Field
    resize: bool = False
    element: Element = F32
    slide: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return self.field.shape

    @property
    def type(self) -> Type:
        return Type(self.shape, self.element)

    @property
    def is_text(self) -> bool:
        """Whether an example is a window of bytes."""
        return self.element == Element("token", BYTES) and len(self.shape) == 1


@dataclass(frozen=True)
class Examples:
    """Examples [count, ...] of an input. Of a text `length` is how many positions it fills, from the first on."""

    values: np.ndarray
    length: int | None = None


def read_examples(path: str, wanted: Wanted) -> Examples:
    """The examples in a picture (PNG, JPEG), a text, an .npy array of one or of a batch, or stdin (`-`)."""
    raw = read_raw(path)
    if raw.startswith(b"\x93NUMPY"):
        return Examples(read_array(path, raw, wanted))
    if wanted.is_text:
        return read_text(raw, wanted)
    if raw.startswith(b"PK"):
        raise bad(path, "it is an .npz or other archive", "give one of its arrays as .npy")
    return Examples(read_picture(path, raw, wanted)[None])


def read_text(raw: bytes, wanted: Wanted) -> Examples:
    """The last bytes of a text. A shorter one is filled up behind, where a net that says what is next never looks."""
    (context,) = wanted.shape
    window = np.frombuffer(raw[-context:], np.uint8).astype(np.int32)
    return Examples(np.pad(window, (0, context - len(window)))[None], len(window))


def read_raw(path: str) -> bytes:
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except (OSError, ValueError) as failure:
        reason = (failure.strerror if isinstance(failure, OSError) else "") or str(failure)
        raise bad(path, reason) from failure
    if not raw:
        raise bad(path, "it is empty")
    return raw


def bad(path: str, reason: str, way_out: str = "") -> RunError:
    return RunError([BadInput(path=path, reason=" ".join(reason.split()), way_out=way_out)])


def read_array(path: str, raw: bytes, wanted: Wanted) -> np.ndarray:
    """One example or a batch; a last axis of one channel may be left out."""
    try:
        array = np.load(io.BytesIO(raw), allow_pickle=False)
    except (OSError, ValueError, EOFError, RuntimeError, MemoryError, tokenize.TokenError) as failure:
        raise bad(path, f"it is a damaged .npy file, or not of plain numbers ({failure})") from failure
    if array.dtype.kind not in "fiub":
        raise bad(path, f"it holds {array.dtype}, and numbers are needed")
    if not np.isfinite(array).all():
        raise bad(path, "it holds NaN or infinite numbers")
    shape = larger(array, wanted.shape) if wanted.slide else wanted.shape
    if shape and shape[-1] == 1 and array.shape[-len(shape) :] != shape and array.ndim in (len(shape) - 1, len(shape)):
        array = array[..., None]
    batch = array[None] if array.shape == shape else array
    if batch.shape[1:] != shape or len(batch) == 0:
        raise bad(path, f"it is {list(array.shape)}, and `{wanted.name}` takes {wanted.type} or a batch of those")
    return batch if wanted.element.size is None else whole_numbers(path, batch, wanted, wanted.element.size)


def whole_numbers(path: str, array: np.ndarray, wanted: Wanted, size: int) -> np.ndarray:
    """Tokens or classes as int32, each below their number."""
    wrong = (array < 0) | (array >= size) | (array != np.floor(array))
    if wrong.any():
        way_out = f"whole numbers from 0 to {size - 1} are needed"
        raise bad(path, f"it holds {array[wrong][0]}, and `{wanted.name}` takes {wanted.type}", way_out)
    return array.astype(np.int32)


def larger(array: np.ndarray, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an example like `shape`, with the array's own extents."""
    *own, channels = shape
    bare = channels == 1 and array.shape[-1:] != (1,)
    extents = array.shape[-len(own) :] if bare else array.shape[-len(shape) : -1]
    return (*extents, channels)


def read_picture(path: str, raw: bytes, wanted: Wanted) -> np.ndarray:
    """A picture of any mode as [height, width, channels], in the range of pixels that the run was trained on."""
    shape = wanted.shape
    if len(shape) != 3 or shape[2] not in CHANNELS:
        raise bad(path, f"`{wanted.name}` takes {wanted.type}, which is no picture", "give it as .npy")
    largest = pixel_range(path, wanted)
    picture = open_picture(raw, CHANNELS[shape[2]], lambda reason: bad(path, reason, "give PNG, JPEG or .npy"))
    size = picture.size if wanted.slide else (shape[1], shape[0])
    if picture.size != size and not wanted.resize:
        reason = f"it is {picture.height}x{picture.width} pixels, and `{wanted.name}` takes {shape[0]}x{shape[1]}"
        raise bad(path, reason, "`--resize` makes it fit")
    resized = picture if picture.size == size else picture.resize(size)
    return np.asarray(resized, np.float32).reshape(size[1], size[0], shape[2]) / np.float32(255) * np.float32(largest)


def pixel_range(path: str, wanted: Wanted) -> float:
    """What white is, 1 or 255, by the numbers that the run was trained on."""
    smallest, largest = wanted.field.smallest, wanted.field.largest
    if smallest >= 0 and largest <= 1:
        return 1.0
    if smallest >= 0 and 128 <= largest <= 255:
        return 255.0
    reason = (
        f"pictures have pixels from 0 to 1 or 255, and the run was trained on numbers from {smallest:g} to {largest:g}"
    )
    raise bad(path, reason, "give it as .npy, in the units of the training data")
