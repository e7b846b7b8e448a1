"""The same file, seed, data and machine give the same bits: in two processes, and by run.yaml."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_runs import run_netc

ROOT = Path(__file__).parents[1]
SAME = ("weights.safetensors", "best.safetensors", "metrics.jsonl", "run.yaml")
EVERYTHING = """net Small {
  input image: [6, 6, 1]
  output y = image -> conv(4, 3x3) -> batchnorm -> relu -> dropout(0.3) -> flatten -> dense(3)
}

train Small {
  data       = arrays("x.npz")
  validation = 0.2
  prepare    = standardize
  augment    = shift(1) -> rotate(20) -> noise(0.1)
  loss       = cross_entropy(y, label, weights = balanced)
  metric     = [accuracy(y, label), confusion(y, label)]
  optimizer  = clip_by_global_norm(1.0) -> adamw(rate = warmup_cosine(0.01, warmup = 3), weight_decay = 0.01)
  decay      = kernels
  batch      = 8
  accumulate = 3
  epochs     = 4
  seed       = 7
  average    = ema(0.9)
  stop       = patience(3, metric = accuracy)
  checkpoint = every(epochs = 1, best = loss)
  constrain *.kernel: max_norm(2)
  adjust y.dense1: rate(0.5)
}
"""


def test_two_processes_and_run_yaml_give_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that draws by chance or keeps a state."""
    rng = np.random.default_rng(0)
    label = np.concatenate([np.zeros(60, int), rng.integers(0, 3, 60)])
    image = rng.normal(size=(120, 6, 6, 1)) + label[:, None, None, None]
    np.savez(tmp_path / "x.npz", image=image.astype("f"), label=label)
    (tmp_path / "small.net").write_text(EVERYTHING)
    command = [sys.executable, "-m", "netc", "train", "small.net", "--out", "one", "--quiet"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    other_process = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, env=environment)
    assert other_process.returncode == 0, other_process.stderr
    monkeypatch.chdir(tmp_path)
    assert run_netc("train", "small.net", "--out", "two", "--quiet").code == 0
    Path("small.net").unlink()
    assert run_netc("train", "--config", "one/run.yaml", "--out", "three", "--quiet").code == 0
    one, two, three = ({name: Path(run, name).read_bytes() for name in SAME} for run in ("one", "two", "three"))
    assert one == two
    assert one == three
    assert Path("one/metrics.jsonl").read_text().count("validation") == 4
