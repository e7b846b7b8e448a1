"""Texts to measure the front half on: a long net as people write them, and a repeated body."""

BLOCKS = """# A net of {lines:,} lines, made to measure the compiler.

activation stanh(x) = 1.7159 * tanh(2 * x / 3)

block conv_bn(channels, kernel = 3x3, act = relu) =
  conv(channels, kernel, pad = same, bias = false) -> batchnorm -> act

block residual(channels) {{
  input x
  main = x -> conv_bn(channels) -> conv_bn(channels, act = identity)
  output main + x -> relu
}}

"""
STAGE = """# Stage {n}: its own block, with a squeeze in the middle.
block stage{n}(channels, squeeze = 4) {{
  input x
  wide  = x -> conv_bn(channels) -> conv_bn(channels, 1x1)
  gate  = wide -> global_avgpool -> dense(squeeze) -> relu -> dense(channels) -> sigmoid
  mixed = wide * gate + x
  output mixed -> stanh
}}

"""
GROUP = """
  # Group {n}
  a{n} = x{before}
    -> conv{n}: conv({width}, 3x3, pad = same)   # labelled, so that it can be asserted on
    -> relu
    -> residual({width})
  b{n} = a{n} -> [conv_bn({width}, 1x1), conv_bn({width}, 5x5) -> dropout(0.1)] -> add
  c{n} = (a{n} + b{n}) / 2 -> stage{stage}({width})
  x{n} = c{n} -> repeat 2 {{ conv_bn({width}) -> residual({width}) }}
  assert conv{n}.params == {params}
"""
HEAD = """
net Long {{
  input image: [32, 32, 3]
  default dense(init = he)

  x0 = image -> conv_bn(16)
"""
TAIL = """
  output y: [10] = x{last} -> global_avgpool -> dense(10)
}}

train Long {{
  data      = arrays("images.npz")
  loss      = cross_entropy(y, label)
  metric    = accuracy(y, label)
  optimizer = adam(rate = 0.001)
  batch     = 32
  epochs    = 5
}}
"""
WIDTHS = (16, 16, 16, 24, 24, 32)
GROUPS_A_STAGE = 20


def long_net(lines: int) -> str:
    """A net of that many lines, or up to ten fewer: comments, blocks, lets, labels, forks, repeats and asserts."""
    ends = count(BLOCKS) + count(HEAD) + count(TAIL)
    groups = (lines - ends) * GROUPS_A_STAGE // (GROUPS_A_STAGE * count(GROUP) + count(STAGE))
    stages = -(-groups // GROUPS_A_STAGE)
    body = [BLOCKS.format(lines=lines), *(STAGE.format(n=n) for n in range(1, stages + 1)), HEAD.format()]
    channels = 16
    for n in range(1, groups + 1):
        width = WIDTHS[n % len(WIDTHS)]
        stage = (n - 1) // GROUPS_A_STAGE + 1
        params = 9 * channels * width + width
        body.append(GROUP.format(n=n, before=n - 1, width=width, stage=stage, params=params))
        channels = width
    return "".join([*body, TAIL.format(last=groups)])


def count(text: str) -> int:
    return text.count("\n")


def repeated(times: int, layers: int = 60) -> str:
    """A net that repeats a body of that many layers."""
    body = "\n    -> ".join(["conv(8, 3x3, pad = same) -> relu"] * (layers // 2))
    return f"net Deep {{\n  input x: [16, 16, 8]\n  output y = x -> repeat {times} {{\n    {body}\n  }}\n}}\n"
