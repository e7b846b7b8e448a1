"""The command that takes weights from elsewhere: import."""

import os
from pathlib import Path

import click

from netc.cli.front import settings
from netc.compiler import SPECS, check_file, programs
from netc.export.weights import ANOTHER_NAME, refuse_taken, write_weights
from netc.importing.load import Imported, Match, read_foreign
from netc.importing.maps import MAPS, read_map
from netc.ir.network import Program


@click.command(name="import")
@click.argument("file")
@click.option(
    "--net", required=True, metavar="NET", help="A .net file or a shipped spec; NET:NAME where it has several."
)
@click.option("--map", "map_", required=True, metavar="MAP", help="A YAML file, or a map that comes with the spec.")
@click.option("-o", "--out", type=click.Path(), help="The file to write; NAME.safetensors if left out.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="Set a net's parameter.")
@click.option("-v", "--verbose", is_flag=True, help="List where each weight came from.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
def import_(
    file: str, net: str, map_: str, out: str | None, pairs: tuple[str, ...], verbose: bool, force: bool
) -> None:
    """Take a net's weights from a file of another library: safetensors, a PyTorch state dict, Keras's .weights.h5.

    MAP says where each weight of the net is in FILE (docs/importing.md). All of them must be there, with their
    shapes, and nothing may be left over, or nothing is written. The result is what `netc.load_weights` reads.

    \b
    netc import model.safetensors --net resnet --map huggingface
    netc import lstm.pt --net nets/lines.net --map nets/lines.torch.yaml -o lines.safetensors -v
    """
    program = one_net(net, pairs)
    place = Path(out or f"{program.root.name}.safetensors")
    refuse_taken(place, force)
    found = read_foreign(program, Path(file), read_map(shipped(net, map_)))
    write_weights(program, found.weights, place, ANOTHER_NAME)
    for match in found.matches if verbose else ():
        click.echo(came_from(match))
    click.echo(summary(place, found), err=True)


def one_net(net: str, pairs: tuple[str, ...]) -> Program:
    """The net of `--net`: the only one of a file, or the one that is named after a colon."""
    path, name = split_net(net)
    spec = SPECS / f"{path}.net"
    chosen = str(spec) if spec.is_file() and not os.path.lexists(path) else path
    found = programs(check_file(chosen, name, settings(pairs)))
    if len(found) != 1:
        raise click.UsageError(f"{path} has the nets {', '.join(p.root.name for p in found)}: choose one, {path}:NAME")
    return found[0]


def split_net(net: str) -> tuple[str, str | None]:
    path, colon, name = net.rpartition(":")
    return (path, name) if colon and name.isidentifier() and not os.path.lexists(net) else (net, None)


def shipped(net: str, map_: str) -> str:
    """The map `resnet.huggingface` for `--net specs/resnet.net --map huggingface`; what is a file is itself."""
    full = f"{Path(split_net(net)[0]).stem}.{map_}"
    return full if (MAPS / f"{full}.yaml").is_file() and not os.path.lexists(map_) else map_


def came_from(match: Match) -> str:
    return f"{match.weight} {list(match.shape)} = {' = '.join(map(str, match.copies))}"


def summary(place: Path, found: Imported) -> str:
    numbers = sum(weight.size for weight in found.weights.values())
    tensors = "1 tensor of the file is" if found.ignored == 1 else f"{found.ignored} tensors of the file are"
    ignored = f"; {tensors} ignored, as the map says" if found.ignored else ""
    return f"{place} holds {len(found.weights)} weights of {numbers:,} numbers{ignored}"
