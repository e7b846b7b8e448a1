"""The benchmarks measure what they say: long nets check, bodies repeat, and nets written by hand learn the same."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import netc
from benchmarks import (
    alexnet_table,
    comparisons,
    digits,
    ensembles,
    kept,
    mnist_best,
    orbits,
    repeats,
    sharing,
    signals,
    streaming,
    strings,
    trials,
    turned,
)
from benchmarks.__main__ import main, show
from benchmarks.measure import Table, at_most, ratios, take_turns
from benchmarks.nets import long_net, repeated
from benchmarks.training import CASES, ROOT, Case, netc_steps, steps_by_hand, synthetic
from netc.compiler import check_file, check_text
from netc.ir.constraints import constraints_of
from netc.ir.counts import count
from netc.problems import RunError
from netc.syntax.format import format_text
from netc.training.config import read_config
from netc.training.data.examples import Data
from netc.training.feeding import Streamed


@pytest.mark.parametrize("lines", [100, 1000])
def test_long_nets_have_their_lines_and_check(lines: int) -> None:
    text = long_net(lines)
    assert lines - 10 <= text.count("\n") <= lines
    checked = check_text(text)
    assert checked.problems == ()
    assert len(checked.programs) == len(checked.recipes) == 1


def test_a_repeated_body_is_checked_once_and_counted_often() -> None:
    one, thousand = (check_text(repeated(times, layers=4)).programs[0] for times in (1, 1000))
    assert count(thousand).params == 1000 * count(one).params
    assert len(one.networks) == len(thousand.networks) == 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.spec)
def test_nets_by_hand_learn_what_netc_s_learn(case: Case) -> None:
    net = netc.compile(ROOT / "specs" / f"{case.spec}.net")
    batch = net.recipes[0].batch
    data = synthetic(net.program.root.types[net.program.root.inputs[0]].shape, 4 * batch)
    ours = netc_steps(net, data, epochs=25).run()
    theirs = steps_by_hand(case, data, batch, net.recipes[0].seed, 100).run()
    assert np.allclose(ours, theirs, rtol=1e-4)
    assert ours[-1] < ours[0]


def test_a_look_is_measured_beside_steps() -> None:
    table = signals.compare("mlp", rounds=1, count=3, epochs=2)
    assert [row.what for row in table.rows][-1] == "steps with looks to those without"
    assert table.rows[-1].target == "at most 1.03"


def test_data_on_disk_are_measured_beside_the_same_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without convolutions: none is run."""
    assert check_text(streaming.NET.replace("DATA", 'arrays("x.npz")').replace("BATCH", "16")).problems == ()
    monkeypatch.setattr(streaming, "NET", re.sub("-> conv.*?-> flatten", "-> flatten", streaming.NET, flags=re.DOTALL))
    streaming.save(tmp_path, 48)
    chosen = np.arange(streaming.BATCH)
    for kind in ("arrays", "images"):
        disk, memory = (streaming.made(tmp_path, kind, stream, 0) for stream in (True, False))
        assert isinstance(disk.feed, Streamed)
        order = np.asarray(memory.order(0))[chosen]
        read, held = disk.feed(0), memory.feed.pick(memory.feed(0), order)
        assert all(np.array_equal(read[name], held[name]) for name in ("image", "label"))
        disk.feed.close()


def test_rows_are_compiled_as_loops_and_written_out() -> None:
    case = next(case for case in repeats.CASES if case.name.startswith("dense"))
    rows = repeats.lengths(case, (2, 3), rounds=1).rows
    assert [row.what for row in rows[:4]] == ["2 loop", "2 written out", "3 loop", "3 written out"]
    assert rows[4].target == "at most 1.5"


TURNED = """net Plain { input image: [28, 28, 1]
  output digit: [10] = image -> conv(2, 5x5, stride = 4, pad = 2) -> flatten -> dense(10) }
net Turning { input image: [28, 28, 1]
  output digit: [10] = image -> conv(2, 3x3, orbit = rot4) -> relu -> orbit_pool(max) -> maxpool(26x26) -> flatten
    -> dense(10) }
""" + "".join(
    f"train {net} {{ data = mnist  loss = cross_entropy(digit, label)  optimizer = sgd(0.1)  epochs = 1 }}\n"
    for net in turned.NETS
)


