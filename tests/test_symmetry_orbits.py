"""Symmetries of nets over orbits: those of the orbit are proved, and measured; others are not."""

import jax
import pytest

from netc.compiler import check_text
from netc.layers.symmetry import SYMMETRIES
from netc.verification.subject import make_subject
from netc.verification.symmetries import measure_claim

HELD = {
    "rot4": ("shift", "rot90", "rot180"),
    "flip": ("shift", "flip"),
    "rot4_flip": ("shift", "rot90", "rot180", "flip", "flipud"),
    "scale(2)": ("shift",),
}
NET = """
net Over {
  input image: [24, 24, 2]
  h = image -> conv(3, 3x3, orbit = ORBIT) -> relu -> batchnorm -> conv(4, 3x3, orbit = ORBIT, pad = 1) -> maxpool(2x2)
  gated = h * (h -> global_avgpool -> sigmoid)
  output map = h -> orbit_pool(max)
  output kind = gated -> global_maxpool -> orbit_pool(mean) -> dense(3)
  ASSERTS
}
"""


@pytest.mark.parametrize("orbit", HELD)
def test_symmetries_of_an_orbit_are_proved_and_true(orbit: str) -> None:
    names = [name for name in SYMMETRIES if name != "swap"]
    asserts = [f"assert equivariant(image, {name}, map) and invariant(image, {name}, kind)" for name in names]
    checked = check_text(NET.replace("ORBIT", orbit).replace("ASSERTS", "\n  ".join(asserts)))
    assert not checked.errors
    with jax.enable_x64(True):
        subject = make_subject(checked.programs[0])
        for claim in checked.claims["Over"]:
            found = measure_claim(subject, claim, seed=0)
            assert claim.proved == (claim.symmetry.name in HELD[orbit]), claim.text
            assert found.difference is not None
            assert found.holds(1e-9) == claim.proved, f"{claim.text}: {found.difference} at {found.where}"


def test_a_block_over_an_orbit_moves_with_its_turns_alone() -> None:
    text = """block turned { input x  output x -> conv(3, 3x3, orbit = rot4) -> relu  assert equivariant(x, NAME) }
        net N { input image: [9, 9, 1]  output y = image -> turned -> orbit_pool(max) }"""
    assert not check_text(text.replace("NAME", "rot90")).problems
    (problem,) = check_text(text.replace("NAME", "flip")).problems
    assert problem.label() == "`out` is [7, 7, 3] over rot4, and `flip` does not exchange its copies"


def test_an_odd_stride_breaks_turns() -> None:
    text = """net N { input image: [10, 10, 1]
        output y = image -> conv(3, 3x3, orbit = rot4, stride = 2) -> orbit_pool(max) -> global_avgpool
        assert invariant(image, rot90) }"""
    checked = check_text(text)
    (claim,) = checked.claims["N"]
    assert not claim.proved
    with jax.enable_x64(True):
        assert not measure_claim(make_subject(checked.programs[0]), claim, seed=0).holds(1e-6)
