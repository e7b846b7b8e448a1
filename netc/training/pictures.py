"""Pictures of any mode by Pillow: bytes in, pixels out."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from netc.problems import RunError
from netc.recipes.problems import CorruptData, MissingExtra
from netc.training.data.examples import mismatch
from netc.training.data.stored import Stored

CHANNELS = {1: "L", 3: "RGB", 4: "RGBA"}
"""Pillow's modes by the number of channels."""
BITS_16 = 65535


def open_picture(raw: bytes, mode: str, refused: Callable[[str], RunError]) -> Any:
    """The picture in a mode of Pillow's, the right way up; transparent places keep their colour. What is none raises
    what `refused` makes of the reason."""
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as failure:
        raise RunError([MissingExtra(package="pillow", extra="data", purpose="reading pictures")]) from failure
    try:
        with Image.open(io.BytesIO(raw)) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I"):
                grey = np.asarray(picture, np.float64) / BITS_16 * 255
                picture = Image.fromarray(np.clip(grey.round(), 0, 255).astype(np.uint8))
            return picture.convert(mode)
    except UnidentifiedImageError as failure:
        raise refused("it is no picture that can be read") from failure
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as failure:
        raise refused(f"it is no picture that can be read ({failure})") from failure


@dataclass(frozen=True)
class Pictures:
    """Many pictures, each by its place: its bytes, and what it is called."""

    count: int
    raw: Callable[[int], bytes]
    name: Callable[[int], str]
    size: tuple[int, ...] | None
    channels: int

    def field(self) -> Stored:
        """The pictures as numbers from 0 to 1, float32 [count, height, width, channels], of the size that is asked for
        or that of the first."""
        shape = (self.size[0], self.size[-1], self.channels) if self.size else self.one(0).shape

        def read(places: np.ndarray) -> np.ndarray:
            made = np.empty((len(places), *shape), np.float32)
            for i, place in enumerate(places):
                picture = self.one(place)
                if picture.shape != shape:
                    text = (
                        f"`{self.name(place)}` has {picture.shape[0]}x{picture.shape[1]} pixels, and the first picture"
                    )
                    raise mismatch(f"{text} {shape[0]}x{shape[1]}", "`size = 64x64` makes all of one size")
                made[i] = picture
            return made

        return Stored((self.count, *shape), np.float32, read)

    def one(self, place: int) -> np.ndarray:
        """A picture [height, width, channels], made larger or smaller if a size is asked for."""
        picture = open_picture(
            self.raw(place), CHANNELS[self.channels], lambda reason: broken(self.name(place), reason)
        )
        size = (self.size[-1], self.size[0]) if self.size else picture.size
        picture = picture if picture.size == size else picture.resize(size)
        return np.asarray(picture, np.float32).reshape(size[1], size[0], self.channels) / np.float32(255)


def broken(path: str, reason: str) -> RunError:
    return RunError([CorruptData(path=path, reason=" ".join(reason.split()))])
