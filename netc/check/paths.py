"""Names of weights and layers, which a recipe writes as paths: they are none of the file's own."""

from netc.syntax import tree


def path_of(node: tree.Node) -> str | None:
    """`a` and `a.b.c` as texts; None for anything else."""
    match node:
        case tree.Name(word=word):
            return str(word)
        case tree.Attribute(of=of, name=name):
            path = path_of(of)
            return None if path is None else f"{path}.{name}"
        case _:
            return None
