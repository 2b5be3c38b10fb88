"""Small data sets and random networks for the tests of the trainer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quant import spikes
from quant.spikes import SpikeSet
from trainer.config import Config, LayerConfig, NetworkConfig, PlasticityConfig, TrainConfig
from trainer.data.source import Split
from trainer.network import Network


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
        return spikes.from_dense(dense, steps, label)


def config(
    *layers: LayerConfig,
    data: Toy | None = None,
    network: NetworkConfig | None = None,
    train: TrainConfig | None = None,
    plasticity: PlasticityConfig | None = None,
) -> Config:
    """A configuration over toy data; by default one hidden self-recurrent layer and a skip from the input."""
    chosen = layers or (LayerConfig(10, (0,), self_recurrent=True), LayerConfig(3, (1, 0), self_recurrent=True))
    return Config(
        "toy",
        data or Toy(),
        network or NetworkConfig(chosen, threshold=0.5),
        train or TrainConfig(epochs_float=3, epochs_quantized=3, batch=8),
        plasticity or PlasticityConfig(),
    )


# Standard deviations of a part's parameters.
SPREAD = {"self_weight": 2.0, "synapse_leak": 3.0}


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
            one.copy_(torch.randn(one.shape, generator=draw) * SPREAD[quantity.name])
    network.fit_scales()


def stimulus(seed: int, channels: int, *, batch: int = 5, longest: int = 14) -> tuple[Tensor, Tensor]:
    """Random input spikes `(T, batch, channels)`, beyond the samples' ends too, and the samples' steps."""
    draw = np.random.default_rng(seed)
    inputs = torch.from_numpy((draw.random((longest, batch, channels)) < 0.35).astype(np.float32))
    steps = draw.integers(1, longest + 1, batch)
    steps[0] = longest
    return inputs, torch.from_numpy(steps)