def test_orbits_are_measured_on_turned_digits_and_against_a_plain_convolution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    test = {"image": random.random((40, 28, 28, 1), np.float32), "label": random.integers(0, 10, 40)}
    small = {"data": {"image": test["image"], "label": test["label"].astype(np.int32)}}
    params = {net: count(netc.compile(turned.SPEC, net=net).program).params for net in turned.NETS}
    assert params == {"Turning": 24_740, "Plain": 25_070}
    monkeypatch.setattr(turned, "SPEC", tmp_path / "small.net")
    turned.SPEC.write_text(TURNED)
    plain, turning = (turned.errors(net, test, steps=2, **small) for net in ("Plain", "Turning"))
    assert "1,042 parameters" in plain[0].what and "50 parameters" in turning[0].what
    assert [row.target for row in turning] == ["", "", "at most 1.1"] and turning[2].met
    monkeypatch.setattr(turned, "MNIST", tmp_path / "none")
    assert "NETC_MNIST" in turned.turned_digits().text
    monkeypatch.setattr(orbits, "BATCH", 2)
    assert [row.target for row in orbits.cost("over rot4", 40, rounds=2).rows] == ["", "", "at most 1.15"]


def test_strings_are_measured_by_length_and_against_the_windows_of_a_strip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    label = np.where(np.arange(5) < random.integers(3, 6, (40, 1)), random.integers(0, 10, (40, 5)), 10)
    test = {"image": random.random((40, 28, 180, 1), np.float32), "label": label.astype(np.int32)}
    params, *rows = strings.errors(netc.compile(strings.SPEC).init(), test)
    assert params.found == "44,511"
    assert [row.what.partition(":")[0] for row in rows[::2]] == ["3 digits", "4 digits", "5 digits", "all"]
    strings_of = [int(row.found.split(" of ")[1].rstrip(")")) for row in rows[::2]]
    digits_of = [int(row.found.split(" of ")[1].rstrip(")")) for row in rows[1::2]]
    assert sum(strings_of[:3]) == strings_of[3] == 40
    assert sum(digits_of[:3]) == digits_of[3] == (label != 10).sum()
    read = np.array([[0, 3], [1, 3], [2, 3], [0, 3]])
    assert [row.found for row in strings.of_length("x", read)] == ["50.00% (2 of 4)", "25.00% (3 of 12)"]
    monkeypatch.setattr(strings, "MNIST", tmp_path / "none")
    assert "NETC_MNIST" in strings.digit_strings().text
    table = strings.sliding(rounds=1)
    assert [row.target for row in table.rows] == ["", "", "at most 0.33", "at most 0.5"] and table.rows[2].met


