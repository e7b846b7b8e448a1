"""`augment`: each augmentation against NumPy and SciPy, what is drawn, and what training does with it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
from small_runs import chunks_of, training, weights

import netc
from netc.check.augment import KINDS, refused
from netc.compiler import check_text
from netc.emit.augment import emit_augmentation
from netc.ir.network import Recipe
from netc.kernels import augment as images
from netc.problems import RunError
from netc.recipes.augment import AUGMENTATIONS, Cutout, Flip
from netc.rendering import render_all
from netc.training import loop
from netc.training.augment import make_augmentation
from netc.training.loop import Chunk, Epoch, Training
from netc.types import Element, Type

IMAGE = np.random.default_rng(0).normal(size=(9, 7, 3)).astype("f")
SQUARE = np.random.default_rng(1).normal(size=(8, 8, 2)).astype("f")
FILLS = {"smallest": "grid-constant", "edge": "nearest", "reflect": "mirror", -2.5: "grid-constant"}
KEYS = jax.random.split(jax.random.key(0), 4000)


def sampled(image: np.ndarray, change: Callable[[Any], Any], fill: str | float = "smallest") -> np.ndarray:
    return np.asarray(images.sampled(image, change(images.centred(image)), fill))


def by_scipy(image: np.ndarray, inverse: np.ndarray, offset: np.ndarray, fill: str | float) -> np.ndarray:
    """An image [height, width, channels] read at `inverse` [2, 2] times each place from its middle, plus an offset."""
    middle = (np.array(image.shape[:2]) - 1) / 2
    matrix = np.column_stack([inverse, middle + offset - inverse @ middle])
    ground = image.min(axis=(0, 1)) if fill == "smallest" else [0 if isinstance(fill, str) else fill] * image.shape[2]
    read = [
        scipy.ndimage.affine_transform(
            image[..., c].astype(np.float64), matrix, order=1, mode=FILLS[fill], cval=ground[c]
        )
        for c in range(image.shape[2])
    ]
    return np.stack(read, axis=-1)


def is_even(drawn: np.ndarray, low: float, high: float) -> bool:
    """Whether numbers look drawn evenly between two, and reach nearly both."""
    inside = bool((drawn >= low).all() and (drawn <= high).all())
    return inside and scipy.stats.kstest(drawn, scipy.stats.uniform(low, high - low).cdf).pvalue > 0.01


# What moves pixels.


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("distance", [(2, -3), (0, 1), (-1, 0), (0, 0)])
def test_a_shift_by_whole_pixels_is_a_roll(distance: tuple[int, int], fill: str | float):
    found = sampled(IMAGE, lambda places: images.moved(places, np.array(distance, "f")), fill)
    rolled = np.roll(IMAGE, distance, (0, 1))
    rows, columns = np.indices(IMAGE.shape[:2])
    inside = ((rows - distance[0]) // 9 == 0) & ((columns - distance[1]) // 7 == 0)
    np.testing.assert_array_equal(found[inside], rolled[inside])
    match fill:
        case "smallest":
            np.testing.assert_array_equal(found[~inside], np.broadcast_to(IMAGE.min((0, 1)), found[~inside].shape))
        case str():
            around = np.pad(IMAGE, ((4, 4), (4, 4), (0, 0)), fill)  # pyright: ignore[reportCallIssue, reportArgumentType]
            down, right = distance
            np.testing.assert_array_equal(found, around[4 - down : 13 - down, 4 - right : 11 - right])
        case _:
            assert (found[~inside] == fill).all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_anticlockwise(quarters: int):
    found = sampled(SQUARE, lambda places: images.turned(places, 90.0 * quarters))
    np.testing.assert_allclose(found, np.rot90(SQUARE, quarters), atol=1e-5)
    image = SQUARE[:, 1:]
    if quarters == 2:
        np.testing.assert_allclose(
            sampled(image, lambda places: images.turned(places, 180.0)), image[::-1, ::-1], atol=1e-5
        )


def inverse_of(degrees: float) -> np.ndarray:
    """Of a result's [row, column] to where it comes from, for a turn anticlockwise."""
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])


