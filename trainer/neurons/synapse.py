"""The synaptic filter: `c[t] = sat(decay(c[t-1], a) + x[t])` takes the place of the input current."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trainer.neurons.part import Part
from trainer.neurons.quantity import Leak, logit

if TYPE_CHECKING:
    from trainer.config import LayerConfig, NetworkConfig


class Synapse(Part):
    key = "synapse"
    quantities = (Leak("synapse_leak"),)
    keeps = True

    @classmethod
    def start(cls, layer: LayerConfig, network: NetworkConfig, draw: torch.Generator) -> tuple[Tensor, ...]:
        return (torch.full((layer.neurons,), logit(network.synapse_leak)),)

    def current(self, current: Tensor, spikes: Tensor) -> Tensor:
        kept = self.arithmetic.round(self.state * self.numbers.neuron["synapse_leak"])
        return self.keep(self.arithmetic.saturate(kept + current))
