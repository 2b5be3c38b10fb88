"""A bias: an input current that is always there."""

from __future__ import annotations

from dataclasses import dataclass

from quant.arithmetic import Arithmetic, Array, Widths
from quant.neurons.part import SIGNED, Part, State, tensor


@dataclass(frozen=True, slots=True, eq=False)
class Bias(Part):
    """`x + b`."""

    key = "bias"
    label = "bias"

    value: Array = tensor("bias", SIGNED)

    def current(self, x: Array, was: State, now: State, arithmetic: Arithmetic) -> Array:
        return x + self.value

    def naive_current(self, i: int, x: int, was: State, now: State, widths: Widths) -> int:
        return x + int(self.value[i])

    def current_range(self, low: Array, high: Array) -> tuple[Array, Array]:
        return low + self.value, high + self.value