@pytest.mark.parametrize("fill", FILLS)
def test_a_chain_is_one_resampling_by_the_product_of_its_matrices(fill: str | float):
    """shift -> rotate -> zoom -> shear, each undone from the last to the first."""
    distance, slant = np.array([0.7, -1.3]), np.array([[1, 0], [np.tan(np.deg2rad(12)), 1]])

    def change(places: Any) -> Any:
        return images.moved(images.turned(images.enlarged(images.slanted(places, 12.0), 1.2), 25.0), distance)

    inverse = inverse_of(25) @ (np.eye(2) / 1.2) @ slant
    expected = by_scipy(IMAGE, inverse, -distance, fill)
    np.testing.assert_allclose(sampled(IMAGE, change, fill), expected, atol=2e-5)


def test_zoom_enlarges_and_shear_leans_right():
    dot = np.zeros((7, 7, 1), "f")
    dot[3, 4] = dot[1, 3] = 1
    large = sampled(dot, lambda places: images.enlarged(places, 2.0))[..., 0]
    assert large[3, 5] == 1 and large[3, 4] == 0.5
    leaning = sampled(dot, lambda places: images.slanted(places, 45.0))[..., 0]
    np.testing.assert_allclose([leaning[3, 4], leaning[1, 5], leaning[1, 3]], [1, 1, 0], atol=1e-5)


def test_no_change_is_none():
    """Limits of 0, and factors of 1, give the image back to the last bit."""
    nothing = {
        "shift(0)": (images.shift, (0.0, 0.0)),
        "rotate(0)": (images.rotate, (0.0,)),
        "zoom(1, 1)": (images.zoom, (1.0, 1.0)),
        "shear(0)": (images.shear, (0.0,)),
        "elastic(0, 4)": (images.elastic, (0.0, 4.0)),
    }
    for function, arguments in nothing.values():
        found = sampled(IMAGE, lambda places, f=function, a=arguments: f(places, KEYS[0], *a))
        np.testing.assert_array_equal(found, IMAGE)
    for change in (images.crop(IMAGE, KEYS[0], 0, "edge"), images.noise(IMAGE, KEYS[0], 0.0)):
        np.testing.assert_array_equal(change, IMAGE)


