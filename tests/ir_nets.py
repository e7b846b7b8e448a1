"""Nets that use everything the IR has: each is a text and what of it the test is about."""

from pathlib import Path

from netc.compiler import check_file, check_text
from netc.ir.network import Call, Instance, Network, Program, Reference, Value, Weight
from netc.layers.activations import LeakyRelu, Relu
from netc.layers.initialisers import Constant, Lecun
from netc.layers.linear import Dense
from netc.types import Element, Type

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.net"))

NETS = {
    "row": "net N { input x: [4]  output y = x -> repeat 3 { dense(4) -> relu } }",
    "row after another width": """
        net N { input x: [4]  output y = x -> repeat 4 { dense(8) -> tanh } -> repeat 1 { relu } }""",
    "one layer several times": "net N { input x: [4]  layer step = dense(4)  output y = x -> repeat 6 { step } }",
    "for": "net N { input x: [4]  output y = x -> for n in [8, 4, 8] { dense(n) -> relu } }",
    "captured weight": "net N { input x: [4]  weight W: [4, 4]  output y = x -> repeat 2 { dense(4, kernel = W.T) } }",
    "captured layers": """
        block twice(l) { input x  output x -> l -> repeat 2 { dense(4) -> l } }
        net N { input x: [4]  layer tower = dense(4) -> relu  a = x -> tower  output y = a -> twice(tower) }""",
    "a name from outside that the block has too": """
        block own(l, w) { input W  output (W @ w -> l) -> tower: dense(4, kernel = w) }
        net N { input x: [4]  weight W: [4, 4]  layer tower = dense(4)  a = x -> tower
                output y = a -> own(tower, W) }""",
    "nested blocks": """
        block conv_bn(channels, act = relu) = conv(channels, 3x3, pad = same, bias = false) -> batchnorm -> act
        block residual(channels) = [identity, conv_bn(channels) -> conv_bn(channels, act = identity)] -> add -> relu
        net N { input x: [6, 6, 2]  output y = x -> residual(2) -> residual(2) -> repeat 2 { residual(2) } }""",
    "nets as layers": """
        net Pair(n = 3) { input a: [4]  input b: [4]  output sum = (a, b) -> add -> dense(n)  output gap = a - b }
        net N { input x: [4]  layer pair = Pair(n = 2)  p, q = (x, x * 2) -> pair  r, s = (q, x) -> pair
                output one = p + r  output two = s }""",
    "another size": """
        net N { input a: [8, 8, 1]  input b: [6, 6, 1]  layer t = conv(3, 3x3) -> relu -> global_avgpool
                output y = a -> t  output z = b -> t }""",
    "an input in the middle": """
        net N { input x: [4]  h = x -> relu  input z: [4]  output y = h + z  output x2 = x -> tanh }""",
    "constraints": """
        block f(n) { input h  output h -> a: dense(n) -> relu
                     constrain a: max_norm(2.5)  constrain a.bias: clip(-1, 1) }
        net N { input x: [4]  weight V: [4, 4]  output y = x @ V -> t: repeat 2 { f(4) } -> f(4)
                constrain V: symmetric  constrain t.*.bias: nonnegative  constrain y.f1.*.kernel: zero_mean }""",
    "over time": """
        net N { input x: [5, 8]  input z: [5, 8]  layer step = dense(8) -> tanh
                h = (x, z) -> over_time { concat -> dense(8) -> step } -> repeat 2 { over_time { step } }
                output y = h -> lstm(4, last = true, forget = 0.5)  output w = h -> rnn(3, activation = relu) }""",
    "local and tiled": """
        net N { input x: [9, 8, 2]  weight b: [2, 3, 4]
                output y = x -> conv(4, 3x3, tile = [2, 3], bias = b) -> local(2, 3, stride = 2, pad = same) }""",
    "parts": """
        net N { input x: [6, 6, 4]  layer halves = split(2)  a, b = x -> halves  c, d = a -> halves
                e, f = b -> split([1, 5], axis = 0)  g = f -> pad([[0, 1], [2, 3]], mode = edge) -> crop([1, 0])
                output y = (c, d) -> concat -> slice(-2, axis = 0, step = 2) -> lrn(3, k = 1) -> prelu(true)
                output z = g -> upsample(2x1, mode = bilinear) -> conv_transpose(4, 2, stride = 3, output_pad = [2, 0])
                output w = e -> swiglu(4) -> maxout(2) -> gelu(approximate = true) -> adaptive_maxpool([1, 4]) }""",
    "fork": "net N { input x: [4]  output y = x -> [identity, dense(2) -> relu, dense(3)] -> concat }",
    "elements": """
        net N { input a: i32[12]  input b: token(50)[3, 2]  input c: class(10)  input d: []
                output e = a -> identity  output f = (b, b) -> concat  output g = c -> identity
                output h = d -> exp }""",
    "table": """
        net N { input x: [6, 6, 2]  output y = x -> conv(3, 3x3, connect = ["X.X", ".XX"], init = normal(0.02))
                -> subsample(2x2, init = -0.5, bias_init = 1e-5) -> flatten -> leaky_relu(-0.1)
                -> dense(2, init = 3) }""",
    "arguments": """
        net N { input x: [9, 9, 4]
                output y = x
                -> conv(4, [3, 2], stride = 2, pad = [1, 0], dilation = 2, groups = 2, bias = false, init = he)
                -> maxpool(2, stride = 1, pad = same, round = up) -> batchnorm(epsilon = 1.0000000000000002e-05)
                -> dropout(0.1) -> flatten -> dense(4) -> rbf(codes = [[0.1, -1, 2, 0.30000000000000004]]) } """,
    "arithmetic": """
        net N { input x: [2, 4]  weight w: [4] = 0.5  weight V: [4, 3] = glorot
                output y = -(2 * x / 3 - 1) ^ 2 + w  output z = x @ V }""",
    "views": """
        net N {
          input x: [4]
          weight W: [4, 4] = fan_in(1.5)
          weight T: [4, 4] = normal(0.1)
          weight K: [3, 3, 1, 2]
          layer enc = dense(4)
          a = x -> enc
          b = a -> dense(4, kernel = enc.kernel.T) -> dense(2, kernel = W[0:4, 1:3]) -> dense(4, kernel = W[2:])
          c = b -> dense(4, kernel = flip(W, 1)) -> dense(4, kernel = rot90(W)) -> dense(4, kernel = rot90(T, -1))
          d = c -> dense(4, kernel = (W + T.T) / 2) -> dense(4, kernel = -W - 0.1 * T) -> dense(4, kernel = T.T.T)
          e = d -> dense(8, kernel = concat(W, T)) -> dense(4, kernel = concat(W, T).T, bias_init = 0.25)
          f = e -> dense(4, kernel = W, bias = W[1] * 3) -> reshape([2, 2, 1])
          output y = f -> conv(2, 3x3, pad = same, kernel = flip(K, 0))
        }""",
    "a weight called T inside a layer": """
        block f { input h  weight T: [4, 4]  output h @ T }
        net N { input x: [4]  layer e = f  a = x -> e  output y = a @ e.T @ e.T.T }""",
    "names that are words of the form": """
        net network { input input_: [4]  weight over: [4, 4]  layer state = dense(4)  times = input_ -> state
                      views = times @ over  output run = views -> inf: dense(2) -> state2: relu }""",
    "rows of rows and weights inside them": """
        net N { input x: [4]  h = x -> body: repeat 3 { repeat 2 { dense(4) } -> dense(4) }
                output y = h -> dense(4, kernel = body.1.dense1.kernel.T)
                -> dense(4, kernel = body.0.repeat1.1.dense1.kernel) }""",
}


