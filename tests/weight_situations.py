"""What goes wrong with files of weights, as in tests/data_situations.py: damaged files, other nets, other sharing."""

import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest.mock import patch

import numpy as np
from data_situations import command
from run_situations import good_run
from safetensors.numpy import save_file
from situations import Situation

import netc
from netc.problems import NetcError, Problem


def run_with_broken_weights(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, whose weights are cut off"""
    good_run()
    Path("run/weights.safetensors").write_bytes(Path("run/weights.safetensors").read_bytes()[:40])
    return command("eval", "run")


def problems_of(action: Callable[[], object]) -> tuple[Problem, ...]:
    """The problems with which a function of the Python interface ends."""
    try:
        action()
    except NetcError as failure:
        return failure.problems
    return ()


TIED = """
  layer encode = dense(6)
  output y = x -> encode -> tanh -> decode: dense(4, kernel = encode.kernel.T, bias = false)
"""


def loaded(saved: str, into: str, name: str = "N") -> tuple[Problem, ...]:
    """The weights of one net, loaded into another."""
    made, other = (netc.compile(f"net {n} {{ input x: [4] {body} }}") for n, body in (("N", saved), (name, into)))
    netc.save_weights(made.init(), "w.safetensors")
    return problems_of(lambda: netc.load_weights(other, "w.safetensors"))


def weights_missing(folder: Path) -> tuple[Problem, ...]:
    """netc.load_weights(net, "w.safetensors"), and there is no such file"""
    net = netc.compile("net N { input x: [4]  output y = x -> dense(3) }")
    return problems_of(lambda: netc.load_weights(net, "w.safetensors"))


def weights_with_a_changed_note(folder: Path) -> tuple[Problem, ...]:
    """netc.load_weights(net, "w.safetensors"), whose metadata were changed by hand"""
    net = netc.compile("net N { input x: [4]  output y = x -> dense(3) }")
    netc.save_weights(net.init(), "w.safetensors")
    Path("w.safetensors").write_bytes(Path("w.safetensors").read_bytes().replace(b"dense1", b"dense9"))
    return problems_of(lambda: netc.load_weights(net, "w.safetensors"))


def weights_of_another_shape(folder: Path) -> tuple[Problem, ...]:
    """netc.load_weights(net, "w.safetensors"), written by a net with dense(5) in place of dense(6)"""
    return loaded("output y = x -> dense(5) -> dense(2)", "output y = x -> dense(6) -> dense(2)")


def weights_of_another_net(folder: Path) -> tuple[Problem, ...]:
    """netc.load_weights(net, "w.safetensors"), written by a net whose layers have other names"""
    return loaded("output y = x -> first: dense(5)", "output y = x -> last: dense(5)", "M")


def tied_weights_into_two(folder: Path) -> tuple[Problem, ...]:
    """netc.load_weights(net, "w.safetensors"): one weight in the file, two in the net"""
    return loaded(TIED, TIED.replace("kernel = encode.kernel.T, ", ""))


def two_weights_into_tied(folder: Path) -> tuple[Problem, ...]:
    """netc.load_weights(net, "w.safetensors"): two weights in the file, one in the net"""
    return loaded(TIED.replace("kernel = encode.kernel.T, ", ""), TIED)


def weights_turned_around(folder: Path) -> tuple[Problem, ...]:
    """netc.load_weights(net, "w.safetensors"), written by a net in which a layer sees the weight transposed"""
    text = "weight W: [4, 4]  output y = (x @ W) -> back: dense(4, kernel = W.T, bias = false)"
    return loaded(text, text.replace("W.T", "W"))


def weights_of_whole_numbers(folder: Path) -> tuple[Problem, ...]:
    """netc.load_weights(net, "w.safetensors"), from elsewhere, with whole numbers in it"""
    net = netc.compile("net N { input x: [4]  output y = x -> last: dense(3) }")
    save_file({"last.kernel": np.ones((4, 3), np.int64), "last.bias": np.ones(3, np.float32)}, "w.safetensors")
    return problems_of(lambda: netc.load_weights(net, "w.safetensors"))


def export_to_a_file_that_is_there(folder: Path) -> tuple[Problem, ...]:
    """netc export run --to safetensors -o w.safetensors, and the file is there"""
    good_run()
    Path("w.safetensors").write_bytes(b"mine")
    return command("export", "run", "--to", "safetensors", "-o", "w.safetensors")


def export_to_a_folder(folder: Path) -> tuple[Problem, ...]:
    """netc export run --to safetensors -o run --force, and it is a folder"""
    good_run()
    return command("export", "run", "--to", "safetensors", "-o", "run", "--force")


FOREIGN = """weights:
  first.kernel: layers.0.weight -> transpose(1, 0)
  first.bias: layers.0.bias
  last.kernel: layers.2.weight -> transpose(1, 0)
  last.bias: layers.2.bias
"""


def foreign_files(
    change: Callable[[dict[str, np.ndarray]], object] = lambda arrays: None, words: Mapping[str, str] | None = None
) -> None:
    """A net, a file of another library, and a map in which words are replaced."""
    text = "net Two {\n  input x: [4]\n  output y = x -> first: dense(5) -> relu -> last: dense(3)\n}\n"
    Path("two.net").write_text(text)
    map = FOREIGN
    for old, new in (words or {}).items():
        assert old in map
        map = map.replace(old, new)
    Path("two.yaml").write_text(map)
    shapes = {"layers.0.weight": (5, 4), "layers.0.bias": 5, "layers.2.weight": (3, 5), "layers.2.bias": 3}
    arrays = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
    change(arrays)
    save_file(arrays, "two.safetensors")


def imported(
    change: Callable[[dict[str, np.ndarray]], object] = lambda arrays: None, **words: str
) -> tuple[Problem, ...]:
    foreign_files(change, words)
    return command("import", "two.safetensors", "--net", "two.net", "--map", "two.yaml")


def import_with_a_misspelt_step(folder: Path) -> tuple[Problem, ...]:
    """netc import two.safetensors --net two.net --map two.yaml, with a step that there is not"""
    return imported(transpose="transposed")


def import_by_a_list(folder: Path) -> tuple[Problem, ...]:
    """netc import two.safetensors --net two.net --map two.yaml, and `weights` holds a list"""
    return imported(weights="weights: [first, last]\noptional")


def import_without_a_map(folder: Path) -> tuple[Problem, ...]:
    """netc import two.safetensors --net two.net --map torch, and no such map is shipped"""
    foreign_files()
    return command("import", "two.safetensors", "--net", "two.net", "--map", "torch")


def import_of_a_transposed_weight(folder: Path) -> tuple[Problem, ...]:
    """netc import two.safetensors --net two.net --map two.yaml, and a kernel has its axes the other way round"""
    return imported(lambda arrays: arrays.update({"layers.0.weight": np.ones((4, 5), np.float32)}))


def import_with_names_that_are_not_there(folder: Path) -> tuple[Problem, ...]:
    """netc import two.safetensors --net two.net --map two.yaml, with a misspelt name on either side"""
    return imported(first="fist") + imported(layers="layer")


def import_with_something_left_over(folder: Path) -> tuple[Problem, ...]:
    """netc import two.safetensors --net two.net --map two.yaml, and a tensor of the file has no weight"""
    return imported(lambda arrays: arrays.update({"layers.1.mask": np.ones(5, np.float32)}))


def import_of_a_pickle(folder: Path) -> tuple[Problem, ...]:
    """netc import two.pt --net two.net --map two.yaml, and the file holds more than tensors"""
    foreign_files()
    Path("two.pt").write_bytes(pickle.dumps({"hook": print}))
    return command("import", "two.pt", "--net", "two.net", "--map", "two.yaml")


def import_without_torch(folder: Path) -> tuple[Problem, ...]:
    """netc import two.pt --net two.net --map two.yaml, and torch is not installed"""
    foreign_files()
    Path("two.pt").write_bytes(pickle.dumps({}))
    with patch.dict(sys.modules, {"torch": None}):
        return command("import", "two.pt", "--net", "two.net", "--map", "two.yaml")


WEIGHT_SITUATIONS: dict[str, Situation] = {
    "corrupt-weights/cut-off": run_with_broken_weights,
    "corrupt-weights/missing": weights_missing,
    "corrupt-weights/note": weights_with_a_changed_note,
    "weights-mismatch/shape": weights_of_another_shape,
    "weights-mismatch/names": weights_of_another_net,
    "weights-mismatch/tied": tied_weights_into_two,
    "weights-mismatch/untied": two_weights_into_tied,
    "weights-mismatch/turned": weights_turned_around,
    "weights-mismatch/whole-numbers": weights_of_whole_numbers,
    "bad-map/step": import_with_a_misspelt_step,
    "bad-map/list": import_by_a_list,
    "bad-map/unknown": import_without_a_map,
    "weights-mismatch/transposed": import_of_a_transposed_weight,
    "weights-mismatch/import-names": import_with_names_that_are_not_there,
    "weights-mismatch/left-over": import_with_something_left_over,
    "corrupt-weights/pickle": import_of_a_pickle,
    "missing-extra/torch": import_without_torch,
    "cannot-write/export-taken": export_to_a_file_that_is_there,
    "cannot-write/export-folder": export_to_a_folder,
}
