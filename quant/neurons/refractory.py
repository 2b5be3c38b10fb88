"""Refractory steps: after a spike the membrane is held at zero for a while."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quant.arithmetic import Array
from quant.neurons.part import REFRACTORY, Part, State, tensor


@dataclass(frozen=True, slots=True, eq=False)
class Refractory(Part):
    """`u = 0` in the steps after a spike, so that there is no other; the synaptic filter and `h` go on."""

    key = "refractory"
    label = "refractory steps"
    needs_spikes = True

    steps: Array = tensor("refractory", REFRACTORY)

    @property
    def history(self) -> int:
        return int(self.steps.max())

    def potential(self, u: Array, was: State) -> Array:
        ago = np.arange(1, len(was["past"]) + 1).reshape(-1, *(1,) * u.ndim)
        held = (was["past"] & (ago <= self.steps)).any(axis=0)
        return np.where(held, 0, u)

    def naive_potential(self, i: int, u: int, was: State) -> int:
        return 0 if any(was["past"][: int(self.steps[i])]) else u
