"""Names of the text as Python identifiers: never a keyword, a built-in or anything that the emitted file uses."""

import builtins
import keyword
import re

MODULE_ATTRIBUTES = frozenset(
    (
        "train",
        "eval",
        "sow",
        "perturb",
        "set_attributes",
        "iter_children",
        "iter_modules",
        "iter_named",
        "iter_named_modules",
        "predict",
        "init",
    )
)
GLOBALS = frozenset(
    (
        "jax",
        "jnp",
        "lax",
        "nnx",
        "self",
        "rngs",
        "layer",
        "annotations",
    )
)
BUILTINS = frozenset(dir(builtins))


def identifier(name: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """A safe identifier for a name of the text, the name itself where that is one."""
    safe = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not safe or safe[0].isdigit() or safe.startswith("_"):
        safe = f"n{safe}"
    while (
        keyword.iskeyword(safe) or keyword.issoftkeyword(safe) or safe in BUILTINS or safe in GLOBALS or safe in taken
    ):
        safe += "_"
    return safe


def class_name(name: str, taken: set[str]) -> str:
    """`conv_bn.2` as `ConvBn2`."""
    camel = "".join(part[:1].upper() + part[1:] for part in re.split(r"[._]+", name) if part)
    return unique(identifier(camel), taken)


def function_name(name: str, taken: set[str]) -> str:
    return unique(identifier(name), taken)


def unique(name: str, taken: set[str]) -> str:
    fresh, i = name, 2
    while fresh in taken:
        fresh, i = f"{name}_{i}", i + 1
    taken.add(fresh)
    return fresh


class Names:
    """Identifiers for the names of one name space, each name always the same one."""

    def __init__(self, reserved: frozenset[str] | set[str] = frozenset()) -> None:
        self.given: dict[str, str] = {}
        self.taken = set(reserved)

    def reserve(self, name: str) -> None:
        """Gives a name its identifier before others can take it."""
        self[name]

    def __getitem__(self, name: str) -> str:
        if name not in self.given:
            self.given[name] = unique(identifier(name, self.taken), self.taken)
        return self.given[name]
