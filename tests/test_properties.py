"""No text crashes the compiler, and what compiles computes what its IR says."""

from pathlib import Path

import interpreter
import jax
import module_runs
import numpy as np
from flax import nnx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from laws import holds
from mutations import altered, mutated
from net_texts import FILE, net_texts, resampled_texts

from netc.compiler import check_text
from netc.ir.counts import count
from netc.ir.network import Program
from netc.ir.read import parse_program
from netc.ir.text import print_program
from netc.ir.verify import verify
from netc.rendering import render_all
from netc.syntax.format import format_text
from netc.syntax.generate import build

ROOT = Path(__file__).parents[1]
SPECS = [path.read_text() for path in sorted((ROOT / "specs").glob("*.net"))]
WITH_ALL = (
    FILE
    + """
net Made {
  input x: [6, 5, 2]
  weight W: [2, 4] = normal(0.1)   # a comment
  layer l = conv(2, 3x3, pad = same) -> repeat 2 { relu -> dense(2) }
  h = x -> l -> C: conv(4, 3x3, pad = 1, connect = ["X.X.", ".XXX"])
    -> for n, f in [[3, relu], [4, tanh]] { dense(n) -> f }
  a, b = (h, x @ W)
  output y = (a + b) -> [identity, residual(dense(4))] -> add -> global_avgpool
    -> dense(4, kernel = concat(W.T, W.T))
  assert params > 3 and C.params == 49 and y.shape == [4]
  default dense(init = he)
  z = -x ^ 2 * 3 / (1 - x)
  output q: [5, 4, 2] = z -> if x.channels == 2 then maxpool(2, stride = 1) else identity
}
train Made {
  data      = arrays("f.npz")
  loss      = cross_entropy(y, label) + 0.5 * squared_error(q, image)
  metric    = [accuracy(y, label)]
  optimizer = clip(1.0) -> adamw(rate = warmup_cosine(3e-4, warmup = 500))
  batch     = 4
  epochs    = 2
}
"""
)
NAMES = (
    "x y a b N conv dense relu tanh flatten add concat maxpool same he T kernel channels flip min digits sgd label f32"
)
TERMINALS = {
    "NAME": st.sampled_from(NAMES.split()),
    "INT": st.sampled_from(["0", "1", "2", "3", "10", "1_000", "999999999999", "1" + "0" * 20]),
    "FLOAT": st.sampled_from(["0.5", "1e3", "2.0", "1e300", "1e-400"]),
    "SIZE": st.sampled_from(["1x1", "3x3", "0x3", "2x2x2", "99999999x2"]),
    "STRING": st.sampled_from(['""', '"X."', r'"a\n\"b"', '"{0}"']),
    "COMMENT": st.sampled_from(["# c\n", "#\n"]),
    "WHITESPACE": st.sampled_from([" ", "\n", "\t", "\n\n\n"]),
}
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)
quick = settings(derandomize=True, deadline=None, database=None, suppress_health_check=SLOW)


@settings(quick, max_examples=25)
@given(from_lark(build((ROOT / "grammar" / "netc.lark").read_text()), start="start", explicit=TERMINALS))
def test_laws_of_texts_of_the_grammar(text: str) -> None:
    holds(text)


@settings(quick, max_examples=120)
@given(mutated([*SPECS, WITH_ALL, WITH_ALL]))
def test_laws_of_almost_right_texts(text: str) -> None:
    holds(text)


@settings(quick, max_examples=60)
@given(st.text(max_size=60))
def test_laws_of_any_characters(text: str) -> None:
    holds(text)


def test_the_text_with_all_of_the_language_compiles() -> None:
    assert holds(WITH_ALL)


@settings(quick, max_examples=25)
@given(net_texts())
def test_made_nets_compute_what_their_ir_says(text: str) -> None:
    checked = check_text(text)
    assert not checked.errors, render_all(checked.errors)
    program = checked.programs[-1]
    agrees(program)
    formatted = format_text(text)
    assert isinstance(formatted, str)
    assert check_text(formatted).programs == checked.programs


RESAMPLING = (
    "conv_transpose",
    "nearest",
    "bilinear",
    "pixel_shuffle",
    "adaptive_avgpool",
    "adaptive_maxpool",
    "reflect",
)


def test_resampling_nets_compute_what_their_ir_says() -> None:
    drawn: list[str] = []

    @settings(quick, max_examples=20)
    @given(resampled_texts())
    def compare(text: str) -> None:
        checked = check_text(text)
        assert not checked.errors, render_all(checked.errors)
        agrees(checked.programs[-1])
        drawn.append(text)

    compare()
    assert [kind for kind in RESAMPLING if kind not in "".join(drawn)] == []


@settings(quick, max_examples=60)
@given(net_texts().flatmap(altered))
def test_changed_nets_compute_what_their_ir_says_if_they_compile(text: str) -> None:
    checked = check_text(text)
    for program in checked.programs[-1:] if not checked.errors else ():
        if count(program).params < 10_000 and count(program).flops < 1_000_000:
            agrees(program)


def agrees(program: Program) -> None:
    """The emitted module has the checked shapes and counts, and gives what the interpreter of the IR gives."""
    verify(program)
    assert parse_program(print_program(program)) == program
    model, emitted = module_runs.module(program)
    params, state = (sum(x.size for x in jax.tree.leaves(nnx.state(model, kind))) for kind in KINDS)
    assert (count(program).params, count(program).state) == (params, state)
    assert emitted.variables.keys() == dict(program.weights()).keys()
    weights, inputs = module_runs.weights_for(program), module_runs.inputs_for(program)
    found = module_runs.outputs(program, weights, inputs)
    with np.errstate(all="ignore"):
        expected = interpreter.run(program, weights, inputs)
    for (_, value), ours, theirs in zip(program.root.outputs, found, expected, strict=True):
        assert ours.shape[1:] == program.root.types[value].shape == theirs.shape[1:]
        # float32 against float64: layers may enlarge what is lost, and overflow earlier.
        largest = np.abs(theirs, where=np.isfinite(theirs), out=np.zeros_like(theirs)).max()
        if largest < 1e6:
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3 * (1 + largest))


KINDS = (nnx.Param, nnx.BatchStat)