def test_what_moves_an_image_is_drawn_evenly():
    """Read off two places: the middle, and one to the right of it."""
    places = jnp.array([[0.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])

    def drawn(function: Callable[..., Any], *arguments: float) -> np.ndarray:
        return np.asarray(jax.vmap(lambda key: function(places, key, *arguments))(KEYS))

    shifts = -drawn(images.shift, 2.0, 0.5)[:, 0]
    assert is_even(shifts[:, 0], -2, 2) and is_even(shifts[:, 1], -0.5, 0.5)
    assert abs(np.corrcoef(shifts.T)[0, 1]) < 0.05
    turned = drawn(images.rotate, 10.0)[:, 1]
    assert is_even(np.rad2deg(np.arctan2(turned[:, 0], turned[:, 1])), -10, 10)
    assert is_even(1 / drawn(images.zoom, 0.8, 1.1)[:, 1, 1], 0.8, 1.1)
    assert is_even(np.rad2deg(np.arctan(-drawn(images.shear, 15.0)[:, 2, 1])), -15, 15)


@pytest.mark.parametrize("sigma", [0.3, 2.0, 6.0])
def test_elastic_fields_are_smoothed_as_by_scipy(sigma: float):
    field = np.random.default_rng(2).uniform(-1, 1, (28, 20, 2))
    expected = scipy.ndimage.gaussian_filter(field, (sigma, sigma, 0), mode="constant")
    np.testing.assert_allclose(images.smoothed(jnp.asarray(field, "float32"), sigma), expected, atol=1e-6)


def test_elastic_distances_are_as_documented():
    """Even numbers have the variance 1/3, and a Gaussian leaves 1 / (4 pi sigma^2) of it."""
    zero = jnp.zeros((64, 64, 2))
    found = np.asarray(jax.vmap(lambda key: images.elastic(zero, key, 34.0, 4.0))(KEYS[:64]))[:, 20:44, 20:44]
    assert abs(found.mean()) < 0.1
    expected = 34 / np.sqrt(3) / (2 * np.sqrt(np.pi) * 4)
    np.testing.assert_allclose(found.std(axis=(0, 1, 2)), expected, rtol=0.06)
    np.testing.assert_allclose(expected, 0.16 * 34 / 4, rtol=0.03)
    assert abs(np.corrcoef(found[..., 0].ravel(), found[..., 1].ravel())[0, 1]) < 0.05
    near = np.corrcoef(found[:, :-4, :, 0].ravel(), found[:, 4:, :, 0].ravel())[0, 1]
    np.testing.assert_allclose(near, np.exp(-1 / 4), atol=0.06)  # of fields smoothed alike: exp(-d^2 / (4 sigma^2))


@pytest.mark.parametrize(("function", "turned"), [(images.flip, IMAGE[:, ::-1]), (images.flipud, IMAGE[::-1])])
def test_flips(function: Callable[..., Any], turned: np.ndarray):
    np.testing.assert_array_equal(function(IMAGE, KEYS[0], 1.0), turned)
    np.testing.assert_array_equal(function(IMAGE, KEYS[0], 0.0), IMAGE)
    found = np.asarray(jax.vmap(lambda key: function(IMAGE, key, 0.3))(KEYS[:1000]))
    flipped, kept = (found == turned).all((1, 2, 3)), (found == IMAGE).all((1, 2, 3))
    assert (flipped ^ kept).all() and 0.25 < flipped.mean() < 0.35


@pytest.mark.parametrize("fill", FILLS)
def test_crop_is_a_window_of_the_larger_image(fill: str | float):
    modes: dict[Any, Any] = {"edge": {"mode": "edge"}, "reflect": {"mode": "reflect"}, -2.5: {"constant_values": -2.5}}
    around = np.stack(
        [
            np.pad(IMAGE[..., c], 2, **modes.get(fill, {"constant_values": IMAGE[..., c].min()}))
            for c in range(3)
        ],
        axis=-1,
    )  # fmt: skip
    found = np.asarray(jax.vmap(lambda key: images.crop(IMAGE, key, 2, fill))(KEYS[:500]))
    windows = np.array([[around[i : i + 9, j : j + 7] for j in range(5)] for i in range(5)]).reshape(25, 9, 7, 3)
    equal = (found[:, None] == windows[None]).all((2, 3, 4))
    assert (equal.sum(1) == 1).all()
    assert scipy.stats.chisquare(equal.sum(0)).pvalue > 0.01


@pytest.mark.parametrize("size", [1, 4, 7])
def test_cutout_covers_one_square_that_may_lie_outside_in_part(size: int):
    covered = np.asarray(jax.vmap(lambda key: images.cutout(jnp.ones((9, 7, 1)), key, size, 0.0))(KEYS[:500]))[..., 0]
    squares = set()
    for row, column in np.ndindex(9, 7):
        image = np.ones((9, 7))
        top, left = row - size // 2, column - size // 2
        image[max(top, 0) : top + size, max(left, 0) : left + size] = 0
        squares.add(image.tobytes())
    found = {image.astype(np.float64).tobytes() for image in covered}
    assert found <= squares and len(found) > 0.9 * len(squares)
    ground = np.asarray(images.cutout(IMAGE, KEYS[0], 3, "smallest"))
    changed = (ground != IMAGE).any(-1)
    assert changed.any()
    np.testing.assert_array_equal(ground[changed], np.broadcast_to(IMAGE.min((0, 1)), (changed.sum(), 3)))


# What changes numbers.


def test_noise_is_normal():
    found = np.asarray(images.noise(jnp.full((100, 100, 1), 3.0), KEYS[0], 0.5)).ravel()
    assert scipy.stats.kstest(found, scipy.stats.norm(3, 0.5).cdf).pvalue > 0.01


def recoloured(image: np.ndarray, *numbers: float) -> np.ndarray:
    return np.asarray(images.recoloured(jnp.asarray(image), *numbers))


def test_colours_change_one_thing_at_a_time():
    grey = IMAGE @ images.GREY
    np.testing.assert_allclose(recoloured(IMAGE, 0.0, 1.0, 1.0, 0.0), IMAGE, atol=1e-5)
    np.testing.assert_allclose(recoloured(IMAGE, 0.3, 1.0, 1.0, 0.0), IMAGE + 0.3, atol=1e-5)
    np.testing.assert_allclose(recoloured(IMAGE, 0, 0.5, 1.0, 0.0), (IMAGE + grey.mean()) / 2, atol=1e-5)
    np.testing.assert_allclose(recoloured(IMAGE, 0, 1, 0.0, 0.0), np.repeat(grey[..., None], 3, -1), atol=1e-5)
    np.testing.assert_allclose(recoloured(IMAGE, 0, 1, 1, 360.0), IMAGE, atol=1e-4)
    turned = recoloured(IMAGE, 0, 1, 1, 120.0)
    np.testing.assert_allclose(turned @ images.GREY, grey, atol=1e-3)
    np.testing.assert_allclose(recoloured(turned, 0, 1, 1, -120.0), IMAGE, atol=1e-4)
    assert np.abs(turned - IMAGE).max() > 0.5


def test_colours_mean_the_same_in_other_units():
    """Of the standardized image as of the image itself, whatever mean and deviation it had."""
    changed = recoloured(IMAGE, 0.0, 1.2, 0.7, 20.0)
    np.testing.assert_allclose(recoloured(IMAGE * 3 + 5, 0.0, 1.2, 0.7, 20.0), changed * 3 + 5, atol=1e-2)


def test_what_jitters_colours_is_drawn_evenly():
    found = np.asarray(jax.vmap(lambda key: images.colour_jitter(jnp.zeros((1, 1, 3)), key, 0.4, 0.0, 0.0, 0.0))(KEYS))
    assert is_even(found[:, 0, 0, 0], -0.4, 0.4)
    two = jnp.array([[[1.0] * 3, [-1.0] * 3]])
    found = np.asarray(jax.vmap(lambda key: images.colour_jitter(two, key, 0.0, 0.3, 0.0, 0.0))(KEYS))
    assert is_even(found[:, 0, 0, 0], 0.7, 1.3)


def test_principal_colours_are_those_of_the_covariance():
    mixing = np.array([[2.0, 0.3, 0.1], [1.0, 0.5, 0.0], [0.5, 0.2, 0.3]])
    pixels = np.random.default_rng(3).normal(size=(2100, 4, 2, 3)) @ mixing.T + 7
    found = images.principal_colours(pixels.astype("f")).astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(pixels.reshape(-1, 3).T))
    lengths = np.linalg.norm(found, axis=0)
    np.testing.assert_allclose(lengths, values, rtol=1e-3)
    np.testing.assert_allclose(np.abs(np.sum(found / lengths * vectors, axis=0)), 1, atol=1e-5)


