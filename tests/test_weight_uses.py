"""`weight_rows`: every use of a weight is listed, through named layers, captures, rows and repeats, with its view."""

import pytest
from ir_nets import NETS

from netc.compiler import check_text
from netc.ir.sharing import weight_rows, weight_sources

USES = {
    "branches": (
        "net N { input a, b: [4]  layer t = dense(4)  output y = a -> t  output z = b -> t }",
        {"t.kernel": ["t.kernel: t.kernel"] * 2, "t.bias": ["t.bias: t.bias"] * 2},
    ),
    "depth": (
        """net N { input x: [4]  layer step = dense(4, bias = false)
                output y = x -> repeat 6 { step -> relu -> step } }""",
        {"step.kernel": ["step.kernel: step.kernel x6"] * 2},
    ),
    "repeated inside of a repeat": (
        """net N { input x: [4]  layer step = dense(4, bias = false)
                layer steps = repeat 2 { step }  output y = x -> repeat 3 { steps -> tanh } -> step }""",
        {"step.kernel": ["step.kernel: step.kernel x6", "step.kernel: step.kernel"]},
    ),
    "a row": (
        "net N { input x: [4]  weight W: [4, 4]  output y = x -> repeat 2 { dense(4, kernel = W.T, bias = false) } }",
        {"W": ["y.repeat1.0.dense1.kernel: W.T", "y.repeat1.1.dense1.kernel: W.T"]},
    ),
    "captures two levels down": (
        """block inner(l, w) = dense(4, kernel = w[0:4].T, bias = false) -> l
           block outer(l, w) = inner(l, w) -> repeat 2 { inner(l, -w) }
           net N { input x: [4]  weight W: [6, 4]  layer t = dense(4, bias = false)
                output y = x -> t -> outer(t, W) }""",
        {
            "W": [
                "y.outer1.inner1.dense1.kernel: W[0:4].T",
                "y.outer1.repeat1.0.dense1.kernel: (-W)[0:4].T",
                "y.outer1.repeat1.1.dense1.kernel: (-W)[0:4].T",
            ],
            "t.kernel": ["t.kernel: t.kernel", "t.kernel: t.kernel", "t.kernel: t.kernel x2"],
        },
    ),
    "a part of a named layer": (
        """net N { input x: [4]  layer t = a: dense(4, bias = false) -> tanh -> a2: dense(4, bias = false)
                output y = x -> t  output z = x -> dense(2, kernel = t.a.kernel[:, 1:3], bias = false) }""",
        {
            "t.a.kernel": ["t.a.kernel: t.a.kernel", "z.dense1.kernel: t.a.kernel[0:4, 1:3]"],
            "t.a2.kernel": ["t.a2.kernel: t.a2.kernel"],
        },
    ),
    "arithmetic, and two weights in one view": (
        """net N { input x: [4]  weight V: [4, 4]  weight w: [4] = 0.5
                output y = x @ (V + V.T) + w  output z = (x * w) @ concat(V, V) }""",
        {
            "V": ["y.matmul1.kernel: (V + V.T)", "z.matmul1.kernel: concat(V, V, 1)"],
            "w": ["y.read1.weight: w", "z.read1.weight: w"],
        },
    ),
}


@pytest.mark.parametrize("case", USES)
def test_every_use_is_listed(case: str) -> None:
    text, uses = USES[case]
    checked = check_text(text)
    assert checked.problems == ()
    rows = weight_rows(checked.programs[-1])
    found = {
        row.name: [f"{u.layer}.{u.slot}: {u.view}{f' x{u.times}' * (u.times > 1)}" for u in row.uses] for row in rows
    }
    assert found == uses


@pytest.mark.parametrize("name", NETS)
def test_every_slot_has_one_source(name: str) -> None:
    """A layer sees the same weight in each of its calls, and every weight is seen by its owner or by a view."""
    program = check_text(NETS[name]).programs[-1]
    rows = weight_rows(program)
    assert [row.name for row in rows] == [name for name, _ in program.weights()]
    sources: dict[str, str] = {}
    for use in (use for row in rows for use in row.uses):
        slot = f"{use.layer}.{use.slot}"
        assert sources.setdefault(slot, use.view) == use.view
        assert use.times > 0
    assert sources == weight_sources(program)
