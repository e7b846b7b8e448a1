"""netc: a compiler for neural networks written down as text.

    net = netc.compile("specs/lenet5.net")
    model = net.init(seed=0)                     # a flax nnx.Module
    run = netc.train("specs/digits.net", out="runs/digits")
    model = netc.load("runs/digits")
    outputs = model.predict(images)

Importing netc imports nothing else: the compiler is loaded when it is first asked for, JAX when a model is made.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netc.api import CompiledNet, compile
    from netc.export import load_weights, save_weights
    from netc.importing.load import import_weights
    from netc.problems import CompileError, NetcError, RunError
    from netc.training import evaluate, load, sweep, train

__version__ = "0.1.0"
__all__ = [
    "CompileError",
    "CompiledNet",
    "NetcError",
    "RunError",
    "compile",
    "evaluate",
    "import_weights",
    "load",
    "load_weights",
    "save_weights",
    "sweep",
    "train",
]

LAZY = {
    "CompileError": "netc.problems",
    "CompiledNet": "netc.api",
    "NetcError": "netc.problems",
    "RunError": "netc.problems",
    "compile": "netc.api",
    "evaluate": "netc.training",
    "import_weights": "netc.importing.load",
    "load": "netc.training",
    "load_weights": "netc.export",
    "save_weights": "netc.export",
    "sweep": "netc.training",
    "train": "netc.training",
}


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f"module 'netc' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(LAZY[name]), name)
