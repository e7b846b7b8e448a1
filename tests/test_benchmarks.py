"""The benchmarks measure what they say: long nets check, bodies repeat, and nets written by hand learn the same."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import netc
from benchmarks import digits, kept, orbits, repeats, sharing, signals, streaming, strings, turned
from benchmarks.__main__ import main, show
from benchmarks.measure import Table, at_most, ratios, take_turns
from benchmarks.nets import long_net, repeated
from benchmarks.training import CASES, ROOT, Case, netc_steps, steps_by_hand, synthetic
from netc.compiler import check_text
from netc.ir.constraints import constraints_of
from netc.ir.counts import count
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


def test_data_on_disk_are_measured_beside_the_same_in_memory(tmp_path: Path) -> None:
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


def test_orbits_are_measured_on_turned_digits_and_against_a_plain_convolution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    test = {"image": random.random((40, 28, 28, 1), np.float32), "label": random.integers(0, 10, 40)}
    small = {"data": {"image": test["image"], "label": test["label"].astype(np.int32)}}
    plain, turning = (turned.errors(net, test, steps=2, **small) for net in ("Plain", "Turning"))
    assert "25,070 parameters" in plain[0].what and "24,740 parameters" in turning[0].what
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


def test_the_parts_have_their_tables() -> None:
    """One round of each step, so that what is measured runs."""
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
    random = np.random.default_rng(0)
    images, labels = random.random((40, 28, 28, 1), np.float32), random.integers(0, 10, 40).astype(np.int32)
    data = {"image": images, "label": labels, "test_image": images, "test_label": labels}
    monkeypatch.setattr(kept, "RUNS", tmp_path)
    monkeypatch.setattr(digits, "SEEDS", (0, 1))
    trial = digits.Trial("Two, small", "lenet5_modern", "Augmented", 45, (("ensemble", 2), ("steps", 1)))
    rows = digits.measured(trial, data)
    assert [row.target for row in rows] == ["at most 45", "fewer in every seed"] and not rows[0].met
    assert sorted(folder.name for folder in (tmp_path / "digits").iterdir()) == ["two_small_0", "two_small_1"]
    said = capsys.readouterr().err
    assert "two_small_1: epoch 1, " in said
    assert digits.measured(trial, data) == rows and capsys.readouterr().err == ""
