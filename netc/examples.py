"""The example of a layer kind, compiled: what its page can show of it. Table entries in, facts out."""

from dataclasses import dataclass
from string import ascii_lowercase
from textwrap import dedent

from netc.compiler import check_text, flax_source
from netc.ir.network import Instance
from netc.layers.base import Cost, Layer
from netc.types import Type


@dataclass(frozen=True)
class Example:
    """`flow` is a flow of the language; `instance` is the layer in it, and `flax` what is emitted for it all."""

    flow: str
    inputs: tuple[tuple[str, Type], ...]
    output: Type
    instance: Instance
    cost: Cost
    flax: str


def example_of(kind: type[Layer]) -> Example:
    """A kind's example on values of its types: `x`, or `a`, `b` and so on."""
    types = kind.example_input
    names = ("x",) if len(types) == 1 else tuple(ascii_lowercase[: len(types)])
    flow = f"{names[0] if len(names) == 1 else '(' + ', '.join(names) + ')'} -> {kind.example}"
    inputs = "  ".join(f"input {name}: {type_}" for name, type_ in zip(names, types, strict=True))
    (program,) = check_text(f"net Example {{ {inputs}  output {flow} }}").programs
    instance = next(i for i in program.root.instances if isinstance(i.layer, kind))
    assert instance.layer is not None
    output = program.root.types[program.root.outputs[0][1]]
    cost = instance.layer.cost(instance.inputs, instance.outputs)
    return Example(
        flow, tuple(zip(names, types, strict=True)), output, instance, cost, body(flax_source(program).source)
    )


def body(source: str) -> str:
    """The lines of the emitted class that make its layers and use them."""
    made, _, used = source.partition("def __init__(self, rngs: nnx.Rngs):\n")[2].partition("    def __call__(")
    made = dedent(made).strip()
    used = dedent(used.partition("\n")[2]).strip()
    return used if made == "pass" else f"{made}\n{used}"
