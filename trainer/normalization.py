"""Normalization of a layer's input currents, for real-valued training, folded into the weights at its end.

Each neuron's current is divided by its root mean square over the batch and the steps (Ioffe & Szegedy 2015, batch
normalization, without the mean; Zhang & Sennrich 2019, RMSNorm, for the division alone) and multiplied by a learned
gain. After training both are constants, which the neuron's weights absorb exactly. A bias is added to the result.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.distributed import total

_KEPT = 0.9  # of the running mean square, per batch
_SMALL = 1e-6


class CurrentNorm(nn.Module):
    """Divides the currents of `neurons` neurons by their root mean square; in evaluation, by the running one."""

    def __init__(self, neurons: int) -> None:
        super().__init__()
        self.gain_log = nn.Parameter(torch.zeros(neurons))
        self.mean_square: Tensor
        self.register_buffer("mean_square", torch.ones(neurons))

    def factor(self) -> Tensor:
        """`(neurons,)`: what a current is multiplied by in evaluation, and a weight when it is folded."""
        return self.gain_log.exp() / (self.mean_square + _SMALL).sqrt()

    def forward(self, currents: Tensor, ends: Tensor) -> Tensor:
        """The `currents` `(T, batch, N)`, 0 after a sample's end, normalized."""
        if not self.training:
            return currents * self.factor()
        sums = total(torch.cat([currents.square().sum(dim=(0, 1)), ends.sum().to(currents.dtype).reshape(1)]))
        mean_square = sums[:-1] / sums[-1]
        with torch.no_grad():
            self.mean_square.lerp_(mean_square, 1 - _KEPT)
        return currents * (self.gain_log.exp() / (mean_square + _SMALL).sqrt())
