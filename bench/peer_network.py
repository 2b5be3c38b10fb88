"""The network that `bench.peers` gives to every tool, the spikes that it is judged on, and what a tool hands back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from quant.golden import BoolArray
from quant.spikes import SpikeSet
from trainer import config as configuration

CONFIG = Path("configs/digits.toml")
HIDDEN = 128
SHIFT = 4
BETA = 1 - 2.0**-SHIFT
EPOCHS, SEED, SAMPLES = 20, 1, 60
SILENCE = 6  # steps without input behind each sample: hardware may hand its spikes out later

Reset = Literal["subtract", "zero"]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A trained network, and what snnTorch makes of the test samples.

    Attributes:
        net: Linear, Leaky, Linear, Leaky.
        reset: of its neurons.
        accuracy: of snnTorch on the whole test part.
        validation: for a tool that chooses something by data.
        samples: the first `SAMPLES` of the test part.
        inputs: their spikes, `(T + SILENCE, S, channels)`.
        wanted: snnTorch's spikes of the last layer, `(T, S, classes)`, False behind a sample's end.
    """

    net: torch.nn.Sequential
    reset: Reset
    accuracy: float
    validation: SpikeSet
    samples: SpikeSet
    inputs: BoolArray
    wanted: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a tool's hardware does on `Task.inputs`.

    Attributes:
        settings: chosen for it, in words.
        hardware: spikes of the last layer, simulated, `(T + SILENCE, S, classes)`; at most `SILENCE` steps late.
        software: those of the tool's own model of the network, not late.
    """

    settings: str
    hardware: BoolArray
    software: BoolArray


def network(inputs: int, classes: int, reset: Reset) -> torch.nn.Sequential:
    """What all tools can build: no bias, one threshold, one leak, and that of the form 1 - 2^-k."""
    import snntorch
    from snntorch import surrogate

    def neurons(size: int) -> Any:
        beta, threshold = torch.full((size,), BETA), torch.ones(size)  # of one number its exporter forgets the size
        slope = surrogate.fast_sigmoid(slope=10)
        return snntorch.Leaky(beta, threshold, slope, init_hidden=True, reset_mechanism=reset)

    first, second = torch.nn.Linear(inputs, HIDDEN, bias=False), torch.nn.Linear(HIDDEN, classes, bias=False)
    return torch.nn.Sequential(first, neurons(HIDDEN), second, neurons(classes))


def weights(net: torch.nn.Sequential) -> list[torch.Tensor]:
    """Of both layers, `(outputs, inputs)`."""
    return [layer.weight.detach() for layer in net if isinstance(layer, torch.nn.Linear)]


def spikes(net: torch.nn.Sequential, inputs: BoolArray) -> BoolArray:
    """snnTorch's spikes of the last layer, `(T, S, classes)`."""
    neurons: Any
    for neurons in (net[1], net[3]):
        neurons.reset_mem()
    with torch.no_grad():
        found = torch.stack([net(step) for step in torch.from_numpy(inputs).float()])
    return found.numpy() > 0


def inside(samples: SpikeSet) -> BoolArray:
    """Which steps are a sample's own, `(T, S)`."""
    own: BoolArray = np.arange(int(samples.steps.max()))[:, None] < samples.steps
    return own


def task(reset: Reset) -> Task:
    """Train the network with snnTorch alone."""
    from examples.from_snntorch import counts, train

    torch.manual_seed(SEED)
    data = configuration.read(CONFIG).data.load()
    test, samples = data["test"], data["test"].head(SAMPLES)
    net = network(test.channels, len(set(test.label.tolist())), reset)
    train(net, data["train"], EPOCHS)
    with torch.no_grad():
        right = counts(net, test, slice(0, len(test))).argmax(dim=1).numpy() == test.label
    inputs = np.pad(samples.dense(slice(0, SAMPLES)), ((0, SILENCE), (0, 0), (0, 0)))
    wanted = spikes(net, inputs[:-SILENCE]) & inside(samples)[:, :, None]
    return Task(net, reset, float(right.mean()), data["validation"], samples, inputs, wanted)