def test_pca_noise_lies_along_the_principal_colours():
    axes, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))
    fitted = (axes * [0.2, 1.0, 2.5]).astype("f")
    found = np.asarray(jax.vmap(lambda key: images.pca_noise(IMAGE, key, fitted, 0.1))(KEYS)) - IMAGE
    np.testing.assert_allclose(found, np.broadcast_to(found[:, :1, :1], found.shape), atol=1e-5)  # one for each image
    along = found[:, 0, 0] @ axes
    np.testing.assert_allclose(along.std(0), [0.02, 0.1, 0.25], rtol=0.05)
    assert np.abs(np.corrcoef(along.T) - np.eye(3)).max() < 0.05


# Recipes.

NET = """
net Pictures {{ input image: {type}  output kind = image -> flatten -> dense(4) }}
train Pictures {{ data = arrays("p.npz")  augment = {augment}  loss = cross_entropy(kind, label)
  optimizer = sgd(rate = 0.01)  seed = {seed} }}
"""
TRAIN = {"image": np.random.default_rng(5).normal(size=(12, 9, 7, 3)).astype("f")}
ALL = " -> ".join(row.example for row in AUGMENTATIONS)


def recipe_of(augment: str, seed: int = 0, type: str = "[9, 7, 3]") -> Recipe:
    return checked(augment, seed, type).recipes[0]


def checked(augment: str, seed: int = 0, type: str = "[9, 7, 3]") -> Any:
    found = check_text(NET.format(augment=augment, seed=seed, type=type))
    assert not found.errors, render_all(found.errors)
    return found


def augmentation(augment: str = ALL, seed: int = 0) -> Callable[[Any, Any, Any], dict[str, Any]]:
    found = checked(augment, seed)
    made = make_augmentation(found.programs[0], found.recipes[0], TRAIN)
    return lambda data, epoch, chosen: made(data, seed, epoch, chosen)


def batch(chosen: list[int]) -> dict[str, Any]:
    return {"image": jnp.asarray(TRAIN["image"][chosen])}


def test_every_row_has_a_function_and_an_example():
    assert (
        list(KINDS) == [row.kind for row in AUGMENTATIONS] == [row.example.partition("(")[0] for row in AUGMENTATIONS]
    )
    assert all(callable(getattr(images, kind)) for kind in KINDS)
    assert {row.kind for row in AUGMENTATIONS if row.fitted} == set(images.FITS)
    changed = jax.jit(augmentation())(batch([0, 1]), 0, jnp.array([0, 1]))["image"]
    assert changed.shape == (2, 9, 7, 3) and np.isfinite(changed).all()


