"""A network trained with SpikingJelly alone goes on learning in integers of four bits, and becomes verified hardware.

Run it where `configs/digits.toml` is; it needs the package spikingjelly. The spikes are those of the demo: spoken
digits, 78 channels, one frame a time step.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from spikingjelly.activation_based import functional, neuron

import hwgen
from quant.spikes import SpikeSet
from trainer import config as configuration

BATCH = 128


def network(inputs: int, classes: int) -> torch.nn.Sequential:
    def neurons() -> neuron.LIFNode:
        return neuron.LIFNode(tau=4.0, decay_input=False, detach_reset=True)

    return torch.nn.Sequential(torch.nn.Linear(inputs, 128), neurons(), torch.nn.Linear(128, classes), neurons())


def counts(net: torch.nn.Sequential, samples: SpikeSet, chosen: slice) -> torch.Tensor:
    """`(samples, classes)`: the spikes of the last layer, in each sample's own steps."""
    functional.reset_net(net)
    spikes = torch.from_numpy(samples.dense(chosen)).float()
    inside = torch.arange(len(spikes))[:, None] < torch.from_numpy(samples.steps[chosen])
    return torch.stack([net(step) * within[:, None] for step, within in zip(spikes, inside, strict=True)]).sum(dim=0)


def train(net: torch.nn.Sequential, samples: SpikeSet, epochs: int) -> None:
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    labels = torch.from_numpy(samples.label).long()
    for epoch in range(epochs):
        right = 0
        for first in range(0, len(samples), BATCH):
            chosen = slice(first, first + BATCH)
            found = counts(net, samples, chosen)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(found / 4, labels[chosen]).backward()
            optimizer.step()
            right += int((found.argmax(dim=1) == labels[chosen]).sum())
        print(f"epoch {epoch + 1}: accuracy {right / len(samples):.4f}")


def main(config: Path, out: Path, epochs: int, tuned: int) -> None:
    torch.manual_seed(1)
    chosen = configuration.read(config)
    data = chosen.data.load()
    net = network(data["train"].channels, len(chosen.data.classes))
    train(net, data["train"], epochs)
    calibrated = hwgen.convert(net, data["validation"], weight_bits=4)
    tuning = {
        "data": configuration.to_table(chosen)["data"],
        "network": {"layers": [{"weight_bits": 4}]},
        "train": {"epochs_float": 0, "epochs_quantized": tuned, "rate_quantized": 1e-3},
    }
    run = hwgen.tune(net, tuning, out / "run")
    for name, model in (("calibrated", calibrated), ("tuned", hwgen.export(run))):
        report = hwgen.verify(hwgen.build(model, out / name), data["test"])
        same = "every spike as in the integers" if report["equal"] else "NOT EQUAL"
        print(f"4 bits, {name}: accuracy {report['accuracy_rtl']:.4f} in simulated hardware, {same}")


if __name__ == "__main__":
    main(Path("configs/digits.toml"), Path("build/spikingjelly"), epochs=4, tuned=10)
    sys.exit()
