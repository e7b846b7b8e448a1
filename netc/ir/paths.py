"""Paths: `tower.conv1` and `repeat1.3.conv1` to the instances that they name."""

from collections.abc import Mapping

from netc.ir.network import Instance, Network


def split_path(
    path: str, instances: Mapping[str, Instance], networks: Mapping[str, Network]
) -> tuple[Instance, str] | None:
    """The innermost instance that a path goes through, and the rest of the path behind it; None if there is none."""
    for head, number, tail in heads(path):
        instance = instances.get(head)
        if instance is None or not fits(instance, number, tail):
            continue
        if not tail or instance.network is None:
            return instance, tail
        return split_path(tail, networks[instance.network].by_name, networks) or (instance, tail)
    return None


def fits(instance: Instance, number: int | None, tail: str) -> bool:
    """Whether a number belongs to an instance: of a row, its path alone means all, and what is inside needs one."""
    if instance.count is None:
        return number is None
    return not tail if number is None else 0 <= number - instance.start < instance.count


def heads(path: str) -> list[tuple[str, int | None, str]]:
    """The ways to cut a path into an instance's name, its number in a row, and the rest; longest names first."""
    cuts = [len(path), *(i for i in range(len(path) - 1, 0, -1) if path[i] == ".")]
    found: list[tuple[str, int | None, str]] = []
    for cut in cuts:
        head, tail = path[:cut], path[cut + 1 :]
        found.append((head, None, tail))
        stem, _, number = head.rpartition(".")
        if number.isdecimal() and len(number) < 19:
            found.append((stem, int(number), tail))
    return found


def outline(path: str, network: Network, networks: Mapping[str, Network]) -> tuple[str, ...]:
    """The names on a path to an instance or weight without the numbers in rows: the same for all of a row."""
    for head, number, tail in heads(path):
        instance = network.by_name.get(head)
        if instance is None or not fits(instance, number, tail):
            continue
        if not tail:
            return (head,)
        if instance.network is None:
            return head, tail
        return head, *outline(tail, networks[instance.network], networks)
    return (path,)
