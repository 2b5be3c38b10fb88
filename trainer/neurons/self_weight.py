"""Self-recurrence, one weight per neuron: `x + r * s[t-1]`, the structure of ScSr-SNN (Zhang & Li 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trainer.neurons.numbers import Numbers
from trainer.neurons.part import Part, loop
from trainer.neurons.quantity import Quantity

if TYPE_CHECKING:
    from trainer.config import LayerConfig, NetworkConfig


class SelfWeight(Part):
    key = "self_weight"
    quantities = (Quantity("self_weight", synaptic=True),)
    needs_spikes = adds = True

    @classmethod
    def start(cls, layer: LayerConfig, network: NetworkConfig, draw: torch.Generator) -> tuple[Tensor, ...]:
        return (torch.full((layer.neurons,), network.self_weight),)

    def current(self, current: Tensor, spikes: Tensor) -> Tensor:
        return current + loop(spikes, self.numbers.neuron["self_weight"], loop_bound(self.numbers))


def loop_bound(numbers: Numbers) -> Tensor:
    """`(N,)`: the self-weight with which the gradient around a neuron's own loop would never shrink."""
    lost = 1 - numbers.leak
    if "synapse_leak" in numbers.neuron:
        lost = lost * (1 - numbers.neuron["synapse_leak"])
    return (lost * numbers.threshold).detach()
