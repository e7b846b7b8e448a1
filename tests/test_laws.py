"""Each law of the IR refuses a program that breaks it."""

from dataclasses import replace
from typing import Any

import pytest
from ir_nets import PROGRAMS, compiled

from netc.ir.network import Call, Capture, Constrained, Derived, Instance, Program, Reference, Value, Weight
from netc.ir.verify import LAWS, InvalidIR, first_broken, verify
from netc.layers.activations import Relu
from netc.layers.constraints import MaxNorm, Nonnegative, Symmetric, ZeroMean
from netc.layers.conv import Conv
from netc.layers.linear import Dense
from netc.layers.normalise import Batchnorm
from netc.layers.shape import Flatten
from netc.types import Type

START = compiled("""
    block body(w, l) { input x  output x -> first: dense(4, kernel = w) -> l }
    net N { input x: [4]  input z: [4]  weight W: [4, 4]  layer tower = dense(4)
            a = x -> tower  b = a -> part: body(W.T, tower)  output y = b + z  output r = b -> repeat 2 { dense(4) } }
""")
FOUR, FIVE = Type((4,)), Type((5,))


def changed(program: Program, name: str, **fields: Any) -> Program:
    """The program with other fields in one network."""
    networks = tuple(replace(n, **fields) if n.name == name else n for n in program.networks)
    return Program(networks)


def with_instance(name: str, **fields: Any) -> Program:
    """The program with other fields in one instance of its root."""
    instances = tuple(replace(i, **fields) if i.name == name else i for i in START.root.instances)
    return changed(START, "N", instances=instances)


def with_call(index: int, **fields: Any) -> Program:
    calls = list(START.root.calls)
    calls[index] = replace(calls[index], **fields)
    return changed(START, "N", calls=tuple(calls))


def with_more(**fields: Any) -> Program:
    """The program with more of something in its root."""
    return changed(START, "N", **{key: (*getattr(START.root, key), *more) for key, more in fields.items()})


def with_layer(layer: Any, takes: tuple[Type, ...], gives: tuple[Type, ...], **fields: Any) -> Program:
    return with_more(instances=[Instance("more", layer, None, takes, gives, **fields)])


def view(operation: str, *settings: object, shape: tuple[int, ...] = (4, 4)) -> Program:
    """The program with a view of `W` in place of the one that `part` binds."""
    made = Derived(operation, (Reference("W", (4, 4)),), settings, shape)
    return with_instance("part", captures=(("W", made), ("tower", "tower")))


PART, TOWER, ROOT = START.root.by_name["part"], START.root.by_name["tower"], START.root
BODY = START.by_name["body"]
SIZES = PROGRAMS["another size"]
VARIANT = next(call for call in SIZES.root.calls if call.network)


def sizes(**fields: Any) -> Program:
    """The program of two sizes with other fields in the call that uses the second."""
    return changed(SIZES, "N", calls=tuple(replace(c, **fields) if c.network else c for c in SIZES.root.calls))


def captured(**fields: Any) -> Program:
    """The program with a body that uses the captured layer otherwise."""
    calls = tuple(replace(c, **fields) if c.instance == "tower" else c for c in BODY.calls)
    return changed(START, "body", calls=calls)


STEPS = compiled("""
    net N { input x: [5, 8]  input z: [8]  layer h = dense(4) -> tanh
            output y = x -> over_time { h -> relu }  output w = z -> h}
""")


def stepping(**fields: Any) -> Program:
    """The program with other fields in the call that runs over time, of `h` itself."""
    root = STEPS.root
    first = next(call for call in root.calls if call.over_time)
    call = replace(first, instance="h", **fields)
    return changed(STEPS, "N", calls=(call, *(c for c in root.calls if c is not first)))


WIDER = tuple(replace(v, type=Type((5, 6))) if v.name == "y" else v for v in STEPS.root.values)


