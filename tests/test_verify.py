"""netc verify: shipped specs hold, and what is wrong with a net, a kernel or the emitted source is found."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import lax
from shipped import SMALL
from small_runs import run_netc

from netc.compiler import check_file, check_text, flax_source
from netc.emit.flax import Emitted
from netc.ir.network import Program
from netc.verification.report import Verification, as_data, as_text, verify_program
from netc.verification.subject import make_subject
from netc.verification.weights import compare_leaves

NET = """
net Moved {
  input image: [16, 16, 1]
  h = image -> conv(4, 3x3) -> relu -> maxpool(2x2)
  output y = h -> global_avgpool -> dense(3)
  output map = h -> conv(2, 3x3, pad = same)
  ASSERTS
}
"""
SHARED = """
net Shared {
  input a, b: [6]
  layer encode = dense(4)
  block twice(f) { input x  output x -> f -> tanh -> dense(6) }
  h = a -> encode -> tanh
  output y = h -> dense(6, kernel = encode.kernel.T)
  output z = b -> twice(encode)
  output w = b -> repeat 2 { twice(encode) }
}
"""


def verified(text: str, tolerance: float = 1e-6) -> Verification:
    checked = check_text(text)
    assert not checked.errors
    (program,) = checked.programs
    return verify_program(program, checked.claims[program.root.name], 0, tolerance)


FEWER = {"tied_gpt": {"depth": "2"}, "transformer": {"depth": "1"}, "universal_transformer": {"steps": "2"}}
"""Of equal layers in a row; more of them take XLA longer, and say nothing new."""


@pytest.mark.parametrize("spec", SMALL, ids=lambda spec: spec.stem)
def test_shipped_spec_holds(spec: Path) -> None:
    checked = check_file(str(spec), None, FEWER.get(spec.stem, {}))
    for program in checked.programs:
        found = verify_program(program, checked.claims[program.root.name], 0, 1e-6)
        assert found.holds, as_text(found)
        trained = {name for name, weight in program.weights() if weight.trainable}
        assert {gradient.name for gradient in found.gradients} >= trained


def test_text_and_data_say_what_was_found() -> None:
    found = verified(NET.replace("ASSERTS", "assert invariant(image, shift, y) and equivariant(image, shift, map)"))
    assert found.holds and not found.problems
    text = as_text(found)
    for line in (
        "Moved: 129 parameters in 6 weights, as the checker says",
        "asserts on symmetry, on 3 draws of weights and inputs from seed 0 (tolerance 1e-06)",
        "  not of y: rot90, rot180, flip, flipud of image",
        "gradients against finite differences (tolerance 0.0001)",
    ):
        assert line in text.splitlines(), text
    assert "invariant(image, shift, y)      holds  by construction" in text
    assert "shifts by multiples of 2" in text
    data = as_data(found)
    json.dumps(data, allow_nan=False)
    first = data["asserts"][0]
    assert (first["kind"], first["symmetry"], first["inputs"], first["outputs"]) == (
        "invariant",
        "shift",
        ["image"],
        ["y"],
    )
    assert (first["holds"], first["proved"], first["step"]) == (True, True, 2)
    assert {row["name"] for row in data["gradients"]} >= {"h.conv1.kernel", "y.dense1.bias", "image"}


def test_an_assert_that_does_not_hold_fails(tmp_path: Path) -> None:
    file = tmp_path / "moved.net"
    file.write_text(NET.replace("ASSERTS", "assert invariant(image, rot90, y)"))
    checked = run_netc("check", file)
    assert checked.code == 0 and "  left to `netc verify`: `invariant(image, rot90, y)`\n" in checked.out
    found = run_netc("verify", file)
    assert found.code == 1
    assert "invariant(image, rot90, y)  FAILS  measured" in found.out
    assert "error[failed-assert]: `invariant(image, rot90, y)` does not hold" in found.err
    assert "of the output's spread\n" in found.err and "Traceback" not in found.err


def test_as_json_from_the_command(tmp_path: Path) -> None:
    file = tmp_path / "two.net"
    file.write_text("net A { input x: [3] output y = x -> dense(2) } net B { input x: [3] output y = x -> relu }")
    found = run_netc("verify", file, "--format", "json", "--seed", "4")
    assert found.code == 0 and found.err == ""
    assert [(net["name"], net["seed"], net["holds"]) for net in json.loads(found.out)] == [
        ("A", 4, True),
        ("B", 4, True),
    ]
    alone = run_netc("verify", file, "--net", "B", "--format", "json")
    assert [net["name"] for net in json.loads(alone.out)] == ["B"]
    assert run_netc("verify", file, "--tolerance", "0").code == 2
    (tmp_path / "bad.net").write_text("net A { input x: [3] output y = x -> dens(2) }")
    assert "error[unknown-name]" in run_netc("verify", tmp_path / "bad.net").err


def test_no_room_is_said_where_nothing_is_proved_to_hold() -> None:
    small = "net S { input x: [4, 4, 1] output y = x -> conv(1, 3x3) -> conv(1, 2x2) assert equivariant(x, shift) }"
    found = verified(small)
    assert found.holds and "no room to measure" in as_text(found)


def test_what_can_neither_be_proved_nor_measured_does_not_hold() -> None:
    found = verified("net S { input x: [1, 1, 3] output y = x -> flatten -> dense(2) assert invariant(x, shift) }")
    (problem,) = found.problems
    assert not found.holds and problem.label() == "cannot be measured: there is no room for it within the borders"


# What is broken is found.


def window_sum(x: jax.Array, size: tuple[int, ...]) -> jax.Array:
    window = (1, *size, 1)
    return lax.reduce_window(x, 0.0, lax.add, window, window, "VALID")


def forward(x: jax.Array, size: tuple[int, ...]) -> tuple[jax.Array, None]:
    return window_sum(x, size), None


def wrong_backward(size: tuple[int, ...], kept: None, slope: jax.Array) -> tuple[jax.Array]:
    """The gradient of a sum of windows, a hundredth too large."""
    return (1.01 * jnp.repeat(jnp.repeat(slope, size[0], 1), size[1], 2),)


wrong_sum = jax.custom_vjp(window_sum, nondiff_argnums=(1,))
wrong_sum.defvjp(forward, wrong_backward)


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "net N { input x: [8, 8, 2] output y = x -> conv(2, 1x1) -> s: subsample(2x2) -> tanh }"
    assert verified(text).holds
    monkeypatch.setattr("netc.kernels.modules.window_sum", wrong_sum)
    found = verified(text)
    assert not found.holds
    wrong = {gradient.name for gradient in found.gradients if not gradient.holds}
    assert wrong == {"y.conv1.kernel", "y.conv1.bias", "x"}
    assert "FAILS" in as_text(found)


def emitting(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> list[bool]:
    """Makes what is emitted for a net another text; says, for each time, whether there was something to change."""
    found: list[bool] = []

    def changed(program: Program, **how: Any) -> Emitted:
        emitted = flax_source(program, **how)
        found.append(old in emitted.source)
        return replace(emitted, source=emitted.source.replace(old, new))

    monkeypatch.setattr("netc.verification.subject.flax_source", changed)
    return found


def test_shared_weights_reach_every_use() -> None:
    found = verified(SHARED)
    assert found.holds
    uses = [(use.weight, use.layer.partition(" -> ")[2]) for use in found.shared]
    kernel = [layer for weight, layer in uses if weight == "encode.kernel"]
    assert kernel == ["encode", "y.dense1", "z.twice1", "w.repeat1"]
    assert [layer for weight, layer in uses if weight == "encode.bias"] == ["encode", "z.twice1", "w.repeat1"]


def test_sharing_that_was_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = emitting(monkeypatch, "self.encode.kernel[...].T", "jnp.ones((4, 6))")
    found = verified(SHARED)
    assert changed[0]
    assert not found.holds
    lost: list[Any] = [(use.weight, use.layer.partition(" -> ")[2]) for use in found.shared if not use.changes]
    assert lost == [("encode.kernel", "y.dense1")]
    assert "encode.kernel  FAILS" in as_text(found) and "y.dense1 does not change" in as_text(found)


def test_a_weight_too_many_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = emitting(monkeypatch, "self.encode =", "self.more = nnx.Param(jnp.zeros((3,)))\n        self.encode =")
    found = verified(SHARED)
    assert all(changed) and not found.holds
    assert "the module has more, which is no weight of the net" in found.leaves.misfits
    assert any(misfit.startswith("the module has ") and "parameters" in misfit for misfit in found.leaves.misfits)


def test_a_module_with_more_than_the_net_says_is_found() -> None:
    text = "net N { input x: [3] output y = x -> first: dense(4) -> last: dense(4) }"
    checked = check_text(text).programs[0]
    weights = tuple(replace(i, weights=i.weights[:1]) if i.name == "last" else i for i in checked.root.instances)
    fewer = Program((replace(checked.root, instances=weights),))
    assert fewer != checked
    whole = make_subject(checked)
    found = compare_leaves(replace(whole, program=fewer))
    assert found.misfits == (
        "the module has 36 parameters, and the net 32",
        "the module has last.bias, which is no weight of the net",
    )
