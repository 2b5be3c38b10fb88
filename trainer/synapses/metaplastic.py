"""Metaplastic synapses: the further a hidden weight is from 0, the harder it is to bring back.

Laborieux, Ernoult, Hirtzlin and Querlioz 2021, Synaptic metaplasticity in binarized neural networks, Nature
Communications 12. There the weight in use is the sign of the hidden one (`weight_bits = 1`), and what it has learned
for one task outlives the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import torch
from torch import nn

from trainer.schema import Range
from trainer.synapses.synapse import Store

if TYPE_CHECKING:
    from trainer.config import Config


@dataclass(frozen=True, slots=True)
class Metaplastic:
    """A change toward 0 is multiplied by `1 - tanh(m |w|)**2`, one away from 0 is made in full.

    Attributes:
        m: how quickly a growing weight hardens; 0 is the ideal synapse.
    """

    m: Annotated[float, Range(0.0, 1000.0)] = 1.35

    def check(self, config: Config) -> None:
        """It holds everything."""

    def store(self, weights: Sequence[nn.Parameter], seed: int) -> Store:
        return _Hardening(weights, self.m)


class _Hardening(Store):
    def __init__(self, weights: Sequence[nn.Parameter], m: float) -> None:
        super().__init__(weights)
        self._m = m

    @torch.no_grad()
    def write(self, step: Callable[[], object]) -> None:
        before = [weight.clone() for weight in self.weights]
        step()
        for weight, old in zip(self.weights, before, strict=True):
            change = weight - old
            softness = 1 - (self._m * old).tanh().square()
            weight.copy_(old + torch.where(old * change < 0, softness * change, change))
