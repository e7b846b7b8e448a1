"""Build portable source: a Python file that needs jax and flax alone, so that a net can leave netc behind.

The same from the command line: `netc build specs/lenet5.net -o lenet5.py --portable`.

    python examples/without_netc.py
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import netc

SPEC = Path(__file__).parents[1] / "specs" / "lenet5.net"
USE = """
import sys
import numpy as np
from flax import nnx
from lenet5 import LeNet5

model = LeNet5(nnx.Rngs(0))
np.save("distances.npy", model(np.load("images.npy")))
assert "netc" not in sys.modules
"""


def main() -> tuple[np.ndarray, np.ndarray]:
    net = netc.compile(SPEC)
    images = np.random.default_rng(0).random((4, 32, 32, 1), np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lenet5.py").write_text(net.source(portable=True))
        np.save(folder / "images.npy", images)
        subprocess.run([sys.executable, "-c", USE], cwd=folder, check=True)
        theirs = np.load(folder / "distances.npy")
    ours = net.init(seed=0).predict(images)
    print("largest difference between the two:", np.abs(ours - theirs).max())
    return ours, theirs


if __name__ == "__main__":
    main()
