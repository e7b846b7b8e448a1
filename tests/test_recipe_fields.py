"""A recipe written out as .net text checks to the same recipe again: what run.yaml relies on."""

from dataclasses import replace
from pathlib import Path

import pytest

from netc.check.program import Checked
from netc.compiler import check_file, check_text
from netc.emit.fields import recipe_fields
from netc.ir.network import Applied
from netc.recipes.optimizers import schedules, transforms
from netc.rendering import render_all

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.net"))
NET = "net X { input x: [4]  output y = x -> dense(3)  output z = x -> dense(3) }\n"
RECIPE = "train X {{ data = {data}  loss = {loss}  optimizer = {optimizer}  {more} }}"
PLAIN = {
    "data": 'arrays("x.npz")',
    "loss": "cross_entropy(y, label)",
    "optimizer": "adam(rate = 0.001)",
    "more": "",
}
CHANGES = [
    {"data": 'arrays("a \\"quoted\\" name\\\\with\\ttabs.npz")'},
    {"data": 'binary(arrays("x.npz"), positive = [1, 3])'},
    {"data": 'pairs(idx("folder"))'},
    {"data": 'strips(arrays("x.npz"), digits = [2, 3], overlap = 0)'},
    {"data": 'triplets(arrays("x.npz"))'},
    {"loss": "cross_entropy(y, label, smoothing = 0.1) + kl_divergence(y, z)"},
    {"loss": "triplet(y, z, other, 0.5) + huber(y, z, delta = 2)"},
    {"loss": "ctc(y, label, blank = 2)"},
    {"loss": "cross_entropy(y, label) + 0.3 * cross_entropy(z, label)"},
    {"loss": "(cross_entropy(y, label) - cross_entropy(z, label)) / 2 - (1 - cross_entropy(y, label)) * 3"},
    {"loss": "cross_entropy(y, label) / (2 * cross_entropy(z, label))"},
    {"loss": "contrastive(y, z, same, margin = 1 / 3)"},
    {"loss": "rbf_map(y, label, 2)"},
    {"optimizer": "clip_by_global_norm(1.0) -> adamw(warmup_cosine(3e-4, warmup = 500), weight_decay = 1e-8)"},
    {"optimizer": "sgd(rate = cosine(0.1), momentum = 0.9, nesterov = true)"},
    {"optimizer": "sgd(cosine_decay_schedule(0.1, 100))"},
    {"optimizer": "sgd(linear(0.1)) -> add_noise(0.1, 0.5) -> zero_nans"},
    {"optimizer": 'polyak_sgd(variant = "sps+")'},
    {"optimizer": "scale_by_schedule(0.5)"},
    {"more": "prepare = pad(2) -> crop([4, 6]) -> standardize(per_channel = true) -> scale(-1, 1)"},
    {"more": "metric = [accuracy(y, label), top_k(y, label, 1), top_k(y, label, k = 2), error_rate(z, label)]"},
    {"more": "metric = accuracy(y, label, smallest = true)"},
    {"more": "augment = shift(2) -> rotate(10, edge) -> zoom(0.9, 1.1, reflect) -> shear(1 / 3, 0) -> crop(4, -1e-8)"},
    {"more": "augment = shift(2, 1, fill = 1) -> elastic(34, 4) -> flip -> flipud(0.1) -> cutout(3, fill = smallest)"},
    {"more": "augment = noise(0.1) -> colour_jitter(hue = 5) -> pca_noise"},
    {"more": "metric = [confusion(y, label), perplexity(y, label), character_error_rate(y, label, blank = 2)]"},
    {"more": "metric = 100 * error_rate(y, label)"},
    {"more": "steps = 12  seed = 3  batch = 7  accumulate = 4"},
    {"more": "checkpoint = every(2, keep = 3)"},
    {"more": "metric = error_rate(y, label)  checkpoint = every(steps = 50, best = error_rate)"},
    {"more": "steps = 12  seed = 3  batch = 7"},
    {"more": "epochs = 0  precision = bf16"},
    {"more": "validation = 0.1"},
    {"more": "validation = 2000"},
    {"more": "stop = patience(3)"},
    {"more": "metric = [accuracy(y, label), error_rate(z, label)]  stop = patience(3, metric = error_rate, by = 1e-3)"},
    {"loss": "cross_entropy(y, label, weights = balanced)"},
    {"loss": "cross_entropy(y, label, 0.1, weights = [1, 1 / 3, 2])"},
    {"more": 'start = run("a \\"b\\"")'},
    {"more": 'start = run("a", fresh = [y, z.dense1.bias, "*.kernel"])'},
    {
        "optimizer": "adamw(0.1)",
        "more": "decay = kernels  adjust y: rate(0.5)  adjust *.bias: no_decay  constrain z: frozen",
    },
    {"more": "average = ema"},
    {"more": 'ensemble = 5  shared = [y.dense1, "*.bias"]'},
    {"more": "ensemble = 2  shared = z"},
    {"more": "average = ema(0.9, debias = false)"},
    {"more": "average = swa(start = 100, every = epoch)"},
    {"more": "average = swa(1 / 2, 3)"},
    {"more": "constrain y.*.kernel: max_norm(1 / 3)  constrain *.bias: clip(-1, 1e-3)  constrain z: nonnegative"},
]


