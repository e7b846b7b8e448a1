"""Nets of dense layers alone."""

from jax import Array

from twins.parts import Data, Weights, dense, flat, relu, sigmoid


def mlp(w: Weights, data: Data) -> tuple[Array, ...]:
    h = relu(dense(flat(data["image"]), w, "logits.for1.0.dense1"))
    return (dense(relu(dense(h, w, "logits.for1.1.dense1")), w, "logits.dense1"),)


def constrained_mlp(w: Weights, data: Data) -> tuple[Array, ...]:
    """Without its dropout, as in evaluation."""
    h = relu(dense(flat(data["image"]), w, "enter.dense1"))
    h = relu(dense(h, w, "deeper.dense1"))
    h = relu(dense(h, w, "deeper.dense1"))
    return (dense(h, w, "digit.dense1"),)


def logistic(w: Weights, data: Data) -> tuple[Array, ...]:
    return (sigmoid(flat(data["image"]) @ w["w"] + w["b"]),)


def autoencoder(w: Weights, data: Data) -> tuple[Array, ...]:
    code = dense(relu(dense(flat(data["image"]), w, "code.dense1")), w, "code.dense2")
    return (sigmoid(dense(relu(dense(code, w, "y.dense1")), w, "y.dense2")).reshape(-1, 28, 28, 1),)


def tied_autoencoder(w: Weights, data: Data) -> tuple[Array, ...]:
    """The decoder goes back through the encoder's kernels, transposed, with biases of its own."""
    h = flat(data["image"])
    for i in (1, 2, 3):
        h = sigmoid(dense(h, w, f"encode{i}"))
    h = dense(h, w, "encode4")
    for i in (4, 3, 2, 1):
        h = sigmoid(h @ w[f"encode{i}.kernel"].T + w[f"decode{i}.bias"])
    return (h.reshape(-1, 28, 28, 1),)


def mnist_autoencoder(w: Weights, data: Data) -> tuple[Array, ...]:
    """As the tied one, but that the decoder has kernels of its own."""
    h = flat(data["image"])
    for i in (1, 2, 3):
        h = sigmoid(dense(h, w, f"encode{i}"))
    h = dense(h, w, "encode4")
    for i in (4, 3, 2, 1):
        h = sigmoid(dense(h, w, f"decode{i}"))
    return (h.reshape(-1, 28, 28, 1),)
