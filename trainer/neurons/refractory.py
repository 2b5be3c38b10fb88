"""Refractory steps: after a spike the membrane is held at zero for a while (as in Zhang & Li 2019, ST-RSBP)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trainer.arithmetic import Arithmetic
from trainer.neurons.numbers import Numbers
from trainer.neurons.part import Part
from trainer.neurons.quantity import Fixed

if TYPE_CHECKING:
    from trainer.config import LayerConfig, NetworkConfig


class Refractory(Part):
    """Its state, 1 where the membrane is held, is kept for the gradient: none goes through a potential that is."""

    key = "refractory"
    quantities = (Fixed("refractory"),)
    keeps = needs_spikes = True

    def __init__(self, numbers: Numbers, arithmetic: Arithmetic, rest: Tensor) -> None:
        super().__init__(numbers, arithmetic, rest)
        self.left = rest.detach()  # steps

    @classmethod
    def start(cls, layer: LayerConfig, network: NetworkConfig, draw: torch.Generator) -> tuple[Tensor, ...]:
        return (torch.full((layer.neurons,), float(layer.refractory)),)

    def potential(self, potential: Tensor, spikes: Tensor) -> Tensor:
        steps = self.numbers.neuron["refractory"].detach()
        self.left = torch.where(spikes.detach() > 0, steps, (self.left - 1).clamp(min=0))
        return potential * (1 - self.keep((self.left > 0).to(potential.dtype)))
