"""The synaptic filter: a second leaky state in front of the membrane."""

from __future__ import annotations

from dataclasses import dataclass

from quant.arithmetic import Arithmetic, Array, Widths, naive_decay, naive_saturate
from quant.neurons.part import LEAK, Part, State, tensor


@dataclass(frozen=True, slots=True, eq=False)
class Synapse(Part):
    """`c[t] = sat(decay(c[t-1], a) + x[t])`, and `c` takes the place of `x`."""

    key = "synapse"
    label = "synaptic filter"
    states = ("c",)

    leak: Array = tensor("synapse_leak", LEAK)

    def current(self, x: Array, was: State, now: State, arithmetic: Arithmetic) -> Array:
        now["c"] = arithmetic.saturate(arithmetic.decay(was["c"], self.leak) + x)
        filtered: Array = now["c"]
        return filtered

    def naive_current(self, i: int, x: int, was: State, now: State, widths: Widths) -> int:
        now["c"] = naive_saturate(naive_decay(was["c"], int(self.leak[i]), widths.leak_bits) + x, widths.state_bits)
        return int(now["c"])
