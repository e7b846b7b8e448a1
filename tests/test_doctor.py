"""`netc doctor` on nets, labels and inputs that are wrong on purpose, and on good ones."""

import json
from pathlib import Path

import numpy as np
import pytest
from small_runs import SMALL, blobs, run_netc, save_blobs

from netc.diagnosis.check import FAIL, PASS, SKIP, WARN, Check
from netc.diagnosis.data import check_input, check_labels
from netc.diagnosis.doctor import check_gradients, check_signals
from netc.diagnosis.learning import check_first_loss, check_one_batch, check_outputs, first_batch
from netc.training.job import ready
from netc.training.loop import Training
from netc.training.plan import plan_file


def training_of(text: str = SMALL, **fields: np.ndarray) -> Training:
    """A training that has not begun, on `blobs` with other fields."""
    arrays = {**blobs(), **fields}
    return ready(Path(), plan_file(text, arrays), lambda: False)[2]


def learning(text: str, **fields: np.ndarray) -> dict[str, Check]:
    """The checks of a net with its loss."""
    one = training_of(text, **fields)
    program, batch = one.look.program, first_batch(one)
    checks = [*check_outputs(one, program, batch), check_first_loss(one, program, batch)]
    return {check.name: check for check in (*checks, check_one_batch(one, program, batch))}


def test_a_good_net_passes_all_checks(tmp_path: Path) -> None:
    save_blobs(tmp_path)
    (tmp_path / "small.net").write_text(SMALL.replace("0.01", "0.001"))
    done = run_netc("doctor", tmp_path / "small.net", "--format", "json")
    found = json.loads(done.out)
    assert {check["name"]: check["status"] for check in found["checks"]} == dict.fromkeys(
        (
            "inputs",
            "labels",
            "labels and inputs",
            "outputs",
            "loss at initialisation",
            "values",
            "gradients along the net",
            "updates",
            "finite differences",
            "learning one batch",
        ),
        PASS,
    )
    assert (done.code, found["holds"], found["net"], found["recipe"]) == (0, True, "Small", "Small")
    loss = found["checks"][4]["figures"]
    assert loss["expected"] == pytest.approx(np.log(3), rel=1e-5)
    assert not list(tmp_path.glob("runs")), "nothing is written"


def test_a_net_whose_units_are_dead_fails(tmp_path: Path) -> None:
    save_blobs(tmp_path)
    (tmp_path / "dead.net").write_text(SMALL.replace("dense(8) -> relu", "dense(8, bias_init = -50) -> relu"))
    done = run_netc("doctor", tmp_path / "dead.net")
    assert done.code == 1
    assert "fail  values                   100 % of the units of `y.relu1` are dead" in done.out
    assert "fail  learning one batch" in done.out
    assert "= help: start biases at 0" in done.out
    assert done.out.splitlines()[-1] == "7 pass, 0 warn, 3 fail"


def test_a_mistake_in_the_file_is_shown(tmp_path: Path) -> None:
    (tmp_path / "wrong.net").write_text("net A { input x: [4]  output y = x -> dnse(3) }")
    done = run_netc("doctor", tmp_path / "wrong.net")
    assert done.code == 1 and "error[unknown-name]" in done.err


def test_a_softmax_before_cross_entropy_is_one_too_many() -> None:
    found = learning(SMALL.replace("dense(3) }", "dense(3) -> softmax }"))
    assert found["outputs"].status == FAIL and "`y` adds up to 1" in found["outputs"].text
    assert found["learning one batch"].status != PASS


def test_logits_are_no_probabilities() -> None:
    found = learning(SMALL.replace("cross_entropy(y, label)", "log_likelihood(y, label)"))
    assert found["outputs"].status == FAIL and "takes probabilities" in found["outputs"].text


def test_weights_that_start_too_large_show_in_the_first_loss() -> None:
    found = learning(SMALL.replace("dense(3) }", "dense(3, init = normal(50)) }"))
    first = found["loss at initialisation"]
    assert first.status == FAIL and first.figures["expected"] == pytest.approx(np.log(3), rel=1e-5)


def test_a_loss_without_classes_has_no_reference() -> None:
    text = SMALL.replace("dense(3) }", "dense(4) }").replace("cross_entropy(y, label)", "squared_error(y, x)")
    found = learning(text.replace("  metric = accuracy(y, label)", ""))
    assert found["loss at initialisation"].status == SKIP
    assert found["learning one batch"].status in (PASS, WARN)


def test_a_net_that_does_not_see_its_input_learns_no_batch() -> None:
    found = learning(SMALL.replace("dense(8) -> relu", "dense(8, bias_init = -50) -> relu"))
    assert found["learning one batch"].status == FAIL


@pytest.mark.parametrize(
    ("array", "status", "text"),
    [
        (np.random.default_rng(0).normal(size=(50, 4)), PASS, "mean"),
        (np.random.default_rng(0).integers(0, 256, (50, 4)), WARN, "from 0 to 255"),
        (1e-4 * np.random.default_rng(0).normal(size=(50, 4)), WARN, "deviation"),
        (np.ones((50, 4)), FAIL, "100 % of its numbers are the same in all examples"),
    ],
)
def test_inputs_of_another_size(array: np.ndarray, status: str, text: str) -> None:
    found = check_input("x", array.astype(float))
    assert found.status == status and text in found.text
    assert bool(found.way_out) == (status != PASS)


def test_labels_that_were_shuffled_have_nothing_to_do_with_their_inputs() -> None:
    shuffled = np.random.default_rng(1).permutation(blobs()["label"])
    good, bad = (
        {check.name: check for check in check_labels(one)} for one in (training_of(), training_of(label=shuffled))
    )
    assert good["labels and inputs"].status == PASS and bad["labels and inputs"].status == WARN
    assert bad["labels"].status == PASS


def test_classes_that_are_rare_or_alone() -> None:
    rare, alone = np.zeros(203, int), np.zeros(203, int)
    rare[:3] = [2, 1, 1]
    found = [next(iter(check_labels(training_of(label=label)))) for label in (rare, alone)]
    assert [check.status for check in found] == [WARN, FAIL]


def test_a_gradient_that_is_not_what_differences_say(monkeypatch: pytest.MonkeyPatch) -> None:
    program = training_of().look.program
    assert check_gradients(program, 0).status == PASS
    monkeypatch.setattr("netc.diagnosis.doctor.TOLERANCE", 1e-18)
    assert check_gradients(program, 0).status == FAIL


def test_numbers_that_are_not_finite_are_named() -> None:
    one = training_of(SMALL.replace("relu", "log"))
    found = check_signals(one, one.look.program)
    assert [(check.name, check.status) for check in found] == [("values", FAIL)]
    assert "what `y.log1` gives" in found[0].text
