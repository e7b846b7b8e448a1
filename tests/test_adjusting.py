"""`adjust` and `decay`: optimizers that treat some weights otherwise, against Optax's own ways and a loop by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import yaml
from small_runs import blobs, problem

import netc
from netc.compiler import check_text, flax_source
from netc.emit.recipe import emit_recipe
from netc.model import build_module, weights_of
from netc.recipes.adjustments import MASKS, UNMASKED
from netc.recipes.optimizers import transforms
from netc.training.data.arrays import from_arrays
from netc.training.loop import prepare_training

NET = """
net N { input x: [4]  output y = x -> a: dense(8) -> relu -> b: dense(6) -> n: layernorm -> c: dense(3) }
train N { data = arrays("x.npz")  loss = cross_entropy(y, label)  optimizer = OPTIMIZER  batch = 30  steps = 20
  RECIPE }
"""
Weights = dict[str, Any]


def trained(optimizer: str, recipe: str) -> tuple[Weights, Weights, list[Weights]]:
    """The first weights, those after 20 steps, and the batches of these steps."""
    checked = check_text(NET.replace("OPTIMIZER", optimizer).replace("RECIPE", recipe))
    assert not checked.errors, [p.message() for p in checked.errors]
    program = checked.programs[0]
    one = prepare_training(build_module(program), program, checked.recipes[0], from_arrays(blobs()))
    emitted = flax_source(program)
    first = weights_of(one.model, emitted)
    batches = []
    for number in range(20):
        start = number % one.per_epoch * one.batch
        chosen = one.order(number)[start : start + one.batch]
        used = one.batch if start + one.batch <= one.examples else one.examples - start
        batches.append({name: array[chosen[:used]] for name, array in one.feed(number).items()})
        one.state, _ = one.step(one.state, one.feed(number), one.order(number))
    assert one.step._cache_size() == 1
    one.settle()
    return first, weights_of(one.model, emitted), batches


def loss(w: Weights, batch: Weights) -> Any:
    h = jax.nn.relu(batch["x"] @ w["a.kernel"] + w["a.bias"]) @ w["b.kernel"] + w["b.bias"]
    h = (h - h.mean(-1, keepdims=True)) / jnp.sqrt(h.var(-1, keepdims=True) + 1e-5) * w["n.scale"] + w["n.bias"]
    y = h @ w["c.kernel"] + w["c.bias"]
    return optax.softmax_cross_entropy_with_integer_labels(y, batch["label"]).mean()


def by_hand(first: Weights, batches: list[Weights], optimizer: optax.GradientTransformation) -> Weights:
    weights: Any = {n: jnp.asarray(w) for n, w in first.items()}
    state = optimizer.init(weights)
    for batch in batches:
        gradients = jax.grad(loss)(weights, batch)
        updates, state = optimizer.update(gradients, state, weights)
        weights = optax.apply_updates(weights, updates)
    return weights


def labels(of: Callable[[str], str]) -> Callable[[Weights], dict[str, str]]:
    return lambda weights: {name: of(name) for name in weights}


KERNEL = labels(lambda name: name.endswith("kernel"))  # type: ignore[arg-type]
CASES: dict[str, tuple[str, str, Callable[[], optax.GradientTransformation]]] = {
    "kernels-decay": (
        "clip_by_global_norm(1.0) -> adamw(0.01, weight_decay = 0.3)",
        "decay = kernels",
        lambda: optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(0.01, weight_decay=0.3, mask=KERNEL)),
    ),
    "lars-has-two-masks": (
        "lars(0.5, weight_decay = 0.3)",
        "decay = kernels",
        lambda: optax.lars(0.5, weight_decay=0.3, weight_decay_mask=KERNEL),
    ),
    "named-weights-do-not-decay": (
        "adamw(0.01, weight_decay = 0.3)",
        "adjust n: no_decay  adjust b.kernel: no_decay",
        lambda: optax.adamw(
            0.01,
            weight_decay=0.3,
            mask=labels(lambda name: name[0] != "n" and name != "b.kernel"),  # type: ignore[arg-type]
        ),
    ),
    "rates": (
        "adam(cosine(0.02))",
        "adjust *.bias: rate(2)  adjust a: rate(0.1)  adjust c.bias: rate(0)",
        lambda: optax.multi_transform(
            {name: optax.adam(optax.cosine_decay_schedule(0.02 * f, 20)) for name, f in RATES.items()},
            labels(lambda name: name if name in RATES else "others"),
        ),
    ),
}
RATES = {"others": 1.0, "a.kernel": 0.1, "a.bias": 0.1, "b.bias": 2.0, "n.bias": 2.0, "c.bias": 0.0}


@pytest.mark.parametrize("case", CASES)
def test_it_is_what_optax_does(case: str) -> None:
    optimizer, recipe, make = CASES[case]
    first, found, batches = trained(optimizer, recipe)
    for name, weight in by_hand(first, batches, make()).items():
        np.testing.assert_allclose(found[name], weight, rtol=2e-4, atol=2e-5, err_msg=name)
    _, plain, _ = trained(optimizer, "")
    assert max(np.abs(found[name] - plain[name]).max() for name in found) > 1e-3


def test_caffes_multipliers() -> None:
    """`lr_mult: 2, decay_mult: 0` on biases: v = 0.9 v + 0.05 lr_mult (gradient + 0.1 decay_mult w), w = w - v."""
    first, found, batches = trained(
        "add_decayed_weights(0.1) -> sgd(0.05, momentum = 0.9)", "adjust *.bias: rate(2)  adjust *.bias: no_decay"
    )
    weights = {name: jnp.asarray(w) for name, w in first.items()}
    velocity = {name: jnp.zeros_like(w) for name, w in weights.items()}
    for batch in batches:
        gradients = jax.grad(loss)(weights, batch)
        for name, g in gradients.items():
            bias = name.endswith("bias")
            velocity[name] = 0.9 * velocity[name] + 0.05 * (1 + bias) * (g + 0.1 * (not bias) * weights[name])
            weights[name] = weights[name] - velocity[name]
    for name, weight in weights.items():
        np.testing.assert_allclose(found[name], weight, rtol=2e-4, atol=2e-5, err_msg=name)


def test_every_transform_with_weight_decay_can_leave_weights_out_or_is_named() -> None:
    import inspect

    for name, row in transforms().items():
        masks = [
            p
            for p in inspect.signature(getattr(optax, row.optax_name)).parameters
            if p in ("mask", "weight_decay_mask")
        ]
        assert masks == ([MASKS[row.optax_name]] if row.optax_name in MASKS else []), name
        decays = any(p.optax_name.startswith("weight_decay") for p in row.parameters)
        assert decays == (row.optax_name in MASKS or row.optax_name in UNMASKED), name


def test_the_optimizer_is_emitted_as_one_would_write_it() -> None:
    text = NET.replace("OPTIMIZER", "clip(1.0) -> adamw(0.01)").replace("RECIPE", "decay = kernels")
    source = emit_recipe(check_text(text).recipes[0])
    assert "def optimizer(total_steps, decays):" in source
    assert "optax.adamw(learning_rate=0.01, mask=decays)," in source and "optax.clip(max_delta=1.0)," in source


def test_settings_replace_adjustments_and_run_yaml_keeps_them(tmp_path: Path) -> None:
    text = NET.replace("OPTIMIZER", "adamw(0.01)").replace("RECIPE", "adjust a: rate(0.1)  adjust *.bias: no_decay")
    data = blobs()
    netc.train(text, data=data, out=tmp_path / "a")
    kept = yaml.safe_load((tmp_path / "a/run.yaml").read_text())["train"]
    assert (kept["adjust"], kept["decay"]) == (["a: rate(factor = 0.1)", "*.bias: no_decay"], "all")
    plan = netc.training.plan.plan_config(tmp_path / "a", data=data)
    netc.training.job.start(plan, tmp_path / "b")
    assert (tmp_path / "a/weights.safetensors").read_bytes() == (tmp_path / "b/weights.safetensors").read_bytes()
    other = netc.train(text, data=data, out=tmp_path / "c", set={"adjust": "a: rate(0.2) adjust c: no_decay"})
    none = netc.train(text, data=data, out=tmp_path / "d", set={"adjust": ""})
    assert other.history != none.history
    assert yaml.safe_load((tmp_path / "d/run.yaml").read_text())["train"]["adjust"] == []
    message = problem(lambda: netc.train(text, data=data, set={"adjust": "a: rate(1)  loss = 3"}))
    assert "adjustments alone" in message


def test_frozen_weights_have_no_rate() -> None:
    text = NET.replace("OPTIMIZER", "adamw(0.01)").replace("RECIPE", "adjust a: rate(0.1)  constrain a: frozen")
    assert "is not trained" in problem(lambda: netc.train(text, data=blobs()))
