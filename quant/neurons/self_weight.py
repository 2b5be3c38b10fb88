"""Self-recurrence, one weight per neuron: the structure of ScSr-SNN (Zhang & Li 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quant.arithmetic import Arithmetic, Array, Widths
from quant.neurons.part import SIGNED, Part, State, tensor


@dataclass(frozen=True, slots=True, eq=False)
class SelfWeight(Part):
    """`x + r * s[t-1]`."""

    key = "self_weight"
    label = "self-weight"
    needs_spikes = True

    weight: Array = tensor("self_weight", SIGNED)

    @property
    def history(self) -> int:
        return 1

    def current(self, x: Array, was: State, now: State, arithmetic: Arithmetic) -> Array:
        recurrent: Array = was["past"][0] * self.weight
        return x + recurrent

    def naive_current(self, i: int, x: int, was: State, now: State, widths: Widths) -> int:
        return x + (int(self.weight[i]) if was["past"][0] else 0)

    def current_range(self, low: Array, high: Array) -> tuple[Array, Array]:
        return low + np.minimum(self.weight, 0), high + np.maximum(self.weight, 0)
