"""Augmentation of one image [height, width, channels] by a random key, on the device: what a recipe's `augment` calls.

What moves pixels by parts of their size does so backwards. `places` [height, width, 2] say where each pixel of the
result comes from, in rows and columns from the middle of the image; functions on places change that, and `sampled`
then reads the image there, once.
"""

from collections.abc import Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.ndimage import map_coordinates

EDGE, REFLECT, SMALLEST = "edge", "reflect", "smallest"
GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""The part of red, green and blue in the luma of ITU-R BT.601."""
YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
"""Rows are Y, I and Q of NTSC."""
TRUNCATE = 4.0
"""After so many standard deviations a Gaussian counts as 0, as in SciPy."""


def centred(image: Any) -> Any:
    """The places [height, width, 2] of an image that stays as it is."""
    rows, columns = (jnp.arange(extent) - (extent - 1) / 2 for extent in image.shape[:2])
    return jnp.stack(jnp.meshgrid(rows, columns, indexing="ij"), axis=-1)


def sampled(image: Any, places: Any, fill: str | float) -> Any:
    """The image as it is at some places, linear between the four nearest pixels."""
    middle = (jnp.array(image.shape[:2]) - 1) / 2
    if fill == REFLECT:
        source, mode, border = image, "mirror", 0
    else:
        # Beyond a border of one pixel, the nearest is what fills the rest.
        source, mode, border = bordered(image, 1, fill), "nearest", 1
    rows, columns = jnp.moveaxis(places + middle + border, -1, 0)
    read = jax.vmap(lambda channel: map_coordinates(channel, [rows, columns], order=1, mode=mode), -1, -1)
    return read(source)


def bordered(image: Any, border: int, fill: str | float) -> Any:
    """The image with some pixels more on each side. A channel's smallest number is its own."""
    if fill in (EDGE, REFLECT):
        return jnp.pad(image, ((border, border), (border, border), (0, 0)), str(fill))
    height, width, channels = image.shape
    shape = (height + 2 * border, width + 2 * border, channels)
    ground = jnp.broadcast_to(colour(image, fill), shape).astype(image.dtype)
    return jax.lax.dynamic_update_slice(ground, image, (border, border, 0))


def colour(image: Any, fill: str | float) -> Any:
    """A number, or the smallest of each channel."""
    return jnp.min(image, axis=(0, 1)) if fill == SMALLEST else fill


def evenly(key: Any, most: float) -> Any:
    """A number between -most and most."""
    return jax.random.uniform(key, minval=-most, maxval=most)


def linear(places: Any, matrix: Any) -> Any:
    """Places [row, column] of an image to which the inverse of a matrix was applied."""
    return places @ jnp.asarray(matrix, places.dtype).T


def shift(places: Any, key: Any, height: float, width: float) -> Any:
    return moved(places, jax.random.uniform(key, (2,), minval=-1.0, maxval=1.0) * jnp.array([height, width]))


def moved(places: Any, distance: Any) -> Any:
    """Places of an image that moves down and to the right by `distance` pixels [rows, columns]."""
    return places - distance


def rotate(places: Any, key: Any, degrees: float) -> Any:
    return turned(places, evenly(key, degrees))


def turned(places: Any, degrees: Any) -> Any:
    """Places of an image that turns anticlockwise."""
    angle = jnp.deg2rad(degrees)
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    return linear(places, [[cosine, sine], [-sine, cosine]])


def zoom(places: Any, key: Any, low: float, high: float) -> Any:
    return enlarged(places, jax.random.uniform(key, minval=low, maxval=high))


def enlarged(places: Any, factor: Any) -> Any:
    """Places of an image whose content becomes larger."""
    return places / factor


def shear(places: Any, key: Any, degrees: float) -> Any:
    return slanted(places, evenly(key, degrees))


def slanted(places: Any, degrees: Any) -> Any:
    """Places of an image that leans to the right by `degrees`."""
    return linear(places, [[1.0, 0.0], [jnp.tan(jnp.deg2rad(degrees)), 1.0]])


def elastic(places: Any, key: Any, alpha: float, sigma: float) -> Any:
    """Simard, Steinkraus & Platt 2003, section 2. It is drawn for each pixel of the result, so that it can only be the
    last change of an image: the first of its places."""
    return places + alpha * smoothed(jax.random.uniform(key, places.shape, minval=-1.0, maxval=1.0), sigma)


