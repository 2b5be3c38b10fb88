"""Read-outs in training: scores from what the last layer put out, and what the loss sees of them.

A new kind is a class here and a registry line; the hardware's are in quant/readouts.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer.arithmetic import Arithmetic
from trainer.neurons import mask


class ReadoutKind:
    """A read-out: unless a kind says otherwise, the score is what the last step put out.

    Attributes:
        spiking: whether it reads spikes; else potentials of neurons that never spike.
        sums: whether a score grows with the steps.
    """

    spiking = sums = False

    def scores(self, outputs: Tensor, steps: Tensor, arithmetic: Arithmetic) -> Tensor:
        """Float64 `(batch, classes)`, of outputs `(T, batch, classes)`, 0 after a sample's end; 0 of empty samples."""
        return outputs[(steps - 1).clamp(min=0), torch.arange(len(steps), device=steps.device)].double()


class _Sum(ReadoutKind):
    sums = True

    def __init__(self, *, spiking: bool) -> None:
        self.spiking = spiking

    def scores(self, outputs: Tensor, steps: Tensor, arithmetic: Arithmetic) -> Tensor:
        return arithmetic.total(outputs)


class _Max(ReadoutKind):
    def scores(self, outputs: Tensor, steps: Tensor, arithmetic: Arithmetic) -> Tensor:
        outside = (mask(outputs, steps.clamp(min=1)) == 0).expand_as(outputs)
        return outputs.masked_fill(outside, -torch.inf).amax(dim=0).double()


class _Last(ReadoutKind):
    """The default."""


READOUTS: Mapping[str, ReadoutKind] = {
    "spike_count": _Sum(spiking=True),
    "membrane_sum": _Sum(spiking=False),
    "membrane_max": _Max(),
    "membrane_last": _Last(),
}