@pytest.mark.parametrize("row", AUGMENTATIONS, ids=lambda row: row.kind)
def test_every_row_changes_images(row: Any):
    """`flip` leaves half of them; of 12, no row leaves all."""
    changed = jax.jit(augmentation(row.example))(batch(list(range(12))), 0, jnp.arange(12))["image"]
    assert not np.array_equal(changed, TRAIN["image"])


def test_emitted_augmentation_reads_as_written():
    text = emit_augmentation(
        recipe_of("shift(2) -> rotate(10) -> elastic(34, 4) -> zoom(0.9, 1.1) -> pca_noise -> flip")
    )
    assert text == (
        "def augment(image, key, fitted):\n"
        "    keys = jax.random.split(key, 6)\n"
        "    places = images.centred(image)\n"
        "    places = images.elastic(places, keys[2], alpha=34.0, sigma=4.0)\n"
        "    places = images.rotate(places, keys[1], degrees=10.0)\n"
        "    places = images.shift(places, keys[0], height=2.0, width=2.0)\n"
        "    image = images.sampled(image, places, fill='smallest')\n"
        "    places = images.centred(image)\n"
        "    places = images.zoom(places, keys[3], low=0.9, high=1.1)\n"
        "    image = images.sampled(image, places, fill='smallest')\n"
        "    image = images.pca_noise(image, keys[4], fitted['pca_noise'], deviation=0.1)\n"
        "    image = images.flip(image, keys[5], probability=0.5)\n"
        "    return image"
    )


@pytest.mark.parametrize(
    ("augment", "count"),
    [
        ("shift(2, fill = edge) -> rotate(10, fill = edge)", 1),
        ("shift(2, fill = 0) -> rotate(10, edge)", 2),
        ("shift(2) -> flip -> shear(10)", 2),
        ("elastic(34, 4) -> shift(2)", 2),
        ("noise(1)", 0),
    ],
)
def test_neighbours_that_fill_alike_share_one_resampling(augment: str, count: int):
    assert emit_augmentation(recipe_of(augment)).count("images.sampled") == count


def test_an_example_and_an_epoch_have_chances_of_their_own():
    """The same whatever stands beside an example, but for how compilers round in batches of other sizes."""
    chain = "shift(2) -> crop(1) -> pca_noise"
    augment = jax.jit(augmentation(chain))

    def changed(
        of: Callable[..., Any], chosen: list[int], epoch: int = 3, places: list[int] | None = None
    ) -> np.ndarray:
        return np.asarray(of(batch(chosen), epoch, jnp.array(places or chosen))["image"])

    whole, chosen = changed(augment, list(range(12))), [7, 2, 2, 11, 0]
    part = changed(augment, chosen)
    np.testing.assert_allclose(part, whole[chosen], atol=1e-6)
    np.testing.assert_array_equal(part, changed(jax.jit(augmentation(chain)), chosen))
    np.testing.assert_array_equal(part[1], part[2])
    others = [
        changed(augment, chosen, epoch=4),
        changed(jax.jit(augmentation(chain, seed=1)), chosen),
        changed(augment, chosen, places=[1, 3, 4, 5, 6]),
    ]
    for other in others:
        assert not np.isclose(part, other).all((1, 2, 3)).any()


def test_several_images_of_an_example_have_chances_of_their_own():
    text = """
net Twins { input left, right: [9, 7, 3]  layer tower = flatten -> dense(4)
  output a = left -> tower  output b = right -> tower }
train Twins { data = arrays("p.npz")  augment = noise(1) -> pca_noise
  loss = contrastive(a, b, same)  optimizer = sgd(0.1) }
"""
    found = check_text(text)
    assert not found.errors, render_all(found.errors)
    recipe = found.recipes[0]
    train = {"left": TRAIN["image"], "right": TRAIN["image"] * 2, "same": np.zeros(12, np.int32)}
    augment = make_augmentation(found.programs[0], recipe, train)
    data = {"left": jnp.zeros((3, 9, 7, 3)), "right": jnp.zeros((3, 9, 7, 3)), "same": jnp.zeros(3, jnp.int32)}
    changed = augment(data, recipe.seed, 0, jnp.arange(3))
    assert not np.allclose(changed["left"], changed["right"])
    assert changed["same"] is data["same"] and not data["left"].any()


# Training.


def losses_of(made: Training) -> tuple[list[float], list[float]]:
    """The mean loss of each epoch, and the test loss after it."""
    epochs = [event for event in made.run() if isinstance(event, Epoch)]
    return [epoch.loss for epoch in epochs], [epoch.test["loss"] for epoch in epochs]


