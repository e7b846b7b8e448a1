"""`constrain`: which weights a selector means, what the IR keeps of it, what contradicts, what projections compute."""

import re
from itertools import combinations
from typing import Any

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.compiler import check_text, flax_source
from netc.emit.constraints import projection
from netc.ir.constraints import constraints_of, matches
from netc.ir.data import from_data, parse_yaml, print_yaml, to_data
from netc.ir.network import Program, Weight
from netc.ir.read import parse_program
from netc.ir.show import json_data
from netc.ir.text import print_program
from netc.kernels import constraints as projections
from netc.layers.constraints import (
    CONSTRAINTS,
    Clip,
    Constraint,
    Frozen,
    MaxNorm,
    Nonnegative,
    Symmetric,
    UnitNorm,
    ZeroMean,
    clash,
    in_order,
)
from netc.layers.initialisers import LECUN
from netc.model import build_module, run_source, weights_of
from netc.problems import CompileError

NET = """
block tower(n, c = 2) {
  input x
  output x -> a: dense(n) -> relu -> repeat 2 { dense(n) } -> b: dense(n)
  constrain a: max_norm(c)
}
net N {
  input x: [4]
  weight W: [4, 4]
  layer shared = tower(4)
  output y = x -> shared -> shared -> u: tower(4, c = 1) -> d: dense(4, kernel = shared.b.kernel.T) -> batchnorm
  output z = x @ W
  CONSTRAIN
}
"""


def program(*statements: str) -> Program:
    checked = check_text(NET.replace("CONSTRAIN", "\n  ".join(statements)))
    assert not checked.errors, checked.errors
    return checked.programs[-1]


def mistakes(*statements: str) -> list[str]:
    return [p.message() for p in check_text(NET.replace("CONSTRAIN", "\n  ".join(statements))).errors]


def held(*statements: str) -> dict[str, str]:
    """The constraints of weights that the statements of the net put on them."""
    return {
        name: " ".join(map(str, found))
        for name, found in constraints_of(program(*statements)).items()
        if name not in ("shared.a.kernel", "u.a.kernel") or len(found) > 1
    }


KERNEL_AND_BIAS = ("shared.repeat1.1.dense1.kernel", "shared.repeat1.1.dense1.bias")


@pytest.mark.parametrize(
    ("selector", "weights"),
    [
        ("W", ("W",)),
        ("shared.repeat1.1.*", KERNEL_AND_BIAS),
        ("shared.repeat1.1", KERNEL_AND_BIAS),
        ("shared.repeat1.*.bias", ("shared.repeat1.0.dense1.bias", "shared.repeat1.1.dense1.bias")),
        ("*.1.*.kernel", ("shared.repeat1.1.dense1.kernel", "u.repeat1.1.dense1.kernel")),
        ("*.b.kernel", ("shared.b.kernel", "u.b.kernel")),
        ("u.b", ("u.b.kernel", "u.b.bias")),
    ],
)
def test_a_selector_means_the_weights_it_says(selector: str, weights: tuple[str, ...]) -> None:
    assert held(f"constrain {selector}: clip(-1, 1)") == dict.fromkeys(weights, "clip(-1, 1)")


def test_what_is_about_units_leaves_out_biases_that_are_not_named() -> None:
    assert held("constrain u.b.*: unit_norm") == {"u.b.kernel": "unit_norm"}
    (mistake,) = mistakes("constrain u.b.bias: unit_norm")
    assert mistake.startswith(
        "`u.b.bias` cannot be `unit_norm`: `unit_norm` is for the numbers that come into each unit"
    )


def test_a_star_reaches_through_blocks_and_takes_tied_weights_once() -> None:
    named = dict(program("constrain *: nonnegative").weights())
    trained = {name for name, weight in named.items() if weight.trainable}
    assert set(constraints_of(program("constrain *: nonnegative"))) == trained


