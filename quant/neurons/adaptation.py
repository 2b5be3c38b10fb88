"""The adaptive threshold: every spike raises it, and it falls back (Bellec et al. 2018, LSNN)."""

from __future__ import annotations

from dataclasses import dataclass

from quant.arithmetic import Arithmetic, Array, Widths, naive_decay, naive_saturate
from quant.neurons.part import LEAK, STEP, Part, State, tensor


@dataclass(frozen=True, slots=True, eq=False)
class Adaptation(Part):
    """`h[t] = sat(decay(h[t-1], rho) + q * s[t-1])`, and the threshold is `theta + h[t]`."""

    key = "adaptation"
    label = "adaptive threshold"
    states = ("h",)
    needs_spikes = True

    leak: Array = tensor("adaptation_leak", LEAK)
    step: Array = tensor("adaptation_step", STEP)

    @property
    def history(self) -> int:
        return 1

    def threshold(self, theta: Array, was: State, now: State, arithmetic: Arithmetic) -> Array:
        raised = arithmetic.saturate(arithmetic.decay(was["h"], self.leak) + self.step * was["past"][0])
        now["h"] = raised
        return theta + raised

    def naive_threshold(self, i: int, theta: int, was: State, now: State, widths: Widths) -> int:
        kept = naive_decay(was["h"], int(self.leak[i]), widths.leak_bits)
        now["h"] = naive_saturate(kept + (int(self.step[i]) if was["past"][0] else 0), widths.state_bits)
        return theta + int(now["h"])
