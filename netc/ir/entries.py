"""Layers and initialisers between the IR and its written forms: their arguments read back through their tables."""

from collections.abc import Mapping, Sequence

from netc.arguments import Accepts, Entry, Misuse, Symbol, bind
from netc.layers.base import Initialiser
from netc.layers.constraints import CONSTRAINTS, Constraint
from netc.layers.initialisers import INITIALISERS, AnInitialiser
from netc.layers.orbits import ORBITS, AnOrbit
from netc.problems import nearest
from netc.types import Orbit

INITIALISER_KINDS: dict[str, type[Initialiser]] = {kind.kind: kind for kind in INITIALISERS}
CONSTRAINT_KINDS: dict[str, type[Constraint]] = {kind.kind: kind for kind in CONSTRAINTS}
ORBIT_KINDS: dict[str, type[Orbit]] = {kind.kind: kind for kind in ORBITS}
SETTING_KINDS: dict[str, type[Entry]] = {**INITIALISER_KINDS, **ORBIT_KINDS}
"""What an argument can be that has arguments of its own."""
AN_INITIALISER = AnInitialiser()
AN_ORBIT = AnOrbit()


def word_for(accepts: Accepts, value: object) -> str | None:
    """The bare word that an argument reads as a value, if there is one: `same`, `digit_codes`."""
    return next((word for word in accepts.words if accepts.read(Symbol(word)) == value), None)


def build(
    table: Mapping[str, type[Entry]], kind: str, positional: Sequence[object], named: Mapping[str, object]
) -> Entry | str:
    """An entry of a table made from arguments, or what is wrong with them.

    Arguments are numbers, strings, truth values, tuples and initialisers; a string or `Symbol` that is a word of
    its argument means what the word does.
    """
    if kind not in table:
        return f"there is no `{kind}`" + (f", did you mean `{found}`?" if (found := nearest(kind, table)) else "")
    declared = table[kind].arguments()
    accepts = {a.name: a.accepts for a in declared}
    first = [meant(a.accepts, value) for a, value in zip(declared, positional, strict=False)]
    others = {name: meant(accepts[name], value) if name in accepts else value for name, value in named.items()}
    made = bind(table[kind], [*first, *positional[len(first) :]], others)
    return made if isinstance(made, Entry) else misused(kind, made[0], table[kind])


def meant(accepts: Accepts, value: object) -> object:
    """What a word means to the argument that gets it: a word of its own, or an initialiser with its defaults."""
    if isinstance(value, str) and value in accepts.words:
        return Symbol(value)
    if isinstance(value, Symbol) and value.name not in accepts.words and value.name in INITIALISER_KINDS:
        made = build(INITIALISER_KINDS, value.name, (), {})
        return value if isinstance(made, str) else made
    return value


def initialiser(value: object) -> Initialiser | None:
    """An initialiser, by itself or by its bare name; a number makes every number the same."""
    read = AN_INITIALISER.read(meant(AN_INITIALISER, value))
    return read if isinstance(read, Initialiser) else None


def misused(kind: str, misuse: Misuse, entry: type[Entry]) -> str:
    takes = ", ".join(f"`{a.name}`" for a in entry.arguments()) or "none"
    match misuse.what:
        case "missing":
            return f"`{kind}` needs `{misuse.name}`, {misuse.accepts}"
        case "extra":
            return f"`{kind}` is given too many arguments; it takes {takes}"
        case "unknown":
            return f"`{kind}` has no argument `{misuse.name}`; it takes {takes}"
        case "twice":
            return f"`{kind}` is given `{misuse.name}` twice"
        case _:
            return f"`{misuse.name}` of `{kind}` must be {misuse.accepts}"