def compiled(text: str) -> Program:
    checked = check_text(text)
    assert not checked.errors, checked.errors
    return checked.programs[-1]


def hostile_program() -> Program:
    """Names, numbers and an order of instances and calls that no .net file gives, and that the law allows."""
    four, words = Type((4,)), Type((4,), Element("token", 7))
    bad = 'a"]; { } \\ \n # -> é \0'
    kernel = Weight(bad, (4, 4), Constant(float("inf")), ("", bad), trainable=False)
    dense = Instance(
        "dense.T",
        Dense(4),
        None,
        (four,),
        (four,),
        (Weight("kernel", (4, 4), Constant(-0.0), ()), Weight("bias", (4,), Lecun(), ("over",))),
    )
    unused = Instance("input", LeakyRelu(float("-inf")), None, (four,), (four,))
    wide = Instance("1.²", Relu(), None, (Type((4, 4)),), (Type((4, 4)),))
    view = Instance("tied", Dense(4, bias=False), None, (four,), (four,), (), (("kernel", Reference(bad, (4, 4))),))
    network = Network(
        bad,
        ("x", "true"),
        ((bad, "v1"), ("network", "z y")),
        (Value("x", four), Value("v1", four), Value("true", words), Value("z y", four), Value("last", four)),
        (kernel,),
        (unused, wide, dense, view),
        (
            Call("dense.T", ("x",), ("v1",), times=3),
            Call("1.²", ("v1",), ("z y",)),
            Call("tied", ("v1",), ("last",)),
        ),
    )
    return Program((network,))


PROGRAMS: dict[str, Program] = {
    **{spec.stem: check_file(str(spec)).programs[-1] for spec in SPECS},
    **{name: compiled(text) for name, text in NETS.items()},
    "hostile": hostile_program(),
}
