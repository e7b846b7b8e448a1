"""Weights of a PyTorch module in a net: saved there, read here by a map of names, and giving the same outputs."""

from pathlib import Path

import numpy as np
import torch

import netc

NET = """
net Reader {
  input x: [12, 8]
  output y = x -> memory: lstm(16, last = true) -> out: dense(3)
}
"""
MAP = {
    "weights": {
        "memory.{kernel|recurrent}": "lstm.weight_{ih|hh}_l0 -> transpose(1, 0)",
        "memory.bias": "(lstm.bias_ih_l0, lstm.bias_hh_l0) -> add",
        "out.kernel": "out.weight -> transpose(1, 0)",
        "out.bias": "out.bias",
    }
}


class Reader(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(8, 16, batch_first=True)
        self.out = torch.nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.lstm(x)[0][:, -1])


def main() -> tuple[np.ndarray, np.ndarray]:
    theirs = Reader()
    torch.save(theirs.state_dict(), "reader.pt")
    ours = netc.import_weights(netc.compile(NET), Path("reader.pt"), MAP)
    x = np.random.default_rng(0).normal(size=(4, 12, 8)).astype("f")
    made = ours.predict(x), theirs(torch.from_numpy(x)).detach().numpy()
    print(f"largest difference: {np.abs(made[0] - made[1]).max():.1e}")
    return made


if __name__ == "__main__":
    main()
