"""How the states of neurons are rounded and bounded, in real numbers and as in hardware.

`Integer` computes on integers held in float32, and lets the gradient pass the rounding unchanged (straight through).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from brevitas.function.ops_ste import round_to_zero_ste
from torch import Tensor

from quant.formats import signed_range
from quant.readouts import SCORE_BITS


class Arithmetic(Protocol):
    """How the state of a neuron is rounded and bounded."""

    def round(self, value: Tensor) -> Tensor:
        """What is stored for `value`, the product of a state and its leak."""

    def saturate(self, value: Tensor) -> Tensor:
        """What is stored for `value`, a sum."""

    def total(self, values: Tensor) -> Tensor:
        """The sum of `values` `(T, ...)` over the steps, float64, as the score register holds it at the end."""


@dataclass(frozen=True, slots=True)
class Real:
    """No rounding, no bounds."""

    def round(self, value: Tensor) -> Tensor:
        return value

    def saturate(self, value: Tensor) -> Tensor:
        return value

    def total(self, values: Tensor) -> Tensor:
        return values.sum(dim=0, dtype=torch.float64)


@dataclass(frozen=True, slots=True)
class Integer:
    """The hardware's arithmetic for states of `state_bits` bits."""

    state_bits: int

    def round(self, value: Tensor) -> Tensor:
        return round_to_zero_ste(value)

    def saturate(self, value: Tensor) -> Tensor:
        low, high = signed_range(self.state_bits)
        bounded = value.detach().clamp(low, high)  # no gradient reaches a state that stands at its bound
        return torch.where((bounded > low) & (bounded < high), value, bounded)

    def total(self, values: Tensor) -> Tensor:
        if len(values) << (self.state_bits - 1) < 1 << (SCORE_BITS - 1):  # the bound is out of reach
            return values.sum(dim=0, dtype=torch.float64)
        sums = torch.zeros_like(values[0], dtype=torch.float64)
        for value in values:
            sums = (sums + value).clamp(*signed_range(SCORE_BITS))
        return sums
