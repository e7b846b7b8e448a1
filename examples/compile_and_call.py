"""Compile a net from text, read its Flax source, and call it. Mistakes in a net come as `netc.CompileError`.

python examples/compile_and_call.py
"""

import numpy as np

import netc

TEXT = """
net Classifier(classes = 10) {
  input image: [28, 28, 1]
  output digit: [classes] = image
    -> conv(8, 5x5, stride = 2) -> relu
    -> conv(16, 5x5, stride = 2) -> relu
    -> flatten
    -> dense(classes)
  assert params < 10_000
}
"""


def main() -> np.ndarray:
    net = netc.compile(TEXT, set={"classes": 4})
    print(net.source())

    model = net.init(seed=0)  # a flax.nnx.Module
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    scores = model.predict(images)
    print("scores of three images:", scores.round(2).tolist())

    try:
        netc.compile(TEXT.replace("dense(classes)", "dens(classes)"))
    except netc.CompileError as mistakes:
        print(mistakes)
    return scores


if __name__ == "__main__":
    main()