def smoothed(field: Any, sigma: float) -> Any:
    """A field [height, width, ...] convolved with a Gaussian, 0 beyond its borders."""
    rows, columns = (gaussian(extent, sigma) for extent in field.shape[:2])
    return jnp.einsum("ij,jk...,lk->il...", rows, field, columns)


def gaussian(extent: int, sigma: float) -> np.ndarray:
    """The matrix [extent, extent] that smooths along an axis; the whole kernel has the sum 1."""
    radius = int(TRUNCATE * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    apart = np.abs(np.subtract.outer(np.arange(extent), np.arange(extent)))
    weights = np.exp(-0.5 * (apart / sigma) ** 2) / kernel.sum()
    return np.where(apart <= radius, weights, 0).astype(np.float32)


def flip(image: Any, key: Any, probability: float) -> Any:
    return jnp.where(jax.random.bernoulli(key, probability), image[:, ::-1], image)


def flipud(image: Any, key: Any, probability: float) -> Any:
    return jnp.where(jax.random.bernoulli(key, probability), image[::-1], image)


def crop(image: Any, key: Any, border: int, fill: str | float) -> Any:
    top, left = jax.random.randint(key, (2,), 0, 2 * border + 1)
    return jax.lax.dynamic_slice(bordered(image, border, fill), (top, left, 0), image.shape)


def cutout(image: Any, key: Any, size: int, fill: str | float) -> Any:
    height, width, _ = image.shape
    middle = jax.random.randint(key, (2,), 0, jnp.array([height, width]))
    rows, columns = (
        (jnp.arange(extent) >= first) & (jnp.arange(extent) < first + size)
        for extent, first in zip((height, width), middle - size // 2, strict=True)
    )
    return jnp.where((rows[:, None] & columns)[..., None], colour(image, fill), image)


def noise(image: Any, key: Any, deviation: float) -> Any:
    return image + deviation * jax.random.normal(key, image.shape, image.dtype)


def colour_jitter(image: Any, key: Any, brightness: float, contrast: float, saturation: float, hue: float) -> Any:
    drawn = jax.random.uniform(key, (4,), minval=-1.0, maxval=1.0) * jnp.array([brightness, contrast, saturation, hue])
    return recoloured(image, drawn[0], 1 + drawn[1], 1 + drawn[2], drawn[3])


def recoloured(image: Any, brightness: Any, contrast: Any, saturation: Any, hue: Any) -> Any:
    """The image with a brightness added, contrast and saturation multiplied, and colours turned by degrees."""
    image = image + brightness
    mean = jnp.mean(image @ GREY)
    image = mean + contrast * (image - mean)
    grey = (image @ GREY)[..., None]
    image = grey + saturation * (image - grey)
    return image @ hue_matrix(hue).T


def hue_matrix(degrees: Any) -> Any:
    """The matrix [3, 3] that turns I and Q of RGB colours, and leaves Y."""
    angle = jnp.deg2rad(degrees)
    sine, cosine = jnp.sin(angle), jnp.cos(angle)
    turn = jnp.array([[1.0, 0.0, 0.0], [0.0, cosine, -sine], [0.0, sine, cosine]])
    return np.linalg.inv(YIQ).astype(np.float32) @ turn @ YIQ.astype(np.float32)


def pca_noise(image: Any, key: Any, fitted: Any, deviation: float) -> Any:
    """Krizhevsky, Sutskever & Hinton 2012, section 4.1; `fitted` are `principal_colours`."""
    return image + fitted @ (deviation * jax.random.normal(key, (3,), image.dtype))


def principal_colours(parts: Iterable[np.ndarray]) -> np.ndarray:
    """The eigenvectors of the covariance of the colours of images, in parts [..., 3], as columns, each as long as its
    eigenvalue; its sign is that of its largest number, which is positive."""
    pixels, total, squares = 0, np.zeros(3), np.zeros((3, 3))
    for part in parts:
        colours = part.reshape(-1, 3).astype(np.float64)
        pixels, total, squares = pixels + len(colours), total + colours.sum(0), squares + colours.T @ colours
    mean = total / pixels
    values, vectors = np.linalg.eigh(squares / pixels - np.outer(mean, mean))
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(0, keepdims=True), 0)
    return (vectors * np.sign(largest) * np.maximum(values, 0)).astype(np.float32)


FITS = {"pca_noise": principal_colours}
"""What augmentations take from the training images, by kind."""