def test_turns_begin_with_another_each_time_and_leave_out_the_warm_ones() -> None:
    order: list[str] = []

    def run(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    seconds = take_turns({name: run(name) for name in "ab"}, rounds=3, warm=1)
    assert "".join(order) == "abbaabba"
    assert [len(taken) for taken in seconds.values()] == [3, 3]
    assert ratios({"a": [2.0, 3.0], "b": [1.0, 2.0]}, "a", "b") == [2.0, 1.5]


def test_a_missed_target_shows_in_the_table() -> None:
    rows = (at_most("x", [1.0, 2.0, 3.0], 1.5, str), at_most("y", [1.0], 1.5, str))
    lines = show(Table("T", "Text.", rows)).splitlines()
    assert lines[-2:] == [
        "| x | 2.0 (1.0 to 3.0) | at most 1.5 | **no** |",
        "| y | 1.0 (1.0 to 1.0) | at most 1.5 | yes |",
    ]


def test_help_says_how_to_measure() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    assert "docs/benchmarks.md" in text and "--rounds" in text


def test_the_tied_and_the_untied_net_differ_by_the_decoder_s_kernels() -> None:
    first, second = (netc.compile(text) for text in (sharing.tied(), sharing.untied()))
    sizes = [784 * 1000, 1000 * 500, 500 * 250, 250 * 30]
    assert count(second.program).params - count(first.program).params == sum(sizes)
    assert count(second.program).connections == count(first.program).connections


def test_the_net_with_and_the_one_without_constraints_differ_by_them() -> None:
    first, second = (netc.compile(text).program for text in (sharing.bound(), sharing.free()))
    assert set(constraints_of(first)) == {"enter.dense1.kernel", "deeper.dense1.kernel"}
    assert constraints_of(second) == {}
    assert list(first.weights()) == list(second.weights())


def test_the_parts_have_their_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """One round of one step each, so that what is measured runs."""
    monkeypatch.setattr(sharing, "STEPS", 1)
    monkeypatch.setattr(sharing, "WIDTH", 8)
    tying, constraining = sharing.tables(rounds=1)
    assert [row.what for row in tying.rows][2:] == ["a tied step to an untied one"]
    assert [row.what for row in constraining.rows] == [
        "with constraints",
        "without constraints",
        "a step with constraints to one without",
    ]


def test_errors_of_digits_are_counted_by_seed_and_for_members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels = random_digits(40, 10).train.values()
    data = {"image": images, "label": labels, "test_image": images, "test_label": labels}
    monkeypatch.setattr(kept, "RUNS", tmp_path)
    monkeypatch.setattr(digits, "SEEDS", (0, 1))
    assert [trial.most for trial in (*digits.TRIALS, ensembles.FIVE)] == [95, 82, 60, 45]
    (tmp_path / "specs").mkdir()
    small_spec(tmp_path / "specs", "deeper = false", "(if deeper then (more: dense(8)) else identity)")
    monkeypatch.setattr(digits, "ROOT", tmp_path)
    trial = digits.Trial("Two, small", "small", "Small", 45, (("ensemble", 2), ("steps", 1)))
    rows = digits.measured(trial, data)
    assert [row.target for row in rows] == ["at most 45", "fewer in every seed"] and not rows[0].met
    assert sorted(folder.name for folder in (tmp_path / "digits").iterdir()) == ["two_small_0", "two_small_1"]
    said = capsys.readouterr().err
    assert "two_small_1: epoch 1, " in said
    assert digits.measured(trial, data) == rows and capsys.readouterr().err == ""


@pytest.mark.parametrize("trial", digits.TRIALS, ids=lambda trial: trial.name)
def test_trials_of_digits_are_recipes_with_settings(trial: digits.Trial) -> None:
    settings = {key: str(value) for key, value in trial.settings}
    checked = check_file(str(ROOT / "specs" / f"{trial.spec}.net"), None, settings)
    assert checked.problems == () and trial.recipe in {recipe.name for recipe in checked.recipes}


@pytest.mark.parametrize("comparison", comparisons.comparisons(), ids=lambda each: each.title)
def test_trials_of_a_comparison_are_recipes_with_settings(comparison: trials.Comparison) -> None:
    names = [trial.name for trial in comparison.trials]
    assert len(set(names)) == len({trial.folder for trial in comparison.trials}) == len(names)
    assert {name for claim in comparison.claims for name in claim} <= set(names)
    for trial in comparison.trials:
        checked = check_file(str(trial.source), None, {key: str(value) for key, value in trial.settings})
        assert checked.problems == () and trial.recipe in {recipe.name for recipe in checked.recipes}


def test_nets_of_comparisons_are_in_canonical_layout_and_differ_by_what_is_shared() -> None:
    for file in trials.NETS.glob("*.net"):
        assert format_text(file.read_text()) == file.read_text()
    conv, local = (netc.compile(trials.NETS / "images.net", net=net).program for net in ("Conv", "Local"))
    assert count(conv).connections == count(local).connections and count(conv).flops == count(local).flops


def random_digits(train: int, test: int) -> Data:
    random = np.random.default_rng(0)
    parts = [
        {"image": random.random((n, 28, 28, 1), np.float32), "label": random.integers(0, 10, n).astype(np.int32)}
        for n in (train, test)
    ]
    return Data(parts[0], parts[1], {})


def test_images_that_a_seed_draws_are_repeated_until_they_are_as_many_as_all() -> None:
    data = random_digits(40, 10)
    few, more = (trials.chosen(data, n, seed=1) for n in (8, 20))
    assert np.array_equal(few, more[:8]) and not np.array_equal(few, trials.chosen(data, 8, seed=2))
    given = trials.drawn(data, 8, seed=1)
    assert np.array_equal(given["image"], np.concatenate([data.train["image"][few]] * 5))
    assert np.array_equal(given["label"], np.concatenate([data.train["label"][few]] * 5))
    assert given["test_image"] is data.test["image"]


def test_a_comparison_has_errors_gradients_and_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One net learns for 101 steps, as long as the first look takes, and one diverges at once."""
    monkeypatch.setattr(kept, "RUNS", tmp_path)
    monkeypatch.setattr(trials, "SEEDS", (0,))
    data = random_digits(400, 20)
    short = (("unit", "relus"), ("depth", 1), ("batch", 20), ("steps", 101))
    good = trials.Trial("good", "deep", "Deep", short, 400)
    bad = trials.Trial("bad", "deep", "Deep", (*short, ("rate", 1e9)), 400)
    outcomes = {trial.name: trials.outcome(trial, data) for trial in (good, bad)}
    claims = (("good", "bad"), ("bad", "good"))
    comparison = trials.Comparison("T", "Text.", (good, bad), comparisons.gradients, claims)
    errors, diverged, first, last, fewer, more = trials.rows(comparison, outcomes, data)
    assert diverged.found == "1 of 1 diverged (diverged)"
    number = errors.found.split(", ")[1].split(" ")[0]
    assert errors.found == f"{float(number):.1f}, {number} ({number})"
    assert first.what == last.what == "good: gradients after 100 steps"
    sizes = first.found.partition(";")[0].split(", ")
    assert len(sizes) == 2 and all(float(size) > 0 for size in sizes)
    assert f"{float(sizes[0]) / float(sizes[1]):.0e}"[-3:] == first.found[-3:]
    assert (fewer.found, fewer.met, more.met) == (f"{number} against 10000", True, False)
    with pytest.raises(RunError):
        trials.run(trials.Trial("none", "deep", "Deep", short), 0, {"image": data.train["image"][:, :8]})
    share = turned.error(outcomes["good"].finite[0].model, data.train["image"], data.train["label"])
    assert comparisons.learnt(outcomes["good"], data)[0].found == f"{share:.2%}, {share:.2%} ({share:.2%})"


def test_images_are_shifted_to_four_sides() -> None:
    """With a net that says 0 of an image whose middle is bright, and 1 of others."""

    class Middle:
        def predict(self, images: np.ndarray) -> np.ndarray:
            return np.eye(2)[(images[:, 14, 14, 0] < 0.5).astype(int)]

    image = np.zeros((2, 28, 28, 1), np.float32)
    image[0, 14, 14] = image[1, 14, 14 - comparisons.SHIFT] = 1
    model: Any = Middle()
    data = Data({}, {"image": image, "label": np.array([0, 0])}, {})
    assert comparisons.errors_of_shifted(model, data) == 8750


SMALL = """net Small(PARAMETER) {
  input image: [28, 28, 1]
  output digit: [10] = image -> avgpool(7x7) -> flatten -> MORE -> OUTPUT: dense(10)
}

train Small {
  data = mnist
  loss = cross_entropy(digit, label)
  metric = accuracy(digit, label)
  optimizer = adam(rate = 0.01)
  steps = 1
}
"""


def small_spec(folder: Path, parameter: str, more: str) -> Path:
    """A net that is compiled and trained in no time, with a parameter as a benchmark sets it."""
    path = folder / "small.net"
    path.write_text(SMALL.replace("PARAMETER", parameter).replace("MORE", more))
    return path


def test_halves_have_as_many_of_each_class_and_no_example_in_common() -> None:
    labels = np.random.default_rng(1).integers(0, 10, 1001)
    first, second = alexnet_table.halves(labels)
    assert sorted([*first, *second]) == list(range(1001))
    counts = [np.bincount(labels[half], minlength=10) for half in (first, second)]
    assert np.abs(counts[0] - counts[1]).max() <= 1
    assert not np.array_equal(first, np.arange(0, 1001, 2))


def test_pretrained_nets_start_from_the_other_half_and_are_averaged_with_plain_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for deeper, params in ((False, 61_706), (True, 64_026)):
        assert count(netc.compile(alexnet_table.SPEC, set={"deeper": deeper}).program).params == params
    spec = small_spec(tmp_path, "deeper = false", "(if deeper then (more: dense(8)) else identity)")
    for name, value in {"SPEC": spec, "NETS": 2, "PRETRAINED": 1}.items():
        monkeypatch.setattr(alexnet_table, name, value)
    monkeypatch.setattr(kept, "RUNS", tmp_path)
    digits = random_digits(40, 10).train
    tested = {f"test_{name}": array for name, array in digits.items()}
    first, second = ({**{name: array[i::2] for name, array in digits.items()}, **tested} for i in (0, 1))
    errors = alexnet_table.repetition(1, first, second, digits, {"batch": 5})
    assert {name for effect in alexnet_table.EFFECTS for name in (effect.before, effect.after)} == set(errors)
    folders = tmp_path / "alexnet_table"
    runs = {path.parent.name: read_config(path) for path in folders.glob("*/run.yaml")}
    assert set(runs) == {"1_plain", "1_deeper_2", "1_pretraining_2", "1_pretrained_2"}
    start = f'run(folder = "{folders / "1_pretraining_2"}", fresh = ["OUTPUT"])'
    assert runs["1_pretrained_2"].train["start"] == start
    assert runs["1_deeper_2"].train["seed"] == "102" and runs["1_plain"].train["ensemble"] == "2"
    sums = {name[2:]: run.fingerprint["image"] for name, run in runs.items()}
    assert sums["pretraining_2"] != sums["pretrained_2"] == sums["plain"] == sums["deeper_2"]


def test_the_table_has_lines_and_effects_over_repetitions(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [name for effect in alexnet_table.EFFECTS for name in (effect.before, effect.after)]

    def repetition(i: int, first: dict, second: dict, test: dict, settings: dict) -> alexnet_table.Errors:
        assert len(first["label"]) == len(second["label"]) == 20 and len(first["test_label"]) == len(test["label"])
        return dict.fromkeys(lines, 10.0 + i)

    monkeypatch.setattr(alexnet_table, "repetition", repetition)
    rows = alexnet_table.measured(random_digits(40, 10).train, random_digits(40, 10).train)
    assert len(rows) == 6 + len(alexnet_table.EFFECTS)
    assert rows[0].found == "12.0, sd 1.6 (10, 11, 12, 13, 14)"
    assert [row.met for row in rows[6:]] == [False, False, False, False, None]


def test_effects_are_differences_within_a_repetition() -> None:
    found = [{"before": 100.0, "after": 90.0}, {"before": 120.0, "after": 108.0}]
    row = alexnet_table.effect_row(alexnet_table.Effect("e", "before", "after"), found)
    assert row.found == "11.0, sd 1.4 (10, 12) fewer, 10%" and row.met
    assert not alexnet_table.effect_row(alexnet_table.Effect("e", "after", "before"), found).met


def test_nets_of_two_kernels_are_measured_alone_and_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = "(if kernel == 5x5 then (more: dense(8)) else identity)"
    monkeypatch.setattr(mnist_best, "SPEC", small_spec(tmp_path, "kernel = 5x5", more))
    monkeypatch.setattr(mnist_best, "MEMBERS", 3)
    monkeypatch.setattr(kept, "RUNS", tmp_path)
    digits = random_digits(40, 10).train
    data = {**digits, **{f"test_{name}": array for name, array in digits.items()}}
    rows = mnist_best.measured(data, batch=5)
    assert [row.what for row in rows[:3]] == ["a net of 5x5: mean, each", "a net of 3x3: mean, each", "all 3 together"]
    assert rows[0].found.count(",") == 1 and rows[1].found.count(",") == 0
    assert rows[2].target == "at most 20" and not rows[2].met
