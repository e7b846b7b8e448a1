"""Weights of classes in `cross_entropy`: against PyTorch and scikit-learn, and kept by the run."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import yaml
from small_runs import SMALL, blobs, problem

import netc
from netc.kernels.losses import cross_entropy

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(7, 3)).astype("f")
LABELS = RNG.integers(0, 3, 7)
SPREAD = RNG.dirichlet([1, 1, 1], 7).astype("f")
WEIGHTS = (0.5, 0.0, 3.0)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("label", [LABELS, SPREAD], ids=["classes", "distributions"])
def test_it_is_the_weighted_sum_over_classes(smoothing: float, label: np.ndarray) -> None:
    log_p = LOGITS - np.log(np.exp(LOGITS).sum(-1, keepdims=True))
    q = np.eye(3)[label] if label.ndim == 1 else label
    smooth = (1 - smoothing) * q + smoothing / 3
    found = cross_entropy(jnp.asarray(LOGITS), jnp.asarray(label), smoothing, WEIGHTS)
    np.testing.assert_allclose(found, -(np.asarray(WEIGHTS) * smooth * log_p).sum(-1), rtol=1e-5)


def test_it_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for label in (torch.tensor(LABELS), torch.tensor(SPREAD)):
        expected = torch.nn.functional.cross_entropy(
            torch.tensor(LOGITS), label, torch.tensor(WEIGHTS), reduction="none", label_smoothing=0.1
        )
        found = cross_entropy(jnp.asarray(LOGITS), jnp.asarray(label.numpy()), 0.1, WEIGHTS)
        np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5)


def uneven() -> dict[str, np.ndarray]:
    arrays = blobs()
    chosen = np.flatnonzero((arrays["label"] != 1) | (np.arange(203) % 4 == 0))
    return {name: array[chosen] for name, array in arrays.items()}


def test_balanced_weights_are_scikit_learns_and_kept(tmp_path: Path) -> None:
    from sklearn.utils.class_weight import compute_class_weight

    text = SMALL.replace("cross_entropy(y, label)", "2 * cross_entropy(y, label, weights = balanced)")
    arrays = uneven()
    run = netc.train(text, data=arrays, out=tmp_path / "a")
    labels = arrays["label"][: len(arrays["label"]) - round(len(arrays["label"]) / 10)]
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    kept = yaml.safe_load((tmp_path / "a/run.yaml").read_text())["train"]["loss"]
    found = [float(number) for number in kept.partition("weights = [")[2].partition("]")[0].split(",")]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    listed = text.replace("balanced", str(list(expected)).replace("np.float64(", "").replace(")", ""))
    other = netc.train(listed, data=arrays, out=tmp_path / "b")
    assert other.history == run.history
    plain = netc.train(SMALL, data=arrays, out=tmp_path / "c")
    assert plain.history != run.history
    few = {"x": arrays["x"][:9], "label": np.zeros(9, int)}
    assert np.isfinite(netc.evaluate(tmp_path / "a", few)["loss"])


def test_a_class_without_examples_has_no_weight(tmp_path: Path) -> None:
    arrays = blobs()
    arrays["label"] = arrays["label"] % 2
    text = SMALL.replace("y, label)  metric", "y, label, weights = balanced)  metric")
    assert "no example of class 2" in problem(lambda: netc.train(text, data=arrays, out=tmp_path / "a"))