def test_constraints_of_blocks_belong_to_each_of_their_uses() -> None:
    found = constraints_of(program("constrain u.a.kernel: max_norm(3)", "constrain shared.a.kernel: nonnegative"))
    assert found["u.a.kernel"] == (MaxNorm(3.0), MaxNorm(1.0))
    assert found["shared.a.kernel"] == (Nonnegative(), MaxNorm(2.0))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("constrain d.kernel: frozen", "`d.kernel` is `shared.b.kernel.T`, and belongs to `shared.b.kernel`"),
        ("constrain d: frozen", "`d.kernel` is `shared.b.kernel.T`, and belongs to `shared.b.kernel`"),
        ("constrain e: frozen", "no weight is called `e`"),
        ("constrain u.relu1: frozen", "`u.relu1` has no weights"),
        ("constrain *.relu1: frozen", "`*.relu1` has no weights"),
        ("constrain u.*.*.*.*.*: frozen", "no weight is called `u.*.*.*.*.*`"),
        ("constrain y.batchnorm1.mean: frozen", "`y.batchnorm1.mean` is not trained, and needs no constraint"),
        ("constrain W: clip(1, -1)", "`W` cannot be `clip(1, -1)`: no number lies between 1 and -1"),
        ("constrain u.a: frozen", "`u.a.kernel` cannot be `max_norm(1)` and `frozen` at once"),
        ("constrain u.a: clip(1, 2)", "`u.a.kernel` cannot be `max_norm(1)` and `clip(1, 2)` at once"),
        ("constrain W: max_norm", "`max_norm` needs `norm`"),
        ("constrain W: max_norm(0)", "`norm` of `max_norm` must be a number above 0"),
        ("constrain W: unitnorm", "there is no constraint `unitnorm`"),
        ("constrain W: 3", "this should be a constraint"),
    ],
)
def test_mistakes(statement: str, message: str) -> None:
    (mistake,) = mistakes(statement)
    assert message in mistake


def test_a_tied_weight_is_meant_with_its_owner() -> None:
    """`x @ W` sees W as its kernel."""
    (mistake,) = mistakes("constrain *.kernel: clip(-1, 1)")
    assert mistake == "`z.matmul1.kernel` is `W`, given from elsewhere"
    assert {"W", "shared.b.kernel"} <= set(held("constrain *.kernel: clip(-1, 1)", "constrain W: clip(-1, 1)"))


@pytest.mark.parametrize("constraint", ["clip(-1, 1)", "nonnegative", "frozen"])
def test_a_view_that_is_named_beside_its_owner_is_no_mistake_where_both_keep_it(constraint: str) -> None:
    assert mistakes(f"constrain shared.b: {constraint}", f"constrain d.kernel: {constraint}") == []


def test_a_view_is_not_said_to_keep_what_its_owner_alone_keeps() -> None:
    """The units of a transpose are others, and a difference of numbers of at least 0 may be below 0."""
    owner, view = "constrain shared.b.kernel: {}", "constrain d.kernel: {}"
    for kept in ("max_norm(1)", "unit_norm", "zero_mean"):
        (mistake,) = mistakes(owner.format(kept), view.format(kept))
        assert mistake == f"`d.kernel` is `shared.b.kernel.T`, which need not be `{kept}` where `shared.b.kernel` is"
    assert mistakes("constrain *: max_norm(1)") == []
    text = """net N { input x: [4]  weight K: [4, 4]  output y = x -> d: dense(4, kernel = K - flip(K, 1))
                       constrain K: KEPT  constrain d.kernel: KEPT }"""
    for kept, holds in (("nonnegative", False), ("clip(0, 1)", False), ("symmetric", False), ("frozen", True)):
        assert (check_text(text.replace("KEPT", kept)).errors == ()) is holds, kept


def test_what_is_said_twice_is_said_once() -> None:
    assert held("constrain W: max_norm(3)", "constrain W: max_norm(3)") == {"W": "max_norm(3)"}


def test_what_is_refused_does_not_clash_again() -> None:
    """One message for each statement that has to go."""
    found = mistakes("constrain W: max_norm(1)", "constrain W: frozen", "constrain W: symmetric")
    assert ["`frozen`" in mistake for mistake in found] == [True, False]


def test_help_names_what_is_near() -> None:
    """Layers as well as weights, and those of the layer that was named."""
    near = {
        "shred": "did you mean `shared`?",
        "u.bb.kernel": "did you mean `u.b.kernel`?",
        "N.shared": "did you mean `shared`?",
        "d.scale": "there are: d.bias, d.kernel",
    }
    for selector, help_ in near.items():
        (problem,) = check_text(NET.replace("CONSTRAIN", f"constrain {selector}: frozen")).errors
        assert problem.help() == help_
    (problem,) = check_text(NET.replace("CONSTRAIN", "constrain nothing: frozen")).errors
    assert problem.help().endswith(", u.a.bias, u.a.kernel and 8 more")
    (problem,) = check_text("net N { input x: [4]  output y = x -> r: relu  constrain r: frozen }").errors
    assert problem.help() == "there are no weights"


