"""Lateral inhibition: `x - q * n`, where `n` of the layer's other neurons put out a spike in the step before.

Lee, Delbruck & Pfeiffer 2016 (winner-take-all).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trainer.neurons.part import Part
from trainer.neurons.quantity import Magnitude

if TYPE_CHECKING:
    from trainer.config import LayerConfig, NetworkConfig


class Inhibition(Part):
    """The gradient reaches `q`; none goes through the spikes that inhibit, as none goes through a reset."""

    key = "inhibition"
    quantities = (Magnitude("inhibition"),)
    needs_spikes = adds = lateral = True

    @classmethod
    def start(cls, layer: LayerConfig, network: NetworkConfig, draw: torch.Generator) -> tuple[Tensor, ...]:
        return (torch.full((layer.neurons,), math.log(network.inhibition)),)

    def inhibited(self, current: Tensor, outputs: Tensor) -> Tensor:
        seen = outputs.detach()
        return current - self.numbers.neuron["inhibition"] * (seen.sum(dim=-1, keepdim=True) - seen)