def again(checked: Checked, text: str, name: str) -> None:
    """Compares each recipe with what its fields check to."""
    for recipe in checked.recipes:
        fields = recipe_fields(recipe)
        settings = {f"train.{field}": value for field, value in fields.items()}
        checked_again = check_text(text, name, recipe.net, settings, recipe.name)
        assert not checked_again.errors, render_all(checked_again.errors)
        found = checked_again.recipes[0]
        # The names of metrics in reports may be texts; run.yaml keeps them beside.
        names = [name for name, _ in recipe.metrics]
        metrics = tuple(zip(names, (term for _, term in found.metrics), strict=True))
        assert replace(found, metrics=metrics, optimizer=()) == replace(recipe, optimizer=())
        for first, second in zip(recipe.optimizer, found.optimizer, strict=True):
            assert_completed(first, second)
        assert recipe_fields(found) == fields


def assert_completed(first: Applied, second: Applied) -> None:
    """The second call says all that the first does; what it says more are defaults of the table."""
    assert first.name == second.name
    rows = {row.optax_name: row for row in (*schedules().values(), *transforms().values())}
    defaults = {p.optax_name: p.default for p in rows[first.name].parameters}
    given = dict(first.named)
    for name, value in second.named:
        if isinstance(value, Applied):
            inner = given[name]
            assert isinstance(inner, Applied)
            assert_completed(inner, value)
        else:
            assert value == given.get(name, defaults[name])
    assert given.keys() <= dict(second.named).keys()


@pytest.mark.parametrize("spec", SPECS, ids=[spec.stem for spec in SPECS])
def test_the_recipe_of_a_spec_is_its_fields(spec: Path) -> None:
    again(check_file(str(spec)), spec.read_text(), str(spec))


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_a_recipe_is_its_fields(change: dict[str, str]) -> None:
    text = NET + RECIPE.format(**{**PLAIN, **change})
    checked = check_text(text)
    assert not checked.errors, render_all(checked.errors)
    assert checked.recipes
    again(checked, text, "<text>")


@pytest.mark.parametrize("name", transforms())
def test_every_optimizer_is_its_fields(name: str) -> None:
    required = ", ".join(f"{p.name} = 1" for p in transforms()[name].parameters if p.required)
    text = NET + RECIPE.format(**{**PLAIN, "optimizer": f"{name}({required})"})
    again(check_text(text), text, "<text>")


@pytest.mark.parametrize("name", schedules())
def test_every_schedule_is_its_fields(name: str) -> None:
    required = ", ".join(f"{p.name} = 1" for p in schedules()[name].parameters if p.required)
    required = required.replace("decay_steps = 1", "decay_steps = 9")
    text = NET + RECIPE.format(**{**PLAIN, "optimizer": f"sgd(rate = {name}({required}))"})
    again(check_text(text), text, "<text>")