STILL = "sgd(rate = 0)"


def test_training_images_change_with_each_epoch_and_nothing_else_does():
    """With weights that stay, a loss depends on the images alone: tests see them as they are, and batches of any size
    see the same ones."""
    plain, tested = losses_of(training(STILL, epochs=2))
    changed, tested_too = losses_of(training(STILL, epochs=2, augment="noise(3)"))
    small, _ = losses_of(training(STILL, epochs=2, augment="noise(3)", batch=7))
    np.testing.assert_allclose(plain[0], plain[1], rtol=1e-6)
    assert tested == tested_too and len(set(tested)) == 1
    assert abs(changed[0] - plain[0]) > 0.05 and abs(changed[0] - changed[1]) > 1e-3
    np.testing.assert_allclose(changed, small, rtol=1e-5)


def test_a_step_compiles_once_and_chance_goes_by_its_number(monkeypatch: pytest.MonkeyPatch):
    """A training that goes on from a kept state, in an epoch or between two, sees what the first one saw."""
    monkeypatch.setattr(loop, "next_length", chunks_of(1))
    made, again = (training(epochs=2, augment="noise(1)") for _ in range(2))
    events = made.run()
    next(event for event in events if isinstance(event, Chunk) and event.step >= 15)
    again.state, again.done = loop.copied(made.state), made.done
    rest, same = ([event.loss for event in run if isinstance(event, Chunk)] for run in (events, again.run()))
    assert rest == same and len(rest) > 1
    assert made.step._cache_size() == 1


def test_a_run_keeps_its_augmentation(tmp_path: Any):
    net = tmp_path / "pictures.net"
    net.write_text(NET.format(type="[9, 7, 3]", augment="crop(1) -> pca_noise", seed=0))
    rng = np.random.default_rng(6)
    data = {"image": rng.normal(size=(40, 9, 7, 3)).astype("f"), "label": rng.integers(0, 4, 40)}
    run = netc.train(net, data=data, out=tmp_path / "run", set={"steps": 2})
    assert (
        "augment: crop(border = 1, fill = smallest) -> pca_noise(deviation = 0.1)"
        in (run.folder / "run.yaml").read_text()
    )
    again = netc.train(net, data=data, out=tmp_path / "again", set={"steps": 2, "augment": "crop(1) -> pca_noise(0.1)"})
    assert weights(again.folder) == weights(run.folder)


@pytest.mark.parametrize(
    ("augment", "data", "message"),
    [
        (
            "rotate(10)",
            {"x": np.zeros((20, 4), "f")},
            "`rotate` changes images `[height, width, channels]`, and is given [4]",
        ),
        ("noise(1) -> shift(2) -> flip", {"x": np.zeros((20, 4, 4), "f")}, "`shift` changes images"),
    ],
)
def test_data_that_do_not_fit_are_named(augment: str, data: dict[str, Any], message: str, tmp_path: Any):
    kind = "flatten -> dense(4)"
    shape = list(data["x"].shape[1:])
    text = f"""net X {{ input x: {shape}  output y = x -> {kind} }}
train X {{ data = arrays("x.npz")  augment = {augment}  loss = cross_entropy(y, label)  optimizer = sgd(0.1) }}"""
    with pytest.raises(RunError) as raised:
        netc.train(text, data={**data, "label": np.arange(20) % 4}, out=tmp_path / "run")
    assert message in str(raised.value)
    assert not (tmp_path / "run").exists()


def test_labels_at_each_position_must_not_be_left_behind(tmp_path: Any):
    text = """net Segments { input image: [6, 6, 1]  output map = image -> conv(3, 1x1) }
train Segments { data = arrays("x.npz")  augment = noise(0.1) -> AUGMENT  loss = cross_entropy(map, mask)
  optimizer = sgd(0.1)  steps = 1 }"""
    data = {"image": np.zeros((20, 6, 6, 1), "f"), "mask": np.arange(720).reshape(20, 6, 6) % 3}
    with pytest.raises(RunError) as raised:
        netc.train(text.replace("AUGMENT", "flip"), data=data, out=tmp_path / "run")
    assert "`flip` moves the pixels of `image`, [6, 6, 1], and `mask`, class(3)[6, 6], stays" in str(raised.value)
    fed, labels = {"image": Type((6, 6, 1))}, {"mask": Type((6, 6), Element("class", 3)), "label": Type(())}
    assert refused(Cutout(2), fed, labels) is None and refused(Flip(), fed, {"label": Type(())}) is None
