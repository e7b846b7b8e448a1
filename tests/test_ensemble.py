"""Ensembles: each member is the single run of its seed, and what they say together is the mean of what they say."""

from typing import Any

import numpy as np
import pytest
from small_runs import chunks_of

from netc.compiler import check_text
from netc.model import origin_of, weights_of
from netc.rendering import render_all
from netc.training import ensemble, loop
from netc.training.data.arrays import from_arrays
from netc.training.ensemble import UNROLLED, VMAPPED, Arrangement, prepare_ensemble
from netc.training.loop import Training, prepare_training
from netc.training.members import build_model, members_of

ARRANGED = pytest.mark.parametrize("arranged", [UNROLLED, VMAPPED], ids=["unrolled", "vmapped"])
NET = """
net Small { input image: [4, 4, 2]
  output y = image -> conv1: conv(4, 3x3) -> relu -> norm: batchnorm -> flatten -> dropout(0.2) -> last: dense(3) }
train Small { data = arrays("x.npz")  augment = shift(1) -> flip  loss = cross_entropy(y, label)
  metric = [accuracy(y, label), confusion(y, label)]
  optimizer = clip_by_global_norm(1.0) -> adamw(rate = warmup_cosine(0.01, warmup = 5))  batch = 16  epochs = 2  seed = 7
  average = ema(0.9)
  constrain last.kernel: max_norm(1)  ensemble = 3 }
"""


def pictures(n: int = 75) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    label = rng.integers(0, 3, n)
    return {"image": (rng.normal(size=(n, 4, 4, 2)) + label[:, None, None, None]).astype("f"), "label": label}


def training(monkeypatch: pytest.MonkeyPatch, arranged: Arrangement | None = None, **fields: Any) -> Training:
    """The training of `NET` before its first step."""
    checked = check_text(NET, settings={name: str(value) for name, value in fields.items()})
    assert not checked.errors, render_all(checked.errors)
    program, recipe = checked.programs[0], checked.recipes[0]
    prepare = prepare_training if arranged is None else prepare_ensemble
    if arranged is not None:
        monkeypatch.setattr(ensemble, "arrangement", lambda: arranged)
    monkeypatch.setattr(loop, "next_length", chunks_of(100))
    return prepare(build_model(program, recipe, {}), program, recipe, from_arrays(pictures()))


def trained(one: Training) -> dict[str, Any]:
    """Does the training, and gives its last test results."""
    epoch = list(one.run())[-1]
    one.settle()
    return epoch.test


def state_of(model: Any) -> dict[str, np.ndarray]:
    return weights_of(model, origin_of(model)[1])


@ARRANGED
def test_each_member_is_the_single_run_of_its_seed(monkeypatch: pytest.MonkeyPatch, arranged: Arrangement) -> None:
    several = training(monkeypatch, arranged)
    found = trained(several)
    for i, member in enumerate(members_of(several.model)):
        single = training(monkeypatch, ensemble=1, seed=7 + i)
        expected = trained(single)
        for name, value in state_of(single.model).items():
            np.testing.assert_allclose(state_of(member)[name], value, rtol=2e-5, atol=2e-6, err_msg=name)
            print(name, np.abs(state_of(member)[name] - value).max())
        assert found["members"]["loss"][i] == pytest.approx(expected["loss"], rel=1e-5)
        assert found["members"]["accuracy"][i] == expected["accuracy"]
        assert found["members"]["confusion"][i] == expected["confusion"]
    kernels_ = [state_of(member)["conv1.kernel"] for member in members_of(several.model)]
    assert np.abs(kernels_[0] - kernels_[1]).max() > 0.01 < np.abs(kernels_[1] - kernels_[2]).max()