BROKEN: dict[str, list[tuple[Program, str]]] = {
    "names_are_unique": [
        (Program((BODY, *START.networks)), "its name is taken"),
        (with_more(values=[Value("x", FOUR)]), "value or capture x is there twice"),
        (with_more(inputs=["x"]), "input x is there twice"),
        (with_more(outputs=[("y", "x")]), "output y is there twice"),
        (with_more(instances=[TOWER]), "instance, weight or capture tower is there twice"),
        (with_more(captures=[Capture("W", (4, 4))]), "instance, weight or capture W is there twice"),
        (with_more(captures=[Capture("x", (4, 4))]), "value or capture x is there twice"),
        (with_instance("tower", weights=TOWER.weights[:1] * 2), "weight of tower kernel is there twice"),
    ],
    "networks_come_first": [
        (with_instance("part", layer=Relu()), "part must be either a layer or a network"),
        (with_instance("part", network=None), "part must be either a layer or a network"),
        (Program(START.networks[1:]), "part is of network body, which is not before this one"),
        (Program((ROOT, *START.networks[:-1])), "part is of network body, which is not before this one"),
    ],
    "values_flow_forward": [
        (with_more(inputs=["u"]), "input u has no type"),
        (changed(START, "N", calls=ROOT.calls[::-1]), "uses value"),
        (with_call(0, outputs=()), "tower gives no value"),
        (changed(START, "N", outputs=()), "it has no output"),
        (with_call(0, outputs=("x",)), "value x is given twice"),
        (with_call(0, outputs=("u",)), "value u has no type"),
        (with_more(outputs=[("u", "u")]), "output u is value u, which is not there"),
        (with_more(values=[Value("u", FOUR)]), "nothing gives value u"),
    ],
    "values_stand_in_order": [
        (changed(START, "N", inputs=("z", "x")), "its inputs and values stand in different orders"),
        (changed(START, "N", values=ROOT.values[::-1], inputs=("z", "x")), "stands before values that come before it"),
    ],
    "rows_have_members": [
        (with_instance("r.repeat1", count=0), "r.repeat1 is a row of 0 from 0"),
        (with_instance("r.repeat1", start=-1), "r.repeat1 is a row of 2 from -1"),
        (with_instance("tower", start=1), "tower is a row of None from 1"),
        (with_call(0, times=0), "tower runs 0 times"),
    ],
    "instances_fit": [
        (with_layer(Conv(3, (3,)), (FOUR,), (FOUR,)), "more cannot take [4]: `conv` takes a value of"),
        (with_layer(Relu(), (FOUR,), (FIVE,)), "more gives [4], and is said to give [5]"),
        (with_layer(Relu(), (FOUR,), (FOUR,), captures=(("W", "tower"),)), "more is a layer, and captures nothing"),
        (with_instance("part", outputs=(FIVE,)), "part is not of the types of its network body"),
        (with_instance("part", inputs=(FIVE,)), "part is not of the types of its network body"),
        (with_instance("part", weights=TOWER.weights), "part is a network, and its weights are listed there"),
    ],
    "calls_fit": [
        (stepping(over_time=False), "h takes [8] and is given [5, 8]"),
        (stepping(inputs=("z",)), "h runs over time, and [8] and [5, 4] share no first axis"),
        (stepping(times=2), "h runs over time and in a row"),
        (changed(stepping(), "N", values=WIDER), "h gives [4], and its call says [6]"),
        (with_call(0, instance="towr"), "a call of towr, which is not there"),
        (with_call(0, instance="tower.kernel"), "a call of tower.kernel, which is not there"),
        (changed(START, "body", calls=(replace(BODY.calls[0], instance="W"), *BODY.calls[1:])), "W, which is a weight"),
        (with_call(0, inputs=("x", "z")), "tower cannot take [4] and [4]: `dense` takes one value"),
        (with_call(1, inputs=("a", "z")), "part takes [4] and is given [4] and [4]"),
        (with_call(0, network="body"), "tower is a layer, and its call says that it is network body"),
        (
            changed(START, "N", values=tuple(replace(v, type=FIVE) if v.name == "a" else v for v in ROOT.values)),
            "tower gives [4], and its call says [5]",
        ),
        (
            with_more(
                instances=[replace(TOWER, name="wide", layer=Dense(5), outputs=(FIVE,), weights=())],
                calls=[Call("wide", ("x",), ("w",), times=2)],
                values=[Value("w", FIVE)],
            ),
            "wide runs in a row, and gives [5] for [4]",
        ),
        (
            with_more(
                instances=[Instance("flat", Flatten(), None, (Type((5, 2)),), (Type((10,)),))],
                calls=[Call("flat", ("x",), ("w",))],
                values=[Value("w", FOUR)],
            ),
            "flat was made for [5, 2] and is given [4]",
        ),
        (sizes(network="s"), "t is network s here, which is not before this one"),
        (sizes(network=None), "t takes [8, 8, 1] and is given [6, 6, 1]"),
        (
            changed(
                SIZES, str(VARIANT.network), outputs=(("other", SIZES.by_name[str(VARIANT.network)].outputs[0][1]),)
            ),
            "t is network t.2 here, which is not like t",
        ),
    ],
    "weights_have_one_owner": [
        (with_instance("tower", weights=TOWER.weights[:1]), "tower needs weights"),
        (with_instance("tower", weights=(*TOWER.weights, Weight("more", (4,), TOWER.weights[0].init))), "tower needs"),
        (with_instance("tower", weights=tuple(replace(w, shape=(5,)) for w in TOWER.weights)), "tower needs weights"),
        (
            with_layer(
                Batchnorm(),
                (FOUR,),
                (FOUR,),
                views=tuple((s, Reference("W", (4,))) for s in ("scale", "bias", "mean", "var")),
            ),
            "more cannot take weights of others",
        ),
    ],
    "views_find_their_weights": [
        (with_instance("part", captures=(("W", Reference("V", (4, 4))), ("tower", "tower"))), "there is no weight V"),
        (
            with_instance("part", captures=(("W", Reference("tower.bias", (4, 4))), ("tower", "tower"))),
            "weight tower.bias is [4], and its view says [4, 4]",
        ),
        (view("turn"), "there is no operation `turn` on weights"),
        (view("add"), "`add` cannot take 1 weight"),
        (view("transpose", 1), "`transpose` cannot take the settings [1]"),
        (view("slice", (0, 2)), "a view by slice has [2, 4], and says [4, 4]"),
        (view("slice", 9), "index 9 is outside axis 0"),
        (view("multiply", True), "`multiply` cannot take the settings [True]"),
    ],
    "captures_are_bound": [
        (with_instance("part", captures=()), "part binds [], and its network captures ['W', 'tower']"),
        (with_instance("part", captures=PART.captures[::-1]), "part binds ['tower', 'W']"),
        (with_instance("part", captures=(("W", "tower"), ("tower", "tower"))), "part binds W to a layer"),
        (with_instance("part", captures=(PART.captures[0], ("tower", Reference("W", (4, 4))))), "tower to a weight"),
        (with_instance("part", captures=(PART.captures[0], ("tower", "towr"))), "part binds layer towr, which is not"),
        (
            with_instance("part", captures=(("W", Reference("tower.bias", (4,))), ("tower", "tower"))),
            "part binds W to a weight of [4]",
        ),
        (captured(network="body"), "part: tower is a layer, and its call says that it is network body"),
        (captured(inputs=("x", "x")), "part: tower cannot take [4] and [4]"),
    ],
    "constraints_hold_together": [
        (with_more(constraints=[Constrained("towr", MaxNorm(1.0))]), "no weight is called towr"),
        (
            with_more(constraints=[Constrained("W", Nonnegative()), Constrained("W", ZeroMean())]),
            "W cannot be nonnegative and zero_mean: ",
        ),
        (with_more(constraints=[Constrained("tower.bias", Symmetric())]), "`symmetric`"),
    ],
}


