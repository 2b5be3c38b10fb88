"""Lateral inhibition: every spike of the layer holds down the other neurons in the step behind it.

Lee, Delbruck & Pfeiffer 2016 (winner-take-all): one number per neuron instead of a dense matrix of equal weights.
"""

from __future__ import annotations

from dataclasses import dataclass

from quant.arithmetic import Arithmetic, Array, Widths
from quant.neurons.part import STEP, Part, State, tensor


@dataclass(frozen=True, slots=True, eq=False)
class Inhibition(Part):
    """`x - q * n`, where `n` of the layer's other neurons put out a spike in the step before."""

    key = "inhibition"
    label = "lateral inhibition"
    needs_spikes = lateral = True

    step: Array = tensor("inhibition", STEP)

    def current(self, x: Array, was: State, now: State, arithmetic: Arithmetic) -> Array:
        inhibited: Array = x - self.step * was["others"]
        return inhibited

    def naive_current(self, i: int, x: int, was: State, now: State, widths: Widths) -> int:
        return x - int(self.step[i]) * int(was["others"])

    def current_range(self, low: Array, high: Array) -> tuple[Array, Array]:
        return low - self.step * (len(low) - 1), high
