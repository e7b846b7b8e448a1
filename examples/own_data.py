"""Train a net on arrays of one's own, and predict with what comes out. Everything is kept in a folder under `runs/`.

python examples/own_data.py
"""

import numpy as np

import netc

TEXT = """
net Spirals {
  input point: [2]
  output arm: [3] = point
    -> dense(64, init = he) -> relu
    -> dense(64, init = he) -> relu
    -> dense(3)
}

train Spirals {
  data      = arrays("spirals.npz")   # from Python, `data` of netc.train stands in for it
  loss      = cross_entropy(arm, label)
  metric    = accuracy(arm, label)
  optimizer = adam(rate = cosine(0.01))
  batch     = 64
  epochs    = 40
}
"""


def spirals(examples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Points [examples, 2] on the three arms of a spiral, and which arm each is on."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 3, examples)
    radius = rng.uniform(0.1, 1, examples)
    angle = 4 * radius + label * 2 * np.pi / 3 + rng.normal(scale=0.1, size=examples)
    point = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return point.astype(np.float32), label


def main() -> float:
    point, label = spirals(1500)
    run = netc.train(TEXT, data={"point": point, "label": label})
    print(f"{run.folder}: {run.test['accuracy']:.1%} of the points held back are on the arm that the net says")

    model = netc.load(run.folder)  # in another process, another day
    unseen, arms = spirals(300, seed=1)
    right = float((model.predict(unseen).argmax(axis=1) == arms).mean())
    print(f"of 300 new points, {right:.1%}")
    return right


if __name__ == "__main__":
    main()