def test_settings_are_constraints_alone() -> None:
    net = "net N { input x: [4]  output y = x -> d: dense(4) }"
    recipe = 'train N { data = arrays("x.npz")  loss = squared_error(y, x)  optimizer = sgd(rate = 0.1) }'
    for text, said in (
        ("d: frozen } net X {", "this should be constraints alone, and is more"),
        ("d.bias: frozen batch = 3", "this should be constraints alone, and is more"),
        ("frozen", "`}` cannot stand here"),
        ("e: frozen", "no weight is called `e`"),
        ("d: max_norm(-1)", "`norm` of `max_norm` must be a number above 0"),
        ("d: frozen", "every weight is frozen"),
        ("d: frozen constrain d.kernel: symmetric", "at once: what is frozen stays as it starts"),
    ):
        (problem,) = check_text(f"{net} {recipe}", settings={"constrain": text}).errors
        assert said in problem.message()


def test_a_block_cannot_constrain_what_it_captures() -> None:
    text = """
    net N { input x: [4]  weight W: [4, 4]
      block f { input x  output x -> d: dense(4, kernel = W)  constrain d: frozen }
      output y = x -> f }"""
    (problem,) = check_text(text).errors
    assert problem.message() == "`d.kernel` is `W`, given from elsewhere"


def test_hostile_selectors_are_matched_fast() -> None:
    assert matches(".".join(["*", "a"] * 50 + ["*"]), ".".join(["a"] * 400))
    assert not matches(".".join(["*", "a"] * 50 + ["b"]), ".".join(["a"] * 400))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=5), st.lists(st.sampled_from("ab"), min_size=1))
def test_selectors_match_as_their_regular_expression(selector: list[str], name: list[str]) -> None:
    part = {"*": r"[^.]+(\.[^.]+)*"}
    pattern = r"\.".join(part.get(word, word) for word in selector) + r"(\..*)?"
    assert matches(".".join(selector), ".".join(name)) == bool(re.fullmatch(pattern, ".".join(name)))


MANY = program(
    "constrain W: symmetric",
    "constrain W: clip(-1, 0.1)",
    "constrain u.*.kernel: nonnegative",
    "constrain shared.b: frozen",
)


def test_constraints_load_back() -> None:
    assert parse_program(print_program(MANY)) == MANY
    assert parse_yaml(print_yaml(MANY)) == MANY


def test_broken_constraints_do_not_load() -> None:
    for new, said in (("W: symmetric", "no weight is called"), ("W: symmetric", "cannot be")):
        text = print_program(MANY)
        replacement = "V: symmetric" if "called" in said else "W: unit_norm"
        with pytest.raises(CompileError) as raised:
            parse_program(text.replace(f"constrain {new}", f"constrain {replacement}"))
        assert said in raised.value.problems[0].message()
    data: Any = to_data(MANY)
    data["networks"][-1]["constraints"][0]["selector"] = ""
    with pytest.raises(CompileError):
        from_data(data)


def test_show_says_what_is_constrained_and_frozen() -> None:
    data = json_data(MANY)
    rows = {row["name"]: row for row in data["weights"]}
    assert rows["W"]["constraints"] == ["symmetric", "clip(-1, 0.1)"]
    assert (rows["shared.b.kernel"]["trainable"], rows["W"]["trainable"]) == (False, True)
    assert (data["frozen"], data["params"]) == (20, json_data(program())["params"])


# What projections compute.