CASES = [(law, program, message) for law, cases in BROKEN.items() for program, message in cases]


@pytest.mark.parametrize(("law", "program", "message"), CASES, ids=[f"{law}-{m[:40]}" for law, _, m in CASES])
def test_a_broken_program_is_refused(law: str, program: Program, message: str) -> None:
    broken = first_broken(program)
    assert broken is not None
    assert broken.law == law
    assert message in broken.text
    with pytest.raises(InvalidIR) as raised:
        verify(program)
    assert str(raised.value) == str(broken)


def test_every_law_has_its_cases() -> None:
    assert [law.__name__ for law in LAWS] == list(BROKEN)


def test_a_program_is_a_net_that_stands_alone() -> None:
    assert str(first_broken(Program(()))) == "there is no network"
    assert str(first_broken(Program((BODY,)))) == "network body: it captures W, and nothing stands around it"


@pytest.mark.parametrize("program", [*PROGRAMS.values(), START], ids=[*PROGRAMS, "start"])
def test_lawful_programs_are_accepted(program: Program) -> None:
    verify(program)


def test_a_layer_captured_two_levels_down_is_looked_at() -> None:
    program = PROGRAMS["captured layers"]
    inner = next(n for n in program.networks if n.name == "repeat")
    calls = tuple(replace(c, times=2, network="repeat") if c.instance == "tower" else c for c in inner.calls)
    broken = first_broken(changed(program, "repeat", calls=calls))
    assert broken is not None and broken.network is program.root
    assert broken.text == "y.twice1: tower is network repeat here, which is not like tower"
