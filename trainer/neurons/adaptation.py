"""The adaptive threshold: `h[t] = sat(decay(h[t-1], rho) + q * s[t-1])` is added to it (Bellec et al. 2018, LSNN)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trainer.neurons.part import Part, loop
from trainer.neurons.quantity import Leak, Magnitude, logit

if TYPE_CHECKING:
    from trainer.config import LayerConfig, NetworkConfig


class Adaptation(Part):
    """The gradient goes from a spike to later thresholds too, by a step of at most a threshold (`loop`).

    The surrogate's distance stays measured in thresholds theta, as in Bellec et al. 2020, e-prop.
    """

    key = "adaptation"
    quantities = (Leak("adaptation_leak"), Magnitude("adaptation_step"))
    keeps = needs_spikes = True

    @classmethod
    def start(cls, layer: LayerConfig, network: NetworkConfig, draw: torch.Generator) -> tuple[Tensor, ...]:
        starts = logit(network.adaptation_leak), math.log(network.adaptation_step)
        return tuple(torch.full((layer.neurons,), value) for value in starts)

    def excess(self, potential: Tensor, spikes: Tensor) -> Tensor:
        kept = self.arithmetic.round(self.state * self.numbers.neuron["adaptation_leak"])
        step = loop(spikes, self.numbers.neuron["adaptation_step"], self.numbers.threshold)
        return potential - self.keep(self.arithmetic.saturate(kept + step))
