"""Small data sets and random networks for the tests of the trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quant.spikes import SpikeSet, Split, from_dense
from trainer.config import Config, LayerConfig, NetworkConfig, PlasticityConfig, TrainConfig
from trainer.network import Network
from trainer.neurons import LEAK, PARTS, THRESHOLD, Numbers, Quantity
from trainer.neurons.quantity import Fixed, Leak, Magnitude, Steps


@dataclass(frozen=True, slots=True)
class Toy:
    """Random spike trains in which each class prefers channels of its own."""

    channels: int = 12
    labels: int = 3
    samples: int = 24

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(f"class {index}" for index in range(self.labels))

    def load(self) -> Mapping[Split, SpikeSet]:
        return {"train": self._draw(1), "validation": self._draw(2), "test": self._draw(3)}

    def _draw(self, seed: int) -> SpikeSet:
        draw = np.random.default_rng(seed)
        label = np.arange(self.samples) % self.labels
        steps = draw.integers(3, 9, self.samples)
        own = np.arange(self.channels) % self.labels == label[:, None]
        dense = draw.random((8, self.samples, self.channels)) < np.where(own, 0.6, 0.2)
        dense &= np.arange(8)[:, None, None] < steps[None, :, None]
        return from_dense(dense, steps, label)


def config(
    *layers: LayerConfig,
    data: Toy | None = None,
    network: NetworkConfig | None = None,
    train: TrainConfig | None = None,
    plasticity: PlasticityConfig | None = None,
) -> Config:
    """A configuration over toy data; by default one hidden self-recurrent layer and a skip from the input."""
    chosen = layers or (LayerConfig(10, (0,), self_weight=True), LayerConfig(3, (1, 0), self_weight=True))
    return Config(
        "toy",
        data or Toy(),
        network or NetworkConfig(chosen, threshold=0.5),
        train or TrainConfig(epochs_float=3, epochs_quantized=3, batch=8),
        plasticity or PlasticityConfig(),
    )


# Standard deviations of the parameters of parts, and means that are not 0.
SPREAD = {
    "self_weight": 2.0,
    "synapse_leak": 3.0,
    "bias": 0.3,
    "adaptation_leak": 2.0,
    "adaptation_step": 1.0,
    "inhibition": 1.0,
    "delay": 2.0,
}
MEAN = {"adaptation_step": -1.0, "inhibition": -3.0}

# What turns a part on in the configuration of a layer.
ON = {part.key: {"delay": 4, "refractory": 1}.get(part.key, True) for part in PARTS}


@torch.no_grad()
def scramble(network: Network, seed: int, strength: float = 1.0) -> None:
    """Random parameters: leaks from nearly 0 to nearly 1, large self-recurrent weights of both signs."""
    draw = torch.Generator().manual_seed(seed)
    for layer in network.layers:
        layer.weight.copy_(torch.randn(layer.weight.shape, generator=draw) * strength)
        layer.leak_logit.copy_(torch.randn(layer.leak_logit.shape, generator=draw) * 3)
        layer.threshold_log.copy_(torch.randn(layer.threshold_log.shape, generator=draw) * 0.5)
        for quantity in layer.quantities[2:]:
            one = layer.get_parameter(quantity.parameter)
            if not quantity.learns:
                continue
            one.copy_(torch.randn(one.shape, generator=draw) * SPREAD[quantity.name] + MEAN.get(quantity.name, 0.0))
    network.fit_scales()


def stimulus(seed: int, channels: int, *, batch: int = 5, longest: int = 14) -> tuple[Tensor, Tensor]:
    """Random input spikes `(T, batch, channels)`, beyond the samples' ends too, and the samples' steps."""
    draw = np.random.default_rng(seed)
    inputs = torch.from_numpy((draw.random((longest, batch, channels)) < 0.35).astype(np.float32))
    steps = draw.integers(1, longest + 1, batch)
    steps[0] = longest
    return inputs, torch.from_numpy(steps)


STEPS, BATCH, INPUTS = 40, 7, 21


def numbers_of(neurons: int, *, integer: bool, parts: tuple[str, ...] = (), recurrent: bool = False) -> Numbers:
    """Random numbers of a lively layer with some parts, all of them learned."""
    draw = torch.Generator().manual_seed(neurons)
    scale = 40.0 if integer else 1.0

    def state(values: Tensor) -> Tensor:
        return (values * scale).round() if integer else values * scale

    def drawn(quantity: Quantity) -> Tensor:
        if isinstance(quantity, Leak):
            return (torch.rand(neurons, generator=draw) * 256).floor() / 256
        if isinstance(quantity, Steps):
            return (torch.rand(neurons, generator=draw) * 5).round()
        if isinstance(quantity, Fixed):
            return (torch.rand(neurons, generator=draw) * 2).round()
        if isinstance(quantity, Magnitude):
            return state(torch.rand(neurons, generator=draw) + 0.5 * quantity.least)
        return state(torch.randn(neurons, generator=draw))

    weight = state(torch.randn(neurons, INPUTS + (neurons if recurrent else 0), generator=draw) * 0.4)
    wanted = [one for part in PARTS if part.key in parts for one in part.quantities]
    neuron = {one.name: drawn(one).requires_grad_() for one in (LEAK, THRESHOLD, *wanted)}
    width = torch.full((1,), 0.6).requires_grad_()
    return Numbers(weight.requires_grad_(), INPUTS, neuron, torch.ones(1), width)


def spikes() -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(9)
    inputs = (torch.rand(STEPS, BATCH, INPUTS, generator=draw) < 0.2).float()
    return inputs, torch.randint(1, STEPS + 1, (BATCH,), generator=draw)


def assert_near(found: Tensor | None, expected: np.ndarray | Tensor, tolerance: float) -> None:
    """Within `tolerance` of the largest."""
    assert found is not None
    wanted = torch.as_tensor(expected).to(found)
    assert wanted.any()
    torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance * wanted.abs().max().item())
