"""What goes wrong with trainings, run folders and `predict`, as in tests/data_situations.py."""

from multiprocessing import active_children
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from data_situations import NET, RECIPE, command, trained
from situations import Situation

import netc
from netc.cli.main import group
from netc.problems import Problem, RunError
from netc.training.data.stored import read_ahead
from netc.training.lock import locked


def diverged(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --set rate=1e14"""
    x = np.random.default_rng(0).normal(size=(40, 4)).astype("f") * 1e20
    np.savez("x.npz", x=x, label=np.arange(40) % 3)
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "run", "--quiet", "--set", "rate=1e14", "--set", "epochs=3")


def folder_is_there(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --out run, and there is a folder `run`"""
    (folder / "run").mkdir()
    return trained()


def run_that_goes_on(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --resume --out run, with a layer more than when it began"""
    good_run()
    Path("small.net").write_text((NET + RECIPE).replace("-> dense", "-> dense(5) -> dense", 1))
    return command("train", "small.net", "--resume", "--out", "run")


def recipe_that_changed(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --resume --out run --set batch=4 --set seed=1, and they were others"""
    good_run()
    return command("train", "small.net", "--resume", "--out", "run", "--set", "batch=4", "--set", "seed=1")


def data_that_changed(folder: Path) -> tuple[Problem, ...]:
    """netc train --resume --out run, whose x.npz is not what it was"""
    good_run()
    np.savez("x.npz", x=np.random.default_rng(1).random((40, 4), "f"), label=np.arange(40) % 3)
    return command("train", "--resume", "--out", "run")


def run_that_is_in_use(folder: Path) -> tuple[Problem, ...]:
    """netc train --resume --out run, while another process trains there"""
    good_run()
    with locked(Path("run")):
        Path("run/.lock").write_text("4711\n")
        return command("train", "--resume", "--out", "run")


def folder_below_a_file(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --out file/run, and `file` is a file"""
    (folder / "file").write_text("")
    np.savez("x.npz", x=np.ones((40, 4), "f"), label=np.arange(40) % 3)
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "file/run", "--quiet")


def no_run(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, and there is no such folder"""
    return command("eval", "run")


def file_for_a_run(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, and it is a file"""
    (folder / "run").write_text("net X {}")
    return command("eval", "run")


def empty_run(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, and the folder is empty"""
    (folder / "run").mkdir()
    return command("eval", "run")


def run_without_weights(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, whose weights are gone"""
    good_run()
    Path("run/weights.safetensors").unlink()
    return command("eval", "run")


def run_with_broken_yaml(folder: Path) -> tuple[Problem, ...]:
    """netc eval run, whose run.yaml is a list"""
    good_run()
    Path("run/run.yaml").write_text("- 1\n- 2\n")
    return command("eval", "run")


def good_run(setting: str = "epochs=1") -> None:
    """A small run in the folder `run`."""
    np.savez("x.npz", x=np.random.default_rng(0).random((40, 4), "f"), label=np.arange(40) % 3)
    Path("small.net").write_text(NET + RECIPE)
    words = ["train", "small.net", "--out", "run", "--quiet", "--set", setting]
    assert CliRunner().invoke(group, words).exit_code == 0


def config_of_something_else(folder: Path) -> tuple[Problem, ...]:
    """netc train --config notes.yaml, which is no run.yaml"""
    Path("notes.yaml").write_text("hidden: 128\n")
    return command("train", "--config", "notes.yaml", "--out", "again", "--quiet")


def config_with_a_wrong_batch(folder: Path) -> tuple[Problem, ...]:
    """netc train --config run/run.yaml, after an edit: batch: many"""
    good_run()
    text = Path("run/run.yaml").read_text()
    assert "batch: 8" in text
    Path("run/run.yaml").write_text(text.replace("batch: 8", "batch: many"))
    return command("train", "--config", "run/run.yaml", "--out", "again", "--quiet")


def config_of_another_net(folder: Path) -> tuple[Problem, ...]:
    """netc train --config run/run.yaml --net Large, and the run is of Small"""
    good_run()
    return command("train", "--config", "run/run.yaml", "--net", "Large", "--out", "again", "--quiet")


def sweep_of_one_value(folder: Path) -> tuple[Problem, ...]:
    """netc sweep small.net --set rate=0.1"""
    Path("small.net").write_text(NET + RECIPE)
    return command("sweep", "small.net", "--set", "rate=0.1")


def sweep_with_values_twice(folder: Path) -> tuple[Problem, ...]:
    """netc sweep small.net --set rate=0.1,0.1 --set seed=4..0"""
    Path("small.net").write_text(NET + RECIPE)
    return command("sweep", "small.net", "--set", "rate=0.1,0.1", "--set", "seed=4..0")


def no_recipe(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, a file without a recipe"""
    Path("small.net").write_text(NET)
    return command("train", "small.net", "--out", "run")


def several_recipes(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net, with the recipes `Quick for Small` and `Slow for Small`"""
    Path("small.net").write_text(
        NET + "".join(RECIPE.replace("Small", f"{name} for Small") for name in ("Quick", "Slow"))
    )
    return command("train", "small.net", "--out", "run")


def input_missing(folder: Path) -> tuple[Problem, ...]:
    """netc predict run digit.npy, and there is no such file"""
    good_run()
    return command("predict", "run", "digit.npy")


def input_of_another_shape(folder: Path) -> tuple[Problem, ...]:
    """netc predict run digit.npy, for a net on [4], with an array of [7]"""
    good_run()
    np.save("digit.npy", np.ones(7, "f"))
    return command("predict", "run", "digit.npy")


def input_that_is_no_picture(folder: Path) -> tuple[Problem, ...]:
    """netc predict run digit.png, which is a text"""
    good_run()
    Path("digit.png").write_text("a text\n")
    return command("predict", "run", "digit.png")


def strip_for_a_net_that_pads(folder: Path) -> tuple[Problem, ...]:
    """netc predict run strip.npy --slide, and the net's convolution pads"""
    text = "net N { input x: [8, 8, 1]  output y = x -> edges: conv(4, 3x3, pad = same) -> flatten -> dense(10) }"
    recipe = "train N { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1)  steps = 1 }"
    netc.train(f"{text}\n{recipe}", out="run")
    np.save("strip.npy", np.zeros((8, 30, 1), "f"))
    return command("predict", "run", "strip.npy", "--slide")


def start_from_nothing(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --set 'start=run("runs/small")', and there is no such run"""
    np.savez("x.npz", x=np.ones((40, 4), "f"), label=np.arange(40) % 3)
    Path("small.net").write_text(NET + RECIPE)
    return command("train", "small.net", "--out", "b", "--quiet", "--set", 'start=run("runs/small")')


def start_from_other_shapes(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net with four classes and one more layer, from the run of one with three"""
    good_run()
    text = (NET + RECIPE).replace("[3] = x", "[4] = x -> body: dense(4)").replace("dense(3)", "dense(4)")
    Path("small.net").write_text(text.replace("  loss", '  start     = run("run")\n  loss'))
    return command("train", "small.net", "--out", "b", "--quiet")


def runs_of_other_outputs(folder: Path) -> tuple[Problem, ...]:
    """netc eval run b, and the net of `b` has another output"""
    good_run()
    Path("other.net").write_text((NET + RECIPE).replace("output y: [3]", "output digit: [3]").replace("(y,", "(digit,"))
    assert CliRunner().invoke(group, ["train", "other.net", "--out", "b", "--quiet"]).exit_code == 0
    return command("eval", "run", "b")


def runs_on_other_data(folder: Path) -> tuple[Problem, ...]:
    """netc eval run b, and `b` was trained on another file"""
    good_run()
    Path("other.net").write_text((NET + RECIPE).replace("x.npz", "z.npz"))
    np.savez("z.npz", x=np.ones((40, 4), "f"), label=np.arange(40) % 3)
    assert CliRunner().invoke(group, ["train", "other.net", "--out", "b", "--quiet"]).exit_code == 0
    return command("eval", "run", "b")


def crops_of_points(folder: Path) -> tuple[Problem, ...]:
    """netc eval run --crops ten, and the net's input is no image"""
    good_run()
    return command("eval", "run", "--crops", "ten")


def crops_of_nothing(folder: Path) -> tuple[Problem, ...]:
    """netc eval run --crops ten, and the images are as large as the net's input"""
    text = "net N { input x: [8, 8, 1]  output y = x -> flatten -> dense(10) }"
    recipe = "train N { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1)  steps = 1 }"
    netc.train(f"{text}\n{recipe}", out="run")
    return command("eval", "run", "--crops", "ten")


def start_from_an_ensemble(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --set 'start=run("run")', and that is a run of an ensemble"""
    good_run("ensemble=2")
    return command("train", "small.net", "--out", "b", "--quiet", "--set", 'start=run("run")')


def worker_that_is_killed(folder: Path) -> tuple[Problem, ...]:
    """netc train small.net --workers 1, and the system kills the worker"""
    parts = read_ahead(lambda i: i, 0, 1000, workers=1)
    next(parts)
    for worker in active_children():
        worker.kill()
    try:
        list(parts)
    except RunError as failure:
        return failure.problems
    return ()


RUN_SITUATIONS: dict[str, Situation] = {
    "not-finite/rate": diverged,
    "folder-exists/run": folder_is_there,
    "run-in-use/another-process": run_that_is_in_use,
    "cannot-resume/net": run_that_goes_on,
    "cannot-resume/recipe": recipe_that_changed,
    "cannot-resume/data": data_that_changed,
    "worker-ended/killed": worker_that_is_killed,
    "cannot-write/below-a-file": folder_below_a_file,
    "not-a-run/missing": no_run,
    "not-a-run/empty": empty_run,
    "not-a-run/file": file_for_a_run,
    "not-a-run/no-weights": run_without_weights,
    "not-a-run/start": start_from_nothing,
    "weights-mismatch/start": start_from_other_shapes,
    "weights-mismatch/start-from-an-ensemble": start_from_an_ensemble,
    "data-mismatch/outputs-of-runs": runs_of_other_outputs,
    "data-mismatch/data-of-runs": runs_on_other_data,
    "data-mismatch/crops-of-points": crops_of_points,
    "data-mismatch/crops-of-nothing": crops_of_nothing,
    "bad-config/broken-yaml": run_with_broken_yaml,
    "bad-config/another-file": config_of_something_else,
    "bad-config/batch": config_with_a_wrong_batch,
    "bad-config/net": config_of_another_net,
    "bad-sweep/one-value": sweep_of_one_value,
    "bad-sweep/values": sweep_with_values_twice,
    "no-recipe/none": no_recipe,
    "no-recipe/several": several_recipes,
    "bad-input/missing": input_missing,
    "bad-input/shape": input_of_another_shape,
    "bad-input/text": input_that_is_no_picture,
    "cannot-slide/padding": strip_for_a_net_that_pads,
}
