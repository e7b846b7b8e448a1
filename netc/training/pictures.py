"""Pictures of any mode by Pillow, as bytes in."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from netc.problems import RunError
from netc.recipes.problems import MissingExtra

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
