"""Convolution over orbits, for emitted Flax: by turned and mirrored copies of a kernel, and by several sizes of it."""

import jax.numpy as jnp
from flax import nnx
from jax import Array

from netc.kernels.modules import Convolution, convolve


def orbit_convolve(
    x: Array, kernel: Array, orbit: str, strides=1, padding="SAME", kernel_dilation=1, bias: Array | None = None
) -> Array:
    """Convolves x with the turned and mirrored copies of a kernel: [batch, height, width, copies, out].

    x is an image [batch, height, width, in] and the kernel [height, width, in, out]; or x is over the orbit,
    [batch, height, width, copies, in], and the kernel [height, width, copies, in, out].
    """
    y = convolve(x.reshape(*x.shape[:3], -1), orbit_kernel(kernel, orbit), strides, padding, kernel_dilation)
    if bias is not None:  # On the whole last axis: rows as short as the maps of one copy are slow to add to.
        y = y + jnp.tile(bias, len(ORBITS[orbit]))
    return y.reshape(*y.shape[:3], len(ORBITS[orbit]), -1)


def orbit_kernel(kernel: Array, orbit: str) -> Array:
    """The kernel of the plain convolution that computes all copies: [height, width, (copies) in, copies out].

    For the group element g, the copy is the kernel turned by g; one over the orbit is shuffled, too: for the
    element h of the input it is the part of g^-1 h (Cohen & Welling 2016, equation 11).
    """
    copies = []
    for g in ORBITS[orbit]:
        mirrored, turns = g
        copy = jnp.rot90(jnp.flip(kernel, 1) if mirrored else kernel, turns)
        if kernel.ndim == 5:
            parts = [ORBITS[orbit].index(seen_from(g, h)) for h in ORBITS[orbit]]
            copy = jnp.stack([copy[:, :, part] for part in parts], axis=2)
        copies.append(copy)
    stacked = jnp.stack(copies, axis=-2)
    return stacked.reshape(*kernel.shape[:2], -1, len(copies) * kernel.shape[-1])


def seen_from(g: tuple[int, int], h: tuple[int, int]) -> tuple[int, int]:
    """The group element g^-1 h; (mirrored, turns) mirrors left to right, and then turns by 90 degrees each."""
    turns = h[1] - g[1]
    return (g[0] + h[0]) % 2, (-turns if g[0] else turns) % 4


ORBITS = {
    "rot4": [(0, 0), (0, 1), (0, 2), (0, 3)],
    "flip": [(0, 0), (1, 0)],
    "rot4_flip": [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3)],
}


class OrbitConv(Convolution):
    """Convolution by one kernel and its turned or mirrored copies; the bias is one for each map."""

    def __init__(self, orbit: str, kernel_shape: tuple[int, ...], *, kernel_init, rngs: nnx.Rngs, **options):
        super().__init__(kernel_init(rngs.params(), kernel_shape), kernel_shape[-1:], rngs=rngs, **options)
        self.orbit = orbit

    def __call__(self, x: Array) -> Array:
        bias = None if self.bias is None else self.bias[...]
        return orbit_convolve(x, self.kernel[...], self.orbit, **dict(self.window), bias=bias)


def scale_convolve(x: Array, kernel: Array, sizes: int, padding, strides=1, kernel_dilation=1) -> Array:
    """Convolves x with a kernel [height, width, in, out] at several sizes: [batch, height, width, sizes, out].

    x is an image [batch, height, width, in], or of several sizes [batch, height, width, sizes, in], each of which
    meets its own. `padding` is that of the largest window; smaller ones have the same centres.
    """
    height, width = (kernel_dilation,) * 2 if isinstance(kernel_dilation, int) else kernel_dilation
    answers = []
    for size in range(sizes):
        seen = x if x.ndim == 4 else x[..., size, :]
        inset = sizes - 1 - size
        pads = [
            (before - inset * step, after - inset * step)
            for (before, after), step in zip(padding, (height, width), strict=True)
        ]
        answers.append(convolve(seen, scaled_kernel(kernel, 2 * size), strides, pads, kernel_dilation))
    return jnp.stack(answers, axis=-2)


def scaled_kernel(kernel: Array, more: int) -> Array:
    """A kernel [height, width, in, out] spread over a larger window, with the same answer to a constant image."""
    down, across = (spreading(extent, extent + more) for extent in kernel.shape[:2])
    return jnp.einsum("ph,qw,hwio->pqio", down, across, kernel).astype(kernel.dtype)


def spreading(taps: int, cells: int) -> Array:
    """Which part of each of the taps goes into each of the cells, bilinearly: [cells, taps], columns of sum 1."""
    places = jnp.clip((jnp.arange(cells) + 0.5) * taps / cells - 0.5, 0, taps - 1)
    tents = jnp.maximum(0, 1 - jnp.abs(places[:, None] - jnp.arange(taps)))
    return tents / tents.sum(axis=0)


class ScaleConv(Convolution):
    """Convolution by one kernel at several sizes; the bias is one for each map."""

    def __init__(self, sizes: int, kernel_shape: tuple[int, ...], *, kernel_init, rngs: nnx.Rngs, **options):
        super().__init__(kernel_init(rngs.params(), kernel_shape), kernel_shape[-1:], rngs=rngs, **options)
        self.sizes = sizes

    def __call__(self, x: Array) -> Array:
        y = scale_convolve(x, self.kernel[...], self.sizes, **dict(self.window))
        return y if self.bias is None else y + self.bias[...]
