"""Axonal delay: a neuron's spikes arrive everywhere some steps later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quant.arithmetic import Array
from quant.neurons.part import STEPS, Part, State, tensor


@dataclass(frozen=True, slots=True, eq=False)
class Delay(Part):
    """`o[t] = s[t - delta]`, 0 before there was one; the neuron itself feels its spikes at once."""

    key = "delay"
    label = "axonal delay"
    needs_spikes = True

    steps: Array = tensor("delay", STEPS)

    @property
    def history(self) -> int:
        return int(self.steps.max())

    def output(self, s: Array, was: State) -> Array:
        spikes = np.concatenate([s[None], was["past"]])
        steps = np.broadcast_to(self.steps.astype(np.int64), s.shape)
        delayed: Array = np.take_along_axis(spikes, steps[None], axis=0)[0]
        return delayed

    def naive_output(self, i: int, s: int, was: State) -> int:
        spikes = [s, *was["past"]]
        return int(spikes[int(self.steps[i])])