HOLDS = {
    "symmetric": lambda w, c: np.array_equal(w, w.T),
    "zero_mean": lambda w, c: np.abs(w.mean(0)).max() <= 1e-6 * max(1, np.abs(w).max()),
    "nonnegative": lambda w, c: w.min() >= 0,
    "clip": lambda w, c: w.min() >= np.float32(c.low) and w.max() <= np.float32(c.high),
    "max_norm": lambda w, c: np.linalg.norm(w.astype("d"), axis=0).max() <= c.norm * (1 + 1e-6),
    "unit_norm": lambda w, c: np.abs(np.linalg.norm(w.astype("d"), axis=0) - 1).max() <= 1e-6,
}
KINDS: list[Constraint] = [
    Symmetric(), ZeroMean(), Nonnegative(), Clip(-0.5, 0.25), Clip(0.1, 0.3), MaxNorm(1.0), MaxNorm(3.0), UnitNorm()
]  # fmt: skip
SETS = [
    chosen
    for size in (1, 2, 3, 4)
    for chosen in combinations(KINDS, size)
    if not any(clash(a, b) for a, b in combinations(chosen, 2))
]
CONSTANT = np.full((5, 5), 0.1, "f")
STARTS = {
    "random": np.random.default_rng(0).normal(size=(5, 5)).astype("f"),
    "large": np.random.default_rng(1).normal(size=(5, 5)).astype("f") * np.float32(1e25),
    "small": np.random.default_rng(2).normal(size=(5, 5)).astype("f") * np.float32(1e-25),
    "zero": np.zeros((5, 5), "f"),
    "constant": CONSTANT,
    "negative": -CONSTANT,
    "nearly constant": CONSTANT + np.float32(1e-7) * np.eye(5, dtype="f"),
}


def projector(constraints: tuple[Constraint, ...], shape: tuple[int, ...] = (5, 5), axes: str = "in out") -> Any:
    text = projection(in_order(constraints), Weight("w", shape, LECUN, tuple(axes.split())))
    names = {name: getattr(projections, name) for name in dir(projections)}
    return jax.jit(eval(f"lambda weight: {text}", names))


@pytest.mark.parametrize("chosen", SETS, ids=lambda chosen: " ".join(map(str, chosen)))
def test_all_that_can_hold_together_does(chosen: tuple[Constraint, ...]) -> None:
    """From any start; and what holds is left as it is, to the rounding of the numbers that it was made from."""
    project = projector(chosen)
    for start, array in STARTS.items():
        made = np.asarray(project(array))
        for constraint in chosen:
            assert HOLDS[constraint.kind](made, constraint), (constraint, start, made)
        largest = float(max(np.abs(array).max(), np.abs(made).max()))
        np.testing.assert_allclose(project(made), made, rtol=1e-6, atol=5e-7 * largest)


def test_every_kind_is_tested() -> None:
    assert {kind.kind for kind in CONSTRAINTS} == set(HOLDS) | {Frozen.kind}
    assert {type(c) for chosen in SETS for c in chosen} == {type(c) for c in KINDS}


def test_units_of_a_convolution_are_its_maps() -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 4)).astype("f")
    made = projector((MaxNorm(2.0),), kernel.shape, "height width in out")(kernel)
    np.testing.assert_allclose(np.sqrt((made**2).sum((0, 1, 2))), 2, rtol=1e-6)


def test_a_matrix_that_keeps_within_its_norm_stays_to_the_bit() -> None:
    start = STARTS["random"] / 10
    np.testing.assert_array_equal(projector((MaxNorm(3.0),))(start), start)


def test_scattered_connections_have_no_units() -> None:
    text = """net N { input x: [6, 6, 2]  output y = x -> c: conv(3, 3x3, connect = ["X.X", ".XX"])
                       constrain c: max_norm(3) }"""
    (problem,) = check_text(text).errors
    assert "a connection table scatters them" in problem.message()


@pytest.mark.parametrize("portable", [False, True])
def test_fresh_weights_keep_the_constraints(portable: bool) -> None:
    made = build_module(MANY, 3)
    weights = weights_of(made, flax_source(MANY))
    np.testing.assert_array_equal(weights["W"], weights["W"].T)
    assert weights["W"].max() <= np.float32(0.1) and weights["u.b.kernel"].min() >= 0
    emitted = flax_source(MANY, portable)
    names = run_source(emitted.source, "<test>")
    assert names["FROZEN"] == ("shared.b.kernel", "shared.b.bias")
    names["constrain"](made)
    for name, again in weights_of(made, emitted).items():
        np.testing.assert_array_equal(again, weights[name])


def test_nets_without_constraints_say_nothing_of_them() -> None:
    text = "net N { input x: [4]  output y = x -> dense(3) }"
    plain = flax_source(check_text(text).programs[0])
    assert "constrain" not in plain.source and not plain.constrains
