"""The axon's delay: `o[t] = s[t - delta]`, whole steps in both phases, learned as in SLAYER.

Shrestha & Orchard 2018, SLAYER: spike layer error reassignment in time: a delay's gradient is that of the outputs times
minus their change over a step, as if the delay were real; the spikes' own gradient comes back through the shift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from trainer.arithmetic import Arithmetic
from trainer.neurons.numbers import Numbers
from trainer.neurons.part import Part
from trainer.neurons.quantity import Steps

if TYPE_CHECKING:
    from trainer.config import LayerConfig, NetworkConfig


class Delay(Part):
    key = "delay"
    quantities = (Steps("delay"),)
    needs_spikes = True

    def __init__(self, numbers: Numbers, arithmetic: Arithmetic, rest: Tensor) -> None:
        super().__init__(numbers, arithmetic, rest)
        self.steps = numbers.neuron["delay"].detach().long().expand(1, *rest.shape)
        self.past = [rest] * (1 + int(self.steps.max()))

    @classmethod
    def start(cls, layer: LayerConfig, network: NetworkConfig, draw: torch.Generator) -> tuple[Tensor, ...]:
        """Everywhere in the range."""
        return (torch.logit(torch.rand(layer.neurons, generator=draw), eps=0.01),)

    def output(self, spikes: Tensor) -> Tensor:
        self.past = [spikes, *self.past[:-1]]
        outputs = torch.stack(self.past).gather(0, self.steps)[0]
        before, self.state = self.state, outputs.detach()
        delay = self.numbers.neuron["delay"]
        return outputs - (outputs.detach() - before) * (delay - delay.detach())
